"""One seat's eye on the contributions and the forms. Every card passes through ``sees``."""

from collections.abc import Iterable, Mapping
from typing import Any

from cordee.engine import themes, turns
from cordee.engine.memory import Memory
from cordee.engine.policy import SCREEN, may, roles_of, sees, sees_mark, towards
from cordee.engine.protocol import LONGEST_VALUE, Kind, MarkRow, Protocol, Roles, Write
from cordee.engine.recall import recall
from cordee.engine.recalling import gate_kinds, recalls_now, treated, words
from cordee.engine.scene import Entry, Scene, name_of, votable
from cordee.engine.seen import Card, Form, Group, Heading, MarkView, Text, ThemesView
from cordee.engine.state import LENT, Contribution, Mark, Seat
from cordee.engine.themes import Pile

AUTHOR = frozenset({"author"})
MOST_RECALLED = 5


class Eye:
    """What it saw of earlier states is in ``memory``; what it sees depends on the scene and the seat alone."""

    def __init__(self, scene: Scene, seat: str, roles: Roles, memory: Memory) -> None:
        self.scene, self.seat, self.roles, self.memory = scene, seat, roles, memory
        self.state, self.step = scene.state, scene.step
        self.leads = "facilitator" in roles
        # Whatever a card shows besides its own entry. The facilitator's depend on who has a screen, too.
        self.around = (scene.place, roles, scene.names, self.state.seats if self.leads else None)

    @property
    def _mine(self) -> tuple[Entry, ...]:
        """What this seat has written."""
        return self.scene.entries.authors.get(self.seat, ())

    # ------------------------------------------------------------ what is read

    def groups(self) -> tuple[Group, ...]:
        found: list[Group] = []
        themed = self._themed
        for kind, entries in self.scene.shown:
            group = self._group("group", kind, entries)
            if group.cards or kind not in self.step.opens_on:  # there is no heading over what was not carried in
                found += self._under_headings(group) if kind == themed else (group,)
        if recalls_now(self.state):
            found.append(self._recalled())
        return tuple(found)

    def past(self) -> tuple[Group, ...]:
        """What this round has said so far and the step no longer shows, to be read again."""
        causes = (self.around, self.scene.past, self.scene.choice)
        return self.memory.once(("past", self.seat), causes, self._past)

    def _past(self) -> tuple[Group, ...]:
        groups = (self._group("past", kind, entries, past=True) for kind, entries in self.scene.past if entries)
        return tuple(group for group in groups if group.cards)

    # ------------------------------------------------------------ themes

    @property
    def _themed(self) -> str:
        """The kind that this seat reads under headings, "" if none."""
        row = self.step.themes
        return row.kind if row and themes.asked(self.state) and may(self.roles, row.readers) else ""

    def themes(self) -> ThemesView | None:
        """``None`` for whom themes are not, and while nothing is open."""
        row, state = self.step.themes, self.state
        if row is None or not themes.may_ask(state) or state.course.closed:
            return None
        asks = self.seat != SCREEN and may(self.roles, row.by)
        if not asks and not self._themed:
            return None
        kept = tuple(pile.label for pile in self._piles() if pile.kept) if self._themed else ()
        return ThemesView(themes.asked(state), asks, self.scene.position, row.mark, kept)

    def _piles(self) -> tuple[Pile, ...]:
        """The same for every seat that may see them: made once."""
        row, state = self.step.themes, self.state
        if row is None:
            return ()
        causes = (self.scene.of(row.kind), self.scene.place, state.asked, state.declined)
        return self.memory.once("piles", causes, lambda: themes.piles(state, row, self.memory))

    def _under_headings(self, group: Group) -> tuple[Group, ...]:
        """The cards under the themes people gave, those proposed, then those that have none. Each keeps its order."""
        causes = (group, self._piles(), self.around)
        return self.memory.once(("headed", self.seat), causes, lambda: self._headed(group))

    def _headed(self, group: Group) -> tuple[Group, ...]:
        row = self.step.themes
        mark = themes.mark_of(self.state, row) if row else None
        gives = mark is not None and self._open_here(mark) and may(self.roles, mark.by)
        cards = {card.id: card for card in group.cards}
        found: list[Group] = []
        for pile in self._piles():
            mine = tuple(cards.pop(id_) for id_ in pile.ids if id_ in cards)
            ids = " ".join(pile.ids) if gives else ""
            heading = Heading(pile.ids[0], pile.label, pile.kept, ids, mark.longest if mark else LONGEST_VALUE)
            found.append(Group(group.kind, pile.label, mine, heading=heading))
        rest = Group(group.kind, group.title, tuple(cards.values()), heading=Heading("", ""))
        return (*found, rest) if found else (group,)

    def own(self) -> tuple[Group, ...]:
        return self.memory.once(("own", self.seat), (self.around, self._mine), self._own) if self._mine else ()

    def _own(self) -> tuple[Group, ...]:
        private = [kind for kind in self.state.protocol.kinds.values() if kind.private]
        written = ((kind, tuple(entry for entry in self._mine if entry[0].kind == kind.id)) for kind in private)
        groups = (self._group("own", kind.id, entries) for kind, entries in written if entries)
        return tuple(group for group in groups if group.cards)

    def _group(self, name: str, kind: str, entries: tuple[Entry, ...], past: bool = False) -> Group:
        around: object = self.around
        if kind == "situation":  # chosen and voted on: its cards show what others wrote, and who may vote
            around = (self.around, self.scene.choice)
        causes = (around, entries)
        return self.memory.once((name, self.seat, kind), causes, lambda: self._made(name, kind, entries, around, past))

    def _made(self, name: str, kind: str, entries: tuple[Entry, ...], around: object, past: bool) -> Group:
        cards = self.memory.each((name, self.seat, kind), around, entries, lambda entry: self._seen(entry, around))
        return Group(kind, self.state.protocol.kinds[kind].plural, cards, past)

    def _seen(self, entry: Entry, around: object) -> Card | None:
        """The card of this entry, if this seat sees it; the same for all to whom it is alike."""
        c, marks = entry
        if not sees(self.state, self.seat, c):
            return None
        its = self.seat in (c.author, c.scribe) or any(mark.owner == self.seat for mark in marks)
        concerned = its or c.kind == "situation"
        eye = self.seat if concerned else self.roles
        return self.memory.once(("card", c.id, eye), (around, entry), lambda: self.card(c, marks))

    def _recalled(self) -> Group:
        """What was learnt earlier that resembles the situation at hand and its request, or the next one."""
        earlier = tuple(self.scene.of(kind) for kind in self.step.recalls)
        causes = (self.around, earlier, treated(self.state), self._requests())
        return self.memory.once(("recalled", self.seat), causes, self._recall)

    def _recall(self) -> Group:
        """At most five: learnings of earlier rounds, and what the space lends, of which nothing shows who wrote it."""
        state, course = self.state, self.state.course
        last = course.round if self.step.chooses_next else course.round - 1
        entries = [entry for kind in self.step.recalls for entry in self.scene.of(kind)]
        entries = [(c, marks) for c, marks in entries if c.round <= last and sees(state, self.seat, c)]
        earlier = {c.id: (c, marks) for c, marks in entries if c.kind != LENT or c.body}  # withdrawn, it has no words
        texts = {id_: (c.body or {}).get("text", "") for id_, (c, _) in earlier.items()}
        helped = {id_: _helped(c) for id_, (c, _) in earlier.items()}
        asked = [c for c in (treated(state), *self._requests()) if c is not None and sees(state, self.seat, c)]
        lent = {id_ for id_, (c, _) in earlier.items() if c.kind == LENT}
        found = recall(words(state, asked), texts, len(texts), helped)
        matches = [m for m in found if m.words or m.id not in lent][:MOST_RECALLED]
        cards = [self.card(*earlier[m.id], why=m.words) for m in matches]
        if len(cards) < MOST_RECALLED:  # too little resembles: the group's most recent are better than an empty page
            shown = lent | {m.id for m in matches}
            rest = [entry for id_, entry in reversed(list(earlier.items())) if id_ not in shown]
            cards += [self.card(*entry) for entry in rest[: MOST_RECALLED - len(cards)]]
        return Group(self.step.recalls[0], "", tuple(cards), recalled=True)

    def _requests(self) -> tuple[Contribution, ...]:
        """The request of this round, once there is one; none for the situation of the next."""
        return tuple(c for kind in gate_kinds(self.state) for c, _ in self.scene.of(kind, self.state.course.round))

    def card(self, c: Contribution, put: tuple[Mark, ...], why: tuple[str, ...] = ()) -> Card:
        state, kind = self.state, self.state.protocol.kinds[c.kind]
        mine = c.author == self.seat
        hand = mine or (c.scribe == self.seat and bool(c.scribe))
        sealed = kind.sealed is not None and (c.round, c.step) not in state.course.revealed
        body = c.body or {}
        return Card(
            id=c.id,
            kind=c.kind,
            label=kind.label,
            author=body.get("from", "") or ("" if kind.anonymous else name_of(state, c.author)),
            author_seat="" if kind.anonymous else c.author,
            scribe=name_of(state, c.scribe) if c.scribe else "",
            text=self._text(kind, body),
            marks=tuple(self._marks(c, put)),
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
                value = name_of(self.state, value)
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
            result["votable"] = bool(row) and may(self.roles, row.by) and votable(state) if row else False
            result["voted"] = any((v.body or {}).get("choice") == c.id for v in mine)
            # Who has no screen of their own votes aloud, or not at all: they are not waited for.
            here = [s.id for s in state.seats.values() if s.here and s.device]
            voters = {s for s in here if row and may(roles_of(state, s), row.by)}
            if votes and voters <= {v.author for v in votes}:
                result["votes"] = sum((v.body or {}).get("choice") == c.id for v in votes)
        return result

    def _marks(self, c: Contribution, put: tuple[Mark, ...]) -> Iterable[MarkView]:
        for row in self._rows(c.kind):
            view = self._mark(c, put, row)
            if view.settable or view.count or view.behalf:
                yield view

    def _rows(self, kind: str) -> tuple[MarkRow, ...]:
        return self.memory.once(("rows", kind), (), lambda: _mark_rows(self.state.protocol, kind))

    def _open_here(self, row: MarkRow) -> bool:
        """Whether this mark may be put at this step, by whoever may."""
        if self.state.course.closed or self.seat == SCREEN:
            return False
        anywhere = row in self.state.protocol.marks_anywhere and (not row.at or self.step.id in row.at)
        here = self.step.mark(row.mark, row.kind)
        return anywhere or (here is not None and not themes.waits(self.state, here))

    def _mark(self, c: Contribution, marks: tuple[Mark, ...], row: MarkRow) -> MarkView:
        state = self.state
        put = [m for m in marks if m.mark == row.mark and sees_mark(state, self.seat, c, m)]
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
                if s.here and not s.device and s.id not in done and may(self._towards(s.id, c), row.by)
            )
        return MarkView(
            mark=row.mark,
            label=row.label,
            values=tuple(row.values.items()),
            free=row.free,
            on=own is not None,
            value=own.value if own else "",
            names=tuple(dict.fromkeys(name_of(state, m.owner) for m in put if m.owner)),
            count=len(put),
            settable=open_here and may(mine, row.by),
            behalf=behalf,
            longest=row.longest,
            says=tuple(row.values.get(m.value, m.value) for m in put) if row.by == AUTHOR else (),
        )

    def _towards(self, seat: str, c: Contribution) -> Roles:
        """What another seat is to this contribution."""
        return towards(roles_of(self.state, seat), seat, c.author)

    # ------------------------------------------------------------ what is written

    def _named(self, seat: Seat) -> tuple[str, str]:
        """The same object in every form of every seat."""
        return self.memory.once(("named", seat.id), seat, lambda: (seat.id, seat.name or ""))

    def forms(self) -> tuple[Form, ...]:
        causes = (self.state.seats, self.state.course, self.scene.holder, self._mine)
        return self.memory.once(("forms", self.seat), causes, self._forms)

    def _forms(self) -> tuple[Form, ...]:
        rows = (*self.step.writes, *self.state.protocol.anywhere)
        return tuple(form for form in map(self._form, rows) if form.own or form.behalf)

    def _form(self, row: Write) -> Form:
        state, kind = self.state, self.state.protocol.kinds[row.kind]
        own = may(self.roles, row.by)
        mine = [c for c, _ in self._mine if c.kind == kind.id and c.round == state.course.round]
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
            waits_for=name_of(state, self.scene.holder),
            sealed=kind.sealed is not None and not state.revealed,
            edits=again.id if again else "",
            text=tuple((again.body or {}).items()) if again else (),
            choices=self._others() if any(field.type == "seat" for field in kind.fields) else (),
            hint=kind.hint,
        )

    def _others(self) -> tuple[tuple[str, str], ...]:
        return tuple(self._named(s) for s in self.state.seats.values() if s.here and s.id != self.seat)

    def _behalf(self, row: Write) -> tuple[tuple[str, str], ...]:
        state = self.state
        return tuple(
            self._named(s)
            for s in state.seats.values()
            if s.id != self.seat
            and not (s.revoked or s.waiting)
            and may(roles_of(state, s.id), row.by)
            and turns.may_write_now(state, row, s.id)
        )


def _mark_rows(protocol: Protocol, kind: str) -> tuple[MarkRow, ...]:
    """The marks that may be put on this kind at some step or anywhere; of the same mark, the last row."""
    rows = (*(row for step in protocol.steps for row in step.marks), *protocol.marks_anywhere)
    return tuple({row.mark: row for row in rows if row.kind == kind}.values())


def _helped(c: Contribution) -> int:
    """How often this helped again, as whoever brought it here said."""
    times = (c.body or {}).get("helped", "")
    return int(times) if times.isdecimal() else 0
