"""Rooms for the load, made in one transaction: ``python bench/rooms.py HOW MANY questions|round|seated`` prints them.

``questions``: at the questions, the floor free. ``round``: each at another point of the script; the first is a room of
ten with its shared screen and two devices that come late. ``seated``: nothing has happened yet.
"""

import json
import os
import sys
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.db import transaction  # noqa: E402

from bench import script  # noqa: E402
from cordee.engine import commands as c  # noqa: E402
from cordee.engine.commands import Command  # noqa: E402
from cordee.room import actions, forms, store  # noqa: E402

FACILITATOR = "Fanny"
MEMBERS = ("Claire", "Karim", "Hélène", "Thomas", "Nadia", "Julien", "Aïcha", "Marc", "Rose")
PEOPLE, MOST_PEOPLE = 8, 10
STRIDE = 37  # how many lines apart two neighbours are; prime to a round's length, so that all points are played


def do(room: str, *commands: Command) -> None:
    outcomes = store.transact([store.Job(room, command) for command in commands])
    for command, outcome in zip(commands, outcomes, strict=True):
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


def at_questions() -> dict[str, Any]:
    """A room whose client is the second person, at the questions, the floor free."""
    made = seated(PEOPLE)
    fanny, claire = (made["seats"][place]["seat"] for place in (0, 1))
    do(
        made["room"],
        c.Write(seat=claire, id="situation-1", kind="situation", body={"title": "Comment tenir les délais ?"}),
        c.Choose(seat=fanny, situation="situation-1"),
        c.GoTo(seat=fanny, step="questions"),
        c.FreeFloor(seat=fanny),
    )
    return made


def in_a_round(number: int) -> dict[str, Any]:
    """A room that has played some lines of the script. ``base``: its first stamp; ``played``: how many lines."""
    large = number == 0
    made = seated(MOST_PEOPLE if large else PEOPLE)
    names, seats = ([one[key] for one in made["seats"]] for key in ("name", "seat"))
    made["base"] = number * script.STAMPS_OF_A_ROOM
    made["played"] = number * STRIDE % script.length(names)
    lines = islice(script.Script(names, seats, made["base"]).lines(), made["played"])
    asked = [forms.command(seats[line.person], line.form.items()) for line in lines if line.kind != "draft"]
    if asked:  # PostgreSQL takes no empty list of rooms
        do(made["room"], *asked)
    return made | {"with_screen": large, "late": [2, 3] if large else []}


if __name__ == "__main__":
    how_many, mix = int(sys.argv[1]), sys.argv[2]
    make = {"questions": lambda n: at_questions(), "round": in_a_round, "seated": lambda n: seated(PEOPLE)}[mix]
    with transaction.atomic():
        print(json.dumps([make(number) for number in range(how_many)]))
