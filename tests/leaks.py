"""The leak matrix: a log in which every text is a unique canary, and an oracle that says who may read which, when.

    events, oracle = play_with_canaries()
    oracle.hidden("karim", 120)   # canaries that must not reach Karim once the first 120 events have happened
    oracle.visible("karim", 120)  # canaries that must be on his page
    canaries(page)                # those that a page, a file or a stream holds

The oracle knows the table of product.md and reads the log by itself; it asks nothing of the engine's policy or state.
"""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from itertools import count
from typing import Any

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.protocol import Themes
from cordee.engine.reading import builtin, read
from cordee.engine.state import apply, initial
from cordee.engine.view import view_for
from tests.characters import MEMBERS, NAMES, SCREEN, French, Room, next_round, opening, play

CANARY = re.compile(r"zq[a-j]{4}qz")
SEATS = (*NAMES, "waiting", SCREEN)
# Rose is never seated; one person waits at the door to the end.
REVOKED, HELD, OBSERVER, OUTSIDER = "marc", "julien", "octave", "rose"

# The table of product.md, by hand.
OPEN = {"carried", "success", "situation", "story", "question", "request"}
SILENT = {"feeling", "suggestion", "takeaway", "commitment", "learning"}  # the author's until the reveal, then all's
ALONE = {"vote", "note", "seed"}  # the author's for ever
STEPS = [
    "reprise",
    "choix",
    "recit",
    "questions",
    "demande",
    "ressentis",
    "suggestions",
    "traitement",
    "ouvertures",
    "renforcement",
]
FIRST_SHOWN = {
    "carried": "reprise",
    "success": "reprise",
    "story": "recit",
    "question": "questions",
    "request": "demande",
    "feeling": "ressentis",
    "suggestion": "suggestions",
    "takeaway": "traitement",
    "commitment": "traitement",
    "learning": "ouvertures",
}


def canaries(*texts: str) -> set[str]:
    """The canaries in these texts, however their letters are cased."""
    return {found for text in texts for found in CANARY.findall(text.lower())}


def strings(thing: Any) -> Iterator[str]:
    """Every string that can be reached from a view."""
    if isinstance(thing, str):
        yield thing
    elif is_dataclass(thing):
        for part in fields(thing):
            yield from strings(getattr(thing, part.name))
    elif isinstance(thing, dict):
        yield from strings(list(thing.items()))
    elif isinstance(thing, Iterable):
        for part in thing:
            yield from strings(part)


# ---------------------------------------------------------------- the oracle


@dataclass
class Text:
    kind: str
    author: str
    scribe: str
    round: int
    step: str
    words: set[str]
    marks: dict[str, set[str]] = field(default_factory=dict)
    withdrawn: bool = False
    hidden: bool = False


@dataclass
class Place:
    """Where the room stands, which undoing puts back."""

    round: int = 1
    step: str = "choix"
    client: str = ""
    situation: str = ""
    coming: tuple[str, str] = ("", "")
    treated: dict[int, str] = field(default_factory=dict)
    revealed: set[tuple[int, str]] = field(default_factory=set)
    said: set[tuple[int, str]] = field(default_factory=set)  # (round, canary): why a step was left out, said to all

    def said_now(self) -> set[str]:
        return {word for number, word in self.said if number == self.round}


@dataclass
class Moment:
    """What is true once so many events have happened."""

    inside: set[str] = field(default_factory=set)
    waiting: dict[str, set[str]] = field(default_factory=dict)  # seat -> canaries of the name
    facilitator: str = ""
    texts: dict[str, Text] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    before: list[Place] = field(default_factory=list)
    values: set[str] = field(default_factory=set)  # of the space: for those who may mark a learning with one
    gone: set[str] = field(default_factory=set)  # words that nobody reads any more, or ever


class Oracle:
    """Who may read what at each prefix of a log, told from the log by the table alone."""

    def __init__(self, events: list[e.Event]) -> None:
        self.events = events
        self._moments = [Moment()]
        for event in events:
            moment = deepcopy(self._moments[-1])
            getattr(self, f"_{type(event).__name__}", self._other)(moment, event)
            self._moments.append(moment)

    # ------------------------------------------------------------ questions

    def everything(self, prefix: int) -> set[str]:
        """Every canary that the first ``prefix`` events have brought in."""
        m = self._moments[prefix]
        written = {w for t in m.texts.values() for words in (t.words, *t.marks.values()) for w in words}
        return written | {w for names in m.waiting.values() for w in names} | m.gone | m.values

    def allowed(self, seat: str, prefix: int) -> set[str]:
        """Canaries that may be on this seat's page."""
        m = self._moments[prefix]
        if seat in m.waiting:
            return set(m.waiting[seat])
        if seat not in m.inside and seat != SCREEN:
            return set()
        found = {w for t in m.texts.values() if self._may_read(m, seat, t) for w in self._words(m, seat, t)}
        found |= m.place.said_now() | (m.values if seat in m.inside and seat != OBSERVER else set())
        return found | ({w for names in m.waiting.values() for w in names} if seat == m.facilitator else set())

    def hidden(self, seat: str, prefix: int) -> set[str]:
        """Canaries that exist and must not reach this seat."""
        return self.everything(prefix) - self.allowed(seat, prefix)

    def visible(self, seat: str, prefix: int) -> set[str]:
        """Canaries that must be on this seat's page: what its step shows, what the round has said, its own notes."""
        m = self._moments[prefix]
        if seat not in m.inside and seat != SCREEN:
            return self.allowed(seat, prefix)
        shown = (t for id_, t in m.texts.items() if self._may_read(m, seat, t) and self._is_shown(m, id_, t))
        return m.place.said_now() | {w for t in shown if not t.withdrawn for w in self._words(m, seat, t)}

    def position(self, prefix: int) -> tuple[int, str]:
        place = self._moments[prefix].place
        return place.round, place.step

    def kinds(self, prefix: int) -> dict[str, str]:
        """canary -> kind, for the figures of the matrix."""
        return {w: t.kind for t in self._moments[prefix].texts.values() for w in t.words}

    def revealed(self, prefix: int) -> bool:
        return self.position(prefix) in self._moments[prefix].place.revealed

    @staticmethod
    def _may_read(m: Moment, seat: str, t: Text) -> bool:
        if seat == t.author:
            return True
        if t.withdrawn or t.hidden or t.kind in ALONE:
            return False
        if t.kind in SILENT and (t.round, t.step) not in m.place.revealed:
            return bool(t.scribe) and seat == t.scribe
        assert t.kind in OPEN | SILENT
        return True

    @staticmethod
    def _words(m: Moment, seat: str, t: Text) -> set[str]:
        """Of a text that this seat reads: its words, and the theme it was given. That of a lead is to lead by alone."""
        led = t.kind == "suggestion" and seat not in {m.facilitator, SCREEN}
        return t.words if led else t.words.union(*t.marks.values())

    @staticmethod
    def _is_shown(m: Moment, id_: str, t: Text) -> bool:
        here = m.place
        if t.kind in {"note", "seed"}:
            return True
        if t.kind == "situation":
            if here.step == "choix":
                return id_ not in {s for n, s in here.treated.items() if n != here.round}
            if here.step == "renforcement":
                return id_ not in here.treated.values()
            return id_ == here.situation
        if t.kind not in FIRST_SHOWN or t.round != (
            here.round if t.kind not in {"carried", "success"} else here.round - 1
        ):
            return False
        return STEPS.index(FIRST_SHOWN[t.kind]) <= STEPS.index(here.step)

    # ------------------------------------------------------------ the log

    def _other(self, m: Moment, event: e.Event) -> None:
        pass

    def _moves(self, m: Moment, event: e.Event) -> None:
        if event.seat and event.seat == m.facilitator:
            m.before.append(deepcopy(m.place))

    def _RoomOpened(self, m: Moment, event: e.RoomOpened) -> None:
        m.values = canaries(*event.body.values())

    def _SeatTaken(self, m: Moment, event: e.SeatTaken) -> None:
        if event.waiting:
            m.waiting[event.seat] = canaries(event.body["name"])
            return
        m.inside.add(event.seat)
        if event.role == "facilitator":
            m.facilitator = event.seat

    def _SeatAdmitted(self, m: Moment, event: e.SeatAdmitted) -> None:
        m.waiting.pop(event.target, None)
        m.inside.add(event.target)

    def _SeatRevoked(self, m: Moment, event: e.SeatRevoked) -> None:
        m.waiting.pop(event.target, None)
        m.inside.discard(event.target)

    def _HandedOver(self, m: Moment, event: e.HandedOver) -> None:
        m.facilitator, m.before = event.target, []

    def _Written(self, m: Moment, event: e.Written) -> None:
        words = canaries(*event.body.values())
        m.texts[event.id] = Text(event.kind, event.seat, event.scribe, event.round, event.step, words)

    def _Edited(self, m: Moment, event: e.Edited) -> None:
        text = m.texts[event.id]
        m.gone |= text.words
        text.words = canaries(*event.body.values())
        if event.seat != text.scribe:
            text.scribe = ""

    def _Withdrawn(self, m: Moment, event: e.Withdrawn) -> None:
        m.texts[event.id].withdrawn = True

    def _Hidden(self, m: Moment, event: e.Hidden) -> None:
        m.texts[event.id].hidden = event.on

    def _Marked(self, m: Moment, event: e.Marked) -> None:
        text = m.texts[event.id]
        m.gone |= text.marks.pop(event.mark, set())
        if event.on:
            text.marks[event.mark] = canaries((event.body or {}).get("value", ""))

    def _StepEntered(self, m: Moment, event: e.StepEntered) -> None:
        self._moves(m, event)
        m.place.step = event.step
        word = canaries((event.body or {}).get("text", ""))
        m.gone |= word
        m.place.said |= {(m.place.round, w) for w in word}

    def _ClientChosen(self, m: Moment, event: e.ClientChosen) -> None:
        self._moves(m, event)
        if event.ahead:
            m.place.coming = (event.client, event.situation)
        else:
            m.place.client, m.place.situation = event.client, event.situation
            m.place.treated[m.place.round] = event.situation

    def _RoundStarted(self, m: Moment, event: e.RoundStarted) -> None:
        self._moves(m, event)
        m.place.round, m.place.step = event.round, event.step
        m.place.client, m.place.situation, m.place.coming = event.client, event.situation, ("", "")
        if event.situation:
            m.place.treated[event.round] = event.situation
        m.gone |= canaries((event.body or {}).get("text", ""))

    def _Revealed(self, m: Moment, event: e.Revealed) -> None:
        self._moves(m, event)
        m.place.revealed.add((event.round, event.step))
        if event.seat != m.facilitator:
            for place in m.before:
                place.revealed.add((event.round, event.step))

    def _Undone(self, m: Moment, event: e.Undone) -> None:
        m.place = m.before.pop()

    def _move_of_the_ring(self, m: Moment, event: e.Event) -> None:
        self._moves(m, event)

    _Extended = _Paused = _Resumed = _FloorGiven = _FloorFreed = _Closed = _move_of_the_ring


# ---------------------------------------------------------------- a log of canaries


class Canaries(French):
    """What the characters say, each text with a word that is found nowhere else."""

    def __init__(self) -> None:
        self._numbers = count()

    def new(self) -> str:
        digits = f"{next(self._numbers):04d}"
        return "zq" + "".join("abcdefghij"[int(d)] for d in digits) + "qz"

    def body(self, room: Room, seat: str, kind: str) -> dict[str, str]:
        body = super().body(room, seat, kind)
        for box in room.state.protocol.kinds[kind].fields:
            if box.type in {"text", "line"}:
                body[box.id] = f"{body.get(box.id, 'Un mot')[:80]} {self.new()}"
        return body

    def value(self, room: Room, seat: str, mark: str) -> str:
        return f"Oser {self.new()}" if mark in {"theme", "value", "gave", "learnt"} else super().value(room, seat, mark)


class Table(Room):
    """A room in which everything that can happen to a text happens to some."""

    def __init__(self, script: Canaries) -> None:
        super().__init__("mentor")
        self.script = script

    def write(self, seat: str, kind: str, body: Any, behalf: str = "") -> str:
        if seat == HELD and kind not in ALONE and not behalf:
            return super().write(self.leader, kind, body, behalf=seat)
        return super().write(seat, kind, body, behalf)

    def mark(self, seat: str, id_: str, mark: str, value: str = "", on: bool = True, behalf: str = "") -> None:
        if seat == HELD and not behalf:
            return super().mark(self.leader, id_, mark, value, on, behalf=seat)
        return super().mark(seat, id_, mark, value, on, behalf)

    def reveal(self, seat: str = "") -> None:
        """Reveals, after an edit and a withdrawal in silence, and once more after an undo; then one text is hidden."""
        kind = next(row.kind for row in self.state.step.writes if self.state.protocol.kinds[row.kind].sealed)
        mine = [entry for entry in self.of(kind) if entry.author not in {HELD, self.leader}]
        author = mine[-1].author
        self.do(c.Edit(seat=author, id=mine[-1].id, body=self.script.body(self, author, kind)))
        if len(mine) > 2:
            self.do(c.Withdraw(seat=mine[1].author, id=mine[1].id))
        if not seat:
            self._corrects_the_scribe(kind)
        super().reveal(seat)
        if not seat:
            self.do(c.Undo(seat=self.leader))
            super().reveal()
        if self.state.step.themes:
            self._themes(self.state.step.themes)
        if len(mine) > 2:
            self.do(c.Hide(seat=self.leader, id=mine[0].id))
            if self.state.course.round == 2:
                self.do(c.Hide(seat=self.leader, id=mine[0].id, on=False))

    def _themes(self, row: Themes) -> None:
        """Themes are asked for; of what people may give, one is refused, one given to many, one to a text alone."""
        asks, refuses = (self.leader, self.leader) if row.by == {"facilitator"} else ("karim", "nadia")
        self.do(c.AskThemes(seat=asks))
        proposed = [g.heading for g in self.view(asks).groups if g.heading and g.heading.label]
        assert proposed
        if row.mark:
            self.do(c.DeclineTheme(seat=refuses, ids=proposed[-1].ids))
            self.do(c.AskThemes(seat=asks))
            self.do(c.GiveTheme(seat=asks, ids=proposed[0].ids, value="Oser demander"))
            one = proposed[0].ids.split()[-1]
            value = f"Oser {self.script.new()}"
            self.do(c.GiveTheme(seat=asks, ids=one, value=value, was="Oser demander"))

    def _corrects_the_scribe(self, kind: str) -> None:
        for entry in [entry for entry in self.of(kind, author=HELD) if entry.scribe]:
            self.do(c.Edit(seat=entry.scribe, id=entry.id, body=self.script.body(self, HELD, kind)))
            if self.state.course.round == 2:
                self.do(c.Edit(seat=HELD, id=entry.id, body=self.script.body(self, HELD, kind)))


def _tells_anew_and_withdraws(room: Room, script: "Canaries") -> None:
    """On the circle's wall: the room is told of it."""
    first, second, _ = room.state.of_kind("success")
    body = script.body(room, first.author, "success") | {"from": NAMES[first.author]}
    for fact in (
        e.Edited(at=room.now, seat=first.author, id=first.id, body=body),
        e.Withdrawn(at=room.now, seat=second.author, id=second.id),
    ):
        room.state = apply(room.state, fact)
        room.events.append(fact)


@lru_cache(maxsize=1)
def play_with_canaries() -> tuple[list[e.Event], Oracle]:
    """Two rounds of MENTOR in which every text is a unique canary, and the oracle that knows who may read which."""
    script = Canaries()
    room = Table(script)
    told = ("claire", "nadia", OUTSIDER)
    opening(
        room, "claire", "karim", REVOKED, OUTSIDER, told=told, values=(script.new(),), script=script
    )  # one of them never comes
    _tells_anew_and_withdraws(room, script)
    _seat_everyone(room, script)
    play(room, until="choix", script=script)
    room.do(c.Hide(seat="fanny", id=room.state.of_kind("carried", author=REVOKED)[0].id))
    play(room, until="questions", script=script)
    _everyone_notes(room, script)
    play(room, until="suggestions", script=script)
    _leads_twice(room, script)
    room.do(c.Revoke(seat="fanny", target=REVOKED))
    play(room, through="ouvertures", script=script)
    room.mark("karim", room.of("learning")[-1].id, "theme", script.value(room, "karim", "theme"))
    room.next(reason=f"Un mot {script.new()}")
    play(room, script=script)
    next_round(room, "karim")
    play(room, until="questions", script=script)
    _everyone_notes(room, script)
    play(room, until="suggestions", script=script)
    _leads_twice(room, script)
    room.do(c.HandOver(seat="fanny", target="thomas"))
    play(room, until="ouvertures", script=script)
    room.do(c.Back(seat="thomas"))
    room.next()
    play(room, script=script)
    room.do(c.Close(seat="thomas", reason=f"Un mot {script.new()}"))
    return room.events, Oracle(room.events)


def _everyone_notes(room: Room, script: Canaries) -> None:
    for seat in [*room.members(), "fanny", OBSERVER]:
        room.write(seat, "note", script.body(room, seat, "note"))
        if seat in room.consultants():
            room.write(seat, "seed", script.body(room, seat, "seed"))


def _leads_twice(room: Room, script: Canaries) -> None:
    """One offers as many leads as one likes."""
    for seat in room.consultants():
        room.write(seat, "suggestion", script.body(room, seat, "suggestion"))


def _seat_everyone(room: Room, script: Canaries) -> None:
    room.seat("fanny", role="facilitator", appointed=True)
    room.seat(*MEMBERS, appointed=True)
    room.do(c.Leave(seat=HELD))
    room.do(c.Hold(seat="fanny", target=HELD))
    room.seat(OBSERVER, role="observer", appointed=True)
    room.do(c.TakeSeat(seat="waiting", name=f"Rosalie {script.new()}"))


# ---------------------------------------------------------------- the matrix


@dataclass
class Report:
    """What the matrix has seen. ``hidden`` and ``visible`` count checks by (step, kind, revealed)."""

    checks: int = 0
    leaks: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    hidden: dict[tuple[str, str, bool], int] = field(default_factory=dict)
    visible: dict[tuple[str, str, bool], int] = field(default_factory=dict)


def matrix(events: list[e.Event], oracle: Oracle, every: int = 1, seats: Iterable[str] = SEATS) -> Report:
    """Looks at the view of every seat at each ``every``-th prefix, for every canary that exists by then."""
    report = Report()
    seats = tuple(seats)
    state = initial(read(builtin("mentor")))
    for prefix, event in enumerate(events, 1):
        state = apply(state, event)
        if prefix % every and prefix != len(events):
            continue
        kinds = oracle.kinds(prefix)
        (_, step), revealed = oracle.position(prefix), oracle.revealed(prefix)
        for seat in seats:
            view = view_for(state, seat)
            found = canaries("\0".join(strings(view))) if view else set()
            hidden, visible = oracle.hidden(seat, prefix), oracle.visible(seat, prefix)
            report.checks += len(hidden)
            report.leaks += [f"{prefix} {step}: {seat} reads {w} ({kinds.get(w)})" for w in sorted(hidden & found)]
            report.missing += [f"{prefix} {step}: {seat} lacks {w} ({kinds.get(w)})" for w in sorted(visible - found)]
            for counts, words in ((report.hidden, hidden), (report.visible, visible)):
                for word in words:
                    key = (step, kinds.get(word, "gone"), revealed)
                    counts[key] = counts.get(key, 0) + 1
    return report
