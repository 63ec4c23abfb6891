"""A stream looks again at every bell and misses no change, whoever made it; what fails is said without a word of it."""

import asyncio
import logging
import threading
from contextlib import aclosing
from dataclasses import replace

import pytest
from django.db import DatabaseError

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.state import State, apply
from cordee.live import hub, reads
from cordee.live.asgi import Request
from cordee.live.writer import Writer
from cordee.room import access, actions, store, stream
from tests.characters import FACILITATOR, circle

KEY = access.Key("room", "karim")


class World:
    """A room as this process knows it, and as the database has it: what a stream is given to look at."""

    def __init__(self) -> None:
        self.here = self.there = store.Room("room", 1, b"key", circle(("claire", "karim")).state)
        self.reads = 0
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def known(self, room: str) -> store.Room:
        return self.here

    def load(self, room: str) -> store.Room:
        self.reads += 1
        seen = self.there
        assert self.gate.wait(5)
        if self.broken:
            raise DatabaseError("out of reach")
        self.here = seen
        return seen

    def ask(self, state: State, text: str) -> State:
        body = {"title": text}
        fact = e.Written(
            at=1.0, seat="claire", id=text.replace(" ", "-"), kind="situation", round=1, step="choix", body=body
        )
        return apply(state, fact)


@pytest.fixture
def world(monkeypatch) -> World:
    world = World()
    monkeypatch.setattr(store, "known", world.known)
    monkeypatch.setattr(store, "load", world.load)
    # A reader's thread may have kept a connection of another test of this run; this one has no database.
    monkeypatch.setattr(reads, "close_old_connections", lambda: None)

    async def seat(room, cookies, *, screen):
        return KEY

    async def say(job):
        return None

    monkeypatch.setattr(access, "seat_in_soon", seat)
    monkeypatch.setattr(stream, "_say", say)
    stream._reads.clear()
    return world


async def opened(shown: str = ""):
    events = await stream.open_stream(Request(("salle", "room"), {}, "fr", shown=shown))
    assert events is not None
    return events


async def following(events, within: float = 60) -> str:
    async with asyncio.timeout(within):
        while True:
            chunk = (await anext(events)).decode()
            if "hx-partial" in chunk or "bye" in chunk:
                return chunk


async def ring() -> None:
    actions.hub.poke(store.topic("room"))
    await asyncio.sleep(0)


def tag_of(room: store.Room) -> str:
    view = room.view("karim")
    assert view is not None
    return stream.tag(stream.whole(view, "fr"))


async def test_a_page_just_opened_is_not_told_again_what_it_shows_and_then_what_changes(world):
    async with aclosing(await opened(tag_of(world.here))) as events:
        assert "hello" in (await anext(events)).decode()
        coming = asyncio.ensure_future(following(events))
        await asyncio.sleep(0.02)
        assert not coming.done()
        world.here = world.there = replace(world.here, state=world.ask(world.here.state, "comment ensuite"))
        await ring()
        sent = await coming
        assert "comment ensuite" in sent and 'hx-target="#hand"' not in sent


async def test_a_page_that_shows_what_was_before_is_told_the_whole_and_so_is_one_that_guesses(world):
    before = tag_of(world.here)
    world.here = world.there = replace(world.here, state=world.ask(world.here.state, "comment entre-temps"))
    for shown in (before, "", "0" * 16):
        async with aclosing(await opened(shown)) as events:
            sent = await following(events)
            assert "comment entre-temps" in sent and 'hx-target="#ring"' in sent


async def test_a_change_of_this_process_and_one_of_another_in_one_ring_are_both_sent(world, settings):
    """This process is at 3, the database at 4: both bells rang before the stream woke."""
    settings.BUS = "notify"
    async with aclosing(await opened()) as events:
        await following(events)
        world.here = replace(world.here, state=world.ask(world.here.state, "comment un"))
        world.there = replace(world.here, state=world.ask(world.here.state, "comment deux"))
        await ring()
        sent = await following(events)
        assert "comment un" in sent and "comment deux" in sent


async def test_a_ring_for_a_change_that_is_in_the_database_alone_is_looked_up_there(world):
    async with aclosing(await opened()) as events:
        await following(events)
        world.there = replace(world.there, state=world.ask(world.there.state, "comment ailleurs"))
        await ring()
        assert "comment ailleurs" in await following(events)


async def test_a_change_while_a_stream_looks_rings_it_again(world):
    async with aclosing(await opened()) as events:
        await following(events)
        reads = world.reads
        world.gate.clear()
        coming = asyncio.ensure_future(following(events))
        await ring()
        while world.reads == reads:
            await asyncio.sleep(0.001)
        world.there = replace(world.there, state=world.ask(world.there.state, "comment pendant"))
        await ring()
        world.gate.set()
        assert "comment pendant" in await coming


async def test_a_lost_ring_is_made_good_at_the_next_beat(world, monkeypatch):
    monkeypatch.setattr(hub, "BEAT", 0.05)
    async with aclosing(await opened()) as events:
        await following(events)
        world.there = replace(world.there, state=world.ask(world.there.state, "comment perdu"))
        assert "comment perdu" in await following(events)


async def test_a_page_opened_while_the_database_is_out_of_reach_is_shown_soon_after_it_is_back(world, monkeypatch):
    """Neither a bell nor a beat is needed: it has nothing to show meanwhile."""
    monkeypatch.setattr(stream, "SOON", 0.02)
    monkeypatch.setattr(store, "known", lambda room: None)
    world.broken = True
    async with aclosing(await opened()) as events:
        assert "hello" in (await anext(events)).decode()
        coming = asyncio.ensure_future(following(events))
        while world.reads < 2:
            await asyncio.sleep(0.001)
        world.broken = False
        assert "Karim" in await coming


async def test_what_another_process_wrote_is_not_passed_over_because_it_could_not_be_read_at_first(
    world, monkeypatch, settings
):
    settings.BUS = "notify"
    monkeypatch.setattr(stream, "SOON", 0.02)
    world.there = replace(world.here, state=world.ask(world.here.state, "comment ailleurs"))
    world.broken = True
    async with aclosing(await opened()) as events:
        assert "hello" in (await anext(events)).decode()
        coming = asyncio.ensure_future(following(events))
        while world.reads < 2:
            await asyncio.sleep(0.001)
        world.broken = False
        assert "comment ailleurs" in await coming


async def test_streams_that_ask_together_share_one_reading(world):
    before = world.reads
    rooms = await asyncio.gather(*(stream.current("room") for _ in range(20)))
    assert world.reads - before <= 2
    assert all(room is rooms[0] for room in rooms)
    assert not stream._reads


async def test_who_asks_while_a_reading_is_under_way_gets_a_later_one(world):
    """The reading under way began before the change that rang this stream's bell."""
    world.gate.clear()
    first = asyncio.ensure_future(stream.current("room"))
    while world.reads == 0:
        await asyncio.sleep(0.001)
    world.there = replace(world.there, state=world.ask(world.there.state, "comment après"))
    second = asyncio.ensure_future(stream.current("room"))
    await asyncio.sleep(0.01)
    world.gate.set()
    before, after = await asyncio.gather(first, second)
    assert (before.state.version, after.state.version) == (world.there.state.version - 1, world.there.state.version)


async def test_when_the_key_is_destroyed_the_words_leave_the_open_pages(world):
    async with aclosing(await opened()) as events:
        assert "Karim" in await following(events)
        nameless = {id_: replace(seat, name=None) for id_, seat in world.there.state.seats.items()}
        world.there = replace(world.there, key=None, state=replace(world.there.state, seats=nameless))
        await ring()
        assert 'hx-target="#ring"' in await following(events)


async def test_a_database_out_of_reach_ends_no_stream(world, monkeypatch):
    monkeypatch.setattr(hub, "BEAT", 0.03)
    async with aclosing(await opened()) as events:
        await following(events)
        world.broken = True
        for _ in range(3):
            assert b"beat" in await anext(events)
        world.broken = False
        world.there = replace(world.there, state=world.ask(world.there.state, "comment revenu"))
        assert "comment revenu" in await following(events)


async def test_a_closed_stream_leaves_nothing_behind(world, monkeypatch):
    monkeypatch.setattr(stream, "GRACE", 0.01)
    events = await opened()
    await following(events)
    assert stream._open[KEY] == 1
    assert actions.hub.open_streams() == 1
    await events.aclose()
    assert KEY not in stream._open
    assert actions.hub.open_streams() == 0
    await asyncio.wait_for(asyncio.gather(*stream._farewells), 60)
    await asyncio.sleep(0)
    assert not stream._farewells


# ---------------------------------------------------------------- a contribution that cannot be written


async def test_what_could_not_be_written_is_503_and_never_204_and_a_retry_works(world, monkeypatch, caplog):
    written: list[store.Job] = []
    broken = True

    def transact(jobs):
        if broken:
            raise DatabaseError("zqwords of somebody")
        written.extend(jobs)
        return [[e.Paused(at=1.0, seat=FACILITATOR)] for _ in jobs]

    monkeypatch.setattr(actions, "writer", Writer(transact, lambda jobs, outcomes: None))
    form = (("do", "write"), ("kind", "note"), ("id", "note-number-1"), ("body.text", "zqwords of somebody"))
    request = Request(("room", "contributions"), {}, "fr", form)
    with caplog.at_level(logging.DEBUG):
        answer = await actions.receive(request)
    assert answer.status == 503
    assert "repartira tout seul" in answer.data["sentence"]
    assert written == []
    assert "zqwords" not in caplog.text
    broken = False
    assert (await actions.receive(request)).status == 204
    assert [job.command for job in written] == [
        c.Write(seat="karim", id="note-number-1", kind="note", body={"text": "zqwords of somebody"})
    ]


async def test_a_full_queue_is_503(world, monkeypatch):
    monkeypatch.setattr(actions, "writer", Writer(lambda jobs: [], lambda jobs, outcomes: None, most=0))
    answer = await actions.receive(Request(("room", "contributions"), {}, "fr", (("do", "pause"),)))
    assert answer.status == 503


async def test_a_room_whose_key_is_destroyed_is_sent_anew_and_no_word_of_before_is_drawn_to_compare(world, monkeypatch):
    before: list[object] = []
    changes = stream.changes
    monkeypatch.setattr(stream, "changes", lambda sent, *rest: (before.append(sent), changes(sent, *rest))[1])
    async with aclosing(await opened()) as events:
        await anext(events)
        await anext(events)
        world.here = world.there = replace(world.there, key=None)
        actions.hub.poke(store.topic("room"))
        async with asyncio.timeout(30):
            assert b"hx-partial" in await anext(events)
    assert before == [None, None]
