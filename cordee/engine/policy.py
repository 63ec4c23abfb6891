"""Who may: the roles of a seat meet the audience of a row, or not. Nothing else decides what is read or written."""

from functools import cache

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
    client = state.course.client
    part = ("client" if client == seat_id else "consultant") if seat.member and client else ""
    return _roles(seat.member, seat.facilitator, seat.observer, part)


@cache
def _roles(member: bool, facilitator: bool, observer: bool, part: str) -> Roles:
    """The same object for all who are the same: there are few, and they are compared all the time."""
    told = {"member": member, "facilitator": facilitator, "observer": observer, part: bool(part)}
    return frozenset(role for role, has in told.items() if has)


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
