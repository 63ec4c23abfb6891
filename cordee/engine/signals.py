"""Gentle words to the facilitator alone: what a protocol's signal rows look for. Nothing here stops anybody."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cordee.engine.hint import is_advice
from cordee.engine.memory import Memory
from cordee.engine.policy import may, roles_of, sees
from cordee.engine.protocol import Signal
from cordee.engine.state import Contribution, State

INFINITIVE = re.compile(r"\b\w{2,}(?:er|ir|re|oir)\b", re.IGNORECASE)
OPENING = re.compile(
    r"^\W*je (?:voudrais|veux|souhaite|souhaiterais|aimerais) que (?:vous|tu) m.(?:aidi?ez|aides)?\s*(?:à|a|de|d.)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SignalView:
    """``text`` has blanks {names} and {count}. ``since``: shown from then on (seconds since the epoch), 0 at once."""

    id: str
    text: str
    names: str = ""
    count: int = 0
    since: float = 0


def signals(state: State, memory: Memory) -> Iterable[SignalView]:
    for signal in state.protocol.signals:
        if signal.step == state.course.step and not state.course.closed:
            view = RULES[signal.rule](state, signal, memory)
            if view is not None:
                yield view


def _since(state: State, signal: Signal) -> float:
    return state.course.started_at + state.course.paused_for + signal.minutes * 60


def _minutes(state: State, signal: Signal, memory: Memory) -> SignalView | None:
    return SignalView(signal.id, signal.text, since=_since(state, signal))


def _silent(state: State, signal: Signal, memory: Memory) -> SignalView | None:
    wrote = {c.author for c in state.of_kind(signal.kind, state.course.round)}
    causes = (state.seats, state.course, wrote)
    return memory.once(("silent", signal.id), causes, lambda: _missing(state, signal, wrote))


def _missing(state: State, signal: Signal, wrote: set[str]) -> SignalView | None:
    row = state.step.write(signal.kind)
    if row is None:
        return None
    missing = [
        seat.name or ""
        for seat in state.seats.values()
        if seat.here and seat.member and seat.id not in wrote and may(roles_of(state, seat.id), row.by)
    ]
    if not missing:
        return None
    return SignalView(signal.id, signal.text, names=", ".join(missing), since=_since(state, signal))


def _flagged(state: State, signal: Signal, memory: Memory) -> SignalView | None:
    leader = state.facilitator()
    causes = (leader, roles_of(state, leader), state.course.revealed)
    asked = tuple(state.of_kind(signal.kind, state.course.round))
    count = len(memory.each(("flagged", signal.id), causes, asked, lambda c: _advises(state, leader, c) or None))
    return SignalView(signal.id, signal.text, count=count) if count >= signal.count else None


def _advises(state: State, leader: str, c: Contribution) -> bool:
    return sees(state, leader, c) and is_advice((c.body or {}).get("text", ""))


def _no_verb(state: State, signal: Signal, memory: Memory) -> SignalView | None:
    for c in state.of_kind(signal.kind, state.course.round):
        text = (c.body or {}).get("text", "")
        if text and not INFINITIVE.search(OPENING.sub("", text)):
            return SignalView(signal.id, signal.text)
    return None


RULES: dict[str, Callable[[State, Signal, Memory], SignalView | None]] = {
    "minutes": _minutes,
    "silent": _silent,
    "flagged": _flagged,
    "no_verb": _no_verb,
}
