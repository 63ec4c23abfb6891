"""What is asked of people: how a letter reaches them, who somebody is in a space, whom a space has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language

from cordee.accounts.models import Person, Space, User, Value
from cordee.mail.letters import Reader


def reader(person: Person) -> Reader | None:
    """Whom a letter to this person is for, in their account's language and time zone; ``None`` without an address."""
    address = person.user.email if person.user else person.email
    if not address or person.erased_at:
        return None
    if person.user is None:
        return Reader(address, person.name)
    return Reader(address, person.name, person.user.language, person.user.time_zone)


def person_of(user: User, space: Space) -> Person | None:
    """Who this user is in this space, unless they left it."""
    here = user.person_in(space.pk)
    return Person.objects.get(pk=here) if here else None


def reader_of(address: str) -> Reader:
    """Whom a sign-in code is for: an account's owner as they wish, anybody else in the language of this page."""
    if user := User.objects.filter(email=address).first():
        return Reader(address, user.name, user.language, user.time_zone)
    return Reader(address, "", get_language() or "fr")


# ---------------------------------------------------------------- devices


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that somebody is signed in with. ``network``: a part of its address, or nothing."""

    id: int
    name: str
    network: str
    since: Any
    seen: Any
    here: bool


def devices(user: User, session_key: str | None) -> list[Device]:
    """The one in hand first, then those seen last."""
    alive = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=timezone.now())
    found = UserSession.objects.filter(user_id=user.pk).filter(Exists(alive)).order_by("-last_seen_at")
    made = [
        Device(
            row.pk, device_name(row.user_agent), partial(row.ip), row.created_at, row.last_seen_at,
            row.session_key == session_key,
        )
        for row in found
    ]  # fmt: skip
    return sorted(made, key=lambda device: not device.here)


BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def device_name(agent: str) -> str:
    """« Firefox, Android » of what a browser says of itself; empty when it says nothing known."""
    parts = [next((name for word, name in known if word in agent), "") for known in (BROWSERS, SYSTEMS)]
    return ", ".join(part for part in parts if part)


def partial(network: str) -> str:
    """The part of an address that is kept, so that nobody takes it for a whole one."""
    if network in {"", "0.0.0.0"}:
        return ""
    return network.rpartition(".")[0] + ".…" if "." in network else network.rstrip(":") + ":…"


# ---------------------------------------------------------------- spaces and their people


@dataclass(frozen=True, slots=True)
class Figures:
    """A space in numbers: all that a sponsor sees."""

    people: int
    circles: int  # that are going on
    meetings: int  # that took place


def figures(space: Space) -> Figures:
    held = Q(circles__meetings__ends_at__lt=timezone.now(), circles__meetings__cancelled_at=None)
    counted = Space.objects.filter(pk=space.pk).aggregate(
        going_on=Count("circles", filter=Q(circles__ended_at=None), distinct=True),
        held=Count("circles__meetings", filter=held, distinct=True),
    )
    return Figures(present(space).count(), counted["going_on"], counted["held"])


def values(space: Space) -> list[str]:
    """What this space holds to, in its order."""
    return list(Value.objects.filter(space=space).order_by("position", "pk").values_list("name", flat=True))


def present(space: Space) -> QuerySet[Person]:
    """Who is of this space now."""
    return Person.objects.filter(space=space, left_at=None, erased_at=None)


FILTERS = ("site", "branch", "level")


def search(space: Space, wish: Mapping[str, str]) -> QuerySet[Person]:
    """People of a space by name or address (``q``) and by site, branch and level, in the order of their names."""
    found = present(space).prefetch_related("roles").order_by("name", "pk")
    for word in wish.get("q", "").split()[:5]:
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
    return found.filter(**{name: wish[name] for name in FILTERS if wish.get(name)})


MOST_CHOICES = 200


def choices(space: Space) -> dict[str, list[str]]:
    """What people of this space may be filtered by: field -> its values."""
    return {
        name: list(
            present(space).exclude(**{name: ""}).order_by(name).values_list(name, flat=True).distinct()[:MOST_CHOICES]
        )
        for name in FILTERS
    }


def managers_named(space: Space, text: str) -> list[Person]:
    """Who may be meant by what somebody typed as their manager: an address, or the words of a name. Eleven at most."""
    text = text.strip()
    if "@" in text:
        return list(present(space).filter(email=text.lower())[:2])
    found = present(space)
    for word in text.split()[:5]:
        found = found.filter(name__icontains=word)
    return list(found.order_by("name", "pk")[:11])
