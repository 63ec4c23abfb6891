"""May this happen, and what happens then: ``decide(state, command, now)`` gives facts, or a refusal that says why.

A refusal is a normal answer. ``[]`` means: it is already so (ids make writes idempotent, ``seen`` makes moves so).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine import themes, turns
from cordee.engine.policy import SCREEN, may, roles_of, sees, towards
from cordee.engine.protocol import Field, Gate, Kind, MarkRow, Write
from cordee.engine.state import LENT, Contribution, State, apply

LONGEST_NAME = 60
LONGEST_REASON = 500
MOST_SEATS = 40  # a circle is 10 at most, with observers and those who came back under another name
MOST_CONTRIBUTIONS = 3000
MOST_MINUTES = 24 * 60
PATIENCE = 10  # minutes for which a meeting waits for who is to facilitate it
ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
SEAT = re.compile(r"[A-Za-z0-9_-]{1,64}")
TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")  # turn the writing direction of what follows, to deceive


@dataclass(frozen=True, slots=True)
class Refused:
    """``reason`` names a sentence of ``room/phrases.py``; ``about`` fills its blanks."""

    reason: str
    about: Mapping[str, str] = field(default_factory=dict)


Decision = list[e.Event] | Refused


def decide(state: State, command: c.Command, now: float) -> Decision:
    """The facts that follow from a wish at ``now`` (seconds since the epoch), or why not. Changes nothing."""
    rule = RULES[type(command)]
    if command.seat == SCREEN:  # the shared screen reads
        return Refused("stranger")
    if isinstance(command, c.Lend):
        return _lend(state, command, now) if not command.seat else Refused("stranger")
    if not isinstance(command, c.TakeSeat):
        if not roles_of(state, command.seat):
            return Refused("stranger")
        if state.course.closed and not isinstance(command, AFTER_CLOSE):
            return Refused("closed")
    return rule(state, command, now)


# ---------------------------------------------------------------- shared judgements


def position(state: State) -> str:
    return f"{state.course.round}.{state.course.step}"


def _leads(state: State, seat: str) -> bool:
    return "facilitator" in roles_of(state, seat)


def _lend(state: State, command: c.Lend, now: float) -> Decision:
    """What comes from the space, where the protocol has a place for it; what was withdrawn goes, whenever it is."""
    known = state.contributions
    gone = [id_ for id_ in command.gone if id_ in known and known[id_].kind == LENT and not known[id_].withdrawn]
    open_ = LENT in state.protocol.kinds and not state.course.closed
    new = [(id_, body) for id_, body in command.bodies.items() if open_ and id_ not in known]
    return [
        *(e.Withdrawn(at=now, seat="", id=id_) for id_ in gone),
        *(e.Lent(at=now, seat="", id=id_, body=dict(body)) for id_, body in new),
    ]


def _stale(state: State, seen: str) -> bool:
    return bool(seen) and seen != position(state)


def _acts_for(state: State, command: Any, row: Write | MarkRow) -> str | Refused:
    """The seat in whose name this is done: one's own, or another's if the row lets the facilitator."""
    if not command.behalf or command.behalf == command.seat:
        return str(command.seat)
    other = state.seats.get(command.behalf)
    if not _leads(state, command.seat) or not row.behalf or other is None or other.revoked or other.waiting:
        return Refused("not_yours")
    # Words may be typed for anyone; agreeing and judging are done for those only who have no screen of their own.
    if isinstance(row, MarkRow) and other.device:
        return Refused("has_device", {"name": other.name or ""})
    return other.id


def _write_row(state: State, kind: str) -> Write | None:
    here = state.step.write(kind)
    return here or next((row for row in state.protocol.anywhere if row.kind == kind), None)


def _mark_row(state: State, mark: str, kind: str) -> MarkRow | None:
    here = state.step.mark(mark, kind)
    if here:
        return here
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


def _clean(kind: Kind, body: Mapping[str, str], state: State) -> dict[str, str] | Refused:
    """The declared fields of a body, trimmed; a refusal names the field."""
    clean: dict[str, str] = {}
    for box in kind.fields:
        value = _plain(body.get(box.id, ""))
        if box.required and not value:
            return Refused("empty_field", {"field": box.label})
        if len(value) > box.longest:
            return Refused("too_long", {"field": box.label, "longest": str(box.longest), "length": str(len(value))})
        if value and not _fits(box, value, state):
            return Refused("bad_value", {"field": box.label})
        if value:
            clean[box.id] = value
    return clean or Refused("empty_field", {"field": kind.fields[0].label})


def _plain(value: str) -> str:
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


def _name(name: str) -> str:
    return " ".join(_plain(name).split())


def _taken(state: State, name: str, but: str = "") -> bool:
    """Whether someone in the room goes by a name that reads the same."""
    read = _as_read(name)
    return any(_as_read(s.name or "") == read for s in state.seats.values() if s.id != but and not s.revoked)


def _as_read(name: str) -> str:
    return "".join(ch for ch in unicodedata.normalize("NFKC", name).casefold() if _seen(ch))


# ---------------------------------------------------------------- people


def _take_seat(state: State, command: c.TakeSeat, now: float) -> Decision:
    if command.seat in state.seats:
        return [] if not state.seats[command.seat].revoked else Refused("revoked")
    if not SEAT.fullmatch(command.seat):
        return Refused("bad_id")
    if command.appointed:
        return _appointed(state, command, now)
    role = command.role if command.role in {"member", "observer"} else "member"
    if not state.seats and not state.meeting:
        role = "facilitator"
    return _seated(state, command.seat, command.name, role, now, device=True, actor=command.seat)


def _appointed(state: State, command: c.TakeSeat, now: float) -> Decision:
    """Somebody of the circle: no door, and coming first gives nothing.

    A second facilitator observes, and may be handed the room. Who stands in gives it back to the first who comes.
    """
    role = command.role if command.role in {"member", "observer", "facilitator"} else "member"
    leader = state.seats.get(state.facilitator())
    asked = role == "facilitator"
    role = "observer" if asked and leader else role
    name = _free_name(state, command.name)
    seated = _seated(state, command.seat, name, role, now, device=True, actor=command.seat, known=True)
    if isinstance(seated, Refused) or not asked or not leader or not leader.stands_in:
        return seated
    return [*seated, e.HandedOver(at=now, seat=leader.id, target=command.seat)]


def _free_name(state: State, name: str) -> str:
    """This name, with a number when somebody here already goes by it: nobody is kept out by a namesake."""
    name = _name(name)[: LONGEST_NAME - 3]
    names = (name, *(f"{name} {number}" for number in range(2, MOST_SEATS + 2)))
    return next((free for free in names if not _taken(state, free)), name)


def _add_seat(state: State, command: c.AddSeat, now: float) -> Decision:
    if not _leads(state, command.seat):
        return Refused("not_facilitator")
    if not ID.fullmatch(command.id):
        return Refused("bad_id")
    if command.id in state.seats:
        return []
    role = command.role if command.role in {"member", "observer"} else "member"
    return _seated(state, command.id, command.name, role, now, device=False, actor=command.seat)


def _seated(
    state: State, seat: str, name: str, role: str, now: float, *, device: bool, actor: str, known: bool = False
) -> Decision:
    name = _name(name)
    if not name:
        return Refused("no_name")
    if len(name) > LONGEST_NAME:
        return Refused("name_too_long", {"longest": str(LONGEST_NAME)})
    if _taken(state, name):
        return Refused("name_taken", {"name": name})
    if len(state.seats) >= MOST_SEATS:
        return Refused("room_full")
    if state.course.closed:
        return Refused("closed")
    waiting = device and (state.door or state.meeting) and actor == seat and not known
    return [e.SeatTaken(at=now, seat=seat, role=role, device=device, waiting=waiting, body={"name": name})]


def _rename(state: State, command: c.Rename, now: float) -> Decision:
    name = _name(command.name)
    if not name:
        return Refused("no_name")
    if len(name) > LONGEST_NAME:
        return Refused("name_too_long", {"longest": str(LONGEST_NAME)})
    if state.seats[command.seat].name == name:
        return []
    if _taken(state, name, but=command.seat):
        return Refused("name_taken", {"name": name})
    return [e.SeatRenamed(at=now, seat=command.seat, body={"name": name})]


def _on_seat(make: Callable[..., e.Event], done: Callable[[Any], bool]) -> Callable[[State, Any, float], Decision]:
    """A facilitator's act on someone else's seat."""

    def rule(state: State, command: Any, now: float) -> Decision:
        if not _leads(state, command.seat):
            return Refused("not_facilitator")
        target = state.seats.get(command.target)
        if target is None or (target.revoked and make is not e.SeatRevoked):
            return Refused("no_such_seat")
        if target.id == command.seat:
            return Refused("not_oneself")
        if make is e.SeatHeld and target.device and not target.gone:
            return Refused("still_here", {"name": target.name or ""})
        return [] if done(target) else [make(at=now, seat=command.seat, target=target.id)]

    return rule


def _leave(state: State, command: c.Leave, now: float) -> Decision:
    target = state.seats.get(command.target or command.seat)
    if target is None or target.revoked:
        return Refused("no_such_seat")
    if target.id != command.seat and not _leads(state, command.seat):
        return Refused("not_facilitator")
    # Someone said to be away may leave too: only then is it sure that their device is gone.
    known = target.away and (target.gone or target.id != command.seat)
    return [] if known else [e.SeatAway(at=now, seat=command.seat, target=target.id)]


def _return(state: State, command: c.Return, now: float) -> Decision:
    target = state.seats.get(command.target or command.seat)
    if target is None or target.revoked:
        return Refused("no_such_seat")
    if target.id != command.seat and not _leads(state, command.seat):
        return Refused("not_facilitator")
    device = target.id == command.seat or target.device
    if not target.away and target.device == device:
        return []
    return [e.SeatBack(at=now, seat=command.seat, target=target.id, device=device)]


def _hand_over(state: State, command: c.HandOver, now: float) -> Decision:
    if not _leads(state, command.seat):
        return Refused("not_facilitator")
    target = state.seats.get(command.target)
    if target is None or not target.here:
        return Refused("no_such_seat")
    if not target.device:
        return Refused("no_device", {"name": target.name or ""})
    return [] if target.facilitator else [e.HandedOver(at=now, seat=command.seat, target=target.id)]


def _take_over(state: State, command: c.TakeOver, now: float) -> Decision:
    seat = state.seats[command.seat]
    if not state.meeting or state.facilitator():
        return [] if seat.facilitator else Refused("somebody_leads")
    if not seat.member or not seat.device:
        return Refused("not_your_role")
    if now < takes_over_from(state):
        return Refused("too_early", {"minutes": str(-int((now - takes_over_from(state)) // 60))})
    if not command.agreed:
        return Refused("group_not_asked")
    return [e.TookOver(at=now, seat=command.seat)]


def takes_over_from(state: State) -> float:
    """When a member may facilitate, nobody who was to having come (seconds since the epoch)."""
    return state.began_at + PATIENCE * 60


def _set_door(state: State, command: c.SetDoor, now: float) -> Decision:
    if not _leads(state, command.seat):
        return Refused("not_facilitator")
    if state.meeting and not command.waiting:
        return Refused("door_kept")
    return [] if state.door == command.waiting else [e.DoorSet(at=now, seat=command.seat, waiting=command.waiting)]


# ---------------------------------------------------------------- words


def _write(state: State, command: c.Write, now: float) -> Decision:
    known = state.contributions.get(command.id)
    if known:
        mine = command.seat in {known.author, known.scribe} and known.kind == command.kind
        return [] if mine else Refused("bad_id")
    if not ID.fullmatch(command.id):
        return Refused("bad_id")
    row = _write_row(state, command.kind)
    if row is None:
        return Refused("not_this_step")
    author = _acts_for(state, command, row)
    if isinstance(author, Refused):
        return author
    if not may(roles_of(state, author), row.by):
        return Refused("not_your_role")
    if not turns.may_write_now(state, row, author):
        return Refused("not_your_turn", {"name": _holder_name(state)})
    return _written(state, command, row, author, now)


def _written(state: State, command: c.Write, row: Write, author: str, now: float) -> Decision:
    kind = state.protocol.kinds[row.kind]
    body = _clean(kind, command.body, state)
    if isinstance(body, Refused):
        return body
    if row.until_reveal and state.revealed:
        return Refused("already_revealed")
    mine = state.of_kind(kind.id, state.course.round, author)
    if kind.single and mine:
        if not sees(state, command.seat, mine[-1]):  # nobody writes over what they cannot read
            return Refused("not_yours")
        return _rewritten(mine[-1], body, command.seat, now)
    if kind.most and len(mine) >= kind.most:
        return Refused("enough", {"most": str(kind.most)})
    if len(state.contributions) >= MOST_CONTRIBUTIONS:
        return Refused("room_full")
    scribe = command.seat if author != command.seat else ""
    return [
        e.Written(
            at=now,
            seat=author,
            scribe=scribe,
            id=command.id,
            kind=kind.id,
            round=state.course.round,
            step=state.course.step,
            body=body,
        )
    ]


def _rewritten(before: Contribution, body: dict[str, str], seat: str, now: float) -> Decision:
    if before.body == body:
        return []
    return [e.Edited(at=now, seat=seat, id=before.id, body=body)]


def _edit(state: State, command: c.Edit, now: float) -> Decision:
    before = state.contributions.get(command.id)
    if before is None or before.withdrawn or not _hand_of(state, command.seat, before):
        return Refused("not_yours")
    row = _write_row(state, before.kind)
    private = state.protocol.kinds[before.kind].private
    if (
        row is None
        or (not private and before.step != state.course.step)
        or (not private and before.round != state.course.round)
    ):
        return Refused("not_this_step")
    if row.until_reveal and state.revealed:
        return Refused("already_revealed")
    body = _clean(state.protocol.kinds[before.kind], command.body, state)
    return body if isinstance(body, Refused) else _rewritten(before, body, command.seat, now)


def _hand_of(state: State, seat: str, contribution: Contribution) -> bool:
    """Its author, or whoever typed it and still sees it."""
    return seat == contribution.author or (seat == contribution.scribe and sees(state, seat, contribution))


def _withdraw(state: State, command: c.Withdraw, now: float) -> Decision:
    before = state.contributions.get(command.id)
    if before is None or not _hand_of(state, command.seat, before):
        return Refused("not_yours")
    if before.id in {state.course.situation, state.course.next_situation}:
        return Refused("in_use")
    return [] if before.withdrawn else [e.Withdrawn(at=now, seat=command.seat, id=before.id)]


def _hide(state: State, command: c.Hide, now: float) -> Decision:
    before = state.contributions.get(command.id)
    if not _leads(state, command.seat):
        return Refused("not_facilitator")
    if before is None or before.withdrawn or not (before.hidden or sees(state, command.seat, before)):
        return Refused("not_yours")
    return [] if before.hidden == command.on else [e.Hidden(at=now, seat=command.seat, id=before.id, on=command.on)]


def _mark(state: State, command: c.Mark, now: float) -> Decision:
    target = state.contributions.get(command.id)
    if target is None or target.withdrawn or not sees(state, command.seat, target):
        return Refused("not_yours")
    row = _mark_row(state, command.mark, target.kind)
    if row is None:
        return Refused("not_this_step")
    owner = _acts_for(state, command, row)
    if isinstance(owner, Refused):
        return owner
    if not may(towards(roles_of(state, owner), owner, target.author), row.by) or not sees(state, owner, target):
        return Refused("not_your_role")
    return _marked(state, command, row, "" if row.shared else owner, now)


def _marked(state: State, command: c.Mark, row: MarkRow, owner: str, now: float) -> Decision:
    value = _plain(command.value)
    on = command.on and (bool(value) or not (row.values or row.free))
    if (row.values and on and value not in row.values) or len(value) > row.longest:
        return Refused("bad_value", {"field": row.label})
    round_ = state.course.round if row.per_round else 0
    before = state.marks.get((command.id, row.mark, owner, round_))
    if (before is not None) == on and (not on or before is None or before.value == value):
        return []
    if on and row.needs and (missing := _missing(state, row, command.id)):
        return Refused("not_all_agree", {"names": ", ".join(missing)})
    body = {"value": value} if value and on else None
    return [
        e.Marked(
            at=now,
            seat=command.seat,
            id=command.id,
            mark=row.mark,
            owner=owner,
            round=round_,
            on=on,
            body=body,
        )
    ]


def _ask_themes(state: State, command: c.AskThemes, now: float) -> Decision:
    if _stale(state, command.seen):
        return []
    row = state.step.themes
    if row is None:
        return Refused("not_this_step")
    if not may(roles_of(state, command.seat), row.by):
        return Refused("not_your_role")
    if not themes.may_ask(state):
        return Refused("not_open_yet")
    if not command.on and not themes.asked(state):
        return []
    asked = e.ThemesAsked(at=now, seat=command.seat, round=state.course.round, step=state.course.step, on=command.on)
    return [asked]


def _give_theme(state: State, command: c.GiveTheme, now: float) -> Decision:
    """The theme on each of these texts that still has the one it had; those that may not be marked stay as they are."""
    row = state.step.themes
    if row is None or not row.mark:
        return Refused("not_this_step")
    events: list[e.Event] = []
    refusal: Refused | None = None
    ids = dict.fromkeys(command.ids.split())
    for id_ in ids:
        if themes.theme_of(state, id_, row).casefold() == _plain(command.was).casefold():
            given = _mark(state, c.Mark(seat=command.seat, id=id_, mark=row.mark, value=command.value), now)
            if isinstance(given, Refused):
                refusal = given
            else:
                events += given
    return events or refusal or []


def _decline_theme(state: State, command: c.DeclineTheme, now: float) -> Decision:
    row = state.step.themes
    mark = themes.mark_of(state, row) if row else None
    if row is None or mark is None or not themes.asked(state):
        return Refused("not_this_step")
    if not may(roles_of(state, command.seat), mark.by):
        return Refused("not_your_role")
    known = themes.open_texts(state, row)
    ids = [id_ for id_ in dict.fromkeys(command.ids.split()) if id_ in known and id_ not in state.declined]
    return [e.ThemeDeclined(at=now, seat=command.seat, id=id_) for id_ in ids]


def _missing(state: State, row: MarkRow, contribution: str) -> list[str]:
    """The names of those here who may put the needed mark and have not."""
    needed = _mark_row(state, row.needs, row.kind)
    if needed is None:
        return []
    done = state.marked(contribution, row.needs)
    return [
        seat.name or seat.id
        for seat in state.seats.values()
        if seat.here and seat.id not in done and may(roles_of(state, seat.id), needed.by)
    ]


def _draw_card(state: State, command: c.DrawCard, now: float) -> Decision:
    if not may(roles_of(state, command.seat), state.step.cards):
        return Refused("not_this_step")
    drawn = state.cards.get(command.seat, ())
    cards = state.protocol.cards
    left = [card.id for card in cards if card.id not in drawn] or [card.id for card in cards]
    if not left:
        return Refused("no_cards")
    # No dice in a pure engine: the order differs from seat to seat, and comes out the same when folded again.
    pick = left[(sum(command.seat.encode()) + 7 * len(drawn)) % len(left)]
    return [e.CardDrawn(at=now, seat=command.seat, card=pick, round=state.course.round)]


# ---------------------------------------------------------------- moves


def _lead(rule: Callable[[State, Any, float], Decision]) -> Callable[[State, Any, float], Decision]:
    """Only the facilitator, and only once for what she saw."""

    def led(state: State, command: Any, now: float) -> Decision:
        if not _leads(state, command.seat):
            return Refused("not_facilitator")
        if _stale(state, getattr(command, "seen", "")):
            return []
        return rule(state, command, now)

    return led


def _next(state: State, command: c.Next, now: float) -> Decision:
    following = state.index(state.course.step) + 1
    if following >= len(state.steps):
        return Refused("last_step")
    step = state.steps[following].id
    return _enter(state, c.GoTo(seat=command.seat, step=step, reason=command.reason), now)


def _back(state: State, command: c.Back, now: float) -> Decision:
    before = state.index(state.course.step) - 1
    if before < 0:
        return Refused("first_step")
    return [e.StepEntered(at=now, seat=command.seat, round=state.course.round, step=state.steps[before].id)]


def _enter(state: State, command: c.GoTo, now: float) -> Decision:
    steps = state.steps
    if command.step not in {step.id for step in steps}:
        return Refused("no_such_step")
    here, there = state.index(state.course.step), state.index(command.step)
    if here == there:
        return []
    passed = steps[here:there]
    for step in passed:
        if not gate_met(state, step.gate):
            return Refused("gate", {"step": step.title})
    body, refusal = _word(state, [step.id for step in passed], command.reason)
    if refusal:
        return refusal
    entered = e.StepEntered(
        at=now,
        seat=command.seat,
        round=state.course.round,
        step=command.step,
        skipped=len(passed) > 1 or body is not None,
        body=body,
    )
    return [entered]


def _word(state: State, left: list[str], reason: str) -> tuple[dict[str, str] | None, Refused | None]:
    """The word that leaving protected steps without their contributions needs, or why it is refused."""
    reason = _plain(reason)[:LONGEST_REASON]
    for name in left:
        step = state.protocol.step(name)
        if step.protected and not state.of_kind(step.protected, state.course.round) and not reason:
            return None, Refused("protected", {"step": step.title})
    return ({"text": reason} if reason else None), None


def _extend(state: State, command: c.Extend, now: float) -> Decision:
    if not (-MOST_MINUTES < command.minutes < MOST_MINUTES) or command.minutes == 0:
        return Refused("bad_value", {"field": "minutes"})
    if not 0 < state.course.minutes + command.minutes <= MOST_MINUTES:
        return Refused("bad_value", {"field": "minutes"})
    return [e.Extended(at=now, seat=command.seat, minutes=command.minutes)]


def _pause(state: State, command: c.Pause, now: float) -> Decision:
    if not 0 <= command.minutes <= MOST_MINUTES:
        return Refused("bad_value", {"field": "minutes"})
    if state.course.paused_at is not None and not command.minutes:
        return []
    return [e.Paused(at=now, seat=command.seat, until=now + command.minutes * 60 if command.minutes else 0)]


def _resume(state: State, command: c.Resume, now: float) -> Decision:
    return [] if state.course.paused_at is None else [e.Resumed(at=now, seat=command.seat)]


def _reveal(state: State, command: c.Reveal, now: float) -> Decision:
    if _stale(state, command.seen):
        return []
    seat = command.seat
    if command.behalf and command.behalf != seat:
        other = state.seats.get(command.behalf)
        if not _leads(state, seat) or other is None or other.revoked:
            return Refused("not_yours")
        if other.device:
            return Refused("has_device", {"name": other.name or ""})
        seat = other.id
    if not state.step.reveal_by:
        return Refused("nothing_sealed")
    if not may(roles_of(state, seat), state.step.reveal_by):
        return Refused("not_your_role")
    if state.revealed:
        return []
    return [e.Revealed(at=now, seat=command.seat, round=state.course.round, step=state.course.step)]


def _pass_floor(state: State, command: c.PassFloor, now: float) -> Decision:
    holder = turns.holder(state)
    # `seen` names who had the floor on the screen it was pressed on: two taps pass it once.
    if command.seen and command.seen != holder:
        return []
    if command.seat != holder and not _leads(state, command.seat):
        return Refused("not_your_turn", {"name": _holder_name(state)})
    if not holder:
        return Refused("no_floor")
    spoken = apply(state, e.FloorGiven(at=now, seat=holder, target="", spoken=holder))
    return [e.FloorGiven(at=now, seat=command.seat, target=turns.after(spoken, holder), spoken=holder)]


def _give_floor(state: State, command: c.GiveFloor, now: float) -> Decision:
    if command.target not in turns.ring(state):
        return Refused("not_in_ring")
    if turns.open_floor(state) and not state.course.free:
        return Refused("no_floor")
    events: list[e.Event] = []
    if state.course.free:
        events.append(e.FloorFreed(at=now, seat=command.seat, on=False))
    if state.course.floor != command.target:
        events.append(e.FloorGiven(at=now, seat=command.seat, target=command.target))
    return events


def _free_floor(state: State, command: c.FreeFloor, now: float) -> Decision:
    return [] if state.course.free == command.on else [e.FloorFreed(at=now, seat=command.seat, on=command.on)]


def _choose(state: State, command: c.Choose, now: float) -> Decision:
    roles = roles_of(state, command.seat)
    ahead = may(roles, state.step.chooses_next)
    if not ahead and not may(roles, state.step.chooses):
        return Refused("not_this_step" if _leads(state, command.seat) else "not_facilitator")
    situation = state.contributions.get(command.situation)
    if situation is None or situation.withdrawn or situation.kind != "situation":
        return Refused("no_such_situation")
    client = state.seats.get(situation.author)  # brought by somebody who may not have come
    if client is None or not client.here or not client.member:
        name = client.name if client else (situation.body or {}).get("from")
        return Refused("client_away", {"name": name or ""})
    if not command.agreed and (waiting := _waiting_turn(state, client.id, ahead)):
        return Refused("client_twice", {"name": client.name or "", "names": ", ".join(waiting)})
    chosen = (
        (state.course.next_client, state.course.next_situation)
        if ahead
        else (
            state.course.client,
            state.course.situation,
        )
    )
    if chosen == (client.id, situation.id):
        return []
    if not ahead and state.course.client not in {"", client.id} and _contracted(state):
        return Refused("round_begun", {"name": _client_name(state)})
    return [e.ClientChosen(at=now, seat=command.seat, client=client.id, situation=situation.id, ahead=ahead)]


def _contracted(state: State) -> bool:
    """Whether this round holds what was said to its client in confidence: a request, or anything sealed.

    Another client could show it, or find the gate already open.
    """
    gates = {step.gate.kind for step in state.protocol.steps if step.gate}
    kinds = [kind for kind in state.protocol.kinds.values() if kind.id in gates or kind.sealed is not None]
    return any(state.of_kind(kind.id, state.course.round) for kind in kinds)


def _client_name(state: State) -> str:
    client = state.seats.get(state.course.client)
    return (client.name or "") if client else ""


def _waiting_turn(state: State, client: str, ahead: bool) -> list[str]:
    """Who brings a situation and was never client, when this one already was."""
    turns_had = {who for number, who, _ in state.course.treated if ahead or number != state.course.round}
    if client not in turns_had:
        return []
    bring = {entry.author for entry in state.of_kind("situation")}
    return [
        seat.name or seat.id
        for seat in state.seats.values()
        if seat.here and seat.member and seat.id in bring and seat.id not in turns_had
    ]


def _next_round(state: State, command: c.NextRound, now: float) -> Decision:
    refusal = _leaves_round(state, command.reason)
    if refusal:
        return refusal
    client = state.seats.get(state.course.next_client)
    situation = state.contributions.get(state.course.next_situation)
    ahead = client is not None and client.here and situation is not None and not situation.withdrawn
    reason = _plain(command.reason)[:LONGEST_REASON]
    return [
        e.RoundStarted(
            at=now,
            seat=command.seat,
            round=state.course.round + 1,
            step=state.protocol.start_of_next if ahead else state.protocol.steps_with(frozenset())[0].id,
            client=state.course.next_client if ahead else "",
            situation=state.course.next_situation if ahead else "",
            body={"text": reason} if reason else None,
        )
    ]


def _leaves_round(state: State, reason: str) -> Refused | None:
    """A round that has a client is not left before its protected steps, unless with a word."""
    if not state.course.client:
        return None
    names = [s.id for s in state.steps if (state.course.round, s.id) not in state.course.skipped]
    return _word(state, names, reason)[1]


def _close(state: State, command: c.Close, now: float) -> Decision:
    if state.course.closed:
        return []
    reason = _plain(command.reason)[:LONGEST_REASON]
    closed = e.Closed(at=now, seat=command.seat, body={"text": reason} if reason else None)
    return _leaves_round(state, reason) or [closed]


def _undo(state: State, command: c.Undo, now: float) -> Decision:
    if command.version >= 0 and command.version != len(state.undo):
        return []
    if not state.undo:
        return Refused("nothing_to_undo")
    undone = e.Undone(at=now, seat=command.seat)
    return _not_back_to(state, apply(state, undone)) or [undone]


def _not_back_to(state: State, former: State) -> Refused | None:
    """Undoing opens no gate that has shut since, and puts no other client before words said to this one."""
    if former.course.round != state.course.round:
        return None
    if former.course.client != state.course.client and _contracted(state):
        return Refused("round_begun", {"name": _client_name(state)})
    steps = state.steps
    for step in steps[state.index(state.course.step) : state.index(former.course.step)]:
        if not gate_met(state, step.gate):
            return Refused("gate", {"step": step.title})
    return None


def _holder_name(state: State) -> str:
    seat = state.seats.get(turns.holder(state))
    return (seat.name or "") if seat else ""


AFTER_CLOSE = (c.Close, c.Undo, c.Leave, c.Return, c.Withdraw, c.Hide, c.Revoke, c.HandOver)

RULES: dict[type[c.Command], Callable[[State, Any, float], Decision]] = {
    c.Lend: _lend,
    c.TakeSeat: _take_seat,
    c.AddSeat: _add_seat,
    c.Rename: _rename,
    c.Admit: _on_seat(e.SeatAdmitted, lambda seat: not seat.waiting),
    c.Revoke: _on_seat(e.SeatRevoked, lambda seat: seat.revoked),
    c.Hold: _on_seat(e.SeatHeld, lambda seat: not seat.device),
    c.Leave: _leave,
    c.Return: _return,
    c.HandOver: _hand_over,
    c.TakeOver: _take_over,
    c.SetDoor: _set_door,
    c.Write: _write,
    c.Edit: _edit,
    c.Withdraw: _withdraw,
    c.Hide: _hide,
    c.Mark: _mark,
    c.AskThemes: _ask_themes,
    c.GiveTheme: _give_theme,
    c.DeclineTheme: _decline_theme,
    c.DrawCard: _draw_card,
    c.Next: _lead(_next),
    c.Back: _lead(_back),
    c.GoTo: _lead(_enter),
    c.Extend: _lead(_extend),
    c.Pause: _lead(_pause),
    c.Resume: _lead(_resume),
    c.Reveal: _reveal,
    c.PassFloor: _pass_floor,
    c.GiveFloor: _lead(_give_floor),
    c.FreeFloor: _lead(_free_floor),
    c.Choose: _choose,
    c.NextRound: _lead(_next_round),
    c.Close: _lead(_close),
    c.Undo: _lead(_undo),
}
