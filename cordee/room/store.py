"""The log of a room and the state it folds to. One transaction writes what many seats asked for at once."""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import time
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from cordee.circles import crypto
from cordee.engine import events as e
from cordee.engine import recall
from cordee.engine.commands import Command
from cordee.engine.decide import decide
from cordee.engine.memory import Memory
from cordee.engine.policy import roles_of
from cordee.engine.reading import read
from cordee.engine.refusal import Decision, Refused
from cordee.engine.seen import View
from cordee.engine.state import State, apply, initial
from cordee.engine.view import view_for
from cordee.followup import published, vectors
from cordee.live import tally
from cordee.live.bus import message
from cordee.room import render
from cordee.room.models import Session

MOST_ROOMS_IN_MEMORY = 2000
LONGEST_DRAFT = 20_000  # characters
MOST_DRAFTS = 40  # of one seat
TRIES = 5


@dataclass(frozen=True, slots=True)
class Room:
    """A room as this process knows it: its key (``None`` once destroyed) and its state."""

    id: str
    circle: int
    key: bytes | None
    state: State
    memory: Memory = field(default_factory=Memory, compare=False, repr=False)

    def view(self, seat: str) -> View | None:
        """What this seat sees now."""
        return view_for(self.state, seat, self.memory)


@dataclass(frozen=True, slots=True)
class Typing:
    """What a seat is typing, kept for its author alone until it is sent; no words: it is thrown away.

    ``at``: when, in seconds since the epoch. What the same person typed later, on another device, stays.
    """

    seat: str
    kind: str
    body: Mapping[str, str]
    at: float


@dataclass(frozen=True, slots=True)
class Job:
    """A wish for a room, waiting for the writer."""

    room: str
    command: Command | Typing


Fact = tuple[str, int, str, float, str, str, bytes | None]  # a row of the log, in the order of INSERT
Idle = tuple[str, str, str]  # (room, seat, kind) of a draft whose words are in the log now
Typed = tuple[str, str, str, bytes | None, datetime]  # a draft to keep, in the order of KEEP; ``None``: to throw away
Row = tuple[Fact, list[Idle]]

# The hot path speaks SQL: through the ORM, compiling these three statements took twice as long as running them.
INSERT = "INSERT INTO room_entry (session_id, seq, kind, at, seat, plain, sealed) VALUES (%s, %s, %s, %s, %s, %s, %s)"
DELETE = "DELETE FROM room_draft WHERE session_id = %s AND seat = %s AND kind = %s"
KEEP = """
    INSERT INTO room_draft (session_id, seat, kind, sealed, saved_at) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (session_id, seat, kind) DO UPDATE SET sealed = EXCLUDED.sealed, saved_at = EXCLUDED.saved_at
    WHERE room_draft.saved_at <= EXCLUDED.saved_at
"""
THROW = f"{DELETE} AND saved_at <= %s"
KINDS = "SELECT kind FROM room_draft WHERE session_id = %s AND seat = %s"
LATEST = """
    SELECT s.id, c.wrapped_key IS NOT NULL, (SELECT MAX(e.seq) FROM room_entry e WHERE e.session_id = s.id)
    FROM room_session s JOIN circles_circle c ON c.id = s.circle_id WHERE s.id IN ({})
"""
SINCE = """
    SELECT c.wrapped_key IS NOT NULL, e.seq, e.kind, e.at, e.seat, e.plain, e.sealed
    FROM room_session s JOIN circles_circle c ON c.id = s.circle_id
    LEFT JOIN room_entry e ON e.session_id = s.id AND e.seq > %s
    WHERE s.id = %s ORDER BY e.seq
"""
LOCK = "SELECT id FROM room_session WHERE id = ANY(%s) ORDER BY id FOR UPDATE"


class NoSuchRoom(LookupError, Http404):
    """A page that meets it is the 404 of strangers: a link is remembered some seconds longer than its room."""


_rooms: OrderedDict[str, Room] = OrderedDict()
_lock = threading.Lock()


def topic(room: str) -> str:
    return f"room:{room}"


def known(room_id: str) -> Room | None:
    """The room as this process last saw it, without asking the database."""
    with _lock:
        room = _rooms.get(room_id)
        if room:
            _rooms.move_to_end(room_id)
        return room


def in_memory() -> int:
    """How many rooms this process holds."""
    return len(_rooms)


def _keep(room: Room) -> None:
    with _lock:
        before = _rooms.get(room.id)
        if before and before.state.version > room.state.version:
            return
        _rooms[room.id] = room
        _rooms.move_to_end(room.id)
        while len(_rooms) > MOST_ROOMS_IN_MEMORY:
            _rooms.popitem(last=False)


def forget(room_id: str | None = None) -> None:
    """Drop what is in memory: after a key was destroyed, or between tests."""
    with _lock:
        if room_id is None:
            _rooms.clear()
        else:
            _rooms.pop(room_id, None)


def forget_words(rooms: Iterable[str]) -> None:
    """Their keys were destroyed: nothing read with them stays. What is drawn is not sorted by room: all of it goes."""
    for room_id in rooms:
        forget(room_id)
    crypto.forget()
    render.forget()
    recall.forget()
    vectors.forget()


def with_key() -> list[str]:
    """The rooms in memory whose words can be read."""
    with _lock:
        return [room.id for room in _rooms.values() if room.key]


def load(room_id: str) -> Room:
    """The room as the database has it now. Raises :class:`NoSuchRoom`."""
    room = known(room_id) or _opened(room_id)
    rows = _since(room)
    if room.key and rows and not rows[0][0]:
        forget_words([room_id])  # its key was destroyed, perhaps by another process: what is in memory goes too
        room = _opened(room_id)
        rows = _since(room)
    if not rows:
        forget(room_id)
        raise NoSuchRoom(room_id)
    state = room.state
    for _, seq, *fact in rows:
        if seq is not None:
            state = apply(state, _event(room, seq, *fact))
    if state is not room.state or known(room_id) is None:
        room = replace(room, state=state)
        _keep(room)
    return room


def _opened(room_id: str) -> Room:
    session = Session.objects.select_related("circle").filter(pk=room_id).first()
    if session is None:
        raise NoSuchRoom(room_id)
    wrapped = session.circle.wrapped_key
    key = crypto.unwrap(wrapped) if wrapped else None
    return Room(session.pk, session.circle_id, key, initial(read(session.protocol)))


def _since(room: Room) -> list[tuple[Any, ...]]:
    """Whether the room's key exists, and what was written since it was as we know it; no row at all: it is deleted."""
    with connection.cursor() as cursor:
        cursor.execute(SINCE, [room.state.version, room.id])
        return list(cursor.fetchall())


def _event(room: Room, seq: int, kind: str, at: float, seat: str, plain: str, sealed: bytes | None) -> e.Event:
    known = json.loads(plain)
    body = crypto.unseal(room.key, sealed, f"{room.id}#{seq}")
    if kind == e.Lent.__name__ and room.key:
        body = published.body(known["id"])
    return e.load(kind, at, seat, known, body)


def transact(jobs: Sequence[Job]) -> list[Decision | Exception]:
    """Decide these wishes in order on the rooms' current states, write what follows in one commit, answer each.

    An outcome is the facts written (durable when this returns), a refusal, or the exception that this job alone met.
    A room that another process wrote to in the meantime is read again and decided again.
    """
    if not jobs:
        return []
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                outcomes, rooms, entries, typed = _decide_all(jobs)
                _keep_typed(typed)  # before: what the same batch sends is no draft any more
                _write(entries)
            break
        except IntegrityError:
            for room_id in {job.room for job in jobs} if attempt else ():  # most often another process was quicker
                forget(room_id)
            if attempt == TRIES - 1:
                raise
    for room in rooms:
        _keep(room)
    return outcomes


def append(room_id: str, facts: Sequence[e.Event]) -> None:
    """Write these facts as they are, inside the caller's transaction. For what no seat decides."""
    room = load(room_id)
    rows: list[Row] = []
    for fact in facts:
        room = replace(room, state=apply(room.state, fact))
        rows.append((_entry(room, fact), _drafts(room, fact)))
    _write(rows)
    forget(room_id)  # the caller may roll back


def _decide_all(jobs: Sequence[Job]) -> tuple[list[Decision | Exception], list[Room], list[Row], list[Typed]]:
    rooms = _current({job.room for job in jobs})
    outcomes: list[Decision | Exception] = []
    entries: list[Row] = []
    typed: list[Typed] = []
    changed: dict[str, Room] = {}
    now = time()
    for job in jobs:
        room = rooms.get(job.room)
        if room is None:
            outcomes.append(NoSuchRoom(job.room))
            continue
        try:
            if isinstance(job.command, Typing):
                draft = _draft(room, job.command, now)
                outcomes.append(draft if isinstance(draft, Refused) else [])
                typed += [] if isinstance(draft, Refused) else [draft]
                continue
            # Without its key nothing could be kept of what is said: the room is closed.
            decision = decide(room.state, job.command, now) if room.key else Refused("closed")
            written: list[Row] = []
            for event in [] if isinstance(decision, Refused) else decision:
                room = replace(room, state=apply(room.state, event))
                written.append((_entry(room, event), _drafts(room, event)))
        except Exception as error:  # one job that fails must not fail its neighbours
            outcomes.append(error)
            continue
        if written:
            entries += written
            rooms[room.id] = changed[room.id] = room
        outcomes.append(decision)
    return outcomes, list(changed.values()), entries, typed


def _draft(room: Room, typing: Typing, now: float) -> Typed | Refused:
    """The row of what this seat is typing; refused to strangers, and when there is no room for it."""
    if room.key is None or not roles_of(room.state, typing.seat):
        return Refused("closed")
    if not typing.kind or sum(map(len, typing.body.values())) > LONGEST_DRAFT:
        return Refused("unknown")
    sealed = None
    if typing.body:
        with connection.cursor() as cursor:
            cursor.execute(KINDS, [room.id, typing.seat])
            kinds = {kind for (kind,) in cursor.fetchall()}
        if typing.kind not in kinds and len(kinds) >= MOST_DRAFTS:
            return Refused("unknown")
        sealed = crypto.seal(room.key, typing.body, f"{room.id}/{typing.seat}/{typing.kind}")
    return room.id, typing.seat, typing.kind, sealed, datetime.fromtimestamp(min(typing.at, now), UTC)


def _keep_typed(typed: list[Typed]) -> None:
    """Keep or throw away these drafts; of one draft twice in a batch, the last is the later one or changes nothing."""
    if not typed:
        return
    with connection.cursor() as cursor:
        for *where, sealed, at in typed:
            moment = connection.ops.adapt_datetimefield_value(at)
            cursor.execute(*((KEEP, [*where, sealed, moment]) if sealed else (THROW, [*where, moment])))


def _current(ids: Iterable[str]) -> dict[str, Room]:
    """The rooms at their latest version; on PostgreSQL they are locked, always in the same order."""
    wanted = sorted(ids)
    with connection.cursor() as cursor:
        with _all_at_once():
            if connection.vendor == "postgresql":
                cursor.execute(LOCK, [wanted])
            cursor.execute(LATEST.format(", ".join(["%s"] * len(wanted))), wanted)
        latest = {room_id: (readable, seq or 0) for room_id, readable, seq in cursor.fetchall()}
    rooms: dict[str, Room] = {}
    for room_id in wanted:
        room = known(room_id)
        if room is None or latest.get(room_id) != (bool(room.key), room.state.version):
            try:
                room = load(room_id)
            except NoSuchRoom:
                continue
        rooms[room_id] = room
    return rooms


def _entry(room: Room, event: e.Event) -> Fact:
    """The row of this event, which made the room what it is."""
    kind, plain, body = e.dump(event)
    body = None if isinstance(event, e.Lent) else body  # its words are where they are published, and nowhere else
    seq = room.state.version
    sealed = crypto.seal(room.key, body, f"{room.id}#{seq}") if body is not None and room.key else None
    return room.id, seq, kind, event.at, event.seat, json.dumps(plain), sealed


def _drafts(room: Room, event: e.Event) -> list[Idle]:
    """The drafts whose words this event has put in the log: they have done their work."""
    if isinstance(event, e.Written):
        seat, kind = (event.scribe, f"{event.kind}.for") if event.scribe else (event.seat, event.kind)
        return [(room.id, seat, kind)]
    if isinstance(event, e.Edited) and event.id in room.state.contributions:
        kinds = [f"edit-{event.id}"]
        kind = room.state.contributions[event.id].kind
        if room.state.protocol.kinds[kind].single:  # writing it again was editing it
            kinds += [kind, f"{kind}.for"]
        return [(room.id, event.seat, kind) for kind in kinds]
    return []


def _write(rows: list[Row]) -> None:
    if not rows:
        return
    with _all_at_once(), connection.cursor() as cursor:
        cursor.executemany(INSERT, [fact for fact, _ in rows])
        idle = [draft for _, drafts in rows for draft in drafts]
        if idle:
            cursor.executemany(DELETE, idle)
        notify({fact[0]: fact[1] for fact, _ in rows})  # the last of each room


@contextmanager
def _all_at_once() -> Iterator[None]:
    """On PostgreSQL no statement in here waits for the answer to the one before."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def notify(versions: Mapping[str, int]) -> None:
    """Have PostgreSQL wake these rooms' streams in every process, at the caller's COMMIT, if it is the bus."""
    if settings.BUS == "notify":
        messages = [message(topic(room), version) for room, version in sorted(versions.items())]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('cordee', one) FROM unnest(%s::text[]) AS one", [messages])
        tally.bus.add("told", len(messages))
