"""Wishes: what a seat asks for. ``behalf`` is the seat acted for, when the facilitator acts for someone.

A command says which position it was made for (``seen``, as ``round.step``): a move made twice, or late, moves once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    seat: str


# ---------------------------------------------------------------- people


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSeat(Command):
    """``appointed``: the circle says who this is, and ``role`` holds as it is; no form of ours can say so."""

    name: str
    role: str = "member"
    appointed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddSeat(Command):
    """The facilitator writes in a person who has no screen."""

    id: str
    name: str
    role: str = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename(Command):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit(Command):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke(Command):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Command):
    """I am away; or the facilitator says that someone is."""

    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Command):
    """I am back, on a device; or the facilitator says that someone is."""

    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Command):
    """The facilitator acts for someone whose device is out of use."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Command):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver(Command):
    """I facilitate, the group having agreed, since nobody who was to has come."""

    agreed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDoor(Command):
    waiting: bool


# ---------------------------------------------------------------- words


@dataclass(frozen=True, slots=True, kw_only=True)
class Write(Command):
    id: str
    kind: str
    body: Mapping[str, str] = field(default_factory=dict)
    behalf: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Command):
    id: str
    body: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lend(Command):
    """Texts published in the space (id -> body) that resemble what is treated, and those withdrawn since.

    No seat asks for it (``seat`` is empty), and no form says it.
    """

    bodies: Mapping[str, Mapping[str, str]]
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Command):
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hide(Command):
    id: str
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark(Command):
    id: str
    mark: str
    on: bool = True
    value: str = ""
    behalf: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskThemes(Command):
    """Propose themes for what this step shows, anew if they already are; or propose none any more."""

    on: bool = True
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveTheme(Command):
    """One theme to several texts (``ids``, separated by spaces); "" takes theirs away.

    ``was``: the theme that they had on the screen this was asked from. Those that have another by now keep it.
    """

    ids: str
    value: str
    was: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineTheme(Command):
    """Propose no theme for these texts (``ids``, separated by spaces) until somebody asks again."""

    ids: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawCard(Command):
    pass


# ---------------------------------------------------------------- moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Next(Command):
    seen: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Back(Command):
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoTo(Command):
    """Open any step: back, or ahead over others (which needs a word for a protected one)."""

    step: str
    seen: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend(Command):
    minutes: float = 2
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Command):
    """``minutes``: how long, as it is said to all; 0 for as long as it takes."""

    minutes: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Command):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal(Command):
    seen: str = ""
    behalf: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFloor(Command):
    """I have spoken; or the facilitator passes the floor on."""

    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveFloor(Command):
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeFloor(Command):
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose(Command):
    """The client and their situation. ``agreed``: the group accepts that someone is client twice."""

    situation: str
    agreed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRound(Command):
    seen: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Command):
    seen: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo(Command):
    version: int = -1  # of the course this was asked for: how many moves could be undone


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


COMMANDS: dict[str, type[Command]] = {_snake(cls.__name__): cls for cls in Command.__subclasses__()}
