"""One state as every eye needs it, worked out once for all seats. No right is applied here: this is no view."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from cordee.engine import turns
from cordee.engine.memory import Memory
from cordee.engine.policy import may, roles_of
from cordee.engine.protocol import Roles, Step
from cordee.engine.rules.judgements import position
from cordee.engine.seen import Clock, Letter, Ring, RingSeat, Strip
from cordee.engine.state import Contribution, Mark, Seat, State

Entry = tuple[Contribution, tuple[Mark, ...]]  # what was written, and the marks put on it
Grouped = dict[Any, tuple[Entry, ...]]


Listed = tuple[tuple[str, tuple[Entry, ...]], ...]  # kinds, and what is shown of each


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """What stands of these contributions, with the marks put on it. Oldest first everywhere."""

    contributions: Mapping[str, Contribution]
    marks: Mapping[tuple[str, str, str, int], Mark]
    all: dict[str, Entry]  # by id
    kinds: Grouped
    rounds: Grouped  # by kind and round
    authors: Grouped


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    state: State
    step: Step
    entries: Entries
    shown: Listed  # what the step shows, to whom may see it
    past: Listed  # what this round has said before and the step no longer shows
    choice: tuple[object, ...]  # what the cards of situations depend on: who is here, the votes, the situations
    still: tuple[object, ...]  # what most of a view depends on, and most contributions do not touch
    roles: dict[str, Roles]
    order: tuple[str, ...]  # of the ring
    holder: str
    position: str
    strip: Strip
    clock: Clock
    ring: Ring
    place: tuple[object, ...]  # where the room stands, but for who speaks and the clock
    names: tuple[tuple[str, str | None], ...]

    def of(self, kind: str, round_: int | None = None) -> tuple[Entry, ...]:
        """The entries of a kind, of one round or of all."""
        return _of(self.entries, kind, round_)


def scene_of(state: State, memory: Memory) -> Scene:
    return memory.once("scene", _Same(state), lambda: _scene(state, memory))


NOTHING = Entries({}, {}, {}, {}, {}, {})


class _Same:
    """Equal to another of the very same object. Comparing two states would take as long as making a scene."""

    __slots__ = ("it",)

    def __init__(self, it: object) -> None:
        self.it = it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.it is other.it

    __hash__ = None  # type: ignore[assignment]


def _scene(state: State, memory: Memory) -> Scene:
    course, seats, step = state.course, state.seats, state.step
    entries = _entries(state, memory)
    roles = memory.once("roles", (seats, course.client), lambda: {seat: roles_of(state, seat) for seat in seats})
    place = (
        *(course.round, course.step, course.closed, course.client, course.situation, course.next_situation),
        *(course.revealed, state.asked),
    )
    shown = tuple((kind, _shown(state, entries, kind)) for kind in step.shows)
    before = memory.once("before", (course.step, course.round, state.carried), lambda: _before(state))
    past = tuple((kind, _shown(state, entries, kind, past=True)) for kind in before)
    choice = (seats, _of(entries, step.votes), _of(entries, "situation"))
    strip = memory.once("strip", (state.protocol, course.step, course.round, state.carried), lambda: _strip(state))
    talk = (seats, course, _of(entries, step.ring_of) if step.ring_of else ())
    order = memory.once("order", talk, lambda: tuple(turns.ring(state)))
    holder = memory.once("holder", talk, lambda: turns.holder(state))
    ring = _remembered(state, roles, holder, memory)
    still = (
        *(seats, course, state.cards, state.door, state.meeting, state.began_at, strip, order, holder, ring),
        *(_of(entries, row.gate.kind, course.round) for row in state.protocol.steps if row.gate and row.gate.kind),
    )
    return Scene(
        state=state,
        step=step,
        entries=entries,
        shown=shown,
        past=memory.once("past", past, lambda: past),
        choice=memory.once("choice", choice, lambda: choice),
        still=memory.once("every still", still, lambda: still),
        roles=roles,
        order=order,
        holder=holder,
        position=position(state),
        strip=strip,
        clock=_clock_of(state, holder, memory),
        ring=ring,
        place=memory.once("place", place, lambda: place),
        names=memory.once("names", seats, lambda: tuple((seat.id, seat.name) for seat in seats.values())),
    )


def _of(entries: Entries, kind: str, round_: int | None = None) -> tuple[Entry, ...]:
    return entries.kinds.get(kind, ()) if round_ is None else entries.rounds.get((kind, round_), ())


def _entries(state: State, memory: Memory) -> Entries:
    """Of an entry, or of a group, in which nothing changed, the very object that it was."""
    before: Entries = memory.last("entries", NOTHING)
    if before.marks is state.marks:
        if before.contributions is state.contributions:
            return before
        if new := _one_more(before.contributions, state.contributions):
            return memory.once("entries", _Same(state), lambda: _grown(before, state, new))
    return memory.once("entries", _Same(state), lambda: _sorted(before, state))


def _one_more(before: Mapping[str, Contribution], now: Mapping[str, Contribution]) -> Contribution | None:
    """What alone was written since, if nothing else has changed."""
    if len(now) != len(before) + 1:
        return None
    *same, new = now.values()
    return new if not new.withdrawn and same == list(before.values()) else None


def _grown(before: Entries, state: State, new: Contribution) -> Entries:
    entry = (new, tuple(mark for (id_, *_), mark in state.marks.items() if id_ == new.id))
    return Entries(
        state.contributions,
        state.marks,
        {**before.all, new.id: entry},
        _with(before.kinds, new.kind, entry),
        _with(before.rounds, (new.kind, new.round), entry),
        _with(before.authors, new.author, entry),
    )


def _with(groups: Grouped, key: object, entry: Entry) -> Grouped:
    return {**groups, key: (*groups.get(key, ()), entry)}


def _sorted(before: Entries, state: State) -> Entries:
    put: dict[str, list[Mark]] = {}
    for (contribution, *_), mark in state.marks.items():
        put.setdefault(contribution, []).append(mark)
    entries: dict[str, Entry] = {}
    for c in state.contributions.values():
        if not c.withdrawn:
            marks = tuple(put[c.id]) if c.id in put else ()
            entry = before.all.get(c.id)
            entries[c.id] = entry if entry and entry[0] is c and entry[1] == marks else (c, marks)
    return Entries(
        state.contributions,
        state.marks,
        entries,
        _grouped(before.kinds, attrgetter("kind"), entries.values()),
        _grouped(before.rounds, attrgetter("kind", "round"), entries.values()),
        _grouped(before.authors, attrgetter("author"), entries.values()),
    )


def _grouped(before: Grouped, by: Callable[[Contribution], Any], entries: Iterable[Entry]) -> Grouped:
    lists: dict[Any, list[Entry]] = {}
    for entry in entries:
        lists.setdefault(by(entry[0]), []).append(entry)
    groups = {key: tuple(found) for key, found in lists.items()}
    return {key: before[key] if before.get(key) == group else group for key, group in groups.items()}


def _shown(state: State, entries: Entries, kind: str, past: bool = False) -> tuple[Entry, ...]:
    course, step = state.course, state.step
    if kind != "situation":
        opening = any(kind in row.opens_on for row in state.protocol.steps)
        return _of(entries, kind, 0 if opening else course.round)
    if (step.chooses or step.chooses_next) and not past:
        treated = {sid for _, _, sid in course.treated if sid != course.situation or step.chooses_next}
        return tuple(entry for entry in _of(entries, kind) if entry[0].id not in treated)
    return tuple(entry for entry in _of(entries, kind) if entry[0].id == course.situation)


def _before(state: State) -> tuple[str, ...]:
    """The kinds that the steps before this one have shown, and it does not."""
    here = state.index(state.course.step)
    kinds = (kind for step in state.steps[:here] for kind in step.shows if kind not in state.step.shows)
    return tuple(dict.fromkeys(kinds))


def _strip(state: State) -> Strip:
    steps = state.steps
    here = state.index(state.course.step)
    letters: list[Letter] = []
    for i, step in enumerate(steps):
        if i and steps[i - 1].letter == step.letter:
            last = letters.pop()
            letters.append(Letter(step.letter, (*last.titles, step.title), last.now or i == here, i < here))
        else:
            letters.append(Letter(step.letter, (step.title,), i == here, i < here))
    return Strip(
        state.protocol.name,
        tuple(letters),
        state.course.step,
        steps[here].title,
        state.course.round,
        here + 1,
        len(steps),
    )


def _clock_of(state: State, holder: str, memory: Memory) -> Clock:
    turn = state.seats.get(holder) if state.step.turn_seconds else None
    return memory.once("clock", (state.course, turn), lambda: _clock(state, turn))


def _clock(state: State, turn: Seat | None) -> Clock:
    course = state.course
    silence = course.started_at + course.paused_for + state.step.silence_minutes * 60
    shows = state.step.silence_minutes and not state.revealed
    return Clock(
        course.started_at + course.paused_for,
        course.minutes,
        course.paused_at,
        silence if shows else None,
        course.paused_until if course.paused_at is not None else 0,
        *((state.step.turn_seconds, _turn_from(state, turn), turn.name or "") if turn else ()),
    )


def _turn_from(state: State, turn: Seat) -> float:
    """When they were given the floor, had there been no pause since; the first of a step has it from its beginning."""
    course = state.course
    if course.floor != turn.id:
        return course.started_at + course.paused_for
    return course.floor_at + course.paused_for - course.floor_paused


def _writers(state: State, roles: Mapping[str, Roles]) -> set[str]:
    """Who may write what is counted at this step."""
    rows = [row for row in state.step.writes if state.protocol.kinds[row.kind].counted]
    return {s.id for s in state.seats.values() if s.here and any(may(roles[s.id], row.by) for row in rows)}


def _wrote(state: State, writers: set[str]) -> set[str]:
    kinds = [row.kind for row in state.step.writes if state.protocol.kinds[row.kind].counted]
    # Where something is sealed or secret, it is what the ring waits for.
    secret = [k for k in kinds if state.protocol.kinds[k].anonymous or state.protocol.kinds[k].sealed is not None]
    kinds = (
        [kind for kind in kinds if kind not in secret] if state.step.votes and not votable(state) else secret or kinds
    )
    entries = [c for c in state.contributions.values() if c.kind in kinds and not c.withdrawn]
    return {c.author for c in entries if c.round == state.course.round and c.author in writers}


def votable(state: State) -> bool:
    return len(state.of_kind("situation")) > 1


def _role(roles: Roles) -> str:
    return next((r for r in ("client", "facilitator", "consultant", "observer", "member") if r in roles), "")


def _remembered(state: State, roles: Mapping[str, Roles], holder: str, memory: Memory) -> Ring:
    writers = memory.once("writers", (state.seats, state.course), lambda: _writers(state, roles))
    wrote = _wrote(state, writers)
    causes = (state.seats, state.course, holder, wrote)
    return memory.once("ring", causes, lambda: _ring(state, roles, holder, writers, wrote))


def _ring(state: State, roles: Mapping[str, Roles], holder: str, writers: set[str], wrote: set[str]) -> Ring:
    seats = tuple(
        RingSeat(
            id=seat.id,
            name=seat.name or "",
            role=_role(roles[seat.id]),
            floor=seat.id == holder,
            spoken=seat.id in state.course.spoken,
            wrote=seat.id in wrote,
            away=seat.away,
            device=seat.device,
        )
        for seat in state.seats.values()
        if not seat.revoked and not seat.waiting
    )
    return Ring(seats, name_of(state, holder), holder, turns.open_floor(state), len(wrote), len(writers))


def name_of(state: State, seat: str) -> str:
    known = state.seats.get(seat)
    return (known.name or "") if known else ""
