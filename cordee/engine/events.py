"""Facts: what happened in a room, in order. ``body`` is confidential and may be ``None`` once a key is destroyed.

``at`` is seconds since the epoch (UTC), ``seat`` the acting seat's id. Folding never depends on a ``body``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

Body = Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    at: float
    seat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomOpened(Event):
    """For a meeting of a circle, which says who is who; ``seat`` is empty. The log of a guests' room has none."""

    body: Body = None  # the values of the circle's space: place in their order -> name


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatTaken(Event):
    """A person arrives, or is written in by the facilitator (``device`` false: no screen of their own)."""

    role: str  # member | facilitator | observer
    device: bool = True
    waiting: bool = False
    body: Body = None  # name


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatAdmitted(Event):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatRevoked(Event):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatAway(Event):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatBack(Event):
    target: str
    device: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatHeld(Event):
    """The facilitator acts for this person from now on, until a device of theirs is back."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatRenamed(Event):
    body: Body = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(Event):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TookOver(Event):
    """A member facilitates, the group having agreed: nobody who was to facilitate this meeting has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSet(Event):
    waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(Event):
    id: str
    kind: str
    round: int
    step: str
    scribe: str = ""
    body: Body = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent(Event):
    """A text published in the space, that resembles what is treated here. Its words are in no log: whoever keeps this
    fact looks them up where they are published, and finds none once they are withdrawn."""

    id: str
    body: Body = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited(Event):
    id: str
    body: Body = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Event):
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden(Event):
    id: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked(Event):
    """``owner`` is the seat the mark belongs to (the one acted for, when someone else typed it)."""

    id: str
    mark: str
    owner: str  # "" for a mark that all share
    round: int = 0  # of a mark that is put anew in every round, else 0
    on: bool = True
    body: Body = None  # value


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemesAsked(Event):
    """Themes are proposed from now on for what this step shows; or no more."""

    round: int
    step: str
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeDeclined(Event):
    """No theme is proposed for this text until somebody asks again."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDrawn(Event):
    card: str
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntered(Event):
    round: int
    step: str
    skipped: bool = False
    body: Body = None  # the word that explains a skipped step


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChosen(Event):
    client: str
    situation: str
    ahead: bool = False  # for the next round


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundStarted(Event):
    round: int
    step: str
    client: str = ""
    situation: str = ""
    body: Body = None  # the word that explains why a protected step of the last round was left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended(Event):
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused(Event):
    until: float = 0  # when it is to end, in seconds since the epoch; 0: nobody said


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed(Event):
    round: int
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorGiven(Event):
    target: str  # "" when the round is complete
    spoken: str = ""  # who has just spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorFreed(Event):
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    body: Body = None  # the word that explains why a protected step was left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone(Event):
    pass


KINDS: dict[str, type[Event]] = {cls.__name__: cls for cls in Event.__subclasses__()}
PLAIN = {
    name: tuple(f.name for f in fields(cls) if f.name not in {"at", "seat", "body"}) for name, cls in KINDS.items()
}


def dump(event: Event) -> tuple[str, dict[str, Any], Body]:
    """An event as (kind, what may be stored in clear, what must be sealed)."""
    kind = type(event).__name__
    return kind, {name: getattr(event, name) for name in PLAIN[kind]}, getattr(event, "body", None)


def load(kind: str, at: float, seat: str, plain: Mapping[str, Any], body: Body) -> Event:
    """The event that :func:`dump` took apart. ``KeyError`` for a kind this version does not know."""
    cls = KINDS[kind]
    # Fields a later version added keep their defaults; fields it dropped are passed over.
    known = {name: plain[name] for name in PLAIN[kind] if name in plain}
    if "body" in cls.__dataclass_fields__:
        known["body"] = body
    return cls(at=at, seat=seat, **known)


__all__ = ["KINDS", "dump", "load", *KINDS]
