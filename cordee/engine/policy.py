"""Who may: the roles of a seat meet the audience of a row, or not. Nothing else decides what is read or written."""

from cordee.engine.protocol import Roles
from cordee.engine.state import Contribution, Mark, State


def may(roles: Roles, audience: Roles) -> bool:
    return not roles.isdisjoint(audience)


def roles_of(state: State, seat_id: str) -> Roles:
    """The roles of a seat now; none at all for a stranger, a revoked seat, or one that waits at the door."""
    if seat_id == SCREEN:
        return frozenset({"screen"})
    seat = state.seats.get(seat_id)
    if seat is None or seat.revoked or seat.waiting:
        return frozenset()
    roles = {role for role in ("member", "facilitator", "observer") if getattr(seat, role)}
    if seat.member and state.course.client:
        roles.add("client" if state.course.client == seat_id else "consultant")
    return frozenset(roles)


def towards(roles: Roles, seat_id: str, author: str, scribe: str = "") -> Roles:
    """These roles, and what the seat is to one contribution or mark: its author, its scribe."""
    if roles and seat_id == author:
        roles = roles | {"author"}
    if roles and scribe and seat_id == scribe:
        roles = roles | {"scribe"}
    return roles


def audience(state: State, contribution: Contribution) -> Roles:
    """Who reads this contribution now: the row of its kind, before or after the reveal."""
    kind = state.protocol.kinds[contribution.kind]
    if contribution.withdrawn or contribution.hidden:
        return frozenset({"author"})
    if kind.sealed is not None and (contribution.round, contribution.step) not in state.course.revealed:
        return kind.sealed
    return kind.readers


def sees(state: State, seat_id: str, contribution: Contribution) -> bool:
    mine = towards(roles_of(state, seat_id), seat_id, contribution.author, contribution.scribe)
    return may(mine, audience(state, contribution))


def sees_mark(state: State, seat_id: str, contribution: Contribution, mark: Mark) -> bool:
    """A mark is read by whom its row names, among those who see what it is put on."""
    row = state.protocol.mark_row(mark.mark, contribution.kind)
    if row is None or not sees(state, seat_id, contribution):
        return False
    return may(towards(roles_of(state, seat_id), seat_id, mark.owner), row.readers)


SCREEN = "screen"
