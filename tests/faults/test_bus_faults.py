"""The bus cut, dumb, or gone: it is found again by itself, and healed; writing never waits for it."""

import asyncio
from contextlib import ExitStack
from urllib.parse import urlsplit

import psycopg
import pytest

from cordee.live import bus
from cordee.live.hub import ASK, Hub
from tests import services
from tests.conftest import Template, started
from tests.faults.nodes import Load, Wire, all_amiss, kept, nodes, seated, through
from tests.live.people import eventually

SOON = 60  # seconds
NEVER = "600"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(bus, "RETRY", (0.05,))
    monkeypatch.setattr(bus, "PULSE", 1.0)  # an answer within as many: a busy machine takes less
    monkeypatch.setattr(bus, "PATIENCE", 2.0)


@pytest.mark.parametrize("kind", ["notify", "redis"])
async def test_a_connection_that_died_without_a_word_is_found_out_and_everybody_looks_again(quick, kind, request):
    address = request.getfixturevalue("postgres_url" if kind == "notify" else "redis_url")
    with Wire(urlsplit(address).port) as wire:
        through_wire = address.replace(f":{urlsplit(address).port}", f":{wire.port}")
        own = bus.bus("notify", through_wire) if kind == "notify" else bus.bus(through_wire, "")
        hub = Hub()
        with hub.listen("room:1") as bell:
            task = asyncio.ensure_future(own.run(hub))
            await asyncio.wait_for(bell.wait(), SOON)
            bell.take()
            before = wire.carried
            await eventually(lambda: wire.carried >= before + 2, SOON)  # it asks, and is answered
            assert not bell.rung
            wire.dumb.set()
            await eventually(wire.swallowed.is_set, SOON)  # asked in vain
            wire.dumb.clear()
            await asyncio.wait_for(bell.wait(), SOON)
            await end(task)


async def test_what_redis_did_not_take_is_told_when_it_takes_it_again(quick, redis_url):
    with Wire(urlsplit(redis_url).port) as wire:
        here, there = Hub(), bus.bus(redis_url.replace(f":{urlsplit(redis_url).port}", f":{wire.port}"), "")
        with here.listen("room:1") as bell:
            tasks = [asyncio.ensure_future(bus.bus(redis_url, "").run(here)), asyncio.ensure_future(there.run(Hub()))]
            await asyncio.wait_for(bell.wait(), SOON)
            bell.take()
            wire.refuses.set()
            wire.cut()
            there.publish("room:1", ASK)
            there.publish("room:1", ASK)
            await asyncio.sleep(0.3)
            assert not bell.rung
            wire.refuses.clear()
            await asyncio.wait_for(bell.wait(), SOON)
            await end(*tasks)


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel until it is taken: a client of Redis that just lost its line may take one for its own."""
    while any(not task.done() for task in tasks):
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with ExitStack() as stack:
        yield Template(tmp_path_factory.mktemp("bus"), started(stack, services.postgres(durable=True)).url())


def situation(server, person, number: int) -> str:
    title = f"Comment faire {number} ?"
    answer = through(server, person, do="write", kind="situation", id=f"situation-{number}", body_title=title)
    assert answer.status_code == 204, answer.text
    return title


@pytest.mark.postgres
async def test_a_notify_connection_cut_is_found_again_and_what_was_said_meanwhile_is_seen(cluster):
    with nodes(cluster, BEAT=NEVER) as two:
        _, (karim, helene, thomas, *_) = seated(two[0])
        async with thomas.stream(f"{two[1].url}{thomas.path}") as stream:
            await stream.next(SOON)
            for number, author in enumerate((karim, helene)):
                with psycopg.connect(two[0].env["DATABASE_URL"], autocommit=True) as connection:
                    cut = connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')"
                        " AND pid <> pg_backend_pid()"
                    ).fetchall()
                assert cut
                title = await asyncio.to_thread(situation, two[0], author, number)
                await stream.until(title, SOON)
        assert "The bus is cut" in two[1].log


@pytest.mark.postgres
async def test_redis_gone_and_back_stops_nobody_from_writing_and_streams_follow(cluster):
    try:
        opened = services.redis()
        redis = opened.__enter__()
    except services.Missing:
        pytest.skip("redis is not installed; bin/test installs it")
    try:
        redis.stop()
        with nodes(cluster, BEAT="2", CORDEE_BUS=redis.url) as two:  # they start without it
            _, people = seated(two[0])
            thomas = people[2]
            async with thomas.stream(f"{two[1].url}{thomas.path}") as stream:
                await stream.next(SOON)
                await stream.until(await asyncio.to_thread(situation, two[0], people[0], 1), SOON)
                redis.start()
                with Load(people, two) as load:
                    await asyncio.to_thread(load.until, 40)
                    redis.kill9()
                    await asyncio.to_thread(load.until, 40)
                    title = await asyncio.to_thread(situation, two[0], people[1], 2)
                    await stream.until(title, SOON)
                    redis.start()
                    await asyncio.to_thread(load.until, 40)
                assert load.wrong == load.again == load.unavailable == []
            assert all_amiss(load, kept(two[0])) == []
        with nodes(cluster, BEAT=NEVER, CORDEE_BUS=redis.url) as two:  # no beat: Redis alone wakes them
            _, people = seated(two[0])
            thomas = people[2]
            async with thomas.stream(f"{two[1].url}{thomas.path}") as stream:
                await stream.next(SOON)
                redis.kill9()
                title = await asyncio.to_thread(situation, two[0], people[0], 1)
                redis.start()
                await stream.until(title, SOON)
                await eventually(lambda: "The bus is cut" in two[1].log, SOON)
                await stream.until(await asyncio.to_thread(situation, two[0], people[1], 2), SOON)
    finally:
        opened.__exit__(None, None, None)
