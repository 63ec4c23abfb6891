"""The characters outside of a room: persons of a space with their accounts, and browsers that they are signed in with.

lake = space_of()
karim = person(lake, "karim", site="Annecy")
signed_in("karim").get("/accueil/")
"""

from typing import Any

from django.test import Client
from django.utils import timezone

from cordee.accounts.models import Person, Role, Space, User
from cordee.circles import crypto
from cordee.circles.models import Circle, Membership
from tests.characters import NAMES


def space_of(name: str = "Atelier du Lac") -> Space:
    """The space of this name, made at the first call."""
    return Space.objects.get_or_create(name=name)[0]


def address(who: str) -> str:
    return f"{who}@example.org"


def user(who: str, **account: Any) -> User:
    """The account of a character, made at the first call."""
    if known := User.objects.filter(email=address(who)).first():
        return known
    return User.objects.create_user(address(who), name=NAMES.get(who, who.capitalize()), **account)


def person(space: Space, who: str, **profile: Any) -> Person:
    """A character in this space, with an account. ``roles=("organiser",)`` names them so; ``user=None``: no account."""
    roles = profile.pop("roles", ())
    given = {"name": NAMES.get(who, who.capitalize()), "email": address(who), "user": ..., **profile}
    given["user"] = user(who) if given["user"] is ... else given["user"]
    made = Person.objects.create(space=space, **given)
    for role in roles:
        Role.objects.create(person=made, role=role)
    return made


def small_circle() -> Circle:
    """Claire and Karim are members, Fanny leads, Rose organises; Octave is of another space."""
    space = space_of()
    made = Circle.objects.create(space=space, name="Les éclaireurs", wrapped_key=crypto.new_wrapped_key())
    for who, role in (("claire", "member"), ("karim", "member"), ("fanny", "facilitator")):
        Membership.objects.create(circle=made, person=person(space, who), role=role, joined_at=timezone.now())
    person(space, "rose", roles=("organiser",))
    person(space_of("Ailleurs"), "octave", roles=("organiser",))
    user("operator", is_operator=True)
    return made


def of(circle: Circle, who: str) -> Person:
    """This character as the circle's space knows them."""
    return Person.objects.get(space=circle.space, email=address(who))


def signed_in(who: str) -> Client:
    """A browser in which this character is signed in, and whose pages are ours."""
    client = Client(HTTP_ORIGIN="http://testserver")
    client.force_login(user(who))
    return client
