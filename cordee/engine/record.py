"""``records_for(state, seat)``: what one person may take home from a room.

Three records, each with its own audience: ``client`` (the rounds in which this seat was the client, with the private
sorting), ``circle`` (the same for everyone who has a seat: what the group has shown itself) and ``mine`` (one's own
notes and words). Like a view, a record holds only what :mod:`cordee.engine.policy` lets through.

Titles are French source strings, which the edges translate; section titles are the protocol's. Texts are as their
authors wrote them. Once a key is destroyed, names are ``""`` and entries are empty: they still count.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cordee.engine.policy import SCREEN, audience, may, roles_of, sees, sees_mark
from cordee.engine.state import Contribution, State

TITLES = {
    "client": "Mon bilan de client·e",
    "circle": "Le bilan du cercle",
    "mine": "Mes notes et mes contributions",
}
AUDIENCES = {
    "client": "Pour vous seul·e : ce bilan contient votre tri, que personne d’autre ne voit.",
    "circle": "Pour les personnes du cercle, et elles seules.",
    "mine": "Pour vous seul·e : vos notes, vos pistes gardées et ce que vous avez écrit.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a contribution. ``label`` is ``""`` for its body, which needs none."""

    field: str
    label: str
    value: str
    date: bool = False  # ``value`` is an ISO date


@dataclass(frozen=True, slots=True)
class EntryMark:
    mark: str
    label: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One contribution. ``author`` and ``scribe`` are names; ``scribe`` is None when the author typed it."""

    lines: tuple[Line, ...]
    author: str
    scribe: str | None
    marks: tuple[EntryMark, ...]
    at: float  # seconds since the epoch
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Contributions of a kind; ``group`` names the pile (a sorting, a theme), ``rest`` those left in no pile."""

    title: str
    kind: str
    entries: tuple[Entry, ...]
    group: str = ""
    rest: bool = False
    signed: bool = True  # whether it matters who wrote each: not where all are one person's


@dataclass(frozen=True, slots=True)
class RecordRound:
    number: int  # 0: what the meeting opened on
    client: str | None  # None: nobody was chosen
    situation: str  # its title
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Record:
    id: str  # client | circle | mine
    title: str
    audience: str
    protocol: str
    began_at: float  # seconds since the epoch; 0 when nothing began
    rounds: tuple[RecordRound, ...]

    @property
    def erased(self) -> bool:
        return any(e.erased for r in self.rounds for s in r.sections for e in s.entries)


def records_for(state: State, seat: str) -> tuple[Record, ...]:
    """What this seat may take home: none for a stranger, for who waits or was revoked, and for the shared screen.

    The client's record exists for who was client at least once; the two others for every seated person, even empty.
    """
    if seat == SCREEN or not roles_of(state, seat):
        return ()
    taker = _Taker(state, seat)
    records = (
        taker.record("client", taker.as_client),
        taker.record("circle", taker.of_circle),
        taker.record("mine", taker.of_mine),
    )
    return tuple(record for record in records if record.id != "client" or record.rounds)


class _Taker:
    """One seat that takes its records home. Every entry passes through ``_own`` or ``_open``."""

    def __init__(self, state: State, seat: str) -> None:
        self.state, self.seat, self.roles = state, seat, roles_of(state, seat)
        self.clients = {number: client for number, client, _ in state.course.treated}
        self.situations = {number: situation for number, _, situation in state.course.treated}

    def record(self, id_: str, sections: Callable[[int], Iterable[Section]]) -> Record:
        rounds = []
        for number in range(self.state.course.round + 1):  # 0: what the meeting opened on
            kept = tuple(section for section in sections(number) if section.entries)
            if kept:
                client = self._name(self.clients[number]) if number in self.clients else None
                rounds.append(RecordRound(number, client, self._title(number), kept))
        state = self.state
        return Record(id_, TITLES[id_], AUDIENCES[id_], state.protocol.name, state.began_at, tuple(rounds))

    # ------------------------------------------------------------ the three records

    def as_client(self, number: int) -> Iterable[Section]:
        """The client's own words, as they stand; those of the others, once they were given."""
        if self.clients.get(number) != self.seat:
            return
        situation = self.state.contributions.get(self.situations[number])
        mine = [situation] if situation and not situation.withdrawn and self._own(situation) else []
        yield self._section("situation", mine, signed=False)
        yield self._section("story", self._mine("story", number), signed=False)
        yield self._section("question", self._shown("question", number), marks=("touching",))
        yield self._section("request", self._mine("request", number), signed=False)
        yield self._section("feeling", self._shown("feeling", number))
        yield from self._piles("suggestion", self._shown("suggestion", number), "sorted", self.seat)
        yield self._section("takeaway", self._mine("takeaway", number), signed=False)
        yield self._section("commitment", self._mine("commitment", number), signed=False)

    def of_circle(self, number: int) -> Iterable[Section]:
        """What the group has shown itself: nobody finds more in it than the others, not even their own."""
        if number == 0:
            yield from self._opening()
            return
        client = self.clients.get(number)
        for kind in ("request", "suggestion", "takeaway", "commitment"):
            shown = self._shown(kind, number)
            if kind != "suggestion":
                shown = [c for c in shown if c.author == client]
            yield self._section(kind, shown, signed=kind == "suggestion")
        yield from self._piles("learning", self._shown("learning", number), "theme", "", marks=("value",))

    def _opening(self) -> Iterable[Section]:
        """What was promised and told before, and where those who had promised said they stand."""
        for step in self.state.protocol.steps:
            for kind in step.shows if step.opens_on else ():
                marks = tuple(row.mark for row in step.marks if row.kind == kind)
                yield self._section(kind, self._shown(kind, 0), marks=marks)

    def of_mine(self, number: int) -> Iterable[Section]:
        kinds = [kind for kind in self.state.protocol.kinds.values() if not kind.anonymous]
        for kind in sorted(kinds, key=lambda kind: not kind.private):
            if number:
                yield self._section(kind.id, self._mine(kind.id, number), signed=False)

    # ------------------------------------------------------------ what is let through

    def _own(self, c: Contribution) -> bool:
        return c.author == self.seat and sees(self.state, self.seat, c)

    def _open(self, c: Contribution) -> bool:
        """Read by the roles of this seat alone: being its author or scribe opens nothing here."""
        return sees(self.state, self.seat, c) and may(self.roles, audience(self.state, c))

    def _mine(self, kind: str, number: int) -> list[Contribution]:
        return [c for c in self.state.of_kind(kind, number, self.seat) if self._own(c)]

    def _shown(self, kind: str, number: int) -> list[Contribution]:
        return [c for c in self.state.of_kind(kind, number) if self._open(c)]

    def _title(self, number: int) -> str:
        situation = self.state.contributions.get(self.situations.get(number, ""))
        if situation is None or situation.withdrawn or not self._open(situation):
            return ""
        return (situation.body or {}).get("title", "")

    # ------------------------------------------------------------ how it is laid out

    def _piles(
        self, kind: str, found: list[Contribution], mark: str, owner: str, marks: tuple[str, ...] = ()
    ) -> Iterable[Section]:
        """One section for each value of a mark, in the protocol's order or else as they came; then the rest."""
        row = self.state.protocol.mark_row(mark, kind)
        piles: dict[str, list[Contribution]] = {value: [] for value in row.values} if row else {}
        names = dict(row.values) if row else {}
        rest = []
        for c in found:
            value = self._value(c, mark, owner)
            key = value if value in names else value.casefold()
            if value:
                piles.setdefault(key, []).append(c)
                names.setdefault(key, value)
            else:
                rest.append(c)
        for key, pile in piles.items():
            yield self._section(kind, pile, group=names[key], marks=marks)
        yield self._section(kind, rest, rest=any(piles.values()), marks=marks)

    def _section(
        self,
        kind: str,
        found: list[Contribution],
        *,
        group: str = "",
        rest: bool = False,
        signed: bool = True,
        marks: tuple[str, ...] = (),
    ) -> Section:
        row = self.state.protocol.kinds.get(kind)
        entries = tuple(self._entry(c, marks) for c in found)
        title = (row.label if row.single and len(found) == 1 else row.plural) if row else ""
        return Section(title, kind, entries, group, rest, signed)

    def _entry(self, c: Contribution, marks: tuple[str, ...]) -> Entry:
        author = (c.body or {}).get("from", "") or self._name(c.author)
        scribe = self._name(c.scribe) if c.scribe and c.scribe != c.author else None
        return Entry(tuple(self._lines(c)), author, scribe, tuple(self._marks(c, marks)), c.at, c.body is None)

    def _lines(self, c: Contribution) -> Iterable[Line]:
        boxes = self.state.protocol.kinds[c.kind].fields
        for box in boxes:
            value = (c.body or {}).get(box.id, "")
            if box.type == "choice":
                value = box.choices.get(value, value)
            elif box.type == "seat":
                value = self._name(value)
            if value:
                yield Line(
                    box.id, box.label if len(boxes) > 1 and box.type != "text" else "", value, box.type == "date"
                )

    def _marks(self, c: Contribution, names: tuple[str, ...]) -> Iterable[EntryMark]:
        for name in names:
            row = self.state.protocol.mark_row(name, c.kind)
            put = [m for m in self.state.marked(c.id, name).values() if sees_mark(self.state, self.seat, c, m)]
            if row and put:
                value = put[-1].value.strip()
                if value or not (row.free or row.values):
                    yield EntryMark(name, row.label, row.values.get(value, value))

    def _value(self, c: Contribution, mark: str, owner: str) -> str:
        put = self.state.marked(c.id, mark).get(owner)
        return put.value.strip() if put and sees_mark(self.state, self.seat, c, put) else ""

    def _name(self, seat: str) -> str:
        known = self.state.seats.get(seat)
        return (known.name or "") if known else ""
