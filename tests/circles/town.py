"""A space and its circle, for the tests: Rose organises, Fanny leads, the others are peers."""

from typing import Any

from cordee.accounts.models import Person, Role, Space
from cordee.circles.actions import circles, members
from cordee.circles.models import Circle, Membership


def named(space: Space, name: str, **profile: Any) -> Person:
    return Person.objects.get_or_create(space=space, name=name, defaults=profile)[0]


def a_space() -> Space:
    space = Space.objects.create(name="Atelier du Lac")
    Role.objects.create(person=named(space, "Rose"), role=Role.ORGANISER)
    return space


def a_circle(space: Space, *names: str, **fields: Any) -> Circle:
    """Led by Fanny, with these members."""
    fields = {"name": "Les éclaireurs"} | fields
    circle = circles.create(space, named(space, "Rose"), [named(space, "Fanny")], **fields)
    for name in names:
        members.add(circle, named(space, name))
    return circle


def place(circle: Circle, name: str) -> Membership:
    return circle.memberships.get(person__name=name)
