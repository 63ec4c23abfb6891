"""What holds whatever people do: sessions of random commands by random seats, strangers and the screen among them.

``CORDEE_EXAMPLES=2000 pytest tests/engine/test_always.py`` looks for longer.
"""

import json
import os
from collections import Counter
from dataclasses import replace
from functools import lru_cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.decide import decide
from cordee.engine.refusal import Refused
from cordee.engine.rules.judgements import position
from cordee.engine.state import State, apply, fold, initial
from cordee.engine.view import view_for
from tests.characters import ACTS, SCREEN, Room, circle, next_round, play, reason
from tests.leaks import Canaries, Oracle, canaries, strings

EXAMPLES = int(os.environ.get("CORDEE_EXAMPLES", "40"))
always = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
MEMBERS = ("claire", "karim", "nadia")
STRANGE = ("octave", "rose", "table-01", SCREEN, "")


@lru_cache(maxsize=32)
def begun(step: str, round_: int) -> tuple[tuple[e.Event, ...], State]:
    """A room that was played to this step of this round, with canaries for texts."""
    script = Canaries()
    room = circle(members=MEMBERS)
    if round_ == 2:
        play(room, script=script)
        next_round(room, "karim")
    play(room, until=step if (round_, step) != (2, "choix") else "recit", script=script)
    return tuple(room.events), room.state


class Session(Room):
    """A room in which numbers become commands, and every command is watched."""

    def __init__(self, step: str, round_: int) -> None:
        super().__init__()
        events, self.state = begun(step, round_)
        self.events = list(events)
        self.now = self.events[-1].at
        self.script = Canaries()
        for _ in range(1000):
            self.script.new()  # none of the words that were used to get here
        self.refusals: Counter[str] = Counter()

    def take(self, numbers: tuple[int, int, int, int]) -> None:
        which, who, what, how = numbers
        command = WISHES[which % len(WISHES)](self, self.some_actor(who), what, how)
        before = self.state
        result = self.try_(command)
        if isinstance(result, Refused):
            assert self.state is before and isinstance(result.reason, str)
            self.refusals[result.reason] += 1
        elif isinstance(command, c.Write):
            assert decide(self.state, command, self.now) == [], "an id writes once"

    def some_actor(self, n: int) -> str:
        known = [*[self.leader] * 10, *[self.client or "claire"] * 4, *MEMBERS, *MEMBERS, *STRANGE]
        return known[n % len(known)]

    def some_seat(self, n: int) -> str:
        known = [*self.state.seats, "nobody"]
        return known[n % len(known)]

    def some_text(self, n: int) -> str:
        known = [*self.state.contributions, "no-such-text"]
        return known[-1 - n % len(known)]

    def some_kind(self, n: int) -> str:
        here = [row.kind for row in self.state.step.writes] * 12
        known = [*here, *self.state.protocol.kinds]
        return known[n % len(known)]

    def some_body(self, seat: str, kind: str, n: int) -> dict[str, str]:
        if kind == "vote":
            return {"choice": self.some_text(n)}
        return self.script.body(self, seat, kind) | ({"witness": self.some_seat(n)} if kind == "commitment" else {})

    def seen(self, n: int) -> str:
        return position(self.state) if n % 3 else ""


def _write(room: Session, seat: str, what: int, how: int) -> c.Command:
    kind = room.some_kind(what)
    behalf = room.some_seat(how) if how % 4 == 0 else ""
    id_ = room.some_text(how) if how % 13 == 0 else room.new_id("random")
    return c.Write(seat=seat, id=id_, kind=kind, body=room.some_body(seat, kind, how), behalf=behalf)


def _edit(room: Session, seat: str, what: int, how: int) -> c.Command:
    known = room.state.contributions.get(room.some_text(what))
    body = room.some_body(seat, known.kind, how) if known else {}
    return c.Edit(seat=known.author if known and how % 2 else seat, id=room.some_text(what), body=body)


def _mark(room: Session, seat: str, what: int, how: int) -> c.Command:
    rows = [*room.state.step.marks, *room.state.protocol.marks_anywhere, *room.state.protocol.step("traitement").marks]
    row = rows[how % len(rows)]
    fitting = [entry.id for entry in room.state.of_kind(row.kind)] * (how % 3) or [room.some_text(what)]
    mark, seat = row.mark, room.client if "client" in row.by and what % 2 else seat
    value = f"Oser {room.script.new()}" if mark in {"theme", "value"} else ("keep", "think", "x", "")[how % 4]
    behalf = room.some_seat(how) if how % 5 == 0 else ""
    return c.Mark(seat=seat, id=fitting[what % len(fitting)], mark=mark, value=value, on=bool(how % 7), behalf=behalf)


def _choose(room: Session, seat: str, what: int, how: int) -> c.Command:
    situations = [entry.id for entry in room.state.of_kind("situation")]
    known = [*situations, room.some_text(how)]
    return c.Choose(seat=seat, situation=known[what % len(known)], agreed=bool(how % 2))


def _own_or(room: Session, seat: str, what: int, how: int) -> str:
    known = room.state.contributions.get(room.some_text(what))
    return known.author if known and how % 2 else seat


STEPS = tuple(ACTS)
WISHES = [
    *[_write] * 9,
    *[_edit] * 2,
    *[_mark] * 5,
    *[lambda r, s, w, h: c.Next(seat=s, seen=r.seen(w), reason="Un mot." if h % 2 else "")] * 3,
    *[lambda r, s, w, h: c.Reveal(seat=s, seen=r.seen(w), behalf=r.some_seat(h) if h % 4 == 0 else "")] * 3,
    *[lambda r, s, w, h: c.Undo(seat=s, version=len(r.state.undo) if w % 2 else -1)] * 3,
    *[lambda r, s, w, h: c.PassFloor(seat=r.view("fanny").ring.holder or s if r.view("fanny") else s)] * 2,
    *[_choose] * 2,
    lambda r, s, w, h: c.Back(seat=s, seen=r.seen(w)),
    lambda r, s, w, h: c.GoTo(seat=s, step=[*STEPS, "nowhere"][w % 10], reason="Un mot." if h % 2 else ""),
    lambda r, s, w, h: c.Withdraw(seat=_own_or(r, s, w, h), id=r.some_text(w)),
    lambda r, s, w, h: c.Hide(seat=s, id=r.some_text(w), on=bool(h % 3)),
    lambda r, s, w, h: c.GiveFloor(seat=s, target=r.some_seat(w)),
    lambda r, s, w, h: c.FreeFloor(seat=s, on=bool(h % 2)),
    lambda r, s, w, h: c.DrawCard(seat=s),
    lambda r, s, w, h: c.AskThemes(seat=s, on=bool(h % 4), seen=r.seen(w)),
    lambda r, s, w, h: c.GiveTheme(seat=s, ids=f"{r.some_text(w)} {r.some_text(h)}", value=("Oser", "")[h % 5 == 0]),
    lambda r, s, w, h: c.DeclineTheme(seat=s, ids=f"{r.some_text(w)} {r.some_text(h)}"),
    lambda r, s, w, h: c.NextRound(seat=s, seen=r.seen(w), reason="Un mot." if h % 2 else ""),
    lambda r, s, w, h: c.Close(seat=s, reason="Un mot.") if h % 5 == 0 else c.Resume(seat=s),
    lambda r, s, w, h: c.Leave(seat=s, target=r.some_seat(w) if h % 2 else ""),
    lambda r, s, w, h: c.Return(seat=s, target=r.some_seat(w) if h % 2 else ""),
    lambda r, s, w, h: c.Hold(seat=s, target=r.some_seat(w)),
    lambda r, s, w, h: c.HandOver(seat=s, target=r.some_seat(w)),
    lambda r, s, w, h: c.Revoke(seat=s, target=r.some_seat(w)) if h % 4 == 0 else c.Pause(seat=s),
    lambda r, s, w, h: c.Admit(seat=s, target=r.some_seat(w)),
    lambda r, s, w, h: c.SetDoor(seat=s, waiting=bool(h % 2)),
    lambda r, s, w, h: c.TakeSeat(
        seat=s, name=("Octave", "Rose", "Claire", "")[w % 4], role=("member", "observer")[h % 2]
    ),
    lambda r, s, w, h: c.AddSeat(seat=s, id="table-01", name="Thomas"),
    lambda r, s, w, h: c.Rename(seat=s, name=("Octave", "Zoé", "", "Claire")[w % 4]),
    lambda r, s, w, h: c.Extend(seat=s, minutes=(-3, 0, 2, 1e9, float("nan"))[w % 5]),
]

number = st.integers(0, 1000)
wishes = st.lists(st.tuples(number, number, number, number), max_size=45)
starts = st.tuples(st.sampled_from(STEPS), st.sampled_from((1, 1, 2)))


def session(start: tuple[str, int], numbers: list[tuple[int, int, int, int]]) -> Session:
    room = Session(*start)
    for quadruple in numbers:
        room.take(quadruple)
    return room


def through_json(event: e.Event) -> e.Event:
    kind, plain, body = e.dump(event)
    kind, plain, body = json.loads(json.dumps([kind, plain, body]))
    return e.load(kind, event.at, event.seat, plain, body)


def purged(event: e.Event) -> e.Event:
    return replace(event, body=None) if hasattr(event, "body") else event


def everyone(state: State) -> list[str]:
    return [*state.seats, "nobody", SCREEN]


@always
@given(starts, wishes)
def test_the_state_is_the_fold_of_its_log_however_often_and_however_stored(start, numbers):
    room = session(start, numbers)
    protocol = room.state.protocol
    assert fold(protocol, room.events) == room.state
    assert fold(protocol, room.events) == fold(protocol, map(through_json, room.events))
    assert [through_json(event) for event in room.events] == room.events
    assert room.state.version == len(room.events)


@always
@given(starts, wishes, number)
def test_a_log_cut_anywhere_folds_goes_on_and_is_seen_by_every_seat(start, numbers, cut):
    room = session(start, numbers)
    cut %= len(room.events) + 1
    state = fold(room.state.protocol, room.events[:cut])
    for seat in everyone(room.state):
        view_for(state, seat)
    for event in room.events[cut:]:
        state = apply(state, event)
    assert state == room.state


@always
@given(starts, wishes)
def test_every_view_can_be_made_compared_and_hashed_and_the_same_log_gives_the_same_view(start, numbers):
    room = session(start, numbers)
    again = fold(room.state.protocol, room.events)
    for seat in everyone(room.state):
        one, other = view_for(room.state, seat), view_for(again, seat)
        assert one == other and hash(one) == hash(other)


@always
@given(starts, wishes)
def test_purged_texts_still_fold_and_give_the_same_counts(start, numbers):
    room = session(start, numbers)
    bare = fold(room.state.protocol, map(purged, room.events))
    assert counts(bare) == counts(room.state)
    for seat in everyone(room.state):
        before, after = view_for(room.state, seat), view_for(bare, seat)
        assert (before is None) == (after is None)
        assert canaries("\0".join(strings(after))) == set()
        if before:
            assert (before.ring.wrote, before.ring.of) == (after.ring.wrote, after.ring.of)
            assert [(g.kind, len(g.cards)) for g in before.groups] == [(g.kind, len(g.cards)) for g in after.groups]
    for command in (c.Next(seat="fanny"), c.Undo(seat="fanny"), c.Leave(seat="karim")):
        assert reason(decide(bare, command, room.now)) in {reason(decide(room.state, command, room.now)), "stranger"}


def counts(state: State) -> object:
    course = state.course
    return (
        state.version,
        Counter((entry.kind, entry.author, entry.round, entry.withdrawn) for entry in state.contributions.values()),
        Counter((mark.mark, mark.owner, mark.round) for mark in state.marks.values()),
        {key: (s.member, s.facilitator, s.observer, s.away, s.waiting, s.revoked) for key, s in state.seats.items()},
        (course.round, course.step, course.client, course.treated, course.revealed, course.closed, set(course.skipped)),
    )


@always
@given(starts, wishes, number)
def test_every_text_is_read_by_exactly_the_seats_its_row_names(start, numbers, cut):
    room = session(start, numbers)
    oracle = Oracle(room.events)
    prefixes = {len(room.events), len(begun(*start)[0]) + cut % (len(room.events) - len(begun(*start)[0]) + 1)}
    for prefix in prefixes:
        state = fold(room.state.protocol, room.events[:prefix])
        for seat in everyone(room.state):
            found = canaries("\0".join(strings(view_for(state, seat))))
            assert found & oracle.hidden(seat, prefix) == set(), (seat, oracle.position(prefix))
            assert oracle.visible(seat, prefix) - found == set(), (seat, oracle.position(prefix))


@always
@given(starts, wishes)
def test_a_refusal_says_why_in_a_word_that_has_a_sentence(start, numbers):
    room = session(start, numbers)
    assert all(word.isidentifier() and word == word.lower() for word in room.refusals)


@always
@given(starts, wishes)
def test_there_is_one_facilitator_one_client_and_a_floor_within_the_ring(start, numbers):
    state = session(start, numbers).state
    assert sum(seat.facilitator for seat in state.seats.values()) == 1
    view = view_for(state, state.facilitator())
    if view:
        assert [s.role for s in view.ring.seats].count("client") <= 1
        assert view.ring.holder in {"", *(seat for seat, _ in view.hand.ring)}
        assert view.hand.undo <= 20


@always
@given(starts, wishes)
def test_a_gate_is_never_behind_an_open_step(start, numbers):
    """Whatever was undone: after the request, there is a validated request, unless the client took it back later."""
    room = session(start, numbers)
    course = room.state.course
    if STEPS.index(course.step) > STEPS.index("demande"):
        assert course.client
        mine = [x for x in room.state.contributions.values() if x.kind == "request" and x.round == course.round]
        assert any(room.state.marked(x.id, "validated") for x in mine)


def test_a_log_of_nothing_is_an_empty_room():
    state = initial(Room().state.protocol)
    assert fold(state.protocol, []) == state
    assert view_for(state, "fanny") is None and view_for(state, SCREEN).ring.seats == ()
