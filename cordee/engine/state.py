"""The state of a room, and how an ordered log of facts makes it. Pure: the same log always gives the same state."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from cordee.engine import events as e
from cordee.engine.protocol import Protocol, Step

K = TypeVar("K")
V = TypeVar("V")
UNDO_DEPTH = 20
LENT = "published"  # the kind of what is lent to a room: published in the space, unsigned


@dataclass(frozen=True, slots=True)
class Seat:
    id: str
    name: str | None  # None once the circle's key is destroyed
    member: bool = False
    facilitator: bool = False
    observer: bool = False
    device: bool = True  # false: the facilitator writes and acts for this person
    away: bool = False
    waiting: bool = False
    revoked: bool = False
    gone: bool = False  # away because their own device went, which nobody else can say
    stands_in: bool = False  # facilitates until somebody whom the circle names has come

    @property
    def here(self) -> bool:
        return not (self.away or self.waiting or self.revoked)


@dataclass(frozen=True, slots=True)
class Contribution:
    id: str
    kind: str
    author: str
    scribe: str
    round: int
    step: str
    at: float
    body: e.Body
    edits: int = 0
    withdrawn: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    mark: str
    owner: str
    round: int
    body: e.Body = None

    @property
    def value(self) -> str:
        return (self.body or {}).get("value", "")


@dataclass(frozen=True, slots=True)
class Course:
    """Where the room stands: everything a facilitator's move changes, so that undoing is putting one back."""

    round: int = 1
    step: str = ""
    client: str = ""
    situation: str = ""
    next_client: str = ""
    next_situation: str = ""
    started_at: float = 0
    minutes: float = 0
    paused_at: float | None = None
    paused_for: float = 0  # seconds
    paused_until: float = 0  # when it is to end, as was said to all; 0 when nothing was said
    floor: str = ""
    floor_at: float = 0
    floor_paused: float = 0  # seconds that the step had been paused for, when the floor was given
    spoken: frozenset[str] = frozenset()
    free: bool = False
    revealed: frozenset[tuple[int, str]] = frozenset()
    revealed_at: float = 0
    treated: tuple[tuple[int, str, str], ...] = ()  # (round, client, situation): the ledger of client turns
    skipped: Mapping[tuple[int, str], str | None] = field(default_factory=dict)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class State:
    protocol: Protocol
    version: int = 0
    seats: Mapping[str, Seat] = field(default_factory=dict)
    contributions: Mapping[str, Contribution] = field(default_factory=dict)
    marks: Mapping[tuple[str, str, str, int], Mark] = field(default_factory=dict)  # (contribution, mark, owner, round)
    cards: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # seat -> drawn cards
    asked: Mapping[tuple[int, str], float] = field(default_factory=dict)  # (round, step) -> since when for themes
    declined: frozenset[str] = frozenset()  # contributions for which no theme is proposed
    course: Course = Course()
    undo: tuple[Course, ...] = ()
    door: bool = False
    meeting: bool = False  # of a circle, which says who is who: others wait at the door
    values: tuple[str, ...] = ()  # of the circle's space, in its order; none once the circle's key is destroyed
    carried: frozenset[str] = frozenset()  # kinds of what was brought from earlier meetings
    began_at: float = 0

    @property
    def step(self) -> Step:
        return self.protocol.step(self.course.step)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of this round: the first alone opens on what was carried."""
        return self.protocol.steps_with(self.carried if self.course.round == 1 else frozenset())

    def index(self, step: str) -> int:
        """Where this step stands among those of this round. ``StopIteration`` if it is none of them."""
        return next(i for i, s in enumerate(self.steps) if s.id == step)

    @property
    def revealed(self) -> bool:
        return (self.course.round, self.course.step) in self.course.revealed

    def facilitator(self) -> str:
        return next((s.id for s in self.seats.values() if s.facilitator and not s.revoked), "")

    def of_kind(self, kind: str, round_: int | None = None, author: str | None = None) -> list[Contribution]:
        """Contributions of a kind that still stand, oldest first."""
        return [
            c
            for c in self.contributions.values()
            if c.kind == kind
            and not c.withdrawn
            and (round_ is None or c.round == round_)
            and (author is None or c.author == author)
        ]

    def marked(self, contribution: str, mark: str) -> dict[str, Mark]:
        """Who has put this mark on this contribution, and what it says; the latest round's where it is put in each."""
        return {owner: m for (cid, name, owner, _), m in self.marks.items() if cid == contribution and name == mark}


def initial(protocol: Protocol) -> State:
    """A room before anything happened, standing at the first step."""
    first = protocol.steps_with(frozenset())[0]
    return State(protocol, course=Course(step=first.id, minutes=first.minutes))


def fold(protocol: Protocol, events: Iterable[e.Event]) -> State:
    state = initial(protocol)
    for event in events:
        state = apply(state, event)
    return state


def apply(state: State, event: e.Event) -> State:
    """The state after this fact. Total: a fact about something unknown changes nothing but the version."""
    changed = APPLY[type(event)](state, event)
    return replace(changed, version=state.version + 1)


def _with(mapping: Mapping[K, V], key: K, value: V) -> dict[K, V]:
    return {**mapping, key: value}


def _seat(state: State, seat: str, **changes: Any) -> State:
    if seat not in state.seats:
        return state
    return replace(state, seats=_with(state.seats, seat, replace(state.seats[seat], **changes)))


def _contribution(state: State, id_: str, **changes: Any) -> State:
    if id_ not in state.contributions:
        return state
    changed = replace(state.contributions[id_], **changes)
    return replace(state, contributions=_with(state.contributions, id_, changed))


def _course(state: State, **changes: Any) -> State:
    return replace(state, course=replace(state.course, **changes))


def _move(state: State, event: e.Event, **changes: Any) -> State:
    """A change of course by the facilitator, who can undo it."""
    seat = state.seats.get(event.seat)
    if not seat or not seat.facilitator:
        return _others_move(state, **changes)
    return replace(_course(state, **changes), undo=(*state.undo, state.course)[-UNDO_DEPTH:])


def _others_move(state: State, **changes: Any) -> State:
    """A change of course by anyone else, which stands when the facilitator undoes what she did before it."""
    here = (state.course.round, state.course.step)
    shown = changes.get("revealed", frozenset()) - state.course.revealed

    def carried(course: Course) -> Course:
        same = changes if (course.round, course.step) == here else {}
        return replace(course, **{**same, "revealed": course.revealed | shown})

    return replace(_course(state, **changes), undo=tuple(map(carried, state.undo)))


def _fresh_step(state: State, step: str, at: float) -> dict[str, Any]:
    row = state.protocol.step(step)
    return {
        "step": step,
        "started_at": at,
        "minutes": row.minutes,
        "paused_at": None,
        "paused_for": 0,
        "paused_until": 0,
        "floor": "",
        "floor_at": 0,
        "floor_paused": 0,
        "spoken": frozenset(),
        "free": False,
    }


def _seat_taken(state: State, event: e.SeatTaken) -> State:
    seat = Seat(
        id=event.seat,
        name=(event.body or {}).get("name"),
        member=event.role == "member",
        facilitator=event.role == "facilitator",
        observer=event.role == "observer",
        device=event.device,
        waiting=event.waiting,
    )
    if not state.seats:
        state = replace(_course(state, started_at=event.at), began_at=event.at)
    return replace(state, seats=_with(state.seats, seat.id, seat))


def _renamed(state: State, event: e.SeatRenamed) -> State:
    return _seat(state, event.seat, name=(event.body or {}).get("name"))


def _revoked(state: State, event: e.SeatRevoked) -> State:
    state = _seat(state, event.target, revoked=True)
    return _course(state, floor="") if state.course.floor == event.target else state


def _handed_over(state: State, event: e.HandedOver) -> State:
    if event.target not in state.seats:
        return state
    previous = state.facilitator()
    if previous:
        # Who hands over stays in the room: as what they also were, else as an observer of the round under way.
        also = state.seats[previous].member or state.seats[previous].observer
        observes = state.seats[previous].observer or not also
        state = _seat(state, previous, facilitator=False, stands_in=False, observer=observes)
    return replace(_seat(state, event.target, facilitator=True), undo=())


def _written(state: State, event: e.Written) -> State:
    made = Contribution(event.id, event.kind, event.seat, event.scribe, event.round, event.step, event.at, event.body)
    if event.round == 0:
        state = replace(state, carried=state.carried | {event.kind})
    return replace(state, contributions=_with(state.contributions, event.id, made))


def _lent(state: State, event: e.Lent) -> State:
    made = Contribution(event.id, LENT, "", "", 0, "", event.at, event.body)
    return replace(state, contributions=_with(state.contributions, event.id, made))


def _edited(state: State, event: e.Edited) -> State:
    before = state.contributions.get(event.id)
    if before is None:
        return state
    agreed = {row.mark for step in state.protocol.steps for row in step.marks if row.agreement}
    # What was agreed on was the former text.
    marks = {key: mark for key, mark in state.marks.items() if key[0] != event.id or key[1] not in agreed}
    # Who typed the former text for its author has no eye on what the author then writes.
    scribe = before.scribe if event.seat == before.scribe else ""
    changed = replace(state, marks=marks)
    return _contribution(changed, event.id, body=event.body, edits=before.edits + 1, scribe=scribe)


def _marked(state: State, event: e.Marked) -> State:
    key = (event.id, event.mark, event.owner, event.round)
    if not event.on:
        # Who takes their agreement back takes back what rested on it.
        rest = {row.mark for step in state.protocol.steps for row in step.marks if row.needs == event.mark}
        gone = {k for k in state.marks if k == key or (k[0] == event.id and k[1] in rest)}
        return replace(state, marks={k: v for k, v in state.marks.items() if k not in gone})
    return replace(state, marks=_with(state.marks, key, Mark(event.mark, event.owner, event.round, event.body)))


def _themes_asked(state: State, event: e.ThemesAsked) -> State:
    here = (event.round, event.step)
    others = {place: at for place, at in state.asked.items() if place != here}
    asked = {**others, here: event.at} if event.on else others
    return replace(state, asked=asked, declined=frozenset() if event.on else state.declined)


def _card(state: State, event: e.CardDrawn) -> State:
    return replace(state, cards=_with(state.cards, event.seat, (*state.cards.get(event.seat, ()), event.card)))


def _step_entered(state: State, event: e.StepEntered) -> State:
    changes = _fresh_step(state, event.step, event.at)
    if event.skipped:
        changes["skipped"] = _skipped(state, event.step, event.body)
    return _move(state, event, **changes)


def _skipped(state: State, end: str, body: e.Body) -> dict[tuple[int, str], str | None]:
    """The steps left out so far, with those from here to the step ``end`` that this word explains."""
    steps, here = state.protocol.steps, state.course.step
    passed = steps[state.protocol.index(here) : state.protocol.index(end)]
    left = [step for step in passed if not step.opens_on or step.id == here]
    word = (body or {}).get("text")
    return {**state.course.skipped, **{(state.course.round, step.id): word for step in left}}


def _client_chosen(state: State, event: e.ClientChosen) -> State:
    if event.ahead:
        return _move(state, event, next_client=event.client, next_situation=event.situation)
    others = tuple(turn for turn in state.course.treated if turn[0] != state.course.round)
    turn = (state.course.round, event.client, event.situation)
    return _move(state, event, client=event.client, situation=event.situation, treated=(*others, turn))


def _round_started(state: State, event: e.RoundStarted) -> State:
    turn = ((event.round, event.client, event.situation),) if event.client else ()
    return _move(
        state,
        event,
        **_fresh_step(state, event.step, event.at),
        round=event.round,
        client=event.client,
        situation=event.situation,
        next_client="",
        next_situation="",
        treated=state.course.treated + turn,
    )


def _paused(state: State, event: e.Paused) -> State:
    # Said again of a pause under way, it changes its end alone.
    began = event.at if state.course.paused_at is None else state.course.paused_at
    return _move(state, event, paused_at=began, paused_until=event.until)


def _resumed(state: State, event: e.Resumed) -> State:
    if state.course.paused_at is None:
        return state
    # A clock that jumps back must not give time that never passed.
    pause = max(0.0, event.at - state.course.paused_at)
    return _move(state, event, paused_at=None, paused_until=0, paused_for=state.course.paused_for + pause)


def _floor(state: State, event: e.FloorGiven) -> State:
    spoken = state.course.spoken | ({event.spoken} if event.spoken else frozenset())
    return _move(
        state, event, floor=event.target, floor_at=event.at, floor_paused=state.course.paused_for, spoken=spoken
    )


def _revealed(state: State, event: e.Revealed) -> State:
    return _move(state, event, revealed=state.course.revealed | {(event.round, event.step)}, revealed_at=event.at)


def _undone(state: State, event: e.Undone) -> State:
    if not state.undo:
        return state
    return replace(state, course=state.undo[-1], undo=state.undo[:-1])


APPLY: dict[type[e.Event], Callable[[State, Any], State]] = {
    e.RoomOpened: lambda s, v: replace(s, meeting=True, door=True, values=tuple((v.body or {}).values())),
    e.SeatTaken: _seat_taken,
    e.SeatRenamed: _renamed,
    e.SeatAdmitted: lambda s, v: _seat(s, v.target, waiting=False),
    e.SeatRevoked: _revoked,
    e.SeatAway: lambda s, v: _seat(s, v.target, away=True, gone=v.seat == v.target),
    e.SeatBack: lambda s, v: _seat(s, v.target, away=False, gone=False, device=v.device),
    e.SeatHeld: lambda s, v: _seat(s, v.target, away=False, gone=False, device=False),
    e.HandedOver: _handed_over,
    e.TookOver: lambda s, v: _seat(s, v.seat, facilitator=True, stands_in=True),
    e.DoorSet: lambda s, v: replace(s, door=v.waiting),
    e.Written: _written,
    e.Lent: _lent,
    e.Edited: _edited,
    e.Withdrawn: lambda s, v: _contribution(s, v.id, withdrawn=True),
    e.Hidden: lambda s, v: _contribution(s, v.id, hidden=v.on),
    e.Marked: _marked,
    e.ThemesAsked: _themes_asked,
    e.ThemeDeclined: lambda s, v: replace(s, declined=s.declined | {v.id}),
    e.CardDrawn: _card,
    e.StepEntered: _step_entered,
    e.ClientChosen: _client_chosen,
    e.RoundStarted: _round_started,
    e.Extended: lambda s, v: _move(s, v, minutes=s.course.minutes + v.minutes),
    e.Paused: _paused,
    e.Resumed: _resumed,
    e.FloorGiven: _floor,
    e.FloorFreed: lambda s, v: _move(s, v, free=v.on),
    e.Revealed: _revealed,
    e.Closed: lambda s, v: _move(s, v, closed=True),
    e.Undone: _undone,
}
