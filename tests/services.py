"""Private servers for the tests: PostgreSQL, Redis and Cordée itself, on free ports, in folders that vanish with them.

Only the standard library is used at import, because bin/test needs PostgreSQL and Redis before anything else.
"""

import http.client
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 240  # seconds a command of a test may take, on a very busy machine: less than the test itself (pyproject)


class Missing(Exception):
    """A program that a service needs is not installed."""


def free_port() -> int:
    """A port that nobody listens at, below those that systems give to who connects without asking for one.

    Among those, any connection of another test could take it before the service listens there, or while it is dead;
    and who calls a dead one again and again would at last be given its port, and speak to themselves.
    """
    for port in random.SystemRandom().sample(range(10_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free between 10,000 and 32,000")


class Service:
    """One child process that can be killed and started again on the same port and the same data."""

    def __init__(
        self, command: list[str], log: Path, user: str | None = None, env: dict[str, str] | None = None
    ) -> None:
        self.command = command
        self.log_path = log
        self.user = user
        self.env = env
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """Everything it has printed since its first start."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self, within: float = 120) -> None:
        """Start and wait until it answers; raises RuntimeError with the end of its log when it does not in time."""
        # A session of its own: Ctrl-C in the terminal stops the tests, which stop this in order.
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_user(self.user),
            )
        deadline = time.monotonic() + within
        while not self.answers():
            if not self.running or time.monotonic() > deadline:
                self.kill9()
                raise RuntimeError(f"{self.command[0]} did not start:\n{self.log[-4000:]}")
            time.sleep(0.02)

    def stop(self, within: float = 30) -> None:
        """Ask it to end (SIGINT, which PostgreSQL reads as a fast shutdown), and insist after `within` seconds."""
        if self.process is None:
            return
        if self.running:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(within)
        self.kill9()

    def kill9(self) -> None:
        """End it and all its children at once, as a crash would."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()


def as_user(name: str | None) -> dict[str, Any]:
    """The arguments of Popen that make a child run as that user."""
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []} if name else {}


class Postgres(Service):
    def __init__(self, folder: Path, durable: bool, log_folder: Path | None, own: dict[str, str]) -> None:
        self.port = free_port()
        self.programs = postgres_programs()
        # PostgreSQL refuses to run as root.
        user = next(name for name in ("postgres", "nobody") if known(name)) if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        options = ["--username=cordee", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        if log_folder:  # small segments, so that a small disk holds some
            if user:
                shutil.chown(log_folder, user)
            options += [f"--waldir={log_folder}", "--wal-segsize=1"]
        initdb = [str(self.programs / "initdb"), "-D", str(data), *options]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/", timeout=PATIENCE, **as_user(user))
        settings = {"listen_addresses": "127.0.0.1", "shared_buffers": "64MB", "max_connections": "200"}
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        settings |= own
        command = [str(self.programs / "postgres"), "-D", str(data), "-p", str(self.port), "-k", str(folder)]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        super().__init__(command, folder.parent / f"postgres-{self.port}.log", user)

    def url(self, database: str = "postgres") -> str:
        return f"postgres://cordee@127.0.0.1:{self.port}/{database}"

    def answers(self) -> bool:
        ready = [str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, timeout=PATIENCE).returncode == 0

    def kill9(self) -> None:
        # Its children made groups of their own; left alive, they would hold the data when it starts again.
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children") if self.process else None
        pids = children.read_text().split() if children and children.exists() else []
        super().kill9()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{pid}/fd").exists() for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.01)


class Redis(Service):
    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            raise Missing("redis-server")
        self.port = free_port()
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        super().__init__([*command, "--save", "", "--appendonly", "no"], folder / "redis.log")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


class Server(Service):
    """The real Cordée: uvicorn and its application in a process of its own, with its own data folder."""

    def __init__(
        self,
        var: Path,
        database_url: str,
        application: str = "config.asgi:application",
        folder: Path = ROOT,
        env: dict[str, str] | None = None,
    ) -> None:
        self.var = var
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        outside = {name: value for name, value in os.environ.items() if not name.startswith("CORDEE_")}
        own = {"CORDEE_VAR": str(var), "CORDEE_URL": f"{self.url}/", "DATABASE_URL": database_url}
        command = [sys.executable, "-m", "uvicorn", application, "--app-dir", str(folder), "--port", str(self.port)]
        command += ["--http", "cordee.live.door:Door", "--log-level", "warning", "--timeout-graceful-shutdown", "2"]
        super().__init__(command, var / "server.log", env=outside | own | (env or {}))

    def answers(self) -> bool:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.request("GET", "/")
            line.getresponse()  # any answer, be it a redirection to an HTTPS that only a proxy would serve
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()
        return True

    def manage(self, *arguments: str) -> str:
        """What `manage.py …` prints on this server's data; raises CalledProcessError when it fails."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(
            command, env=self.env, check=True, capture_output=True, text=True, timeout=PATIENCE
        ).stdout


def known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def postgres_programs() -> Path:
    """The folder of initdb and postgres: Debian keeps them off the PATH. Raises Missing."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    for folder in [*reversed(debian), *map(Path, os.environ.get("PATH", "").split(os.pathsep))]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Missing("postgres")


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder whose name is short (a socket's path is limited to 107 bytes) and that other users may cross."""
    folder = Path(tempfile.mkdtemp(prefix="cordee-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres(durable: bool = False, log_folder: Path | None = None, **settings: str) -> Iterator[Postgres]:
    """A private PostgreSQL. durable=True keeps fsync, for tests that kill it and count what is left.

    ``log_folder``: an empty folder for its write-ahead log. ``settings``: of PostgreSQL, as in its command line.
    """
    with private_folder() as folder:
        own = folder / "postgres"
        own.mkdir()
        service = Postgres(own, durable, log_folder, settings)
        try:
            service.start()
            yield service
        finally:
            service.stop()


@contextmanager
def redis() -> Iterator[Redis]:
    """A private Redis that keeps nothing on disk."""
    with private_folder() as folder:
        service = Redis(folder)
        try:
            service.start()
            yield service
        finally:
            service.stop()
