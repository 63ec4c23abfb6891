"""Group commit: nothing is acknowledged before it is durable, nothing is lost, nothing is out of order."""

import asyncio
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest
from django.db import DataError, IntegrityError, OperationalError

from cordee.live.connections import Busy
from cordee.live.writer import LARGEST_BATCH, Writer


class Database:
    """Keeps what is committed, and who was told when."""

    def __init__(self) -> None:
        self.rows: list = []
        self.batches: list[list] = []
        self.poked: list = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False
        self.writer = Writer(self.transact, self.committed, most=1000)

    def transact(self, jobs):
        assert self.gate.wait(60)
        if self.broken:
            raise OSError("disk full")
        self.batches.append(list(jobs))
        outcomes = [ValueError(job) if job == "bad" else f"done {job}" for job in jobs]
        self.rows += [job for job in jobs if job != "bad"]
        return outcomes

    def committed(self, jobs, outcomes):
        self.poked += [job for job, outcome in zip(jobs, outcomes, strict=True) if isinstance(outcome, str)]


@pytest.fixture
def database() -> Database:
    return Database()


def settled(writer: Writer) -> None:
    """Returns once the writer's thread has nothing left to do."""
    writer._thread.submit(lambda: None).result(60)


def test_an_answer_comes_only_after_the_commit(database):
    database.gate.clear()
    future = database.writer.put("one")
    time.sleep(0.05)
    assert not future.done()
    assert database.poked == []
    database.gate.set()
    assert future.result(60) == "done one"
    assert database.rows == ["one"]
    settled(database.writer)
    assert database.poked == ["one"]


def test_what_queued_while_a_commit_ran_is_committed_together(database):
    database.gate.clear()
    futures = [database.writer.put(0)]
    while database.writer._queue:
        time.sleep(0.001)
    futures += [database.writer.put(n) for n in range(1, 20)]
    database.gate.set()
    assert [f.result(60) for f in futures] == [f"done {n}" for n in range(20)]
    assert database.batches == [[0], list(range(1, 20))]


def test_a_batch_is_never_larger_than_the_largest(database):
    database.gate.clear()
    futures = [database.writer.put(n) for n in range(LARGEST_BATCH * 2 + 10)]
    database.gate.set()
    for future in futures:
        future.result(60)
    assert max(map(len, database.batches)) <= LARGEST_BATCH
    assert database.rows == list(range(LARGEST_BATCH * 2 + 10))


def test_one_that_fails_does_not_fail_its_neighbours(database):
    database.gate.clear()
    futures = [database.writer.put(job) for job in ("one", "bad", "two")]
    database.gate.set()
    assert futures[0].result(60) == "done one"
    assert futures[2].result(60) == "done two"
    with pytest.raises(ValueError, match="bad"):
        futures[1].result(60)
    settled(database.writer)
    assert database.poked == ["one", "two"]


@pytest.mark.parametrize("says", [DataError, IntegrityError, ValueError])
def test_a_row_that_the_database_refuses_does_not_fail_the_others_of_its_batch(says):
    """Here the whole transaction fails, and nothing says for which row."""
    batches, rows, poked, gate = [], [], [], threading.Event()

    def transact(jobs):
        assert gate.wait(60)
        batches.append(list(jobs))
        if "refused" in jobs:
            raise says("no")
        rows.extend(jobs)
        return [f"done {job}" for job in jobs]

    writer = Writer(transact, lambda jobs, outcomes: poked.extend(jobs))
    first = writer.put("first")
    while writer._queue:
        time.sleep(0.001)
    futures = {job: writer.put(job) for job in ("one", "refused", "two")}
    gate.set()
    assert first.result(60) == "done first"
    with pytest.raises(says):
        futures["refused"].result(60)
    assert [futures[job].result(60) for job in ("one", "two")] == ["done one", "done two"]
    settled(writer)
    assert batches[1] == ["one", "refused", "two"]
    assert rows == poked == ["first", "one", "two"]


def test_a_database_out_of_reach_is_not_asked_again_for_each_wish_of_a_batch():
    asked, gate = [], threading.Event()

    def transact(jobs):
        assert gate.wait(60)
        asked.append(list(jobs))
        raise OperationalError("gone")

    writer = Writer(transact, lambda jobs, outcomes: None)
    futures = [writer.put(0)]
    while writer._queue:
        time.sleep(0.001)
    futures += [writer.put(n) for n in range(1, 20)]
    gate.set()
    for future in futures:
        with pytest.raises(OperationalError):
            future.result(60)
    assert len(asked) == 2


def test_a_commit_that_fails_acknowledges_nothing_and_the_next_one_works(database):
    database.broken = True
    with pytest.raises(OSError, match="disk full"):
        database.writer.submit_and_wait("one", timeout=60)
    assert database.rows == database.poked == []
    database.broken = False
    assert database.writer.submit_and_wait("one", timeout=60) == "done one"


def test_a_full_queue_says_so_at_once_and_takes_more_later(database):
    database.gate.clear()
    database.writer.most = 3
    first = database.writer.put(0)
    while database.writer._queue:
        time.sleep(0.001)
    futures = [database.writer.put(n) for n in (1, 2, 3)]
    with pytest.raises(Busy):
        database.writer.put(4)
    database.gate.set()
    assert [f.result(60) for f in (first, *futures)] == [f"done {n}" for n in range(4)]
    assert database.writer.submit_and_wait(5, timeout=60) == "done 5"


async def test_who_gave_up_waiting_does_not_stop_the_writer(database):
    database.gate.clear()
    first = database.writer.put("running")
    while database.writer._queue:
        await asyncio.sleep(0.001)
    waiting = asyncio.ensure_future(database.writer.submit("abandoned"))
    other = asyncio.ensure_future(database.writer.submit("kept"))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    database.gate.set()
    assert await other == "done kept"
    assert first.result(60)
    assert await database.writer.submit("later") == "done later"
    assert database.rows == ["running", "kept", "later"]


async def test_who_gives_up_during_the_commit_does_not_stop_the_writer(database):
    database.gate.clear()
    waiting = asyncio.ensure_future(database.writer.submit("one"))
    while database.writer._queue or not database.writer._running:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    waiting.cancel()
    database.gate.set()
    with pytest.raises((asyncio.CancelledError, CancelledError)):
        await waiting
    assert await database.writer.submit("two") == "done two"
    assert database.rows == ["one", "two"]


def test_a_poke_that_fails_does_not_stop_the_writer(database, caplog):
    def closed(jobs, outcomes):
        raise RuntimeError("zqwords of somebody")

    database.writer.committed = closed
    assert database.writer.submit_and_wait("one", timeout=60) == "done one"
    assert database.writer.submit_and_wait("two", timeout=60) == "done two"
    settled(database.writer)
    assert "RuntimeError" in caplog.text
    assert "zqwords" not in caplog.text


def test_threads_that_hammer_it_lose_nothing_and_each_keeps_its_order(database):
    def hammer(thread: int) -> list:
        return [database.writer.submit_and_wait((thread, n), timeout=60) for n in range(100)]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(hammer, range(8)))
    assert answers == [[f"done {(t, n)}" for n in range(100)] for t in range(8)]
    assert len(database.rows) == len(set(database.rows)) == 800
    for thread in range(8):
        assert [n for t, n in database.rows if t == thread] == list(range(100))
    settled(database.writer)
    assert database.poked == database.rows
