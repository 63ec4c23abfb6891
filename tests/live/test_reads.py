"""The event loop waits for no database: a reading has its thread and its time limit."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import InterfaceError

from cordee.live import reads
from cordee.live.connections import Busy


@pytest.fixture(autouse=True)
def threads(monkeypatch) -> Iterator[None]:
    """Two that no other test has opened a connection in."""
    with ThreadPoolExecutor(2, thread_name_prefix="reader") as fresh:
        monkeypatch.setattr(reads, "_threads", fresh)
        yield


async def test_a_reading_that_lasts_is_given_up_while_the_loop_goes_on(monkeypatch):
    monkeypatch.setattr(reads, "PATIENCE", 0.5)
    stuck, turns = threading.Event(), 0
    try:
        reader = asyncio.ensure_future(reads.reading(stuck.wait, 30))
        while not reader.done():
            turns += 1
            await asyncio.sleep(0.01)
        with pytest.raises(Busy):
            await reader
        assert turns > 1  # one, after thirty seconds, is what a loop that waits would have
    finally:
        stuck.set()


async def test_readers_that_are_all_stuck_give_up_whoever_waits_behind_them(monkeypatch):
    monkeypatch.setattr(reads, "PATIENCE", 0.2)
    stuck = threading.Event()
    try:
        asked = [reads.reading(stuck.wait, 30) for _ in range(6)]
        async with asyncio.timeout(60):
            answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [Busy] * 6
    finally:
        stuck.set()
    monkeypatch.setattr(reads, "PATIENCE", 20)
    assert await reads.reading(lambda: "there") == "there"  # and the threads are free again


async def test_a_connection_that_failed_is_let_go_and_the_error_is_told(monkeypatch):
    gone = []
    monkeypatch.setattr(reads, "let_go", lambda: gone.append(threading.current_thread().name))

    def closed():
        raise InterfaceError("the connection is closed")

    with pytest.raises(InterfaceError):
        await reads.reading(closed)
    assert gone
    assert gone[0].startswith("reader")
