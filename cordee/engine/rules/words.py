"""What may be written, changed, marked, taken back: the rules of words."""

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine import themes, turns
from cordee.engine.policy import may, roles_of, sees, towards
from cordee.engine.protocol import MarkRow, Write
from cordee.engine.refusal import Decision, Refused
from cordee.engine.rules.judgements import ID, acts_for, clean, leads, mark_row, stale, tidied, write_row
from cordee.engine.rules.moves import holder_name
from cordee.engine.state import LENT, Contribution, State

MOST_CONTRIBUTIONS = 3000


def lend(state: State, command: c.Lend, now: float) -> Decision:
    """What comes from the space, where the protocol has a place for it; what was withdrawn goes, whenever it is."""
    known = state.contributions
    gone = [id_ for id_ in command.gone if id_ in known and known[id_].kind == LENT and not known[id_].withdrawn]
    open_ = LENT in state.protocol.kinds and not state.course.closed
    new = [(id_, body) for id_, body in command.bodies.items() if open_ and id_ not in known]
    return [
        *(e.Withdrawn(at=now, seat="", id=id_) for id_ in gone),
        *(e.Lent(at=now, seat="", id=id_, body=dict(body)) for id_, body in new),
    ]


def write(state: State, command: c.Write, now: float) -> Decision:
    known = state.contributions.get(command.id)
    if known:
        mine = command.seat in {known.author, known.scribe} and known.kind == command.kind
        return [] if mine else Refused("bad_id")
    if not ID.fullmatch(command.id):
        return Refused("bad_id")
    row = write_row(state, command.kind)
    if row is None:
        return Refused("not_this_step")
    author = acts_for(state, command, row)
    if isinstance(author, Refused):
        return author
    if not may(roles_of(state, author), row.by):
        return Refused("not_your_role")
    if not turns.may_write_now(state, row, author):
        return Refused("not_your_turn", {"name": holder_name(state)})
    return _written(state, command, row, author, now)


def _written(state: State, command: c.Write, row: Write, author: str, now: float) -> Decision:
    kind = state.protocol.kinds[row.kind]
    body = clean(kind, command.body, state)
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


def edit(state: State, command: c.Edit, now: float) -> Decision:
    before = state.contributions.get(command.id)
    if before is None or before.withdrawn or not _hand_of(state, command.seat, before):
        return Refused("not_yours")
    row = write_row(state, before.kind)
    private = state.protocol.kinds[before.kind].private
    if (
        row is None
        or (not private and before.step != state.course.step)
        or (not private and before.round != state.course.round)
    ):
        return Refused("not_this_step")
    if row.until_reveal and state.revealed:
        return Refused("already_revealed")
    body = clean(state.protocol.kinds[before.kind], command.body, state)
    return body if isinstance(body, Refused) else _rewritten(before, body, command.seat, now)


def _hand_of(state: State, seat: str, contribution: Contribution) -> bool:
    """Its author, or whoever typed it and still sees it."""
    return seat == contribution.author or (seat == contribution.scribe and sees(state, seat, contribution))


def withdraw(state: State, command: c.Withdraw, now: float) -> Decision:
    before = state.contributions.get(command.id)
    if before is None or not _hand_of(state, command.seat, before):
        return Refused("not_yours")
    if before.id in {state.course.situation, state.course.next_situation}:
        return Refused("in_use")
    return [] if before.withdrawn else [e.Withdrawn(at=now, seat=command.seat, id=before.id)]


def hide(state: State, command: c.Hide, now: float) -> Decision:
    before = state.contributions.get(command.id)
    if not leads(state, command.seat):
        return Refused("not_facilitator")
    if before is None or before.withdrawn or not (before.hidden or sees(state, command.seat, before)):
        return Refused("not_yours")
    return [] if before.hidden == command.on else [e.Hidden(at=now, seat=command.seat, id=before.id, on=command.on)]


def put_mark(state: State, command: c.Mark, now: float) -> Decision:
    target = state.contributions.get(command.id)
    if target is None or target.withdrawn or not sees(state, command.seat, target):
        return Refused("not_yours")
    row = mark_row(state, command.mark, target.kind)
    if row is None:
        return Refused("not_this_step")
    owner = acts_for(state, command, row)
    if isinstance(owner, Refused):
        return owner
    if not may(towards(roles_of(state, owner), owner, target.author), row.by) or not sees(state, owner, target):
        return Refused("not_your_role")
    return _marked(state, command, row, "" if row.shared else owner, now)


def _marked(state: State, command: c.Mark, row: MarkRow, owner: str, now: float) -> Decision:
    value = tidied(command.value)
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


def ask_themes(state: State, command: c.AskThemes, now: float) -> Decision:
    if stale(state, command.seen):
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


def give_theme(state: State, command: c.GiveTheme, now: float) -> Decision:
    """The theme on each of these texts that still has the one it had; those that may not be marked stay as they are."""
    row = state.step.themes
    if row is None or not row.mark:
        return Refused("not_this_step")
    events: list[e.Event] = []
    refusal: Refused | None = None
    ids = dict.fromkeys(command.ids.split())
    for id_ in ids:
        if themes.theme_of(state, id_, row).casefold() == tidied(command.was).casefold():
            given = put_mark(state, c.Mark(seat=command.seat, id=id_, mark=row.mark, value=command.value), now)
            if isinstance(given, Refused):
                refusal = given
            else:
                events += given
    return events or refusal or []


def decline_theme(state: State, command: c.DeclineTheme, now: float) -> Decision:
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
    needed = mark_row(state, row.needs, row.kind)
    if needed is None:
        return []
    done = state.marked(contribution, row.needs)
    return [
        seat.name or seat.id
        for seat in state.seats.values()
        if seat.here and seat.id not in done and may(roles_of(state, seat.id), needed.by)
    ]


def draw_card(state: State, command: c.DrawCard, now: float) -> Decision:
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
