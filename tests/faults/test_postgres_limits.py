"""A PostgreSQL without a free connection, or whose own log has no room left: said, nothing lost, found again."""

import asyncio
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from tests import services
from tests.conftest import Template, started
from tests.faults.nodes import nodes
from tests.faults.test_database import LONG, mended, note, refused_in_words, write
from tests.live.people import Person

pytestmark = pytest.mark.postgres


def karim_in(server: services.Server) -> Person:
    fanny = Person(server, "/salles/nouvelle/", "Fanny")
    person = Person(server, f"/s/{fanny.code}/", "Karim")
    person.http.timeout = httpx.Timeout(LONG)
    return person


@contextmanager
def all_taken(postgres: services.Postgres, database: str) -> Iterator[None]:
    """Somebody else holds every connection, those that the server had too."""
    import psycopg

    with ExitStack() as held:
        first = held.enter_context(psycopg.connect(postgres.url(), autocommit=True, connect_timeout=10))
        deadline = time.monotonic() + LONG
        while True:
            try:
                while True:
                    held.enter_context(psycopg.connect(postgres.url(), connect_timeout=10))
            except psycopg.OperationalError as full:
                assert re.search("too many clients|remaining connection slots", str(full))
            mine = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
            pids = [pid for (pid,) in first.execute(mine, [database]).fetchall()]
            if not pids:
                break
            assert time.monotonic() < deadline
            for pid in pids:
                first.execute("SELECT pg_terminate_backend(%s)", [pid])
        yield


async def test_a_postgresql_that_has_no_connection_left_is_said_and_found_again_once_one_is_free(tmp_path):
    with ExitStack() as stack:
        postgres = started(stack, services.postgres(max_connections="40"))
        folder = tmp_path / "template"
        folder.mkdir()
        template = Template(folder, postgres.url())
        (server,) = stack.enter_context(nodes(template, 1, BEAT="1"))
        karim = await asyncio.to_thread(karim_in, server)
        await asyncio.to_thread(write, karim, 1)
        async with karim.stream() as stream:
            await stream.next(LONG)
            with all_taken(postgres, urlsplit(server.env["DATABASE_URL"]).path[1:]):
                await asyncio.to_thread(refused_in_words, karim, 2)
                page = await asyncio.to_thread(karim.http.get, karim.path)
                assert page.status_code == 503
                assert "Il n’arrive pas à lire cette page" in page.text
                assert (await asyncio.to_thread(httpx.get, f"{server.url}/healthz", timeout=LONG)).status_code == 200
            process = server.process
            await asyncio.to_thread(mended, karim, 2)
            await stream.until("Mot 2.", LONG)  # the line of before the fault
        assert server.process is process


def test_a_postgresql_whose_own_log_has_no_room_left_is_said_and_has_kept_what_it_promised(tmp_path):
    """A real disk of its own for the log, filled by somebody else. PostgreSQL gives up then, and is started again."""
    import psycopg

    with services.private_folder() as own, ExitStack() as stack:
        disk = own / "log"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "cordee", str(disk)]
        if subprocess.run(mount, capture_output=True, timeout=60).returncode:
            pytest.skip("this machine lets nobody mount")
        stack.callback(subprocess.run, ["umount", "-l", str(disk)], check=True, timeout=60)
        segments = disk / "segments"
        segments.mkdir()
        disk.chmod(0o711)
        # Segments are kept and never used again, as for a copy of the database that does not follow any more.
        postgres = started(stack, services.postgres(durable=True, log_folder=segments, wal_keep_size="1GB"))
        folder = tmp_path / "template"
        folder.mkdir()
        with Template(folder, postgres.url()).server() as server:
            karim = karim_in(server)
            for number in range(1, 6):
                write(karim, number)
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
                while True:
                    file.write(b"x" * 4096)
            with pytest.raises(psycopg.Error), psycopg.connect(postgres.url(), autocommit=True) as other:
                for _ in range(400):  # 40 MB, of which not one segment more can be made
                    other.execute("SELECT pg_logical_emit_message(false, 'x', repeat('x', 100000))")
            number = 6
            while (answer := karim.post(**note(number))).status_code == 204:  # what the last segment still holds
                number += 1
            assert answer.status_code == 503
            refused_in_words(karim, number)
            died = not postgres.answers()
            filler.unlink()
            if died:
                postgres.kill9()
                postgres.start()
            print("PostgreSQL gave up" if died else "PostgreSQL went on")
            process = server.process
            mended(karim, number)
            assert server.process is process
