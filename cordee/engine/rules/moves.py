"""Where the group is: the rules of steps, of the floor, of clocks and of rounds."""

from collections.abc import Callable
from typing import Any

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine import turns
from cordee.engine.policy import may, roles_of
from cordee.engine.refusal import Decision, Refused
from cordee.engine.rules.judgements import gate_met, leads, stale, tidied
from cordee.engine.state import State, apply

LONGEST_REASON = 500
MOST_MINUTES = 24 * 60


def by_who_leads(rule: Callable[[State, Any, float], Decision]) -> Callable[[State, Any, float], Decision]:
    """Only the facilitator, and only once for what she saw."""

    def led(state: State, command: Any, now: float) -> Decision:
        if not leads(state, command.seat):
            return Refused("not_facilitator")
        if stale(state, getattr(command, "seen", "")):
            return []
        return rule(state, command, now)

    return led


def next_step(state: State, command: c.Next, now: float) -> Decision:
    following = state.index(state.course.step) + 1
    if following >= len(state.steps):
        return Refused("last_step")
    step = state.steps[following].id
    return go_to(state, c.GoTo(seat=command.seat, step=step, reason=command.reason), now)


def step_back(state: State, command: c.Back, now: float) -> Decision:
    before = state.index(state.course.step) - 1
    if before < 0:
        return Refused("first_step")
    return [e.StepEntered(at=now, seat=command.seat, round=state.course.round, step=state.steps[before].id)]


def go_to(state: State, command: c.GoTo, now: float) -> Decision:
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
    reason = tidied(reason)[:LONGEST_REASON]
    for name in left:
        step = state.protocol.step(name)
        if step.protected and not state.of_kind(step.protected, state.course.round) and not reason:
            return None, Refused("protected", {"step": step.title})
    return ({"text": reason} if reason else None), None


def extend(state: State, command: c.Extend, now: float) -> Decision:
    if not (-MOST_MINUTES < command.minutes < MOST_MINUTES) or command.minutes == 0:
        return Refused("bad_value", {"field": "minutes"})
    if not 0 < state.course.minutes + command.minutes <= MOST_MINUTES:
        return Refused("bad_value", {"field": "minutes"})
    return [e.Extended(at=now, seat=command.seat, minutes=command.minutes)]


def pause(state: State, command: c.Pause, now: float) -> Decision:
    if not 0 <= command.minutes <= MOST_MINUTES:
        return Refused("bad_value", {"field": "minutes"})
    if state.course.paused_at is not None and not command.minutes:
        return []
    return [e.Paused(at=now, seat=command.seat, until=now + command.minutes * 60 if command.minutes else 0)]


def resume(state: State, command: c.Resume, now: float) -> Decision:
    return [] if state.course.paused_at is None else [e.Resumed(at=now, seat=command.seat)]


def reveal(state: State, command: c.Reveal, now: float) -> Decision:
    if stale(state, command.seen):
        return []
    seat = command.seat
    if command.behalf and command.behalf != seat:
        other = state.seats.get(command.behalf)
        if not leads(state, seat) or other is None or other.revoked:
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


def pass_floor(state: State, command: c.PassFloor, now: float) -> Decision:
    holder = turns.holder(state)
    # `seen` names who had the floor on the screen it was pressed on: two taps pass it once.
    if command.seen and command.seen != holder:
        return []
    if command.seat != holder and not leads(state, command.seat):
        return Refused("not_your_turn", {"name": holder_name(state)})
    if not holder:
        return Refused("no_floor")
    spoken = apply(state, e.FloorGiven(at=now, seat=holder, target="", spoken=holder))
    return [e.FloorGiven(at=now, seat=command.seat, target=turns.after(spoken, holder), spoken=holder)]


def give_floor(state: State, command: c.GiveFloor, now: float) -> Decision:
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


def free_floor(state: State, command: c.FreeFloor, now: float) -> Decision:
    return [] if state.course.free == command.on else [e.FloorFreed(at=now, seat=command.seat, on=command.on)]


def choose(state: State, command: c.Choose, now: float) -> Decision:
    roles = roles_of(state, command.seat)
    ahead = may(roles, state.step.chooses_next)
    if not ahead and not may(roles, state.step.chooses):
        return Refused("not_this_step" if leads(state, command.seat) else "not_facilitator")
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


def next_round(state: State, command: c.NextRound, now: float) -> Decision:
    refusal = _leaves_round(state, command.reason)
    if refusal:
        return refusal
    client = state.seats.get(state.course.next_client)
    situation = state.contributions.get(state.course.next_situation)
    ahead = client is not None and client.here and situation is not None and not situation.withdrawn
    reason = tidied(command.reason)[:LONGEST_REASON]
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


def close(state: State, command: c.Close, now: float) -> Decision:
    if state.course.closed:
        return []
    reason = tidied(command.reason)[:LONGEST_REASON]
    closed = e.Closed(at=now, seat=command.seat, body={"text": reason} if reason else None)
    return _leaves_round(state, reason) or [closed]


def undo(state: State, command: c.Undo, now: float) -> Decision:
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


def holder_name(state: State) -> str:
    seat = state.seats.get(turns.holder(state))
    return (seat.name or "") if seat else ""
