"""The ring: who takes part in the round robin, whose turn it is, who has not spoken yet."""

from cordee.engine.policy import may, roles_of
from cordee.engine.protocol import Write
from cordee.engine.state import State


def ring(state: State) -> list[str]:
    """The seats of this step's round robin, in the order in which people came; the away are passed over."""
    if state.step.floor == "client":
        client = state.seats.get(state.course.client)
        return [client.id] if client and client.here else []
    audience = state.step.ring if state.step.floor == "ring" else frozenset()
    order = [seat.id for seat in state.seats.values() if seat.here and may(roles_of(state, seat.id), audience)]
    if not state.step.ring_of:
        return order
    authors = {c.author for c in state.of_kind(state.step.ring_of)}
    return [seat for seat in order if seat in authors]


def open_floor(state: State) -> bool:
    """Whether anybody may speak now: no round robin here, not begun before the reveal, or set free."""
    step = state.step
    return state.course.free or step.floor == "all" or (step.floor_after_reveal and not state.revealed)


def holder(state: State) -> str:
    """Who has the floor; "" when nobody in particular, or when the round is complete."""
    if open_floor(state):
        return ""
    order = ring(state)
    if state.course.floor in order:
        return state.course.floor
    # Nobody was given it, or the one who had it left: the next who has not spoken, or the first to go round again.
    again = order[0] if order and state.step.floor == "ring" else ""
    return next((seat for seat in order if seat not in state.course.spoken), again)


def after(state: State, seat: str) -> str:
    """Who comes next: in ring order from this seat, those who have not spoken first of all."""
    order = ring(state)
    start = order.index(seat) + 1 if seat in order else 0
    turned = order[start:] + order[:start]
    waiting = [other for other in turned if other not in state.course.spoken and other != seat]
    if waiting:
        return waiting[0]
    # Everyone has spoken: go round again, for as long as the step lasts.
    return next((other for other in turned if other != seat), "")


def complete(state: State) -> bool:
    order = ring(state)
    return bool(order) and all(seat in state.course.spoken for seat in order)


def may_write_now(state: State, row: Write, author: str) -> bool:
    """Whether the round robin lets this author write under this row now."""
    if row.turn == "never" or (row.turn == "revealed" and not state.revealed):
        return True
    return open_floor(state) or holder(state) == author
