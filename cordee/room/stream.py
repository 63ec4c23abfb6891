"""One open seat's stream: woken by its room, it looks again, and sends what differs from what *it* last sent."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping
from time import time
from typing import Any

from django.conf import settings
from django.db import Error
from django.utils.crypto import salted_hmac

from cordee.engine.commands import Leave, Return
from cordee.engine.seen import Group, View
from cordee.engine.state import State
from cordee.live import sse
from cordee.live.asgi import Request
from cordee.live.reads import reading
from cordee.live.tally import Tally
from cordee.room import access, cards, render, store
from cordee.room.actions import hub, language_of, writer
from cordee.web import incidents
from cordee.web.release import release

SOON = 1.0  # seconds after which a page that was shown nothing yet, the database being out of reach, is looked at again
WATCH = 5.0  # seconds between two looks at whether the open seats are still their owners'
GRACE = 20.0  # seconds without any stream before a person is shown as away
MOST_STREAMS = 8  # of one seat at once

log = logging.getLogger(__name__)
asked = Tally("opened", "stranger", "too_many")
_open: Counter[access.Key] = Counter()
_links: Counter[tuple[access.Key, str]] = Counter()  # the same by the link that opened them: one seat may have had two
_ended: set[str] = set()  # digests of links that were open and opened nothing any more
_reads: dict[str, asyncio.Future[store.Room]] = {}
_farewells: set[asyncio.Task[None]] = set()


async def open_stream(request: Request) -> AsyncGenerator[bytes, None] | None:
    """GET …/stream: this seat's events, or ``None`` for a stranger."""
    kind, room = request.where
    key = await access.seat_in_soon(room, request.cookies, screen=kind == "ecran")
    if key is None:
        asked.add("stranger")
        incidents.noticed("stranger", room=room)
        return None
    if _open[key] >= MOST_STREAMS * (20 if key.is_screen else 1):
        asked.add("too_many")
        return None
    asked.add("opened")
    return _events(key, request.cookies if key.is_screen else {}, language_of(request.language), request.shown)


def hello() -> dict[str, float | str]:
    """What a page is told first: the server's clock (seconds since the epoch) and the release that serves it."""
    return {"now": round(time(), 3), "release": release()}


async def _events(
    key: access.Key, cookies: Mapping[str, str], language: str, shown: str = ""
) -> AsyncGenerator[bytes, None]:
    _open[key] += 1
    _links[key, key.digest] += 1
    sent: View | None = None
    seen: tuple[int, bool] | None = None  # the version last looked at, and whether it could be read
    try:
        with hub.listen(store.topic(key.room)) as bell:
            yield sse.message(json.dumps(hello()), event="hello", id="1")
            beat, doubt = False, settings.BUS != "local"  # another process may have written before it could be heard
            while True:
                if not await _still_open(key, cookies):
                    yield sse.message("revoked", event="bye")
                    return
                room = store.known(key.room)
                if room is None or doubt or room.state.version < bell.announced:
                    room = await current(key.room)
                news = b""
                if room is not None and _version(room) != seen:
                    _back(key, room.state, first=seen is None)
                    if seen and seen[1] and room.key is None:  # no word of before is drawn again, be it to compare
                        sent = None
                        store.forget_words([key.room])
                    seen = _version(room)
                    view = room.view(key.seat)
                    if view is None:
                        yield sse.message("revoked", event="bye")
                        return
                    news = _news(sent, view, language, shown)
                    sent, shown = view, ""
                if news or beat:
                    yield news or sse.BEAT
                unread = room is None
                del room, news  # most of a stream's life is waiting: it keeps what it last showed, and nothing else
                if seen is None:
                    await asyncio.sleep(SOON)
                else:
                    await bell.wait()
                beat, doubt = bell.take()  # before looking: a change while we look rings again
                doubt = doubt or unread
    except store.NoSuchRoom:  # deleted while it was open
        yield sse.message("revoked", event="bye")
    finally:
        if not hub.listened(store.topic(key.room)) and (left := store.known(key.room)):
            left.memory.clear()  # nobody looks any more
        _links[key, key.digest] -= 1
        if not _links[key, key.digest]:
            del _links[key, key.digest]
        _open[key] -= 1
        if not _open[key]:
            del _open[key]
            if not key.is_screen:
                _later(_farewell(key))


def _version(room: store.Room) -> tuple[int, bool]:
    return room.state.version, room.key is not None


async def _still_open(key: access.Key, cookies: Mapping[str, str]) -> bool:
    """A shared screen's link may be made void while it is open, and that of a seat whose owner has an account.

    (A guest's seat is revoked in the room's log.)
    """
    if not key.is_screen:
        return key.digest not in _ended
    try:
        return await access.seat_in_soon(key.room, cookies, screen=True) == key
    except Error:
        return True  # out of reach for now: who came in stays in


async def watching() -> None:
    """For ever: end the streams of who has signed out everywhere, or left the circle. One question for all of them."""
    while True:
        try:
            shown = [key for key, _ in _links if not key.is_screen]
            if shown:
                _end(await reading(access.void, shown))
        except Exception as error:
            log.warning("Open seats could not be looked at again: %s", type(error).__name__)
        await asyncio.sleep(WATCH)


def _end(digests: set[str]) -> None:
    """Let these links' streams say good-bye at once."""
    _ended.clear()
    _ended.update(digests)
    for room in {key.room for key, digest in _links if digest in digests}:
        hub.poke(store.topic(room))


async def current(room_id: str) -> store.Room | None:
    """The room as the database has it; streams that ask together share one reading. ``None``: out of reach for now.

    Raises :class:`store.NoSuchRoom` when it has been deleted.

    One shares a reading that has not begun yet: one under way may have missed what the bell announced.
    """
    reader = _reads.get(room_id)
    if reader is None or reader.done():  # done: given up before a thread was free for it
        reader = asyncio.ensure_future(reading(_read, room_id))
        _reads[room_id] = reader
    try:
        return await asyncio.shield(reader)
    except Error:
        return None


def _read(room_id: str) -> store.Room:
    _reads.pop(room_id, None)  # whoever asks from here on has another one
    return store.load(room_id)


def _news(sent: View | None, view: View, language: str, shown: str) -> bytes:
    """The event that makes a page of ``sent`` one of ``view``; empty when they look alike, or it shows that already."""
    data = "".join(changes(sent, view, language))
    return sse.message(data) if data and not (shown and shown == tag(data)) else b""


def whole(view: View, language: str) -> str:
    """The swaps that make any page of the room one of this view."""
    return "".join(changes(None, view, language))


def tag(html: str) -> str:
    """By what name a page says that this is what it shows: keyed, since addresses are written to proxies' logs."""
    return salted_hmac("cordee.room.shown", html, algorithm="sha256").hexdigest()[:16]


def changes(before: View | None, view: View, language: str) -> Iterable[str]:
    """What must reach the browser that shows ``before``: swaps of elements, smallest first choice."""
    for name in render.touched(before, view):
        if name in render.LISTS:
            yield from _lists(name, before, view, language)
        else:
            html = render.part(name, view, language)
            was = render.part(name, before, language) if before else ""
            if html != was:
                yield from _piecewise(name, was, html)


def _piecewise(name: str, was: str, html: str) -> Iterable[str]:
    """A part that another replaces: the pieces of it that differ, if nothing else does and they are the smaller."""
    swaps = [render.swap(f"#{id_}", "outerMorph", piece) for id_, piece in render.pieces(was, html)]
    if swaps and sum(map(len, swaps)) < len(html):
        yield from swaps
    else:
        yield render.swap(f"#{name}", "innerMorph", html)


def _lists(name: str, before: View | None, view: View, language: str) -> Iterable[str]:
    """The frame of the lists, else each list by itself: one more card is one more card on the wire."""
    if before is None or render.PARTS[name](before) != render.PARTS[name](view):
        yield render.swap(f"#{name}", "innerMorph", render.lists(name, view, language))
        return
    for old, new in zip(render.groups_of(name, before), render.groups_of(name, view), strict=True):
        yield from _cards(old, new, language)


def _cards(old: Group, new: Group, language: str) -> Iterable[str]:
    if old.cards == new.cards:
        return
    known = len(old.cards)
    if old.cards != new.cards[:known]:
        if [card.id for card in old.cards] != [card.id for card in new.cards[:known]]:  # one was removed, or they moved
            yield render.swap(f"#{render.container(new)}", "innerMorph", render.cards_of(new, language))
            return
        for was, card in zip(old.cards, new.cards, strict=False):
            if was is not card and was != card:
                html = cards.card(card, language, new.recalled)
                yield render.swap(f"#{render.card_id(card, new)}", "outerMorph", html)
    if len(new.cards) > known:
        yield render.more(new.cards[known:], render.container(new), language, new.recalled)


# ---------------------------------------------------------------- presence


def _back(key: access.Key, state: State, *, first: bool) -> None:
    """Who looks is here: undo an absence, or the facilitator's acting for them.

    An absence that the facilitator notes while this page is open (a phone left on the table) stands until it is opened
    again; one that a lost stream brought about is undone by any that is open.
    """
    seat = state.seats.get(key.seat)
    if seat is None or seat.revoked or seat.waiting:
        return
    if not seat.device or (seat.away and (first or seat.gone)):
        _later(_say(store.Job(key.room, Return(seat=key.seat))))


async def _farewell(key: access.Key) -> None:
    await asyncio.sleep(GRACE)
    if key not in _open:
        await _say(store.Job(key.room, Leave(seat=key.seat)))


async def _say(job: store.Job) -> None:
    try:
        await writer.submit(job)
    except Exception:
        return  # presence is a courtesy: the next stream says it again


def _later(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    _farewells.add(task)
    task.add_done_callback(_farewells.discard)
