"""/healthz and /readyz on the real server, and the refusal to start with a key ring that does not fit."""

import asyncio
import re
import sqlite3
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from cordee.ops import probes
from cordee.room import actions, store
from tests import services
from tests.conftest import on_postgres
from tests.faults.nodes import Wire
from tests.ops.test_keys import NEW


def ask(server, path: str) -> tuple[int, str]:
    answer = httpx.get(f"{server.url}{path}", headers={"Host": "10.0.0.7"}, timeout=60)
    return answer.status_code, answer.text.strip()


def eventually(server, wanted: tuple[int, str], within: float = 120) -> None:
    deadline = time.monotonic() + within
    while (told := ask(server, "/readyz")) != wanted:
        assert time.monotonic() < deadline, told
        time.sleep(0.3)


def test_both_answer_by_address_when_all_is_well(fresh_server):
    assert ask(fresh_server, "/healthz") == (200, "ok")
    eventually(fresh_server, (200, "ok"))


def test_a_stuck_database_is_told_and_the_process_still_lives(fresh_server):
    if on_postgres():
        pytest.skip("the lock is that of a file")
    eventually(fresh_server, (200, "ok"))
    other = sqlite3.connect(fresh_server.var / "cordee.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    eventually(fresh_server, (503, "writer"))  # reading goes on in WAL mode
    assert ask(fresh_server, "/healthz") == (200, "ok")
    other.execute("ROLLBACK")
    other.close()
    eventually(fresh_server, (200, "ok"))


def test_a_server_with_a_wrong_key_ring_refuses_to_start_and_says_why(fresh_server):
    fresh_server.manage("demo")
    fresh_server.stop()
    ring = fresh_server.var / "cordee_key_ring"
    right = ring.read_text()
    ring.write_text(NEW)
    with pytest.raises(RuntimeError) as refused:
        fresh_server.start()
    assert "« k1 » manque à CORDEE_KEY_RING" in str(refused.value)
    assert NEW.partition(":")[2][:12] not in str(refused.value)
    ring.write_text(NEW.replace("k2:", "k1:"))
    with pytest.raises(RuntimeError, match="n’est pas celle d’origine"):
        fresh_server.start()
    ring.write_text(right)
    fresh_server.start()
    eventually(fresh_server, (200, "ok"))


def test_a_key_lost_for_ever_is_let_go_of_on_demand(fresh_server):
    fresh_server.manage("demo")
    fresh_server.stop()
    (fresh_server.var / "cordee_key_ring").write_text(NEW)
    assert re.search(r"effacés : [1-9]\d* · cercles lisibles : 0", fresh_server.manage("purge", "--lost", "k1"))
    fresh_server.start()


def test_a_bus_that_is_not_heard_is_told(template):
    with template.server(CORDEE_BUS="redis://127.0.0.1:1/0") as server:
        eventually(server, (503, "bus"))


@pytest.mark.postgres
def test_a_postgresql_that_takes_and_never_answers_is_told_in_time_by_no_more_threads(template, tmp_path):
    """Both the connections that were open and those that come are left without an answer."""
    with template.server() as there, Wire(urlsplit(template.database_url).port or 5432) as wire:
        there.stop()
        address = there.env["DATABASE_URL"].replace(f":{urlsplit(template.database_url).port}/", f":{wire.port}/")
        server = services.Server(there.var, address)
        try:
            server.start()
            eventually(server, (200, "ok"))
            wire.dumb.set()
            eventually(server, (503, "database\nwriter"))
            threads = []
            for _ in range(6):
                began = time.monotonic()
                status, said = ask(server, "/readyz")
                assert time.monotonic() - began < 30
                assert (status, said.splitlines()[:2]) == (503, ["database", "writer"])
                assert ask(server, "/healthz") == (200, "ok")
                threads.append(len(list(Path(f"/proc/{server.process.pid}/task").iterdir())))
                time.sleep(1.1)  # what was told is kept for a second
            assert max(threads[1:]) <= threads[0] + 1, threads
            wire.dumb.clear()
            wire.cut()
            eventually(server, (200, "ok"))
        finally:
            server.stop()


async def test_what_never_comes_back_is_asked_once_however_often_one_wants_to_know(monkeypatch):
    gate, put = threading.Event(), []

    def stuck() -> list[str]:
        gate.wait(60)
        return []

    def never(job: object) -> Future:
        put.append(Future())
        return put[-1]

    monkeypatch.setattr(probes, "failing_in_database", stuck)
    monkeypatch.setattr(actions.writer, "put", never)
    monkeypatch.setattr(probes, "PATIENCE", 0.05)
    monkeypatch.setattr(probes, "KEPT", 0.0)
    asked = probes.Probes(None)  # type: ignore[arg-type]
    async with asyncio.timeout(60):
        for _ in range(5):
            assert await asked._failing() == ["database", "writer"]
        assert [t.name for t in threading.enumerate()].count("probe") == len(put) == 1
        gate.set()
        put[0].set_exception(store.NoSuchRoom(""))
        while await asked._database():
            await asyncio.sleep(0.02)
        monkeypatch.setattr(actions.writer, "put", lambda job: put[0])
        monkeypatch.setattr(probes, "PATIENCE", 30.0)
        assert await asked._failing() == []
