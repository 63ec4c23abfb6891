"""How often each spoke and wrote in each round of a meeting, and who helped whom. Counts, of what the group was shown.

No mark is looked at: what the client does with the leads is theirs alone, for ever.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cordee.engine import events as e
from cordee.engine.protocol import Protocol, Step
from cordee.engine.state import Contribution, Course, State, apply, initial


@dataclass(slots=True)
class Voice:
    """Of one seat, in one round. ``written``: kind → how many; ``helped``: gave something to that round's client."""

    floor: int = 0
    helped: bool = False
    written: Counter[str] = field(default_factory=Counter)


Voices = dict[tuple[int, str], Voice]  # by round and seat


def voices(state: State, log: Iterable[e.Event], stands: Callable[[Contribution], bool]) -> Voices:
    """``log`` is the whole log that made ``state``, its words left out; ``stands``: whether the group was shown it."""
    clients = {number: client for number, client, _ in state.course.treated}
    found: Voices = {}
    for c in state.contributions.values():
        kind = state.protocol.kinds[c.kind]
        if stands(c) and not kind.private and not kind.anonymous:
            voice = found.setdefault((c.round, c.author), Voice())
            voice.written[c.kind] += 1
            voice.helped |= c.kind in _offered(state.protocol) and clients.get(c.round, c.author) != c.author
    for (number, step, seat), times in _floors(state.protocol, log).items():
        voice = found.setdefault((number, seat), Voice())
        voice.floor += times
        helps = _is_for_the_client(state.protocol.step(step))
        voice.helped |= helps and clients.get(number, seat) != seat
    return found


def _offered(protocol: Protocol) -> set[str]:
    """The kinds that consultants, and they alone, write for the client."""
    rows = (row for step in protocol.steps for row in step.writes)
    return {row.kind for row in rows if "consultant" in row.by and row.by.isdisjoint({"client", "member"})}


def _is_for_the_client(step: Step) -> bool:
    return step.floor == "ring" and "consultant" in step.ring and "client" not in step.ring


def _floors(protocol: Protocol, log: Iterable[e.Event]) -> Mapping[tuple[int, str, str], int]:
    """(round, step, seat) → how often they were given the floor; not what was undone at once."""
    state, given = initial(protocol), Counter[tuple[int, str, str]]()
    for event in log:
        before, state = state.course, apply(state, event)
        if isinstance(event, e.FloorGiven) and event.target:
            given[_place(state.course)] += 1
        elif isinstance(event, e.Undone) and before.floor and _place(before) != _place(state.course):
            given[_place(before)] -= 1
    return +given


def _place(course: Course) -> tuple[int, str, str]:
    return course.round, course.step, course.floor
