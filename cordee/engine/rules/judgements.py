"""What several rules ask: who acts for whom, what a row gives, what a text may be."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from cordee.engine.policy import roles_of
from cordee.engine.protocol import Field, Gate, Kind, MarkRow, Write
from cordee.engine.refusal import Refused
from cordee.engine.state import State
from cordee.engine.themes import waits

ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")  # turn the writing direction of what follows, to deceive


def position(state: State) -> str:
    return f"{state.course.round}.{state.course.step}"


def leads(state: State, seat: str) -> bool:
    return "facilitator" in roles_of(state, seat)


def stale(state: State, seen: str) -> bool:
    return bool(seen) and seen != position(state)


def acts_for(state: State, command: Any, row: Write | MarkRow) -> str | Refused:
    """The seat in whose name this is done: one's own, or another's if the row lets the facilitator."""
    if not command.behalf or command.behalf == command.seat:
        return str(command.seat)
    other = state.seats.get(command.behalf)
    if not leads(state, command.seat) or not row.behalf or other is None or other.revoked or other.waiting:
        return Refused("not_yours")
    # Words may be typed for anyone; agreeing and judging are done for those only who have no screen of their own.
    if isinstance(row, MarkRow) and other.device:
        return Refused("has_device", {"name": other.name or ""})
    return other.id


def write_row(state: State, kind: str) -> Write | None:
    here = state.step.write(kind)
    return here or next((row for row in state.protocol.anywhere if row.kind == kind), None)


def mark_row(state: State, mark: str, kind: str) -> MarkRow | None:
    here = state.step.mark(mark, kind)
    if here:
        return None if waits(state, here) else here
    rows = (row for row in state.protocol.marks_anywhere if row.mark == mark and row.kind == kind)
    return next((row for row in rows if not row.at or state.course.step in row.at), None)


def gate_met(state: State, gate: Gate | None) -> bool:
    """Whether what lies after this gate may open."""
    if gate is None:
        return True
    if gate.client and not state.course.client:
        return False
    if gate.kind:
        entries = state.of_kind(gate.kind, state.course.round)
        return any(state.marked(entry.id, gate.mark) for entry in entries)
    return True


def clean(kind: Kind, body: Mapping[str, str], state: State) -> dict[str, str] | Refused:
    """The declared fields of a body, trimmed; a refusal names the field."""
    clean: dict[str, str] = {}
    for box in kind.fields:
        value = tidied(body.get(box.id, ""))
        if box.required and not value:
            return Refused("empty_field", {"field": box.label})
        if len(value) > box.longest:
            return Refused("too_long", {"field": box.label, "longest": str(box.longest), "length": str(len(value))})
        if value and not _fits(box, value, state):
            return Refused("bad_value", {"field": box.label})
        if value:
            clean[box.id] = value
    return clean or Refused("empty_field", {"field": kind.fields[0].label})


def tidied(value: str) -> str:
    """Text without the control characters no keyboard makes (NUL is refused by PostgreSQL and by PDF)."""
    text = TURNED.sub("", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(ch for ch in text if ch in "\n\t" or ch.isprintable() or (ord(ch) > 0x9F and not _lone(ch))).strip()
    return kept if any(map(_seen, kept)) else ""


def _lone(ch: str) -> bool:
    return 0xD800 <= ord(ch) <= 0xDFFF


def _seen(ch: str) -> bool:
    """Whether a character leaves a trace on a page."""
    return not ch.isspace() and unicodedata.category(ch) not in {"Cf", "Cc"}


def _fits(box: Field, value: str, state: State) -> bool:
    if box.type == "choice":
        return value in box.choices
    if box.type == "seat":
        return value in state.seats
    if box.type == "contribution":
        chosen = state.contributions.get(value)
        return chosen is not None and not chosen.withdrawn and chosen.kind == "situation"
    if box.type == "date":
        try:
            date.fromisoformat(value)
        except ValueError:
            return False
    return True


def tidied_name(name: str) -> str:
    return " ".join(tidied(name).split())


def taken(state: State, name: str, but: str = "") -> bool:
    """Whether someone in the room goes by a name that reads the same."""
    read = _as_read(name)
    return any(_as_read(s.name or "") == read for s in state.seats.values() if s.id != but and not s.revoked)


def _as_read(name: str) -> str:
    return "".join(ch for ch in unicodedata.normalize("NFKC", name).casefold() if _seen(ch))
