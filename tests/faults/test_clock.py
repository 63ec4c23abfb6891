"""A clock that jumps an hour back, or forward: the log keeps its order, and nobody waits for an hour that never was."""

import asyncio
import time
from pathlib import Path

import pytest

from cordee.room import limits
from cordee.room.models import Tries
from tests.conftest import Template
from tests.faults.nodes import Load, all_amiss, cards, kept, nodes, seated

HOUR = 3600.0


@pytest.mark.django_db
def test_a_limit_does_not_outlive_its_time_when_the_clock_is_put_back(monkeypatch):
    now = [1_800_000_000.0]
    monkeypatch.setattr(limits, "time", lambda: now[0])
    monkeypatch.setitem(limits.LIMITS, "code", (2, 300))
    for _ in range(2):
        limits.count("code", "192.0.2.1")
    assert limits.spent("code", "192.0.2.1")
    now[0] -= HOUR
    assert not limits.spent("code", "192.0.2.1")
    for _ in range(2):
        limits.count("code", "192.0.2.1")
    assert limits.spent("code", "192.0.2.1")
    now[0] += 301
    assert not limits.spent("code", "192.0.2.1")


@pytest.mark.django_db
def test_counters_that_are_over_are_thrown_away_and_hold_no_address(monkeypatch):
    now = [1_800_000_000.0]
    monkeypatch.setattr(limits, "time", lambda: now[0])
    limits.count("code", "192.0.2.1")
    limits.count("new", "192.0.2.1")
    assert not any("192" in row.name for row in Tries.objects.all() if not set(row.name) <= set("0123456789abcdef"))
    now[0] += 301
    assert limits.forget_old() == 1
    now[0] -= 2 * HOUR
    assert limits.forget_old() == 1


@pytest.mark.postgres
@pytest.mark.parametrize("jump", [-HOUR, HOUR])
async def test_a_clock_that_jumps_under_load_changes_no_order_and_stops_no_stream(template: Template, jump):
    with nodes(template, 1, BEAT="1") as (server,):
        _, people = seated(server)
        clock = Path(server.env["CLOCK"])
        async with people[0].stream() as stream:
            shown = cards((await stream.next(30)).data)
            with Load(people, [server]) as load:
                await asyncio.to_thread(load.until, 40)
                clock.write_text(str(jump))
                told = await asyncio.to_thread(people[0].http.get, f"{people[0].path}maintenant")
                assert abs(told.json()["now"] - time.time() - jump) < HOUR / 2, "the clock did not jump"
                await asyncio.to_thread(load.until, 40)
                clock.write_text("0")
                await asyncio.to_thread(load.until, 40)
            mine = load.authors[0].acknowledged
            async with asyncio.timeout(60):
                while mine[-1] not in shown:
                    shown += [card for card in cards((await stream.next(30)).data) if card not in shown]
            assert shown == mine
        assert load.wrong == load.again == []
        assert all_amiss(load, kept(server)) == []
        server.restart()  # nothing is left in memory: the log is folded anew
        assert cards(people[0].look()) == mine
