"""What every test may ask for: private databases, the real server, a real browser on a phone or a desktop."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from tests import services

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

if sys.dont_write_bytecode and sys.prefix != sys.base_prefix:
    # Kept out of the tree, as was asked; but each of a hundred servers and commands would compile everything again.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(sys.prefix) / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

LONG = (
    30_000  # milliseconds after which what is awaited in a browser never comes: also what Playwright has for the rest
)
PLAIN_STATIC = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


# Folders whose files take longest, first: no worker ends on a long file while the others have nothing left.
LONGEST_FIRST = ("browser", "faults", "security", "mail", "circles", "room", "ops", "flows", "home", "followup")
DATABASE = {"db", "transactional_db", "django_db_setup", "template", "postgres_url"}
ITS_OWN_DATABASE = ("faults", "live", "ops")  # folders in which some tests reach one by themselves


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if item.get_closest_marker("postgres") and not on_postgres():
            item.add_marker(pytest.mark.skip(reason="needs DATABASE_URL=postgres://…; bin/test runs it"))
    # Playwright's synchronous interface leaves a loop running in the thread, which asynchronous tests cannot bear.
    items.sort(key=lambda item: (item.get_closest_marker("browser") is not None, place(item)))
    if os.environ.get("CORDEE_TEST_DATABASE_ONLY"):
        config.hook.pytest_deselected(items=[item for item in items if not reaches_a_database(item)])
        items[:] = [item for item in items if reaches_a_database(item)]


def folder(item: pytest.Item) -> str:
    return item.path.parent.name


def place(item: pytest.Item) -> int:
    return LONGEST_FIRST.index(folder(item)) if folder(item) in LONGEST_FIRST else len(LONGEST_FIRST)


def reaches_a_database(item: pytest.Item) -> bool:
    marked = any(item.get_closest_marker(name) for name in ("django_db", "postgres"))
    return marked or folder(item) in ITS_OWN_DATABASE or not DATABASE.isdisjoint(getattr(item, "fixturenames", ()))


def on_postgres() -> bool:
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


@pytest.fixture(scope="session", autouse=True)
def static_without_a_manifest() -> Iterator[None]:
    """Pages rendered in this process name their static files plainly; the server fixtures collect them for real."""
    from django.test import override_settings

    with override_settings(STORAGES=PLAIN_STATIC):
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """Each client of httpx, each httpx.get() even, would read all authorities' certificates: 27 ms of processor."""
    if httpx := sys.modules.get("httpx"):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
            yield
    else:
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL to make databases in: bin/test's, else one started for this run; skips where none is installed."""
    with ExitStack() as stack:
        yield os.environ.get("CORDEE_TEST_POSTGRES") or started(stack, services.postgres()).url()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis for tests: bin/test's, else one started for this run; skips where none is installed."""
    with ExitStack() as stack:
        yield os.environ.get("CORDEE_TEST_REDIS") or started(stack, services.redis()).url


def started(stack: ExitStack, service):  # type: ignore[no-untyped-def]
    try:
        return stack.enter_context(service)
    except services.Missing as missing:
        pytest.skip(f"{missing} is not installed; bin/test installs it")


class Template:
    """A data folder and a database, migrated and collected once, then copied for each server, which is cheap."""

    def __init__(self, folder: Path, postgres_url: str | None) -> None:
        self.folder = folder
        self.cluster = postgres_url
        self.database_url = self.new_database(folder)
        env = os.environ | {"CORDEE_VAR": str(folder), "DATABASE_URL": self.database_url}
        for command in (["migrate"], ["collectstatic"]):
            arguments = [*command, "--verbosity=0", "--no-input"]
            own = [sys.executable, str(services.ROOT / "manage.py"), *arguments]
            subprocess.run(own, env=env, check=True, timeout=services.PATIENCE)

    def new_database(self, folder: Path, template: str = "template1") -> str:
        """The address of a new database: a file in the folder, or a copy of the template in the cluster."""
        if self.cluster is None:
            return f"sqlite:///{folder / 'cordee.sqlite3'}"
        name = f"cordee_{uuid4().hex[:12]}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return urlunsplit(urlsplit(self.cluster)._replace(path=f"/{name}"))

    def execute(self, statement: str) -> None:
        import psycopg

        patience = {"connect_timeout": 30, "options": f"-c statement_timeout={services.PATIENCE}s"}
        with psycopg.connect(self.cluster or "", autocommit=True, **patience) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def server(self, **env: str) -> Iterator[services.Server]:
        """The real server on a copy of this template; the keywords are added to its environment."""
        with tempfile.TemporaryDirectory(prefix="cordee-") as own:
            var = Path(own) / "var"
            shutil.copytree(self.folder, var)
            database_url = self.new_database(var, self.name)
            server = services.Server(var, database_url, env=env)
            try:
                server.start()
                yield server
            finally:
                server.kill9()  # nothing of it is kept; to end in order takes half a second
                self.drop(database_url)

    @property
    def name(self) -> str:
        return urlsplit(self.database_url).path[1:]

    def drop(self, database_url: str) -> None:
        if self.cluster is not None:
            self.execute(f'DROP DATABASE "{urlsplit(database_url).path[1:]}" WITH (FORCE)')


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    prepared = Template(tmp_path_factory.mktemp("template"), os.environ["DATABASE_URL"] if on_postgres() else None)
    yield prepared
    prepared.drop(prepared.database_url)


@pytest.fixture(scope="session")
def server(template: Template) -> Iterator[services.Server]:
    """The real server, one for the whole run: .url, .log, .var, .manage(…), .kill9(), .start(), .restart()."""
    with template.server() as running:
        yield running


@pytest.fixture
def fresh_server(template: Template) -> Iterator[services.Server]:
    """The real server with an empty database, for this test alone, which may kill it."""
    with template.server() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium (or CHROMIUM=/path), driven by Playwright; skips where there is none."""
    from playwright.sync_api import expect, sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed; bin/test installs it")
    expect.set_options(timeout=LONG)
    switches = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"]
    switches += ["disable-component-update", "disable-sync"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=[f"--{name}" for name in switches])
        yield running
        running.close()


@pytest.fixture
def phone(browser: "Browser") -> Iterator[Callable[..., "BrowserContext"]]:
    """phone() is a new person's telephone: a context of its own, 390 x 844, French. Keywords go to new_context."""
    yield from contexts(browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)


@pytest.fixture
def desktop(browser: "Browser") -> Iterator[Callable[..., "BrowserContext"]]:
    """desktop() is a new person's laptop: a context of its own, 1280 x 800, French. Keywords go to new_context."""
    yield from contexts(browser, viewport={"width": 1280, "height": 800})


def contexts(browser: "Browser", **device: Any) -> Iterator[Callable[..., "BrowserContext"]]:
    opened: list[BrowserContext] = []

    def new(**options: Any) -> "BrowserContext":
        opened.append(browser.new_context(**{"locale": "fr-FR", "timezone_id": "Europe/Paris", **device, **options}))
        return opened[-1]

    yield new
    for context in opened:
        context.close()
