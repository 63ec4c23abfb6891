"""The log of a room and the state it folds to. One transaction writes what many seats asked for at once."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from time import time

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Q

from cordee.engine import events as e
from cordee.engine.commands import Command
from cordee.engine.decide import Decision, Refused, decide
from cordee.engine.reading import read
from cordee.engine.state import State, apply, initial
from cordee.room import crypto
from cordee.room.models import Draft, Entry, Session

MOST_ROOMS_IN_MEMORY = 2000
TRIES = 5


@dataclass(frozen=True, slots=True)
class Room:
    """A room as this process knows it: its key (``None`` once destroyed) and its state."""

    id: str
    circle: int
    key: bytes | None
    state: State


@dataclass(frozen=True, slots=True)
class Job:
    """A wish for a room, waiting for the writer."""

    room: str
    command: Command


class NoSuchRoom(LookupError):
    pass


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


def load(room_id: str) -> Room:
    """The room as the database has it now. Raises :class:`NoSuchRoom`."""
    room = known(room_id) or _opened(room_id)
    entries = Entry.objects.filter(session=room_id, seq__gt=room.state.version).order_by("seq")
    state = room.state
    for entry in entries:
        state = apply(state, _event(room, entry))
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


def _event(room: Room, entry: Entry) -> e.Event:
    body = crypto.unseal(room.key, entry.sealed, f"{room.id}#{entry.seq}")
    return e.load(entry.kind, entry.at, entry.seat, entry.plain, body)


def transact(jobs: Sequence[Job]) -> list[Decision | Exception]:
    """Decide these wishes in order on the rooms' current states, write what follows in one commit, answer each.

    An outcome is the facts written (durable when this returns), a refusal, or the exception that this job alone met.
    A room that another process wrote to in the meantime is read again and decided again.
    """
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                outcomes, rooms, entries = _decide_all(jobs)
                _write(entries)
            break
        except IntegrityError:
            for room_id in {job.room for job in jobs}:
                forget(room_id)
            if attempt == TRIES - 1:
                raise
    for room in rooms:
        _keep(room)
    return outcomes


def append(room_id: str, facts: Sequence[e.Event]) -> None:
    """Write these facts as they are, inside the caller's transaction. For what no seat decides."""
    room = load(room_id)
    entries: list[tuple[Entry, e.Event]] = []
    for fact in facts:
        room = replace(room, state=apply(room.state, fact))
        entries.append((_entry(room, fact), fact))
    _write(entries)
    forget(room_id)  # the caller may roll back


def _decide_all(jobs: Sequence[Job]) -> tuple[list[Decision | Exception], list[Room], list[tuple[Entry, e.Event]]]:
    rooms = _current({job.room for job in jobs})
    outcomes: list[Decision | Exception] = []
    entries: list[tuple[Entry, e.Event]] = []
    changed: dict[str, Room] = {}
    now = time()
    for job in jobs:
        room = rooms.get(job.room)
        if room is None:
            outcomes.append(NoSuchRoom(job.room))
            continue
        try:
            decision = decide(room.state, job.command, now)
        except Exception as error:  # one job that fails must not fail its neighbours
            outcomes.append(error)
            continue
        if not isinstance(decision, Refused):
            for event in decision:
                room = replace(room, state=apply(room.state, event))
                entries.append((_entry(room, event), event))
                changed[room.id] = room
            rooms[room.id] = room
        outcomes.append(decision)
    return outcomes, list(changed.values()), entries


def _current(ids: Iterable[str]) -> dict[str, Room]:
    """The rooms at their latest version; on PostgreSQL they are locked, always in the same order."""
    wanted = sorted(ids)
    if connection.vendor == "postgresql":
        list(Session.objects.select_for_update().filter(pk__in=wanted).order_by("pk").values_list("pk"))
    latest = dict(Entry.objects.filter(session__in=wanted).values_list("session").annotate(Max("seq")).order_by())
    rooms: dict[str, Room] = {}
    for room_id in wanted:
        room = known(room_id)
        if room is None or room.state.version != latest.get(room_id, 0):
            try:
                room = load(room_id)
            except NoSuchRoom:
                continue
        rooms[room_id] = room
    return rooms


def _entry(room: Room, event: e.Event) -> Entry:
    """The row of this event, which made the room what it is."""
    kind, plain, body = e.dump(event)
    seq = room.state.version
    sealed = crypto.seal(room.key, body, f"{room.id}#{seq}") if body is not None and room.key else None
    return Entry(session_id=room.id, seq=seq, kind=kind, at=event.at, seat=event.seat, plain=plain, sealed=sealed)


def _write(entries: list[tuple[Entry, e.Event]]) -> None:
    if not entries:
        return
    Entry.objects.bulk_create([entry for entry, _ in entries])
    written = [(entry.session_id, event) for entry, event in entries if isinstance(event, e.Written)]
    if written:
        # The words are in the log: the draft they came from has done its work.
        drafts = (Q(session=room, seat=w.scribe or w.seat, kind=w.kind) for room, w in written)
        condition = next(drafts)
        for draft in drafts:
            condition |= draft
        Draft.objects.filter(condition).delete()
    if settings.BUS == "notify":
        with connection.cursor() as cursor:
            for room in sorted({entry.session_id for entry, _ in entries}):
                cursor.execute("SELECT pg_notify('cordee', %s)", [topic(room)])
