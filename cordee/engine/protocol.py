"""What a protocol is: its kinds of contribution, its steps, and the rows that say who may do what.

Everything here is data read from ``protocols/*.toml`` by :mod:`cordee.engine.reading`. A right that no row gives does
not exist, for the facilitator too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Roles = frozenset[str]
LONGEST_VALUE = 120  # characters of a mark's free value, where its row says nothing else


class Table(dict[str, str]):
    """A small read-only mapping that can be compared and hashed, so that what holds it can be too."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


@dataclass(frozen=True, slots=True)
class Field:
    """One box of a form. ``longest`` is in characters; ``choices`` are ``value -> label``."""

    id: str
    label: str
    help: str = ""
    required: bool = True
    longest: int = 4000
    lines: int = 3
    choices: Table = field(default_factory=Table)
    type: str = "text"  # text | line | date | choice | seat | contribution


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of contribution and who reads it: ``sealed`` until its step is revealed, then ``readers``."""

    id: str
    label: str
    plural: str
    fields: tuple[Field, ...]
    readers: Roles
    sealed: Roles | None = None  # None: open as soon as it is written
    single: bool = False  # at most one of an author in a round: writing again edits it
    most: int = 0  # at most so many of an author in a round; 0: as many as they like
    anonymous: bool = False
    counted: bool = False  # how many have written is shown to all, never what
    hint: bool = False  # the author gets the private question hint
    private: bool = False  # nobody but its author, ever: a note

    def __hash__(self) -> int:
        return hash(self.id)  # equal kinds have equal ids, and forms are compared very often


@dataclass(frozen=True, slots=True)
class Write:
    """A right to write. ``turn``: ``always`` = only with the floor, ``revealed`` = with the floor once revealed."""

    kind: str
    by: Roles
    turn: str = "never"  # never | always | revealed
    behalf: bool = False  # the facilitator may write it for someone
    until_reveal: bool = False  # closed once the step is revealed


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A right to put a mark on contributions of a kind, and who reads that mark."""

    mark: str
    label: str
    kind: str
    by: Roles
    readers: Roles
    values: Table = field(default_factory=Table)  # empty: on or off
    free: bool = False  # the value is a text of one's own
    shared: bool = False  # one mark for all, whoever puts it last; else one a seat
    needs: str = ""  # this other mark by every present seat that may put it
    behalf: bool = False
    per_round: bool = False  # put anew in every round, so that each time counts
    agreement: bool = False  # agrees to a wording: gone when the text is edited
    longest: int = LONGEST_VALUE  # characters of a free value
    offers: bool = False  # the values of the circle's space are offered for it; any other text may be said
    asked: bool = False  # may be put once themes have been asked for at its step
    at: tuple[str, ...] = ()  # for a right that holds anywhere: only at these steps


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold before any later step opens: a chosen client, or a marked contribution."""

    client: bool = False
    kind: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Themes:
    """A right to have themes proposed, once revealed, for what a step shows: they change its order alone."""

    kind: str
    by: Roles  # who may ask
    readers: Roles  # who sees them: what one of these may not read is not looked at
    mark: str = ""  # the free mark that all share by which a theme is given; "": themes are but headings to read under


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    letter: str
    title: str
    minutes: float
    aim: str
    instruction: Table  # role -> one sentence; "all" serves whoever has none
    once_revealed: Table = field(default_factory=Table)  # the same, when the reveal has changed what there is to do
    say: tuple[str, ...] = ()  # what the facilitator may say
    floor: str = "all"  # all | client | ring: who speaks
    ring: Roles = frozenset()  # who takes part in the round robin
    ring_of: str = ""  # of them, those alone who are authors of this kind
    turn_seconds: int = 0
    floor_after_reveal: bool = False  # the round robin begins with the reveal
    silence_minutes: float = 0
    reveal_by: Roles = frozenset()  # who may open what is sealed here; empty: nothing is sealed
    reveal_label: str = ""
    writes: tuple[Write, ...] = ()
    marks: tuple[MarkRow, ...] = ()
    shows: tuple[str, ...] = ()  # kinds read again at this step
    chooses: Roles = frozenset()  # who may choose the client and the situation
    chooses_next: Roles = frozenset()  # the same, for the next round
    gate: Gate | None = None
    protected: str = ""  # may not be left without a contribution of this kind, or a word
    cards: Roles = frozenset()  # who may draw creativity cards
    recalls: tuple[str, ...] = ()  # kinds of earlier rounds shown by resemblance; the first, by date where none does
    recalls_past_gate: bool = False  # only once the gate of the step is met
    themes: Themes | None = None
    votes: str = ""  # kind whose totals show once every present member has one
    opens_on: tuple[str, ...] = ()  # the step exists only at the opening of a room into which one of these was carried

    def write(self, kind: str) -> Write | None:
        return next((row for row in self.writes if row.kind == kind), None)

    def mark(self, mark: str, kind: str) -> MarkRow | None:
        return next((row for row in self.marks if row.mark == mark and row.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Signal:
    """A gentle word to the facilitator. ``rule`` names a function of :mod:`cordee.engine.signals`."""

    id: str
    step: str
    rule: str
    text: str
    kind: str = ""
    minutes: float = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Protocol:
    id: str
    name: str
    summary: str
    steps: tuple[Step, ...]
    kinds: Mapping[str, Kind]
    start_of_next: str  # the step at which a round with a client chosen ahead begins
    anywhere: tuple[Write, ...] = ()  # rights that hold at every step, such as one's own notes
    marks_anywhere: tuple[MarkRow, ...] = ()
    signals: tuple[Signal, ...] = ()
    cards: tuple[Card, ...] = ()
    values: tuple[str, ...] = ()
    _places: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = {step.id: place for place, step in reversed(list(enumerate(self.steps)))}  # of twins, the first
        object.__setattr__(self, "_places", places)

    @property
    def minutes(self) -> float:
        """Of a whole round; what only some meetings open on is not counted."""
        return sum(step.minutes for step in self.steps if not step.opens_on)

    def steps_with(self, carried: frozenset[str]) -> tuple[Step, ...]:
        """The steps of a round: those that open on something exist only when it was carried there."""
        return tuple(step for step in self.steps if not step.opens_on or not carried.isdisjoint(step.opens_on))

    def index(self, step: str) -> int:
        """Where this step stands among all. ``KeyError`` if it is none of them."""
        return self._places[step]

    def step(self, step: str) -> Step:
        return self.steps[self.index(step)]

    def mark_row(self, mark: str, kind: str) -> MarkRow | None:
        """The row that says who reads this mark, wherever it may be put."""
        rows = (*self.marks_anywhere, *(row for step in self.steps for row in step.marks))
        return next((row for row in rows if row.mark == mark and row.kind == kind), None)
