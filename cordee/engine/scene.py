"""One state as every eye needs it, worked out once for all seats. No right is applied here: this is no view."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from cordee.engine import turns
from cordee.engine.decide import position
from cordee.engine.memory import Memory
from cordee.engine.policy import may, roles_of
from cordee.engine.protocol import Roles
from cordee.engine.seen import Clock, Letter, Ring, RingSeat, Strip
from cordee.engine.state import Contribution, Mark, Seat, State

Entry = tuple[Contribution, tuple[Mark, ...]]  # what was written, and the marks put on it
Grouped = dict[Any, tuple[Entry, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    state: State
    entries: dict[str, Entry]  # those that stand, by id, oldest first
    kinds: Grouped
    rounds: Grouped  # by kind and round
    authors: Grouped
    roles: dict[str, Roles]
    holder: str
    position: str
    strip: Strip
    clock: Clock
    ring: Ring
    place: tuple[object, ...]  # where the room stands, but for who speaks and the clock
    names: tuple[tuple[str, str | None], ...]

    def of(self, kind: str, round_: int | None = None) -> tuple[Entry, ...]:
        """The entries of a kind, of one round or of all."""
        return self.kinds.get(kind, ()) if round_ is None else self.rounds.get((kind, round_), ())


def scene_of(state: State, memory: Memory) -> Scene:
    return memory.once("scene", _Same(state), lambda: _scene(state, memory))


class _Same:
    """Equal to another of the very same object. Comparing two states would take as long as making a scene."""

    __slots__ = ("it",)

    def __init__(self, it: object) -> None:
        self.it = it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.it is other.it

    __hash__ = None  # type: ignore[assignment]


def _scene(state: State, memory: Memory) -> Scene:
    course, seats = state.course, state.seats
    entries = _entries(state, memory)
    roles = memory.once("roles", (seats, course.client), lambda: {seat: roles_of(state, seat) for seat in seats})
    place = (
        *(course.round, course.step, course.closed, course.client, course.situation, course.next_situation),
        course.revealed,
    )
    return Scene(
        state=state,
        entries=entries,
        kinds=_grouped(memory, "kinds", attrgetter("kind"), entries.values()),
        rounds=_grouped(memory, "rounds", attrgetter("kind", "round"), entries.values()),
        authors=_grouped(memory, "authors", attrgetter("author"), entries.values()),
        roles=roles,
        holder=turns.holder(state),
        position=position(state),
        strip=memory.once("strip", (state.protocol, course.step, course.round, state.carried), lambda: _strip(state)),
        clock=_clock_of(state, memory),
        ring=memory.once("ring", _Same(state), lambda: _ring(state, roles)),
        place=memory.once("place", place, lambda: place),
        names=memory.once("names", seats, lambda: tuple((seat.id, seat.name) for seat in seats.values())),
    )


def _entries(state: State, memory: Memory) -> dict[str, Entry]:
    """What stands, with its marks. An entry in which nothing changed is the very object it was."""
    put: dict[str, list[Mark]] = {}
    for (contribution, *_), mark in state.marks.items():
        put.setdefault(contribution, []).append(mark)
    known: dict[str, Entry] = memory.last("entries", {})
    entries: dict[str, Entry] = {}
    for c in state.contributions.values():
        if not c.withdrawn:
            marks = tuple(put[c.id]) if c.id in put else ()
            entry = known.get(c.id)
            entries[c.id] = entry if entry and entry[0] is c and entry[1] == marks else (c, marks)
    return memory.once("entries", _Same(state), lambda: entries)


def _grouped(memory: Memory, name: str, by: Callable[[Contribution], Any], entries: Iterable[Entry]) -> Grouped:
    lists: dict[Any, list[Entry]] = {}
    for entry in entries:
        lists.setdefault(by(entry[0]), []).append(entry)
    return {key: memory.once((name, key), tuple(found), partial(tuple, found)) for key, found in lists.items()}


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


def _clock_of(state: State, memory: Memory) -> Clock:
    timed = turns.holder(state) if state.step.turn_seconds else ""
    turn = state.seats.get(timed)
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


def _ring(state: State, roles: Mapping[str, Roles]) -> Ring:
    writers = _writers(state, roles)
    wrote = _wrote(state, writers)
    holder = turns.holder(state)
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
