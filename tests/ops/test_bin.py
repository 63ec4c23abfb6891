"""A newcomer's commands, before anything is installed: each obstacle is one clear sentence, never a traceback."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import PATIENCE, free_port

ROOT = Path(__file__).resolve().parents[2]
CLOSED_PORT = 9


def command(*words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run one of bin/'s commands in a French terminal that says nothing of Cordée."""
    outside = {
        name: value for name, value in os.environ.items() if not name.startswith(("CORDEE_", "LC_", "DATABASE_"))
    }
    return subprocess.run(
        words, env=outside | {"LANG": "fr_FR.UTF-8"} | env, capture_output=True, text=True, timeout=PATIENCE, cwd="/"
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode != 0
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for words in said:
        assert words in lines[0]


@pytest.fixture
def fresh_clone(tmp_path: Path) -> Path:
    """What the commands need of a clone, in a folder whose name has a space and an accent, without an environment."""
    clone = tmp_path / "ma cordée"
    for folder in ("bin", "requirements"):
        shutil.copytree(ROOT / folder, clone / folder)
    (clone / "tests").mkdir()
    for name in ("__init__.py", "services.py"):
        shutil.copy(ROOT / "tests" / name, clone / "tests")
    return clone


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        yield occupant.getsockname()[1]


@pytest.mark.parametrize("name", ["demo", "dev"])
def test_taken_port_is_said_before_anything_is_installed(fresh_clone: Path, taken_port: int, name: str) -> None:
    done = command(fresh_clone / "bin" / name, "--port", str(taken_port))
    assert_one_sentence(done, f"Le port {taken_port} est déjà pris", f"--port {taken_port + 1}")
    assert not (fresh_clone / ".venv").exists()


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "80a", "٨٠٠٠", ""])
def test_port_that_is_no_port_is_refused(fresh_clone: Path, port: str) -> None:
    assert_one_sentence(command(fresh_clone / "bin/demo", f"--port={port}"), f"« {port} » n'est pas un port")


def test_unknown_option_is_refused(fresh_clone: Path) -> None:
    assert_one_sentence(command(fresh_clone / "bin/demo", "--prot", "8001"), "--prot", "bin/demo --help")


def test_unwritable_data_folder_is_said_before_anything_is_installed(fresh_clone: Path, tmp_path: Path) -> None:
    # Below a file, which even root cannot write into.
    (tmp_path / "file").touch()
    var = tmp_path / "file" / "var"
    done = command(fresh_clone / "bin/demo", "--port", str(free_port()), CORDEE_VAR=str(var))
    assert_one_sentence(done, f"Impossible d'écrire dans le dossier {var}", "CORDEE_VAR=")
    assert not (fresh_clone / ".venv").exists()


@pytest.mark.parametrize("name", ["demo", "dev", "test", "check"])
def test_old_python_is_named_with_its_version(fresh_clone: Path, tmp_path: Path, name: str) -> None:
    old = tmp_path / "path" / "python3"
    old.parent.mkdir()
    # Answers both questions of bin/commands/python.sh as Python 3.9 would.
    old.write_text('#!/bin/sh\ncase "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac\n')
    old.chmod(0o755)
    done = command(fresh_clone / "bin" / name, PATH=f"{old.parent}:/usr/bin:/bin")
    assert_one_sentence(done, "Python 3.11", "« python3 » est en version 3.9")


def test_missing_python_is_said(fresh_clone: Path) -> None:
    assert_one_sentence(
        command(fresh_clone / "bin/demo", PYTHON="/nowhere/python3"), "« /nowhere/python3 » est introuvable"
    )


def test_silent_network_is_said_and_the_next_start_may_go_on(fresh_clone: Path) -> None:
    nowhere = f"http://127.0.0.1:{CLOSED_PORT}/simple"
    mirror = {
        "PIP_INDEX_URL": nowhere,
        "UV_DEFAULT_INDEX": nowhere,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
    }
    done = command(fresh_clone / "bin/demo", "--port", str(free_port()), PYTHON=sys.executable, **mirror)
    assert_one_sentence(done, "faute de réponse du réseau", "install.log")
    assert not (fresh_clone / ".venv" / ".cordee-installed").exists()
    assert not (fresh_clone / ".venv" / ".cordee-installing").exists()


@pytest.mark.parametrize("name", ["demo", "dev", "test", "check"])
def test_help_is_shown_without_an_environment(fresh_clone: Path, name: str) -> None:
    done = command(fresh_clone / "bin" / name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"bin/{name}" in done.stdout
    assert not (fresh_clone / ".venv").exists()


def test_another_terminal_language_gets_english(fresh_clone: Path) -> None:
    done = command(fresh_clone / "bin/demo", "--port", "abc", LANG="C.UTF-8")
    assert_one_sentence(done, '"abc" is not a port')


def test_command_works_through_a_symbolic_link(fresh_clone: Path, tmp_path: Path) -> None:
    link = tmp_path / "demo"
    link.symlink_to(fresh_clone / "bin/demo")
    assert command(link, "--help").returncode == 0
