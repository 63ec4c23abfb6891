"""Meetings as calendars read them (RFC 5545, RFC 5546): one invitation a meeting, and a feed a person subscribes to.

A client keeps, of one UID, what has the highest SEQUENCE: letters may arrive in any order. No word of a room is here.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from icalendar import Calendar, Event, vCalAddress

from cordee.accounts.models import Person, User
from cordee.accounts.queries import reader
from cordee.circles import links
from cordee.circles.models import Meeting, Reply
from cordee.circles.queries import meetings as queries
from cordee.circles.vtimezone import vtimezone
from cordee.mail.reader import absolute

PRODUCT = "-//Cordee//Meetings of circles//FR"
PAST = timedelta(days=366)  # how far back a feed goes
REFRESH = timedelta(hours=4)  # how often a calendar should look again
PARTSTAT = {Reply.COMING: "ACCEPTED", Reply.ABSENT: "DECLINED"}
UNWRITTEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")  # control characters, tab and newline apart


# ---------------------------------------------------------------- an invitation


def invitation(meeting: Meeting, people: Iterable[Person], at: datetime | None = None) -> str:
    """A meeting that has a date, as REQUEST, or as CANCEL once cancelled, for these people of its circle.

    The words are in the current language. ``at``: when it is written (DTSTAMP); now if not given.
    """
    answers = dict(meeting.replies.values_list("person", "answer"))
    event = _event(meeting, at or timezone.now())
    event.add("organizer", _organizer(meeting))
    for person in people:
        if attendee := _attendee(person, answers.get(person.pk, "")):
            event.add("attendee", attendee, encode=False)
    made = _calendar([meeting])
    made.add("method", "CANCEL" if meeting.cancelled_at else "REQUEST")
    made.add_component(event)
    return _written(made)


def _organizer(meeting: Meeting) -> vCalAddress:
    """The circle, at the address that letters come from: an answer by mail would reach nobody, ours is a link."""
    return _address(parseaddr(settings.DEFAULT_FROM_EMAIL)[1], meeting.circle.name)


def _attendee(person: Person, answer: str) -> vCalAddress | None:
    found = reader(person)
    if found is None:
        return None
    address = _address(found.address, person.name)
    address.params["ROLE"] = "REQ-PARTICIPANT"
    address.params["PARTSTAT"] = PARTSTAT.get(answer, "NEEDS-ACTION")
    address.params["RSVP"] = "FALSE"
    return address


def _address(email: str, name: str) -> vCalAddress:
    made = vCalAddress(f"mailto:{quote(email, safe='@+')}")
    # RFC 6868 would write quotes and carets in a way that most calendars do not read.
    if said := plain(name).replace("\n", " ").replace('"', "’").replace("^", ""):
        made.params["CN"] = said
    return made


def single(meeting: Meeting) -> str:
    """A meeting alone, for who adds it to a calendar by hand: nobody is invited by it."""
    made = _calendar([meeting])
    made.add("method", "PUBLISH")
    made.add_component(_event(meeting, meeting.changed_at))
    return _written(made)


# ---------------------------------------------------------------- a feed


def feed(user: User) -> str:
    """Every meeting of this user's circles, a year back and all that come, in their language."""
    with override(user.language):
        since = timezone.now() - PAST
        found = list(queries.of_user(user).filter(ends_at__gt=since).order_by("starts_at", "pk"))
        persons = [person for person, _roles in user.spaces.values()]
        absent = set(
            Reply.objects.filter(person__in=persons, answer=Reply.ABSENT, meeting__in=found).values_list(
                "meeting", flat=True
            )
        )
        made = _calendar(found)
        made.add("method", "PUBLISH")
        made.add("name", "Cordée")
        made.add("x-wr-calname", "Cordée")
        made.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
        made.add("x-published-ttl", "PT4H")
        for meeting in found:
            made.add_component(_event(meeting, meeting.changed_at, free=meeting.pk in absent))
        return _written(made)


def feed_changed(user: User) -> datetime:
    """When something of the feed last changed: a meeting, or an answer of this user."""
    persons = [person for person, _roles in user.spaces.values()]
    meeting = queries.of_user(user).aggregate(last=Max("changed_at"))["last"]
    reply = Reply.objects.filter(person__in=persons).aggregate(last=Max("at"))["last"]
    return max(filter(None, [meeting, reply]), default=user.created_at)


def renew_links(user: User) -> None:
    """Every link of this user that was handed out opens nothing any more: their feed, and their seats."""
    User.objects.filter(pk=user.pk).update(links_epoch=F("links_epoch") + 1)
    user.refresh_from_db(fields=["links_epoch"])


def feed_token(user: User) -> str:
    """What opens the feed of this user, until their links are renewed: it needs no session, calendars have none."""
    return links.make(links.FEED, user.pk, user.links_epoch)


def user_of_feed(token: str) -> User | None:
    """Whose feed this token opens, if it is theirs now."""
    match links.read(links.FEED, token):
        case (pk, epoch):
            return User.objects.filter(pk=pk, links_epoch=epoch, is_active=True).first()
    return None


# ---------------------------------------------------------------- what both are made of


def _calendar(meetings: list[Meeting]) -> Calendar:
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    first: dict[str, int] = {}
    for meeting in meetings:
        assert meeting.starts_at is not None
        zone, year = meeting.circle.time_zone, meeting.starts_at.year
        first[zone] = min(first.get(zone, year), year)
    for zone, year in sorted(first.items()):
        made.add_component(vtimezone(zone, year))
    return made


def _event(meeting: Meeting, stamp: datetime, free: bool = False) -> Event:
    """One meeting; ``free``: it does not take its reader's time, who will not be there."""
    assert meeting.starts_at is not None and meeting.ends_at is not None
    zone = ZoneInfo(meeting.circle.time_zone)
    url = absolute(reverse("circles:meeting", args=[meeting.pk]))
    event = Event()
    event.add("uid", meeting.uid)
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("last-modified", meeting.changed_at.astimezone(UTC))
    event.add("dtstart", meeting.starts_at.astimezone(zone))
    event.add("dtend", meeting.ends_at.astimezone(zone))
    event.add("summary", plain(title(meeting)))
    event.add("description", plain("\n".join(filter(None, [meeting.call, url]))))
    if place := meeting.where or meeting.call:
        event.add("location", plain(place))
    event.add("url", url)
    event.add("status", "CANCELLED" if meeting.cancelled_at else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if free or meeting.cancelled_at else "OPAQUE")
    return event


def title(meeting: Meeting) -> str:
    return _("Séance %(number)d · %(circle)s") % {"number": meeting.number, "circle": meeting.circle.name}


def plain(text: str) -> str:
    """A text without what no calendar could hold."""
    return UNWRITTEN.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


def _written(made: Calendar) -> str:
    return bytes(made.to_ical()).decode("utf-8")
