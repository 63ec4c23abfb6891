"""Who sits where: the rules of seats, of the door and of who leads."""

import re
from collections.abc import Callable
from typing import Any

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.refusal import Decision, Refused
from cordee.engine.rules.judgements import ID, leads, taken, tidied_name
from cordee.engine.state import State

LONGEST_NAME = 60
MOST_SEATS = 40  # a circle is 10 at most, with observers and those who came back under another name
PATIENCE = 10  # minutes for which a meeting waits for who is to facilitate it
SEAT = re.compile(r"[A-Za-z0-9_-]{1,64}")


def take_seat(state: State, command: c.TakeSeat, now: float) -> Decision:
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
    name = tidied_name(name)[: LONGEST_NAME - 3]
    names = (name, *(f"{name} {number}" for number in range(2, MOST_SEATS + 2)))
    return next((free for free in names if not taken(state, free)), name)


def add_seat(state: State, command: c.AddSeat, now: float) -> Decision:
    if not leads(state, command.seat):
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
    name = tidied_name(name)
    if not name:
        return Refused("no_name")
    if len(name) > LONGEST_NAME:
        return Refused("name_too_long", {"longest": str(LONGEST_NAME)})
    if taken(state, name):
        return Refused("name_taken", {"name": name})
    if len(state.seats) >= MOST_SEATS:
        return Refused("room_full")
    if state.course.closed:
        return Refused("closed")
    waiting = device and (state.door or state.meeting) and actor == seat and not known
    return [e.SeatTaken(at=now, seat=seat, role=role, device=device, waiting=waiting, body={"name": name})]


def rename(state: State, command: c.Rename, now: float) -> Decision:
    name = tidied_name(command.name)
    if not name:
        return Refused("no_name")
    if len(name) > LONGEST_NAME:
        return Refused("name_too_long", {"longest": str(LONGEST_NAME)})
    if state.seats[command.seat].name == name:
        return []
    if taken(state, name, but=command.seat):
        return Refused("name_taken", {"name": name})
    return [e.SeatRenamed(at=now, seat=command.seat, body={"name": name})]


def on_seat(make: Callable[..., e.Event], done: Callable[[Any], bool]) -> Callable[[State, Any, float], Decision]:
    """A facilitator's act on someone else's seat."""

    def rule(state: State, command: Any, now: float) -> Decision:
        if not leads(state, command.seat):
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


def leave(state: State, command: c.Leave, now: float) -> Decision:
    target = state.seats.get(command.target or command.seat)
    if target is None or target.revoked:
        return Refused("no_such_seat")
    if target.id != command.seat and not leads(state, command.seat):
        return Refused("not_facilitator")
    # Someone said to be away may leave too: only then is it sure that their device is gone.
    known = target.away and (target.gone or target.id != command.seat)
    return [] if known else [e.SeatAway(at=now, seat=command.seat, target=target.id)]


def come_back(state: State, command: c.Return, now: float) -> Decision:
    target = state.seats.get(command.target or command.seat)
    if target is None or target.revoked:
        return Refused("no_such_seat")
    if target.id != command.seat and not leads(state, command.seat):
        return Refused("not_facilitator")
    device = target.id == command.seat or target.device
    if not target.away and target.device == device:
        return []
    return [e.SeatBack(at=now, seat=command.seat, target=target.id, device=device)]


def hand_over(state: State, command: c.HandOver, now: float) -> Decision:
    if not leads(state, command.seat):
        return Refused("not_facilitator")
    target = state.seats.get(command.target)
    if target is None or not target.here:
        return Refused("no_such_seat")
    if not target.device:
        return Refused("no_device", {"name": target.name or ""})
    return [] if target.facilitator else [e.HandedOver(at=now, seat=command.seat, target=target.id)]


def take_over(state: State, command: c.TakeOver, now: float) -> Decision:
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


def set_door(state: State, command: c.SetDoor, now: float) -> Decision:
    if not leads(state, command.seat):
        return Refused("not_facilitator")
    if state.meeting and not command.waiting:
        return Refused("door_kept")
    return [] if state.door == command.waiting else [e.DoorSet(at=now, seat=command.seat, waiting=command.waiting)]
