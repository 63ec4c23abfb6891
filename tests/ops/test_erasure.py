"""A destroyed key is nowhere in the files of a server that goes on serving."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests import services
from tests.live.people import Person

WRAPPED = "SELECT wrapped_key FROM circles_circle"


def database(server: services.Server) -> Path:
    found = re.fullmatch(r"sqlite:///(/.*)", server.env["DATABASE_URL"])
    if not found:
        pytest.skip("PostgreSQL keeps dead rows until VACUUM, and its journal longer: docs/securite.md says so")
    return Path(found[1])


def held(server: services.Server) -> bytes:
    """Every byte of the database's files."""
    file = database(server)
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))


def rooms_open(server: services.Server, names: tuple[str, ...]) -> list[bytes]:
    """Rooms in which somebody has written; their wrapped keys."""
    for name in names:
        person = Person(server, "/salles/nouvelle/", name)
        person.do("write", kind="note", id=f"note-{name}", body_text="Ce mot doit partir.")
        person.http.close()
    with closing(sqlite3.connect(database(server), timeout=20)) as file:
        return [key for (key,) in file.execute(WRAPPED)]


def test_the_bytes_of_a_destroyed_key_are_overwritten_while_the_server_runs(template) -> None:
    with template.server() as server:
        database(server)
        keys = rooms_open(server, ("Fanny", "Claire", "Karim"))
        assert len(keys) == 3 and all(key in held(server) for key in keys)
        with closing(sqlite3.connect(database(server), timeout=20)) as file, file:
            file.execute(
                "UPDATE circles_circle SET erase_on = '2020-01-01' WHERE id < (SELECT MAX(id) FROM circles_circle)"
            )
        assert "2" in server.manage("purge")
        left = [key in held(server) for key in keys]
        assert left == [False, False, True]
        Person(server, "/salles/nouvelle/", "Nadia").http.close()  # it still serves


def test_the_search_finds_a_key_that_is_only_forgotten(template) -> None:
    """Without the overwriting and the emptying, the bytes stay: what the test above looks for is really there."""
    with template.server() as server:
        database(server)
        keys = rooms_open(server, ("Fanny",))
        with closing(sqlite3.connect(database(server), timeout=20)) as file, file:
            file.execute("PRAGMA secure_delete=OFF")
            file.execute("UPDATE circles_circle SET wrapped_key = NULL")
        assert keys[0] in held(server)
