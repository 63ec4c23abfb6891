"""What is told by letter of meetings: dates, places and links, within the transaction of what they tell."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import override

from cordee.accounts.models import Person, Role
from cordee.accounts.queries import reader
from cordee.circles import calendar, links
from cordee.circles.models import Circle, Meeting, Membership, Reply
from cordee.circles.queries import meetings as queries
from cordee.mail import letters
from cordee.mail.letters import Reader

# ---------------------------------------------------------------- to those who are called to a meeting


def convoke(meeting: Meeting) -> None:
    """A meeting that has just been given a date."""
    for person in _called(meeting.circle):
        _tell("convocation", meeting, person)


def welcome(membership: Membership) -> None:
    """Somebody who has just joined the circle is called to the meetings that come."""
    since = f"{membership.joined_at.timestamp():.3f}" if membership.joined_at else ""
    for meeting in queries.to_come(membership.circle).select_related("circle__space"):
        _tell("convocation", meeting, membership.person, again=f":{since}")


def tell_change(meeting: Meeting, former: Any) -> None:
    """``former``: when it was to start, if its date has changed."""
    for person in _called(meeting.circle):
        _tell("meeting_changed", meeting, person, former=former)


def tell_cancelled(meeting: Meeting) -> None:
    for person in _called(meeting.circle):
        _tell("meeting_cancelled", meeting, person)


def _called(circle: Circle) -> list[Person]:
    return [membership.person for membership in queries.invited(circle)]


def _tell(kind: str, meeting: Meeting, person: Person, again: str = "", **more: Any) -> None:
    to = reader(person)
    if to is None:
        return
    with override(to.language):
        attached = calendar.invitation(meeting, [person])
    if not meeting.cancelled_at:
        url = more["url"] = _reply_url(meeting, person)
        more["answers"] = {answer: f"{url}?r={answer}" for answer in dict(Reply.ANSWERS)}
    else:
        more["url"] = reverse("circles:meeting", args=[meeting.pk])
    send = getattr(letters, kind)
    send(
        f"{kind}:{meeting.pk}:{meeting.sequence}:{person.pk}{again}",
        to,
        circle=meeting.circle.name,
        number=meeting.number,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        place=meeting.where,
        video_link=meeting.call,
        calendar=attached,
        **more,
    )


def _reply_url(meeting: Meeting, person: Person) -> str:
    token = links.make(links.REPLY, meeting.pk, person.pk, meeting.sequence)
    return reverse("circles:reply_by_link", args=[token])


# ---------------------------------------------------------------- to those who are asked when they are available


def ask_availability(meeting: Meeting, people: Iterable[Person], again: str = "") -> int:
    """How many letters were written. ``again``: what makes a reminder another letter than the first."""
    return sum(_ask(meeting, person, again) for person in people)


def _ask(meeting: Meeting, person: Person, again: str) -> bool:
    to = reader(person)
    if to is None:
        return False
    token = links.make(links.AVAILABILITY, meeting.pk, person.pk)
    return letters.availability(
        f"availability:{meeting.pk}:{person.pk}{again}",
        to,
        circle=meeting.circle.name,
        number=meeting.number,
        url=reverse("circles:availability_by_link", args=[token]),
    )


# ---------------------------------------------------------------- to those who decide


def tell_doubt(meeting: Meeting, coming: queries.Coming, doubt: str) -> int:
    """How many letters were written; none if the same ``doubt`` was told of this version of the meeting."""
    said: dict[str, Any] = {
        "circle": meeting.circle.name,
        "number": meeting.number,
        "starts_at": meeting.starts_at,
        "coming": coming.counted,
        "needed": coming.needed,
        "url": reverse("circles:meeting", args=[meeting.pk]),
    }
    key = f"quorum_in_doubt:{meeting.pk}:{meeting.sequence}:{doubt}"
    return sum(letters.quorum_in_doubt(f"{key}:{pk}", to, **said) for pk, to in _who_decide(meeting.circle).items())


def _who_decide(circle: Circle) -> dict[int, Reader]:
    """Person id -> how a letter reaches them: who leads the circle, and the organisers of its space."""
    leading = queries.invited(circle).filter(role=Membership.FACILITATOR)
    organising = Person.objects.filter(
        space=circle.space_id, roles__role=Role.ORGANISER, left_at=None, erased_at=None
    ).select_related("user")
    people = {person.pk: reader(person) for person in [*(each.person for each in leading), *organising]}
    return {pk: to for pk, to in people.items() if to}
