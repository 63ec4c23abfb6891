"""Keeps a log as this version writes it: python -m tests.faults.record_log NAME makes tests/faults/logs/NAME.json.

Done when the log changes (a new kind of fact, a new field); the files made before stay, and must go on being read.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.policy import SCREEN
from cordee.engine.reading import read
from cordee.engine.rules.judgements import position
from cordee.engine.state import State, fold
from cordee.engine.view import view_for
from tests.characters import CLIENT, FACILITATOR, MEMBERS, Room, next_round, opening, play

LOGS = Path(__file__).parent / "logs"
READERS = (FACILITATOR, "claire", "karim", SCREEN)


def eventful() -> Room:
    """A meeting of two rounds in which everything happens that a log can tell."""
    room = opening(Room(), CLIENT, "nadia")
    room.seat(*MEMBERS, appointed=True)
    room.now += 600
    room.do(c.TakeOver(seat="karim", agreed=True))
    room.seat(FACILITATOR, role="facilitator", appointed=True)
    play(room, until="questions")
    room.do(c.Pause(seat=FACILITATOR, minutes=10))
    room.do(c.Resume(seat=FACILITATOR))
    room.do(c.Extend(seat=FACILITATOR, minutes=5))
    room.do(c.FreeFloor(seat=FACILITATOR, on=True))
    room.do(c.FreeFloor(seat=FACILITATOR, on=False))
    room.do(c.Leave(seat="marc"))
    room.do(c.Return(seat="marc"))
    room.do(c.Rename(seat="marc", name="Marc"))
    play(room)
    next_round(room, "karim")
    story = room.write("karim", "story", "Il est arrivé en retard ce matin encore.")
    room.do(c.Edit(seat="karim", id=story, body={"text": "Il est arrivé en retard ce matin."}))
    room.do(c.Hide(seat=FACILITATOR, id=story))
    room.do(c.Withdraw(seat="karim", id=room.write("karim", "story", "Je me suis trompé.")))
    room.do(c.Leave(seat="marc"))
    room.do(c.Hold(seat=FACILITATOR, target="marc"))
    room.do(c.Revoke(seat=FACILITATOR, target="julien"))
    room.do(c.HandOver(seat=FACILITATOR, target="nadia"))
    room.do(c.Close(seat="nadia", reason="Nous manquons de temps."))
    return room


def rows(events: list[e.Event]) -> list[dict[str, Any]]:
    kept = []
    for event in events:
        kind, plain, body = e.dump(event)
        kept.append({"kind": kind, "at": event.at, "seat": event.seat, "plain": plain, "body": body})
    return kept


def folded(protocol: str, log: list[dict[str, Any]]) -> State:
    return fold(read(protocol), [e.load(row["kind"], row["at"], row["seat"], row["plain"], row["body"]) for row in log])


def seen(state: State) -> dict[str, Any]:
    """What each reader has before their eyes: where they are, and every text, in its group and order.

    But for what is recalled by resemblance: ranking it better is no change of what the log says.
    """
    shown: dict[str, Any] = {"position": position(state), "version": state.version}
    for seat in READERS:
        view = view_for(state, seat)
        groups = (*view.groups, *view.past, *view.own) if view else ()
        shown[seat] = [
            [group.kind, [value for card in group.cards for _name, value in card.text]]
            for group in groups
            if not group.recalled
        ]
    return shown


def main(name: str) -> None:
    room = eventful()
    log = rows(room.events)
    kept = {"protocol": room.text, "log": log, "seen": seen(folded(room.text, log))}
    LOGS.mkdir(exist_ok=True)
    (LOGS / f"{name}.json").write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
