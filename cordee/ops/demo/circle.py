"""The demo outside of its rooms: a space, its people with accounts, a charter they signed, meetings, situations.

Its addresses end in .example, which no letter can reach; with ``bin/demo`` letters are read in the local mailbox, and
so are the codes by which one signs in.
"""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone

from cordee.accounts import actions as accounts
from cordee.accounts.models import Person, Role, Space, User
from cordee.circles.actions import charter, circles, members, situations
from cordee.circles.models import Circle, Meeting, Membership
from cordee.circles.queries.circles import charter_in_force
from cordee.followup.actions import successes
from cordee.followup.models import Commitment
from cordee.ops.demo.scene import FACILITATOR, NAMES

AT, LASTS = time(9, 0), timedelta(hours=3)
DOMAIN = "cordee.example"


@cache
def words() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("circle.toml").read_text(encoding="utf-8"))


def address(name: str) -> str:
    return f"{name}@{DOMAIN}"


def people() -> dict[str, Person]:
    """name -> the person, with an account whose address is known to be theirs; made in the demo's own space."""
    space = Space.objects.create(name=words()["space"])
    accounts.set_values(space, words()["values"])
    found = {}
    for name, profile in words()["people"].items():
        shown = profile.get("name") or NAMES[name]
        user, _ = User.objects.get_or_create(email=address(name), defaults={"name": shown})
        EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
        found[name] = Person.objects.create(space=space, user=user, email=user.email, **{**profile, "name": shown})
    Role.objects.create(person=found[words()["organiser"]], role=Role.ORGANISER)
    return found


def circle(
    name: str,
    kept_days: int,
    everybody: Mapping[str, Person],
    who: Iterable[str] = tuple(NAMES),
    purpose: str = "",
) -> Circle:
    """The circle, its members in it, its charter signed by all."""
    made = circles.create(
        everybody[words()["organiser"]].space,
        everybody[words()["organiser"]],
        name=name,
        purpose=purpose or words()["purpose"],
        place=words()["place"],
        erase_on=timezone.localdate() + timedelta(days=kept_days),
    )
    for person in who:
        role = Membership.FACILITATOR if person == FACILITATOR else Membership.MEMBER
        members.add(made, everybody[person], role)
        charter.sign(charter_in_force(made), everybody[person])
    return made


def meeting(of: Circle, number: int, starts: datetime) -> Meeting:
    return Meeting.objects.create(
        circle=of, number=number, starts_at=starts, ends_at=starts + LASTS, uid=f"demo-{of.pk}-{number}@{DOMAIN}"
    )


def to_come(of: Circle, number: int, now: datetime, everybody: Mapping[str, Person]) -> None:
    """The next meetings, from this number on, and what is prepared for the first of them."""
    days = words()["every_days"]
    first = timezone.localtime(now).replace(hour=AT.hour, minute=0, second=0, microsecond=0) + timedelta(days=days)
    planned = [meeting(of, number + i, first + timedelta(days=days * i)) for i in range(words()["meetings_to_come"])]
    for said in words()["situations"]:
        body = {name: text.strip() for name, text in said.items() if isinstance(text, str) and name != "by"}
        prepared = situations.begin(of, everybody[said["by"]])
        situations.save(prepared, body)
        if said["bring"]:
            situations.bring(prepared, planned[0])


def tell(of: Circle, everybody: Mapping[str, Person]) -> None:
    """What became of a promise of the earlier meeting: kept, and told to the circle."""
    said, key = words()["kept"], of.key()
    promise = Commitment.objects.filter(circle=of, person=everybody[said["by"]]).order_by("made_at", "pk").first()
    if promise is None or key is None:
        return
    promise.stand(state=Commitment.KEPT, gave=said["gave"], learnt=said["learnt"])
    lines = {name: said[name] for name in ("situation", "did", "gave", "word")}
    successes.tell(promise, key, lines, everybody[said["thanked"]])


def remove(of: list[int]) -> None:
    """Take away the spaces of these circles, with their people's accounts."""
    spaces = list(Space.objects.filter(circles__in=of, name=words()["space"]).values_list("pk", flat=True))
    accounts = list(Person.objects.filter(space__in=spaces).values_list("user", flat=True))
    Circle.objects.filter(pk__in=of).delete()
    Space.objects.filter(pk__in=spaces).delete()
    User.objects.filter(pk__in=accounts, email__endswith=f"@{DOMAIN}", persons=None).delete()
