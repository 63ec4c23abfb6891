"""What happens to a circle is told by letters, written in the same transaction. Who has no address gets none."""

from datetime import datetime

from django.urls import reverse

from cordee.accounts.models import Person
from cordee.accounts.queries import reader
from cordee.circles.models import Charter, Circle, Membership
from cordee.circles.queries.circles import current, last_signed
from cordee.mail import letters


def invite(membership: Membership, by: Person | None) -> None:
    """Tell somebody that they have a place. ``by`` nobody: the space invites."""
    circle = membership.circle
    if to := reader(membership.person):
        letters.circle_invitation(
            _key("circle_invitation", membership, membership.joined_at),
            to,
            circle=circle.name,
            inviter=by.name if by else circle.space.name if circle.space else "",
            url=reverse("circles:circle", args=[circle.pk]),
        )


def offer(membership: Membership) -> None:
    """Tell who waits first that a place is held for them."""
    if to := reader(membership.person):
        url = reverse("circles:place", args=[membership.circle_id])
        key = _key("place_free", membership, membership.offered_at)
        letters.place_free(key, to, circle=membership.circle.name, url=url)


def ask_to_sign(charter: Charter) -> None:
    """Ask everybody in the circle, and those who left whose words the new date would keep for longer."""
    circle = charter.circle
    people = [each.person for each in current(circle).select_related("person__user")]
    bound = [person for person, until in last_signed(circle).items() if until < charter.erase_on]
    gone = Person.objects.filter(pk__in=bound, erased_at=None).exclude(pk__in=[person.pk for person in people])
    url = reverse("circles:charter", args=[circle.pk])
    for person in (*people, *gone.select_related("user")):
        if to := reader(person):
            letters.charter_to_sign(f"charter_to_sign:{charter.pk}:{person.pk}", to, circle=circle.name, url=url)


def ended(circle: Circle) -> None:
    url, book = reverse("circles:circle", args=[circle.pk]), reverse("home:book", args=[circle.pk])
    for each in current(circle).select_related("person__user"):
        if to := reader(each.person):
            letters.circle_ended(
                f"circle_ended:{circle.pk}:{each.person_id}", to, circle=circle.name, url=url, book=book
            )


def _key(kind: str, membership: Membership, at: datetime | None) -> str:
    """One letter for each time it happens to somebody: who comes back is invited again."""
    return f"{kind}:{membership.pk}:{at.timestamp() if at else 0:.0f}"
