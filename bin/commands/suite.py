"""bin/test and bin/check: every check and every test, timed, with the first failure's words at the end."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import environment
from environment import ROOT
from say import Sentence, either, run

sys.path.insert(0, str(ROOT))
from tests import services

NO_TESTS = 5  # pytest's exit code when nothing was collected
LONGEST = 1500  # seconds a step may take; a test has its own limit (pyproject.toml), this is for what hangs around it


@dataclass
class Step:
    """One command of .venv's Python; its output is shown as it comes when live, else only if it fails."""

    name: str
    arguments: list[str]
    env: dict[str, str] = field(default_factory=dict)
    live: bool = False
    may_be_empty: bool = False
    output: str = ""
    passed: bool = False

    def run(self, base: dict[str, str]) -> None:
        print(f"── {self.name}", flush=True)
        began = time.monotonic()
        command = [str(environment.PYTHON), *self.arguments]
        lines = []
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=base | self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            limit = threading.Timer(LONGEST, end, [process])
            limit.start()
            try:
                for line in process.stdout or ():
                    lines.append(line)
                    if self.live:
                        print(line, end="", flush=True)
            except BaseException:
                os.killpg(process.pid, signal.SIGINT)
                raise
            finally:
                limit.cancel()
        self.output = "".join(lines)
        self.passed = process.returncode == 0 or (self.may_be_empty and process.returncode == NO_TESTS)
        print(f"   {'ok' if self.passed else 'FAILED'}  {time.monotonic() - began:.1f} s", flush=True)


def end(process: subprocess.Popen[str]) -> None:
    """End a step that hangs, and its children; Python's say where each of their threads stood (faulthandler)."""
    print(f"── nothing ends after {LONGEST} s", flush=True)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGABRT)
        time.sleep(10)
        os.killpg(process.pid, signal.SIGKILL)


def main() -> int:
    name, arguments = sys.argv[1], sys.argv[2:]
    # Ended by a supervisor or a closed terminal as by Ctrl-C: the private servers are stopped in order.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    if arguments[:1] in (["--help"], ["-h"]):
        print(help_of(name))
        return 0
    if name == "check":
        return check()
    return some(arguments) if arguments else everything()


def help_of(name: str) -> str:
    if name == "check":
        return either(
            "bin/check : style, types, ordre des imports et tests du moteur, en quelques secondes.",
            "bin/check: style, types, import order and the engine's tests, in a few seconds.",
        )
    return either(
        "bin/test : toutes les vérifications et tous les tests, sur SQLite et sur PostgreSQL.\n"
        "bin/test ARGUMENTS… : pytest seul, sur SQLite, avec ces arguments ; par exemple bin/test tests/engine -x",
        "bin/test: every check and every test, on SQLite and on PostgreSQL.\n"
        "bin/test ARGUMENTS…: pytest alone, on SQLite, with these arguments; for example bin/test tests/engine -x",
    )


def everything() -> int:
    """Static checks, all tests on SQLite, then those that touch a database again on PostgreSQL."""
    install_programs()
    environment.ready("dev")
    with ExitStack() as stack:
        base = stack.enter_context(clean_environment())
        postgres = stack.enter_context(services.postgres())
        redis = stack.enter_context(services.redis())
        base |= {"CORDEE_TEST_POSTGRES": postgres.url(), "CORDEE_TEST_REDIS": redis.url}
        on_postgres = {"DATABASE_URL": postgres.url(), "CORDEE_BUS": "notify"}
        return report([*static_steps(), *deploy_steps(), *pytest_steps(on_postgres)], base)


def some(arguments: list[str]) -> int:
    environment.ready("dev")
    with clean_environment() as base:
        return subprocess.run([environment.PYTHON, "-m", "pytest", *arguments], cwd=ROOT, env=base).returncode


def check() -> int:
    environment.ready("dev")
    with clean_environment() as base:
        return report([*static_steps(), Step("engine", ["-m", "pytest", "tests/engine"], live=True)], base)


def static_steps() -> list[Step]:
    imports = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return [
        Step("ruff check", ["-m", "ruff", "check"]),
        Step("ruff format", ["-m", "ruff", "format", "--check"]),
        Step("import order", ["-c", imports]),
        Step("mypy", ["-m", "mypy", "config", "cordee"]),
    ]


def deploy_steps() -> list[Step]:
    return [
        Step("migrations", ["manage.py", "makemigrations", "--check", "--dry-run"]),
        Step("deployment", ["manage.py", "check", "--deploy", "--fail-level=WARNING"], env={"CORDEE_HTTPS": "1"}),
    ]


def pytest_steps(on_postgres: dict[str, str]) -> list[Step]:
    # Most tests wait for a server, a browser, a clock: three at once keep two cores busy. A file stays with one worker,
    # and the files come in the order of tests/conftest.py, the longest first, and not by how many tests they have.
    # A worker that dies of a test that hangs is not replaced: xdist would give that test to the next, for ever.
    pytest = ["-m", "pytest", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--max-worker-restart=0", "-m"]
    # These never touch a database, or test the commands themselves.
    apart = ["engine", "catalogue", "browser", "ops/test_bin.py"]
    # Who may open what is asked of a table and of plain rows, and what a calendar reads of text: once, on one database.
    apart += ["circles/test_abilities.py", "security/test_doors.py", "circles/test_calendar.py"]
    # Nor does the database decide how many questions a page asks, what a seat reads, or how slow senders are borne.
    apart += ["circles/test_speed.py", "room/test_leaks_over_http.py", "security/test_slowness.py"]
    apart = [f"--ignore=tests/{name}" for name in apart]
    on_postgres = on_postgres | {"CORDEE_TEST_DATABASE_ONLY": "1"}
    return [
        Step("tests on SQLite", [*pytest, "not browser"], live=True),
        # Apart: Playwright's loop and asynchronous tests do not share a process.
        Step("tests in a browser", [*pytest, "browser"], live=True, may_be_empty=True),
        Step("tests on PostgreSQL", [*pytest, "not browser", *apart], on_postgres, live=True, may_be_empty=True),
    ]


def report(steps: list[Step], base: dict[str, str]) -> int:
    for step in steps:
        step.run(base)
    failed = [step for step in steps if not step.passed]
    if not failed:
        return 0
    names = ", ".join(step.name for step in failed)
    print(f"\n── FAILED: {names}\n── {failed[0].name}:\n\n{failed[0].output}", flush=True)
    return 1


@contextmanager
def clean_environment() -> Iterator[dict[str, str]]:
    """The environment of every step: nothing of this terminal's Cordée, and a data folder that vanishes."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CORDEE_", "DATABASE_URL"))}
    with tempfile.TemporaryDirectory(prefix="cordee-") as var:
        yield own | {"CORDEE_VAR": var}


def install_programs() -> None:
    """What the tests run, from Debian's packages, where it is missing. Raises Sentence."""
    packages = missing_programs()
    if not packages:
        return
    line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if os.geteuid() == 0 and shutil.which("apt-get") and environment.apt_install(packages) and not missing_programs():
        return
    raise Sentence(
        f"Il manque aux tests {', '.join(packages)} : lancez « {line} » en administrateur, puis recommencez.",
        f'The tests lack {", ".join(packages)}: run "{line}" as root, then start again.',
    )


def missing_programs() -> list[str]:
    """The Debian packages whose program is not found."""
    missing = []
    if not (os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")):
        missing.append("chromium")
    try:
        services.postgres_programs()
    except services.Missing:
        missing.append("postgresql")
    if not (shutil.which("redis-server") or shutil.which("valkey-server")):
        missing.append("redis-server")
    plain = {"strace": "strace", "pdftotext": "poppler-utils"}
    return missing + [package for program, package in plain.items() if not shutil.which(program)]


run(main)
