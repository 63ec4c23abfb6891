"""What pages and other apps read of circles. Each function asks the database once or twice, whatever the size."""

from datetime import date

from django.db.models import Q, QuerySet

from cordee.accounts.models import Person, User
from cordee.circles.models import Charter, Circle, Membership, Signature


def current(circle: Circle) -> QuerySet[Membership]:
    """Who is in the circle now, facilitators first, with their person."""
    here = circle.memberships.filter(joined_at__isnull=False, left_at=None)
    return here.select_related("person").order_by("role", "person__name", "pk")


def waiting(circle: Circle) -> QuerySet[Membership]:
    """Who waits for a place, first come first; one that was offered a place has ``offered_at``."""
    queue = circle.memberships.filter(waiting_since__isnull=False)
    return queue.select_related("person").order_by("waiting_since", "pk")


def charter_in_force(circle: Circle) -> Charter:
    """The latest version. Raises ``Charter.DoesNotExist`` for the guests of a room, who have none."""
    return circle.charters.latest("version")


def has_signed(circle: Circle, person: Person) -> bool:
    """Whether they signed the version in force: what a room asks before it opens to them."""
    latest = circle.charters.order_by("-version").values("pk")[:1]
    return Signature.objects.filter(charter=latest, person=person).exists()


def mine(user: User) -> QuerySet[Circle]:
    """The circles that they are in, of all their spaces, those that last first."""
    persons = [person for person, _ in user.spaces.values()]
    here = Q(memberships__person__in=persons, memberships__joined_at__isnull=False, memberships__left_at=None)
    return Circle.objects.filter(here).select_related("space").order_by("ended_at", "name", "pk")


def date_of_erasure(circle: Circle) -> date:
    """The earliest date among the versions that people last signed; the charter's in force before anybody signed.

    Those who left count: their words are still there, for as long as they agreed to and no longer.
    """
    signed = Signature.objects.filter(charter__circle=circle).order_by("charter__version")
    last = dict(signed.values_list("person", "charter__erase_on"))  # a later version replaces the former
    return min(last.values()) if last else charter_in_force(circle).erase_on


def warnings(circle: Circle) -> list[str]:
    """What should be looked at in who is in this circle. None of it forbids anything."""
    return []
