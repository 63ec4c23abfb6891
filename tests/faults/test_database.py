"""A database that is locked, full, read-only or unreachable: a clear sentence, the words given back, no restart."""

import asyncio
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests import services
from tests.conftest import on_postgres
from tests.faults.nodes import nodes, seated
from tests.faults.test_kill import kept_in_log
from tests.live.people import Person

only_sqlite = pytest.mark.skipif(on_postgres(), reason="a file's own faults")
LONG = 60.0  # seconds that a busy machine may take


@pytest.fixture
def karim(fresh_server: services.Server) -> Iterator[Person]:
    fanny = Person(fresh_server, "/salles/nouvelle/", "Fanny")
    person = Person(fresh_server, f"/s/{fanny.code}/", "Karim")
    person.http.timeout = httpx.Timeout(LONG)
    write(person, 1)
    yield person
    fanny.http.close()
    person.http.close()


def note(number: int) -> dict[str, str]:
    return {"do": "write", "kind": "note", "id": f"note-0-{number:05d}", "body_text": f"Mot {number}."}


def write(person: Person, number: int) -> None:
    answer = person.post(**note(number))
    assert answer.status_code == 204, answer.text


def file_of(server: services.Server) -> Path:
    return Path(urlsplit(server.env["DATABASE_URL"]).path[1:])


@contextmanager
def on_cluster(server: services.Server):
    """A connection to another database of the same cluster, and this server's database's name."""
    import psycopg

    url = urlsplit(server.env["DATABASE_URL"])
    with psycopg.connect(url._replace(path="/postgres").geturl(), autocommit=True) as connection:
        yield connection, url.path[1:]


@contextmanager
def locked(server: services.Server) -> Iterator[None]:
    """Somebody else holds the database for as long as they please."""
    if on_postgres():
        import psycopg

        with psycopg.connect(server.env["DATABASE_URL"]) as connection:
            connection.execute("LOCK TABLE room_entry IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()
        return
    connection = sqlite3.connect(file_of(server), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


def refuse(server: services.Server, note_id: str) -> None:
    """From here on the database takes no row of this note: data that PostgreSQL cannot hold, SQLite's constraint."""
    if on_postgres():
        import psycopg

        with psycopg.connect(server.env["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(
                "CREATE FUNCTION not_this() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '22021'; END $$"
            )
            connection.execute(
                "CREATE TRIGGER not_this BEFORE INSERT ON room_entry FOR EACH ROW "
                f"WHEN (NEW.plain->>'id' = '{note_id}') EXECUTE FUNCTION not_this()"
            )
        return
    connection = sqlite3.connect(file_of(server), isolation_level=None)
    connection.execute(
        "CREATE TRIGGER not_this BEFORE INSERT ON room_entry "
        f"WHEN json_extract(NEW.plain, '$.id') = '{note_id}' BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    connection.close()


def refused_in_words(person: Person, number: int) -> None:
    """The script's road in English, and the plain form's in French, which gives back what was typed."""
    answer = person.post(headers={"Accept-Language": "en"}, **note(number))
    assert answer.status_code == 503, answer.text
    assert answer.json()["reason"] == "unavailable"
    assert "The server could not save" in answer.json()["sentence"]
    plain = person.post(headers={"X-Cordee": None}, **note(number))
    assert plain.status_code == 503
    assert f"Mot {number}." in plain.text
    assert re.search("n’a pas pu enregistrer", plain.text)
    assert note(number)["id"] in plain.text  # sent again it keeps its id


def mended(person: Person, number: int) -> None:
    """The same contribution passes without a restart, once, and what was acknowledged before is there."""
    write(person, number)
    assert kept_in_log(person.server) == [f"note-0-{n:05d}" for n in range(1, number + 1)]
    assert f"Mot {number}." in person.look()
    assert "Mot 1." in person.look()


def test_a_locked_database_is_said_and_the_same_words_pass_when_it_is_free(karim):
    with locked(karim.server):
        refused_in_words(karim, 2)
    mended(karim, 2)


def test_the_event_loop_answers_while_a_write_waits_for_the_lock(karim):
    with locked(karim.server):
        waiting = threading.Thread(target=karim.post, kwargs=note(2))
        waiting.start()
        answered = 0
        while waiting.is_alive() and answered < 3:
            foreign = httpx.post(
                f"{karim.server.url}{karim.path}contributions", headers={"X-Cordee": "1"}, timeout=LONG
            )
            assert foreign.status_code == 403
            answered += waiting.is_alive()
        assert answered == 3
        waiting.join(LONG)
    mended(karim, 2)


def test_drafts_that_wait_for_the_lock_leave_threads_for_pages(karim):
    """Forty drafts through eight threads would wait for 25 s; a page passes them."""
    cookies, path = {"Cookie": f"place={karim.token}"}, f"{karim.server.url}{karim.path}brouillon"

    def draft(number: int) -> int:
        headers = {**cookies, "Origin": karim.server.url, "X-Cordee": "1"}
        form = {"kind": "note", "body.text": str(number)}
        return httpx.post(path, data=form, headers=headers, timeout=LONG).status_code

    with locked(karim.server), ThreadPoolExecutor(40) as people:
        drafts = [people.submit(draft, number) for number in range(40)]
        time.sleep(1.5)  # all forty are there, and the first ones are seen to be stuck
        assert httpx.get(f"{karim.server.url}/", timeout=15).status_code == 200
        assert {answer.result(LONG) for answer in drafts} == {503}
    mended(karim, 2)


@only_sqlite
def test_a_file_that_may_not_grow_is_said_and_grows_again_later(karim):
    pid = karim.server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        refused_in_words(karim, 2)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    mended(karim, 2)


@only_sqlite
def test_a_disk_that_is_really_full_is_said_and_forgiven(karim, tmp_path):
    server = karim.server
    server.stop()
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "cordee", str(disk)], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount; the limit on the size of files stands for it")
    try:
        shutil.copy(file_of(server), disk / "cordee.sqlite3")
        server.env["DATABASE_URL"] = f"sqlite:///{disk / 'cordee.sqlite3'}"
        server.start()
        write(karim, 2)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(b"x" * 4096)
        number = 3
        while (answer := karim.post(**note(number))).status_code == 204:  # what the last page still holds
            number += 1
        assert answer.status_code == 503
        refused_in_words(karim, number)
        filler.unlink()
        mended(karim, number)
        server.stop()
    finally:
        server.kill9()
        subprocess.run(["umount", str(disk)], check=True)


@only_sqlite
@pytest.mark.parametrize("mended_by", ["the file alone", "all its files"])
def test_a_file_that_may_only_be_read_at_the_start_is_said_and_written_again_without_a_restart(karim, mended_by):
    server = karim.server
    server.stop()
    file = file_of(server)
    if os.geteuid() == 0:  # root passes over a file's rights, unless it gives that power up
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is not installed")
        server.command[:0] = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    file.chmod(0o444)
    try:
        server.start()
        refused_in_words(karim, 2)
        assert "Mot 1." in karim.look()
        refused_in_words(karim, 2)
        # SQLite gave the files beside it the same rights.
        beside = [each for each in file.parent.glob(f"{file.name}-*") if each.stat().st_mode & 0o777 == 0o444]
        assert beside
    finally:
        for each in file.parent.glob(file.name if mended_by == "the file alone" else f"{file.name}*"):
            each.chmod(0o600)
    deadline = time.monotonic() + LONG
    while (answer := karim.post(**note(2))).status_code == 503:  # the first one may be what finds it again
        assert time.monotonic() < deadline
    assert answer.status_code == 204
    process = server.process
    mended(karim, 2)
    assert server.process is process
    assert server.running


@pytest.mark.postgres
def test_a_postgresql_whose_disk_is_full_is_said_and_forgiven(karim):
    """What PostgreSQL answers when a table cannot grow: SQLSTATE 53100."""
    import psycopg

    with psycopg.connect(karim.server.env["DATABASE_URL"], autocommit=True) as own:
        own.execute(
            "CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
        )
        own.execute("CREATE TRIGGER no_space BEFORE INSERT ON room_entry FOR EACH ROW EXECUTE FUNCTION no_space()")
        refused_in_words(karim, 2)
        own.execute("DROP TRIGGER no_space ON room_entry")
    mended(karim, 2)


@pytest.mark.postgres
def test_a_statement_that_lasts_is_given_up_and_the_writer_goes_on(karim):
    """Not for a lock, which has a limit of its own: PostgreSQL works on it, or its disk does not answer."""
    import psycopg

    with psycopg.connect(karim.server.env["DATABASE_URL"], autocommit=True) as own:
        own.execute(
            "CREATE FUNCTION lasts() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$"
        )
        own.execute("CREATE TRIGGER lasts BEFORE INSERT ON room_entry FOR EACH ROW EXECUTE FUNCTION lasts()")
        refused_in_words(karim, 2)
        own.execute("SET lock_timeout = '30s'")
        own.execute("DROP TRIGGER lasts ON room_entry")
    mended(karim, 2)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "fault, remedy",
    [
        ('ALTER DATABASE "{}" SET default_transaction_read_only = on', 'ALTER DATABASE "{}" RESET ALL'),
        ('ALTER DATABASE "{}" ALLOW_CONNECTIONS false', 'ALTER DATABASE "{}" ALLOW_CONNECTIONS true'),
    ],
    ids=["read-only", "no connection to be had"],
)
def test_a_postgresql_that_refuses_is_said_and_found_again(karim, fault, remedy):
    with on_cluster(karim.server) as (cluster, name):
        cluster.execute(fault.format(name))
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        cluster.execute(cut, [name])
        try:
            refused_in_words(karim, 2)
        finally:
            cluster.execute(remedy.format(name))
    mended(karim, 2)


def test_a_row_that_the_database_refuses_fails_alone_in_its_batch(karim):
    """Twelve wishes in one transaction, of which one can never be written."""
    server = karim.server
    refuse(server, note(7)["id"])
    with ThreadPoolExecutor(13) as people, locked(server):
        first = people.submit(karim.post, **note(2))
        time.sleep(1)  # the writer waits with it; what comes now waits for the writer, together
        others = {number: people.submit(karim.post, **note(number)) for number in range(3, 15)}
        time.sleep(1)
    answers = {number: future.result(LONG) for number, future in ({2: first} | others).items()}
    refused = answers.pop(7)
    assert {answer.status_code for answer in answers.values()} == {204}
    assert refused.status_code == 409, refused.text
    assert refused.json()["reason"] == "unkeepable"
    assert sorted(kept_in_log(server)) == [note(number)["id"] for number in range(1, 15) if number != 7]


async def test_a_room_deleted_under_open_streams_says_bye_and_then_no_more_than_to_a_stranger(template):
    """By somebody who has the database in hand, and tells nobody: no process, no bus."""
    with nodes(template, 1, BEAT="1") as (server,):
        fanny, (karim, *_) = seated(server)
        async with karim.stream() as his, fanny.stream() as hers:
            await his.next(LONG)
            await hers.next(LONG)
            delete = "from cordee.circles.models import Circle; Circle.objects.all().delete()"
            await asyncio.to_thread(server.manage, "shell", "-c", delete)
            for stream in (his, hers):
                while (message := await stream.next(LONG)).event != "bye":
                    assert message
                assert await stream.next(LONG) is None
        answer = await asyncio.to_thread(karim.post, **note(1))
        assert answer.status_code == 404
        assert answer.json()["sentence"]
        for path in (karim.path, f"{karim.path}maintenant"):
            gone = await asyncio.to_thread(karim.http.get, path)
            assert gone.status_code == 404, (path, gone.status_code)
        assert "Traceback" not in server.log
        assert "failed with" not in server.log


@pytest.mark.postgres
def test_our_own_connections_to_postgresql_wait_for_nothing_endlessly(karim):
    """What the server's connections were opened with, as PostgreSQL has it."""
    shown = "for name in ('lock_timeout', 'tcp_user_timeout', 'tcp_keepalives_idle'):\n"
    shown += (
        "    with connection.cursor() as cursor: cursor.execute(f'SHOW {name}'); print(name, cursor.fetchone()[0])\n"
    )
    code = f"from django.db import connection\n{shown}print('limit', connection.connection.info.get_parameters())"
    told = karim.server.manage("shell", "-c", code)
    assert "lock_timeout 5s" in told
    for bound in ("'connect_timeout': '5'", "'tcp_user_timeout': '20000'", "'keepalives_idle': '10'"):
        assert bound in told
