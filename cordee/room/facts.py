"""How far rooms are: where they stand, since when, how many are there. All that the administrative plane may know.

Only the plain columns of the log are read, never what is sealed: the same is told once a circle's key is destroyed.
What is folded here holds no word.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import time

from django.db import connection

from cordee.engine import events as e
from cordee.engine.reading import read
from cordee.engine.state import State, apply, initial
from cordee.room.models import Session

MOST_ROOMS = 500  # remembered
# What moves a room, and who is in it. What is written, marked or drawn is not even asked for.
MOVES = (e.RoomOpened, e.SeatTaken, e.SeatAdmitted, e.SeatRevoked, e.SeatAway, e.SeatBack, e.SeatHeld, e.HandedOver,
         e.TookOver, e.StepEntered, e.ClientChosen, e.RoundStarted, e.Extended, e.Paused, e.Resumed, e.FloorGiven,
         e.FloorFreed, e.Revealed, e.Closed, e.Undone)  # fmt: skip
KINDS = tuple(move.__name__ for move in MOVES)
SINCE = """
    SELECT session_id, seq, kind, at, seat, plain FROM room_entry
    WHERE kind IN ({kinds}) AND ({wanted}) ORDER BY session_id, seq
"""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a meeting's room stands. ``step`` is the protocol's title of it; minutes are whole, pauses taken off."""

    step: str
    letter: str
    minutes: int
    planned: int
    present: int
    round: int
    open: bool
    paused: bool
    led: bool  # somebody facilitates it

    @property
    def over(self) -> bool:
        return self.open and not self.paused and self.minutes > self.planned


@dataclass(frozen=True, slots=True)
class _Known:
    seq: int
    state: State


_known: OrderedDict[str, _Known] = OrderedDict()
_lock = threading.Lock()


def where(meeting_ids: Iterable[int]) -> Mapping[int, Where]:
    """By meeting, of those whose room was opened. Two questions to the database, however many rooms."""
    rows = Session.objects.filter(meeting__in=list(meeting_ids)).values_list("pk", "meeting", "protocol")
    rooms = {room: (meeting, protocol) for room, meeting, protocol in rows if meeting is not None}
    states = _states({room: protocol for room, (_, protocol) in rooms.items()})
    now = time()
    return {rooms[room][0]: _where(state, now) for room, state in states.items()}


def forget() -> None:
    with _lock:
        _known.clear()


def _states(protocols: Mapping[str, str]) -> Mapping[str, State]:
    """The rooms as they are now, without a word in them: only what is new since the last time is read."""
    with _lock:
        before = {room: _known.get(room) or _Known(0, initial(read(text))) for room, text in protocols.items()}
    after = dict(before)
    for room, seq, kind, at, seat, plain in _news(before):
        state = apply(after[room].state, e.load(kind, at, seat, json.loads(plain), None))
        after[room] = _Known(seq, state)
    with _lock:
        for room, known in after.items():
            _known[room] = known
            _known.move_to_end(room)
        while len(_known) > MOST_ROOMS:
            _known.popitem(last=False)
    return {room: known.state for room, known in after.items()}


def _news(known: Mapping[str, _Known]) -> Sequence[tuple[str, int, str, float, str, str]]:
    """The facts of these rooms that are not folded yet, in order."""
    if not known:
        return []
    since = [value for room, one in known.items() for value in (room, one.seq)]
    wanted = " OR ".join(["session_id = %s AND seq > %s"] * len(known))
    with connection.cursor() as cursor:  # through the ORM, making this sentence took longer than running it
        cursor.execute(SINCE.format(kinds=", ".join(["%s"] * len(KINDS)), wanted=wanted), [*KINDS, *since])
        return list(cursor.fetchall())


def _where(state: State, now: float) -> Where:
    course, step = state.course, state.step
    until = course.paused_at if course.paused_at is not None else now
    seconds = max(0.0, until - course.started_at - course.paused_for) if course.started_at else 0.0
    return Where(
        step=step.title,
        letter=step.letter,
        minutes=int(seconds // 60),
        planned=round(course.minutes),
        present=sum(seat.here for seat in state.seats.values()),
        round=course.round,
        open=not course.closed,
        paused=course.paused_at is not None,
        led=bool(state.facilitator()),
    )
