"""The last step of bin/demo and bin/dev, in .venv's Python: database, static files, demo, then the server."""

import hashlib
import io
import os
import socket
import sys
from pathlib import Path

import django
import segno
import uvicorn
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command, get_commands
from django.db import Error, connections
from django.utils import translation
from say import Sentence, language, run, tell

ROOT = Path(__file__).resolve().parents[2]
DOOR = "cordee.live.door:Door"


def main() -> int:
    name, bind, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    prepare()
    welcome = welcome_to(os.environ["CORDEE_URL"], phones=bind == "0.0.0.0")
    application = "config.asgi:application"
    if name == "dev":
        print(welcome, flush=True)
        reload = ["--reload", *(f"--reload-dir={ROOT / folder}" for folder in ("config", "cordee"))]
        options = ["--app-dir", str(ROOT), "--http", DOOR, "--host", bind, "--port", str(port)]
        command = [sys.executable, "-m", "uvicorn", application, *options, *reload]
        os.execv(sys.executable, command)
    options = {"host": bind, "port": port, "http": DOOR, "log_level": "warning", "timeout_graceful_shutdown": 2}
    config = uvicorn.Config(application, **options)
    server = Announced(config, welcome)
    server.run()
    return 0 if server.started else 1


def prepare() -> None:
    """Bring the data folder up to date; what is already done costs little. Raises Sentence."""
    try:
        django.setup()
        from django.conf import settings

        translation.activate(language())
        call_command("migrate", verbosity=0, interactive=False)
        if not settings.DEBUG:
            collect_static(Path(settings.STATIC_ROOT))
        if "demo" in get_commands():
            call_command("demo")
        connections.close_all()
    except (ImproperlyConfigured, CommandError, Error) as error:
        reason = " ".join(str(error).split())
        raise Sentence(f"Cordée ne peut pas démarrer : {reason}", f"Cordée cannot start: {reason}") from error


def collect_static(folder: Path) -> None:
    """Collect and compress the static files, unless they are those of the last time."""
    stamp = folder.with_name("static.stamp")
    sources = static_sources()
    if stamp.exists() and stamp.read_text() == sources and (folder / "staticfiles.json").exists():
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=folder.exists())
    stamp.write_text(sources)


def static_sources() -> str:
    """A hash of the names, sizes and dates of every static file the apps bring."""
    from django.contrib.staticfiles.finders import get_finders

    found = hashlib.sha256()
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda pair: pair[0]):
            file = os.stat(storage.path(path))
            found.update(f"{path}\0{file.st_size}\0{file.st_mtime_ns}\n".encode())
    return found.hexdigest()


def welcome_to(url: str, phones: bool) -> str:
    code = ""
    if phones:
        drawn = io.StringIO()
        segno.make(url, error="m").terminal(drawn, compact=True)
        code = drawn.getvalue()
    return f"{code}\n{url}\n"


class Announced(uvicorn.Server):
    """Says where to go once it answers, not before."""

    def __init__(self, config: uvicorn.Config, welcome: str) -> None:
        super().__init__(config)
        self.welcome = welcome

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            print(self.welcome, end="", flush=True)
            tell("Ctrl-C pour arrêter.", "Ctrl-C to stop.")


run(main)
