"""Rooms for the load: ``python bench/rooms.py ROOMS`` makes them in one transaction and prints them as JSON."""

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.db import transaction  # noqa: E402

from cordee.engine import commands as c  # noqa: E402
from cordee.engine.commands import Command  # noqa: E402
from cordee.room import actions, store  # noqa: E402

FACILITATOR = "Fanny"
MEMBERS = ("Claire", "Karim", "Hélène", "Thomas", "Nadia", "Julien", "Aïcha", "Marc", "Rose")


def do(room: str, *commands: Command) -> None:
    for command in commands:
        outcome = store.transact([store.Job(room, command)])[0]
        assert isinstance(outcome, list), (command, outcome)


def seated(people: int) -> dict[str, Any]:
    """``people`` in a room, the first of whom is the facilitator. ``seats``: name, seat and token of each."""
    fanny = actions.open_room(FACILITATOR)
    assert isinstance(fanny, actions.Opened)
    seats = [{"name": FACILITATOR, "seat": fanny.seat, "token": fanny.token}]
    for name in MEMBERS[: people - 1]:
        opened = actions.join(fanny.room, name)
        assert isinstance(opened, actions.Opened), opened
        seats.append({"name": name, "seat": opened.seat, "token": opened.token})
    screen = actions.links(store.load(fanny.room))["screen"]
    return {"room": fanny.room, "seats": seats, "screen": screen}


def at_questions(people: int) -> dict[str, Any]:
    """A room whose client is the second person, at the questions, the floor free."""
    made = seated(people)
    fanny, claire = (made["seats"][place]["seat"] for place in (0, 1))
    do(
        made["room"],
        c.Write(seat=claire, id="situation-1", kind="situation", body={"title": "Comment tenir les délais ?"}),
        c.Choose(seat=fanny, situation="situation-1"),
        c.GoTo(seat=fanny, step="questions"),
        c.FreeFloor(seat=fanny),
    )
    return made


if __name__ == "__main__":
    rooms, people = int(sys.argv[1]), 8
    with transaction.atomic():
        print(json.dumps([at_questions(people) for _ in range(rooms)]))
