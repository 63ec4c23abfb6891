"""Rooms in the middle of a round, for the load: ``python bench/rooms.py ROOMS`` prints their seats' tokens as JSON."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from cordee.engine import commands as c  # noqa: E402
from cordee.room import actions  # noqa: E402

NAMES = ("Claire", "Karim", "Hélène", "Thomas", "Nadia", "Julien", "Aïcha", "Marc")


def room() -> dict[str, object]:
    """Eight people and their facilitator, at the questions, the floor free."""
    fanny = actions.open_room("Fanny")
    assert isinstance(fanny, actions.Opened)
    people = [actions.join(fanny.room, name) for name in NAMES]
    assert all(isinstance(person, actions.Opened) for person in people)
    claire = people[0]
    situation = "situation-of-claire"
    for command in (
        c.Write(seat=claire.seat, id=situation, kind="situation", body={"title": "Comment tenir les délais ?"}),
        c.Choose(seat=fanny.seat, situation=situation),
        c.GoTo(seat=fanny.seat, step="questions"),
        c.FreeFloor(seat=fanny.seat),
    ):
        outcome = actions.submit(fanny.room, command)
        assert isinstance(outcome, list), outcome
    return {
        "room": fanny.room,
        "facilitator": fanny.token,
        "people": [person.token for person in people],
    }


if __name__ == "__main__":
    print(json.dumps([room() for _ in range(int(sys.argv[1]))]))
