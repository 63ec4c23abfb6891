"""``view_for(state, seat)``: the only way out of a room. What is not put here is seen by nobody.

A view is made of frozen, comparable parts, so that equal views render once. Texts are as their authors wrote them;
names are ``""`` once a key is destroyed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cordee.engine import turns
from cordee.engine.decide import gate_met, position
from cordee.engine.policy import SCREEN, may, roles_of, sees, sees_mark, towards
from cordee.engine.protocol import Kind, MarkRow, Roles, Write
from cordee.engine.recall import recall
from cordee.engine.signals import SignalView, signals
from cordee.engine.state import Contribution, Mark, State

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

    def get(self, field: str) -> str:
        return next((value for name, value in self.text if name == field), "")


@dataclass(frozen=True, slots=True)
class Group:
    kind: str
    title: str
    cards: tuple[Card, ...]
    past: bool = False
    recalled: bool = False


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
    past: tuple[Group, ...] = ()
    own: tuple[Group, ...] = ()
    drawn: tuple[str, ...] = ()
    may_draw: bool = False
    may_pass: bool = False
    reveal: str = ""  # label, when this seat may reveal
    door: bool = False
    skipped: tuple[tuple[str, str], ...] = ()  # (step, the word that was said to leave it out), in this round
    hand: Hand | None = None


def view_for(state: State, seat: str) -> View | None:
    """What this seat sees now; ``None`` for a stranger or a revoked seat, who sees nothing."""
    roles = roles_of(state, seat)
    known = state.seats.get(seat)
    if not roles:
        return _at_the_door(state, seat) if known and known.waiting and not known.revoked else None
    step = state.step
    eye = _Eye(state, seat, roles)
    return View(
        version=state.version,
        seat=seat,
        name=_name(state, seat),
        roles=roles,
        waiting=False,
        closed=state.course.closed,
        position=position(state),
        strip=_strip(state),
        instruction=_instruction(state, roles),
        aim=step.aim,
        clock=_clock(state),
        ring=_ring(state),
        client=_name(state, state.course.client),
        request=_request(state, seat),
        forms=() if state.course.closed or seat == SCREEN else tuple(eye.forms()),
        groups=tuple(eye.groups()),
        past=tuple(eye.past()),
        own=tuple(eye.own()),
        drawn=tuple(card.text for card in state.protocol.cards if card.id in state.cards.get(seat, ())),
        may_draw=may(roles, step.cards),
        may_pass=turns.holder(state) == seat and bool(turns.ring(state)),
        reveal=step.reveal_label if may(roles, step.reveal_by) and not state.revealed else "",
        door=state.door,
        skipped=_skipped(state),
        hand=_hand(state) if "facilitator" in roles else None,
    )


def _at_the_door(state: State, seat: str) -> View:
    """Who waits sees that they wait, and nothing of the room."""
    return View(
        version=0,
        seat=seat,
        name=_name(state, seat),
        roles=frozenset(),
        waiting=True,
        closed=state.course.closed,
        position="",
        strip=Strip(state.protocol.name, (), "", "", 0, 0, 0),
        instruction="",
        aim="",
        clock=Clock(0, 0, None, None),
        ring=Ring((), "", "", False, 0, 0),
        client="",
        request="",
    )


def _name(state: State, seat: str) -> str:
    known = state.seats.get(seat)
    return (known.name or "") if known else ""


def _skipped(state: State) -> tuple[tuple[str, str], ...]:
    """The words by which steps were left out, once each: said to the whole group."""
    words: dict[str, str] = {}
    for (round_, step), word in state.course.skipped.items():
        protected = bool(state.protocol.step(step).protected)
        if round_ == state.course.round and word and (protected or word not in words):
            words[word] = state.protocol.step(step).title
    return tuple((title, word) for word, title in words.items())


def _strip(state: State) -> Strip:
    steps = state.protocol.steps
    here = state.protocol.index(state.course.step)
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


def _instruction(state: State, roles: Roles) -> str:
    """One sentence for the first role that has one; what holds once revealed comes before what holds at first."""
    step = state.step
    for sentences in (step.once_revealed, step.instruction) if state.revealed else (step.instruction,):
        for role in ("facilitator", "client", "consultant", "member", "observer", "screen", "all"):
            if role in sentences and (role in roles or role == "all"):
                return sentences[role]
    return step.aim


def _clock(state: State) -> Clock:
    course = state.course
    silence = course.started_at + course.paused_for + state.step.silence_minutes * 60
    shows = state.step.silence_minutes and not state.revealed
    return Clock(course.started_at + course.paused_for, course.minutes, course.paused_at, silence if shows else None)


def _writers(state: State) -> set[str]:
    """Who may write what is counted at this step."""
    rows = [row for row in state.step.writes if state.protocol.kinds[row.kind].counted]
    return {s.id for s in state.seats.values() if s.here and any(may(roles_of(state, s.id), row.by) for row in rows)}


def _wrote(state: State, writers: set[str]) -> set[str]:
    kinds = [row.kind for row in state.step.writes if state.protocol.kinds[row.kind].counted]
    # Where something is sealed or secret, it is what the ring waits for.
    secret = [k for k in kinds if state.protocol.kinds[k].anonymous or state.protocol.kinds[k].sealed is not None]
    kinds = (
        [kind for kind in kinds if kind not in secret] if state.step.votes and not _votable(state) else secret or kinds
    )
    entries = [c for c in state.contributions.values() if c.kind in kinds and not c.withdrawn]
    return {c.author for c in entries if c.round == state.course.round and c.author in writers}


def _votable(state: State) -> bool:
    return len(state.of_kind("situation")) > 1


def role_of(state: State, seat: str) -> str:
    roles = roles_of(state, seat)
    return next((r for r in ("client", "facilitator", "consultant", "observer", "member") if r in roles), "")


def _ring(state: State) -> Ring:
    writers = _writers(state)
    wrote = _wrote(state, writers)
    holder = turns.holder(state)
    seats = tuple(
        RingSeat(
            id=seat.id,
            name=seat.name or "",
            role=role_of(state, seat.id),
            floor=seat.id == holder,
            spoken=seat.id in state.course.spoken,
            wrote=seat.id in wrote,
            away=seat.away,
            device=seat.device,
        )
        for seat in state.seats.values()
        if not seat.revoked and not seat.waiting
    )
    return Ring(seats, _name(state, holder), holder, turns.open_floor(state), len(wrote), len(writers))


def _request(state: State, seat: str) -> str:
    """The contract, once the client has validated it: it stays before everyone's eyes."""
    for step in state.protocol.steps:
        if step.gate and step.gate.kind:
            for entry in state.of_kind(step.gate.kind, state.course.round):
                if state.marked(entry.id, step.gate.mark) and not entry.hidden and sees(state, seat, entry):
                    return (entry.body or {}).get("text", "")
    return ""


class _Eye:
    """One seat's eye on the contributions. Every card passes through ``sees``."""

    def __init__(self, state: State, seat: str, roles: Roles) -> None:
        self.state, self.seat, self.roles, self.step = state, seat, roles, state.step
        self.leads = "facilitator" in roles
        self.rows: dict[str, tuple[MarkRow, ...]] = {}
        self.put: dict[str, list[Mark]] = {}
        for (contribution, *_), mark in state.marks.items():
            self.put.setdefault(contribution, []).append(mark)

    # ------------------------------------------------------------ what is read

    def groups(self) -> Iterable[Group]:
        for kind in self.step.shows:
            cards = tuple(self.card(c) for c in self._shown(kind))
            yield Group(kind, self.state.protocol.kinds[kind].plural, cards)
        if self.step.recalls:
            yield self._recalled()

    def past(self) -> Iterable[Group]:
        """What this round has said so far and the step no longer shows, to be read again."""
        here = self.state.protocol.index(self.step.id)
        kinds = [k for step in self.state.protocol.steps[:here] for k in step.shows if k not in self.step.shows]
        for kind in dict.fromkeys(kinds):
            cards = tuple(self.card(c) for c in self._shown(kind, past=True))
            if cards:
                yield Group(kind, self.state.protocol.kinds[kind].plural, cards, past=True)

    def own(self) -> Iterable[Group]:
        for kind in self.state.protocol.kinds.values():
            if kind.private:
                mine = self.state.of_kind(kind.id, author=self.seat)
                cards = tuple(self.card(c) for c in mine if sees(self.state, self.seat, c))
                if cards:
                    yield Group(kind.id, kind.plural, cards)

    def _shown(self, kind: str, past: bool = False) -> list[Contribution]:
        state, course = self.state, self.state.course
        if kind != "situation":
            found = state.of_kind(kind, course.round)
        elif (self.step.chooses or self.step.chooses_next) and not past:
            treated = {sid for _, _, sid in course.treated if sid != course.situation or self.step.chooses_next}
            found = [c for c in state.of_kind(kind) if c.id not in treated]
        else:
            found = [c for c in state.of_kind(kind) if c.id == course.situation]
        return [c for c in found if sees(state, self.seat, c)]

    def _recalled(self) -> Group:
        """Learnings of earlier rounds that resemble the situation at hand, or the next one."""
        state, course = self.state, self.state.course
        ahead = bool(self.step.chooses_next)
        situation = state.contributions.get(course.next_situation if ahead else course.situation)
        last = course.round if ahead else course.round - 1
        kind = self.step.recalls
        earlier = {c.id: c for c in state.of_kind(kind) if c.round <= last and sees(state, self.seat, c)}
        texts = {id_: (c.body or {}).get("text", "") for id_, c in earlier.items()}
        query = " ".join((situation.body or {}).values()) if situation and situation.body else ""
        matches = recall(query, texts) if sees_it(state, self.seat, situation) else []
        cards = [self.card(earlier[m.id], why=m.words) for m in matches]
        if len(cards) < 5:  # too little resembles: the most recent are better than an empty page
            rest = [c for id_, c in reversed(list(earlier.items())) if id_ not in {m.id for m in matches}]
            cards += [self.card(c) for c in rest[: 5 - len(cards)]]
        return Group(kind, "", tuple(cards), recalled=True)

    def card(self, c: Contribution, why: tuple[str, ...] = ()) -> Card:
        state, kind = self.state, self.state.protocol.kinds[c.kind]
        mine = c.author == self.seat
        hand = mine or (c.scribe == self.seat and bool(c.scribe))
        sealed = kind.sealed is not None and (c.round, c.step) not in state.course.revealed
        body = c.body or {}
        return Card(
            id=c.id,
            kind=c.kind,
            label=kind.label,
            author=body.get("from", "") or ("" if kind.anonymous else _name(state, c.author)),
            author_seat="" if kind.anonymous else c.author,
            scribe=_name(state, c.scribe) if c.scribe else "",
            text=self._text(kind, body),
            marks=tuple(self._marks(c)),
            mine=mine,
            editable=hand and not state.course.closed and self._editable(c, kind),
            edited=c.edits > 0 and not kind.single,
            hidden=c.hidden,
            hideable=self.leads and not c.hidden and not kind.private and not mine and not state.course.closed,
            sealed=sealed,
            why=why,
            **self._choice(c),
        )

    def _text(self, kind: Kind, body: Mapping[str, str]) -> Text:
        shown = []
        for box in kind.fields:
            value = body.get(box.id, "")
            if value and box.type == "choice":
                value = box.choices.get(value, value)
            elif value and box.type == "seat":
                value = _name(self.state, value)
            if value:
                shown.append((box.id, value))
        return tuple(shown)

    def _editable(self, c: Contribution, kind: Kind) -> bool:
        here = c.round == self.state.course.round and c.step == self.step.id
        return kind.private or (here and self.step.write(c.kind) is not None)

    def _choice(self, c: Contribution) -> dict[str, Any]:
        if c.kind != "situation" or self.state.course.closed:
            return {}
        state, step = self.state, self.step
        chosen = state.course.next_situation if step.chooses_next else state.course.situation
        result: dict[str, Any] = {
            "choosable": may(self.roles, step.chooses | step.chooses_next) and chosen != c.id,
            "chosen": chosen == c.id,
        }
        if step.votes:
            row = step.write(step.votes)
            votes = state.of_kind(step.votes, state.course.round)
            mine = [v for v in votes if v.author == self.seat]
            result["votable"] = bool(row) and may(self.roles, row.by) and _votable(state) if row else False
            result["voted"] = any((v.body or {}).get("choice") == c.id for v in mine)
            # Who has no screen of their own votes aloud, or not at all: they are not waited for.
            here = [s.id for s in state.seats.values() if s.here and s.device]
            voters = {s for s in here if row and may(roles_of(state, s), row.by)}
            if votes and voters <= {v.author for v in votes}:
                result["votes"] = sum((v.body or {}).get("choice") == c.id for v in votes)
        return result

    def _marks(self, c: Contribution) -> Iterable[MarkView]:
        for row in self._rows(c.kind):
            view = self._mark(c, row)
            if view.settable or view.count or view.behalf:
                yield view

    def _rows(self, kind: str) -> tuple[MarkRow, ...]:
        if kind not in self.rows:
            protocol = self.state.protocol
            rows = (*(row for step in protocol.steps for row in step.marks), *protocol.marks_anywhere)
            self.rows[kind] = tuple({row.mark: row for row in rows if row.kind == kind}.values())
        return self.rows[kind]

    def _open_here(self, row: MarkRow) -> bool:
        """Whether this mark may be put at this step, by whoever may."""
        if self.state.course.closed or self.seat == SCREEN:
            return False
        anywhere = row in self.state.protocol.marks_anywhere and (not row.at or self.step.id in row.at)
        return anywhere or self.step.mark(row.mark, row.kind) is not None

    def _mark(self, c: Contribution, row: MarkRow) -> MarkView:
        state = self.state
        put = [m for m in self.put.get(c.id, ()) if m.mark == row.mark and sees_mark(state, self.seat, c, m)]
        round_ = state.course.round if row.per_round else 0
        own = state.marks.get((c.id, row.mark, "" if row.shared else self.seat, round_))
        own = own if own in put else None
        open_here = self._open_here(row)
        mine = towards(self.roles, self.seat, c.author)
        behalf: tuple[tuple[str, str], ...] = ()
        if open_here and self.leads and row.behalf:
            done = {m.owner for m in put}
            behalf = tuple(
                (s.id, s.name or "")
                for s in state.seats.values()
                if s.here and not s.device and s.id not in done and may(roles_of(state, s.id), row.by)
            )
        return MarkView(
            mark=row.mark,
            label=row.label,
            values=tuple(row.values.items()),
            free=row.free,
            on=own is not None,
            value=own.value if own else "",
            names=tuple(dict.fromkeys(_name(state, m.owner) for m in put if m.owner)),
            count=len(put),
            settable=open_here and may(mine, row.by),
            behalf=behalf,
        )

    # ------------------------------------------------------------ what is written

    def forms(self) -> Iterable[Form]:
        for row in (*self.step.writes, *self.state.protocol.anywhere):
            form = self._form(row)
            if form.own or form.behalf:
                yield form

    def _form(self, row: Write) -> Form:
        state, kind = self.state, self.state.protocol.kinds[row.kind]
        own = may(self.roles, row.by)
        mine = state.of_kind(kind.id, state.course.round, self.seat)
        if (kind.most and len(mine) >= kind.most) or (row.until_reveal and state.revealed):
            own = False
        if kind.id == self.step.votes:
            own = False  # one votes on the cards
        again = mine[-1] if kind.single and mine and own else None
        return Form(
            kind=kind,
            own=own,
            behalf=self._behalf(row) if self.leads and row.behalf else (),
            my_turn=turns.may_write_now(state, row, self.seat),
            waits_for=_name(state, turns.holder(state)),
            sealed=kind.sealed is not None and not state.revealed,
            edits=again.id if again else "",
            text=tuple((again.body or {}).items()) if again else (),
            choices=tuple((s.id, s.name or "") for s in state.seats.values() if s.here and s.id != self.seat),
            hint=kind.hint,
        )

    def _behalf(self, row: Write) -> tuple[tuple[str, str], ...]:
        state = self.state
        return tuple(
            (s.id, s.name or "")
            for s in state.seats.values()
            if s.id != self.seat
            and not (s.revoked or s.waiting)
            and may(roles_of(state, s.id), row.by)
            and turns.may_write_now(state, row, s.id)
        )


def sees_it(state: State, seat: str, contribution: Contribution | None) -> bool:
    return contribution is not None and sees(state, seat, contribution)


def _hand(state: State) -> Hand:
    course, steps = state.course, state.protocol.steps
    here = state.protocol.index(course.step)
    step = steps[here]
    gate = "" if gate_met(state, step.gate) else step.title
    reveals = not state.revealed and may(roles_of(state, state.facilitator()), step.reveal_by)
    reveals_for = _without_device(state, step.reveal_by) if not state.revealed else ""
    unmet = next((i for i, s in enumerate(steps) if i >= here and not gate_met(state, s.gate)), len(steps))
    return Hand(
        next=steps[here + 1].title if here + 1 < len(steps) else "",
        gate=gate,
        needs_word=_needs_word(state, here),
        back=here > 0,
        paused=course.paused_at is not None,
        reveal=step.reveal_label if reveals or reveals_for else "",
        reveal_for="" if reveals else reveals_for,
        free=course.free,
        open_floor=turns.open_floor(state),
        ring=tuple((seat, _name(state, seat)) for seat in turns.ring(state)),
        holder=turns.holder(state),
        undo=len(state.undo),
        steps=tuple(
            StepChoice(s.id, s.title, s.letter, i == here, i > here) for i, s in enumerate(steps) if i <= unmet
        ),
        say=step.say,
        signals=tuple(signals(state)),
        waiting=tuple((s.id, s.name or "") for s in state.seats.values() if s.waiting and not s.revoked),
        door=state.door,
        seats=_ring(state).seats,
        next_client=_name(state, course.next_client),
        may_choose=bool(step.chooses | step.chooses_next),
        last=here + 1 == len(steps),
        closed=course.closed,
        ledger=tuple(_ledger(state)),
        hidden=tuple(_hidden(state)),
    )


def _without_device(state: State, audience: Roles) -> str:
    """The seat of this audience for whom the facilitator acts, "" if there is none."""
    seats = (s.id for s in state.seats.values() if s.here and not s.device and may(roles_of(state, s.id), audience))
    return next(seats, "")


def _needs_word(state: State, here: int) -> bool:
    step = state.protocol.steps[here]
    return bool(step.protected) and not state.of_kind(step.protected, state.course.round)


def _hidden(state: State) -> Iterable[tuple[str, str, str]]:
    for c in state.contributions.values():
        if c.hidden and not c.withdrawn and c.round == state.course.round:
            yield c.id, state.protocol.kinds[c.kind].label, _name(state, c.author)


def _ledger(state: State) -> Iterable[tuple[str, int]]:
    for seat in state.seats.values():
        if seat.member and not seat.revoked:
            yield seat.name or "", sum(client == seat.id for _, client, _ in state.course.treated)
