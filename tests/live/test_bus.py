"""How processes wake each other: topics arrive, and a cut bus wakes everybody when it is back."""

import asyncio
import logging
from contextlib import asynccontextmanager

import psycopg
import pytest

from cordee.live import bus
from cordee.live.hub import ASK, Bell, Hub
from tests import services
from tests.live.people import LONG, eventually


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(bus, "RETRY", (0.05,))


@asynccontextmanager
async def running(the_bus: bus.Bus, hub: Hub):
    task = asyncio.ensure_future(the_bus.run(hub))
    try:
        with hub.listen("up") as bell:
            await rung(bell)  # connecting wakes everybody
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def rung(bell: Bell, within: float = LONG) -> None:
    async with asyncio.timeout(within):
        await bell.wait()
    bell.take()


async def test_one_process_has_nobody_to_tell():
    local = bus.bus("local", "sqlite:///x")
    assert local.publish is None
    assert await local.run(Hub()) is None


def test_a_bus_is_chosen_by_its_name(redis_url):
    assert isinstance(bus.bus("notify", "postgres://x"), bus.NotifyBus)
    assert isinstance(bus.bus(redis_url, ""), bus.RedisBus)


async def test_notify_brings_the_topics_of_committed_transactions_only(postgres_url):
    hub = Hub()
    async with running(bus.bus("notify", postgres_url), hub):
        with hub.listen("room:1") as one, hub.listen("room:2") as two:
            async with await psycopg.AsyncConnection.connect(postgres_url) as connection:
                await connection.execute("SELECT pg_notify('cordee', 'room:2')")
                await connection.rollback()
                await connection.execute("SELECT pg_notify('cordee', 'room:1')")
                await asyncio.sleep(0.1)
                assert not one.rung
                await connection.commit()
                await rung(one)
            assert not two.rung


async def test_notify_heals_after_its_connection_was_cut(postgres_url, caplog):
    hub = Hub()
    async with running(bus.bus("notify", postgres_url), hub):
        with hub.listen("room:1") as bell:
            async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN cordee%'"
                )
                await rung(bell)  # whoever waits looks again: something may have been missed
                await connection.execute("SELECT pg_notify('cordee', 'room:1')")
                await rung(bell)
    assert "The bus is cut" in caplog.text


async def test_a_database_that_is_not_there_is_tried_again_without_a_traceback(caplog):
    port = services.free_port()
    task = asyncio.ensure_future(bus.bus("notify", f"postgres://x@127.0.0.1:{port}/x").run(Hub()))
    with caplog.at_level(logging.WARNING):
        await eventually(lambda: caplog.text.count("The bus is cut") >= 2)
    assert not task.done()
    task.cancel()
    assert all(record.exc_info is None for record in caplog.records)


async def test_redis_brings_what_another_process_published(redis_url):
    here, there = Hub(), bus.bus(redis_url, "")
    async with running(bus.bus(redis_url, ""), here), running(there, Hub()):
        with here.listen("room:1") as one, here.listen("room:2") as two:
            there.publish("room:1", 3)
            await rung(one)
            assert not two.rung


async def test_redis_heals_after_its_connection_was_cut_and_nobody_waits_for_it(caplog):
    try:
        redis = services.redis()
        service = redis.__enter__()
    except services.Missing:
        pytest.skip("redis is not installed; bin/test installs it")
    try:
        hub, other = Hub(), bus.bus(service.url, "")
        async with running(bus.bus(service.url, ""), hub), running(other, Hub()):
            with hub.listen("room:1") as bell:
                service.kill9()
                other.publish("room:1", ASK)  # nobody waits for it
                await eventually(lambda: "did not take a message" in caplog.text)
                assert not bell.rung
                service.start()
                await rung(bell)  # whoever waits looks again
                other.publish("room:1", ASK)
                await rung(bell)
    finally:
        redis.__exit__(None, None, None)


def test_a_message_is_a_topic_and_its_version_and_one_of_an_older_release_has_the_database_asked():
    assert bus.read(bus.message("room:1", 17)) == ("room:1", 17)
    assert bus.read("room:1") == ("room:1", ASK)
    assert bus.read("room:1 seventeen") == ("room:1", ASK)
