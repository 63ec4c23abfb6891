"""May this happen, and what happens then: ``decide(state, command, now)`` gives facts, or a refusal that says why.

A refusal is a normal answer. ``[]`` means: it is already so (ids make writes idempotent, ``seen`` makes moves so).
"""

from collections.abc import Callable
from typing import Any

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.policy import SCREEN, roles_of
from cordee.engine.refusal import Decision, Refused
from cordee.engine.rules import moves, people, words
from cordee.engine.state import State


def decide(state: State, command: c.Command, now: float) -> Decision:
    """The facts that follow from a wish at ``now`` (seconds since the epoch), or why not. Changes nothing."""
    rule = RULES[type(command)]
    if command.seat == SCREEN:  # the shared screen reads
        return Refused("stranger")
    if isinstance(command, c.Lend):
        return words.lend(state, command, now) if not command.seat else Refused("stranger")
    if not isinstance(command, c.TakeSeat):
        if not roles_of(state, command.seat):
            return Refused("stranger")
        if state.course.closed and not isinstance(command, AFTER_CLOSE):
            return Refused("closed")
    return rule(state, command, now)


AFTER_CLOSE = (c.Close, c.Undo, c.Leave, c.Return, c.Withdraw, c.Hide, c.Revoke, c.HandOver)
RULES: dict[type[c.Command], Callable[[State, Any, float], Decision]] = {
    c.Lend: words.lend,
    c.TakeSeat: people.take_seat,
    c.AddSeat: people.add_seat,
    c.Rename: people.rename,
    c.Admit: people.on_seat(e.SeatAdmitted, lambda seat: not seat.waiting),
    c.Revoke: people.on_seat(e.SeatRevoked, lambda seat: seat.revoked),
    c.Hold: people.on_seat(e.SeatHeld, lambda seat: not seat.device),
    c.Leave: people.leave,
    c.Return: people.come_back,
    c.HandOver: people.hand_over,
    c.TakeOver: people.take_over,
    c.SetDoor: people.set_door,
    c.Write: words.write,
    c.Edit: words.edit,
    c.Withdraw: words.withdraw,
    c.Hide: words.hide,
    c.Mark: words.put_mark,
    c.AskThemes: words.ask_themes,
    c.GiveTheme: words.give_theme,
    c.DeclineTheme: words.decline_theme,
    c.DrawCard: words.draw_card,
    c.Next: moves.by_who_leads(moves.next_step),
    c.Back: moves.by_who_leads(moves.step_back),
    c.GoTo: moves.by_who_leads(moves.go_to),
    c.Extend: moves.by_who_leads(moves.extend),
    c.Pause: moves.by_who_leads(moves.pause),
    c.Resume: moves.by_who_leads(moves.resume),
    c.Reveal: moves.reveal,
    c.PassFloor: moves.pass_floor,
    c.GiveFloor: moves.by_who_leads(moves.give_floor),
    c.FreeFloor: moves.by_who_leads(moves.free_floor),
    c.Choose: moves.choose,
    c.NextRound: moves.by_who_leads(moves.next_round),
    c.Close: moves.by_who_leads(moves.close),
    c.Undo: moves.by_who_leads(moves.undo),
}
