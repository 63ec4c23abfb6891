"""What a seat sees: a view and its parts, frozen and comparable, so that equal ones render once.

Texts are as their authors wrote them; names are ``""`` once a key is destroyed.
"""

from dataclasses import dataclass

from cordee.engine.protocol import LONGEST_VALUE, Kind, Roles
from cordee.engine.signals import SignalView

Text = tuple[tuple[str, str], ...]  # (field id, what was written), in the order of the form


@dataclass(frozen=True, slots=True)
class Letter:
    letter: str
    titles: tuple[str, ...]  # of the steps it stands for
    now: bool
    done: bool


@dataclass(frozen=True, slots=True)
class Strip:
    protocol: str
    letters: tuple[Letter, ...]
    step: str
    title: str
    round: int
    number: int  # of the step, from 1
    of: int


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds since the epoch. ``runs_from``: when the step would have begun, had there been no pause."""

    runs_from: float
    minutes: float
    paused_at: float | None
    silence_until: float | None
    paused_until: float = 0  # 0: nobody said when the pause ends
    turn_seconds: int = 0  # how long the one who has the floor is to speak; 0: nothing is said of it
    turn_from: float = 0
    turn: str = ""  # their name


@dataclass(frozen=True, slots=True)
class RingSeat:
    id: str
    name: str
    role: str  # client | consultant | facilitator | observer | member
    floor: bool
    spoken: bool
    wrote: bool
    away: bool
    device: bool


@dataclass(frozen=True, slots=True)
class Ring:
    seats: tuple[RingSeat, ...]
    floor: str  # the name of who has it
    holder: str  # their seat
    free: bool
    wrote: int
    of: int  # 0: nothing is counted here


@dataclass(frozen=True, slots=True)
class MarkView:
    mark: str
    label: str
    values: tuple[tuple[str, str], ...]
    free: bool
    on: bool  # mine, or everybody's when shared
    value: str
    names: tuple[str, ...]  # who has put it
    count: int
    settable: bool
    behalf: tuple[tuple[str, str], ...] = ()  # (seat, name) for whom the facilitator may put it
    longest: int = LONGEST_VALUE
    says: tuple[str, ...] = ()  # of a mark that the author alone puts: what it says, read by all whom its row names


@dataclass(frozen=True, slots=True)
class Card:
    id: str
    kind: str
    label: str
    author: str
    author_seat: str
    scribe: str
    text: Text
    marks: tuple[MarkView, ...] = ()
    mine: bool = False
    editable: bool = False
    edited: bool = False
    hidden: bool = False
    hideable: bool = False
    sealed: bool = False  # only its author (and scribe) see it for now
    votable: bool = False
    voted: bool = False
    votes: int | None = None
    choosable: bool = False
    chosen: bool = False
    why: tuple[str, ...] = ()  # the words by which it was recalled

    def __hash__(self) -> int:
        return hash((self.id, self.text))  # what tells most cards apart, quickly

    def get(self, field: str) -> str:
        return next((value for name, value in self.text if name == field), "")


@dataclass(frozen=True, slots=True)
class Heading:
    """The theme under which cards are read. ``label`` is in the group's own words, "" for those that have none."""

    key: str  # the first contribution under it, "" for those that have no theme
    label: str
    kept: bool = False  # people gave it; else it is proposed
    ids: str = ""  # the contributions it would be given to, separated by spaces; "" when this seat may not
    longest: int = LONGEST_VALUE


@dataclass(frozen=True, slots=True)
class ThemesView:
    """What a step says of themes to a seat that may ask for them, or sees them."""

    asked: bool
    may_ask: bool
    position: str
    mark: str  # by which a theme is given, "" where themes are but headings
    known: tuple[str, ...] = ()  # the themes given so far


@dataclass(frozen=True, slots=True)
class Group:
    kind: str
    title: str
    cards: tuple[Card, ...]
    past: bool = False
    recalled: bool = False
    heading: Heading | None = None


@dataclass(frozen=True, slots=True)
class Form:
    kind: Kind
    own: bool  # I may write it for myself
    behalf: tuple[tuple[str, str], ...]  # for whom I may write it
    my_turn: bool
    waits_for: str  # whose turn it is
    sealed: bool
    edits: str = ""  # the contribution that writing again changes
    text: Text = ()
    choices: tuple[tuple[str, str], ...] = ()  # for a field that names a seat
    hint: bool = False


@dataclass(frozen=True, slots=True)
class StepChoice:
    id: str
    title: str
    letter: str
    now: bool
    ahead: bool


@dataclass(frozen=True, slots=True)
class Hand:
    """What the facilitator may do now."""

    next: str  # title of the next step, "" at the last
    gate: str  # title of the step whose gate is shut, "" when open
    needs_word: bool  # leaving asks for a word
    back: bool
    paused: bool
    reveal: str
    reveal_for: str  # the seat in whose name, when it has no device
    free: bool
    open_floor: bool
    ring: tuple[tuple[str, str], ...]
    holder: str
    undo: int
    steps: tuple[StepChoice, ...]
    say: tuple[str, ...]
    signals: tuple[SignalView, ...]
    waiting: tuple[tuple[str, str], ...]  # at the door
    door: bool
    seats: tuple[RingSeat, ...]
    next_client: str
    may_choose: bool
    last: bool
    closed: bool
    ledger: tuple[tuple[str, int], ...]  # (name, how often client)
    meeting: bool = False  # the circle says who comes in: its door stays kept
    hidden: tuple[tuple[str, str, str], ...] = ()  # (contribution, label, author) that she may show again


@dataclass(frozen=True, slots=True)
class View:
    version: int
    seat: str
    name: str
    roles: Roles
    waiting: bool
    closed: bool
    position: str
    strip: Strip
    instruction: str
    aim: str
    clock: Clock
    ring: Ring
    client: str
    request: str
    forms: tuple[Form, ...] = ()
    groups: tuple[Group, ...] = ()
    themes: ThemesView | None = None
    past: tuple[Group, ...] = ()
    own: tuple[Group, ...] = ()
    drawn: tuple[str, ...] = ()
    may_draw: bool = False
    may_pass: bool = False
    reveal: str = ""  # label, when this seat may reveal
    door: bool = False
    unled: float = 0  # from when this seat may facilitate, as long as nobody does; 0: it may not
    offered: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (mark, the values of the space) that this seat may put here
    skipped: tuple[tuple[str, str], ...] = ()  # (step, the word that was said to leave it out), in this round
    hand: Hand | None = None
