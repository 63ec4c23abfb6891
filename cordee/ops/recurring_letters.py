"""The letters that nobody's act writes: what is coming, what is due. Computed from dates, in one pass, by ``tick``.

A key says what about, to whom and which reminder it is, so that running twice, or from two machines, writes nothing
twice. What somebody does not wish to get is left out when it is sent (cordee/mail/wishes.py). No word of a room, of a
situation or of a commitment is read here: dates, states and links alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.expressions import Combinable
from django.urls import reverse
from django.utils import timezone

from cordee.accounts.models import Person
from cordee.accounts.queries import reader
from cordee.circles.actions import convocations
from cordee.circles.models import Availability, Charter, Meeting, Membership, Signature, Situation
from cordee.followup import links
from cordee.followup.models import Commitment, Success
from cordee.mail import letters, outbox
from cordee.mail.reader import Reader

# How many days before a meeting one is asked for a situation; a reminder that is late by more is not written.
PREPARE_DAYS = {7: 4, 2: 1}
POLL_DAYS = {10: 6, 4: 3}  # before the first date proposed
CHARTER_DAYS = {3: 4, 10: 4}  # after it was written
DUE_DAYS = 14  # a commitment that was due longer ago is left in peace
# News is told once it has settled (a tap may be a mistake), and no more when it is old.
SETTLED, STALE = timedelta(hours=1), timedelta(days=4)


def write() -> Counter[str]:
    """Post what is to be said now. How many letters of each kind are new."""
    now = timezone.now()
    passes: Iterable[Callable[[datetime], int]] = (prepare, availability, charters, commitments, witnesses, thanks)
    return Counter({each.__name__: each(now) for each in passes})


# ---------------------------------------------------------------- meetings


def prepare(now: datetime) -> int:
    """To the members who have brought no situation to a meeting that comes."""
    return sum(_prepare(now, days, late) for days, late in PREPARE_DAYS.items())


def _prepare(now: datetime, days: int, late: int) -> int:
    lasting = Meeting.objects.filter(cancelled_at=None, circle__ended_at=None, circle__wrapped_key__isnull=False)
    coming = lasting.filter(starts_at__gt=now + timedelta(days=days - late), starts_at__lte=now + timedelta(days=days))
    return sum(_prepare_one(meeting, days) for meeting in coming.select_related("circle"))


def _prepare_one(meeting: Meeting, days: int) -> int:
    brought = Situation.objects.filter(meeting=meeting, state=Situation.BROUGHT, person=OuterRef("person"))
    key = f"prepare:{meeting.pk}:{meeting.starts_at:%Y%m%d}:{days}"
    url = reverse("circles:situations", args=[meeting.circle_id])
    said: dict[str, Any] = {"number": meeting.number, "starts_at": meeting.starts_at, "url": url}
    people = _people(meeting.circle_id, ~Exists(brought), role=Membership.MEMBER)
    return _each(key, people, lambda name, to: letters.prepare(name, to, circle=meeting.circle.name, **said))


def availability(now: datetime) -> int:
    """To those who have answered none of the dates that are proposed."""
    return sum(_availability(now, days, late) for days, late in POLL_DAYS.items())


def _availability(now: datetime, days: int, late: int) -> int:
    polled = Meeting.objects.filter(starts_at=None, cancelled_at=None, circle__ended_at=None)
    from_, until = now + timedelta(days=days - late), now + timedelta(days=days)
    first = polled.filter(slots__starts_at__gt=from_, slots__starts_at__lte=until).exclude(slots__starts_at__lte=from_)
    written = 0
    for meeting in first.distinct().select_related("circle"):
        answered = Availability.objects.filter(slot__meeting=meeting, person=OuterRef("person"))
        silent = _people(meeting.circle_id, ~Exists(answered))
        new = outbox.unposted(f"availability:{meeting.pk}:{person.pk}:{days}d" for person in silent)
        silent = [person for person in silent if f"availability:{meeting.pk}:{person.pk}:{days}d" in new]
        written += convocations.ask_availability(meeting, silent, f":{days}d")
    return written


def _each(key: str, people: Iterable[Person], write: Callable[[str, Reader], bool]) -> int:
    """Write to each of them under ``key`` and their own id, unless it was done. How many are new."""
    by_key = {f"{key}:{person.pk}": person for person in people}
    new = outbox.unposted(by_key)
    to = {name: reader(person) for name, person in by_key.items() if name in new}
    return sum(write(name, each) for name, each in to.items() if each)


def _people(circle: int, *wanted: Combinable, **more: str) -> list[Person]:
    """Who is in this circle now, with their account."""
    here = Membership.objects.filter(*wanted, circle=circle, joined_at__isnull=False, left_at=None, **more)
    return [membership.person for membership in here.select_related("person__user")]


# ---------------------------------------------------------------- charters


def charters(now: datetime) -> int:
    """To those who have not signed the charter in force."""
    return sum(_charters(now, days, late) for days, late in CHARTER_DAYS.items())


def _charters(now: datetime, days: int, late: int) -> int:
    old = timedelta(days=days)
    written_then = _in_force().filter(created_at__lte=now - old, created_at__gt=now - old - timedelta(days=late))
    return sum(_charter(charter, days) for charter in written_then.select_related("circle"))


def _charter(charter: Charter, days: int) -> int:
    signed = Signature.objects.filter(charter=charter, person=OuterRef("person"))
    url, name = reverse("circles:charter", args=[charter.circle_id]), charter.circle.name
    people = _people(charter.circle_id, ~Exists(signed))
    key = f"charter_to_sign:{charter.pk}:{days}d"
    return _each(key, people, lambda name_, to: letters.charter_to_sign(name_, to, circle=name, url=url))


def _in_force() -> QuerySet[Charter]:
    later = Charter.objects.filter(circle=OuterRef("circle"), version__gt=OuterRef("version"))
    return Charter.objects.filter(~Exists(later), circle__ended_at=None, circle__space__isnull=False)


# ---------------------------------------------------------------- commitments


def commitments(now: datetime) -> int:
    """To the author of a commitment: on the day they asked to be reminded, and on the day for which they promised.

    Whoever has said where they stand is asked again only if they wish so; of what is kept or let go, never.
    """
    today = timezone.localdate(now)
    since = today - timedelta(days=DUE_DAYS)
    open_ = _lasting().filter(person__erased_at=None, person__left_at=None).exclude(state__in=Commitment.OVER)
    due = open_.filter(state=Commitment.PROMISED, due_on__lte=today, due_on__gt=since)
    reminded = open_.filter(remind_on__lte=today, remind_on__gt=since).exclude(remind_on=F("due_on"))
    days = {f"commitment_due:{each.pk}:{each.due_on}": each for each in _with_people(due)}
    days |= {f"commitment_due:{each.pk}:{each.remind_on}": each for each in _with_people(reminded)}
    new = outbox.unposted(days)
    return sum(_due(key, each) for key, each in days.items() if key in new)


def _lasting() -> QuerySet[Commitment]:
    found = Commitment.objects.filter(circle__wrapped_key__isnull=False, circle__space__isnull=False)
    return found.exclude(sealed=None)


def witnesses(now: datetime) -> int:
    """To the witness of a commitment that was kept, if they are still of the circle."""
    kept = _lasting().filter(state=Commitment.KEPT, answered_at__gt=now - STALE, answered_at__lte=now - SETTLED)
    kept = kept.filter(_still_here("witness")).select_related("circle", "witness__user")
    days = {f"witnessed_kept:{each.pk}:{each.witness_id}": each for each in kept}
    new = outbox.unposted(days)
    return sum(_tell_witness(key, each) for key, each in days.items() if key in new)


def _tell_witness(key: str, commitment: Commitment) -> bool:
    to = reader(commitment.witness) if commitment.witness else None
    url = reverse("followup:commitment", args=[commitment.pk])
    return to is not None and letters.witnessed_kept(key, to, circle=commitment.circle.name, url=url)


def thanks(now: datetime) -> int:
    """To whom is thanked in a success, if they are still of the circle."""
    circle = "commitment__circle"
    found = Success.objects.filter(thanked_at__gt=now - STALE, thanked_at__lte=now - SETTLED)
    found = found.filter(_still_here("thanked", circle), **{f"{circle}__wrapped_key__isnull": False})
    found = found.select_related(circle, "thanked__user")
    days = {f"thanks_wait:{each.pk}:{each.thanked_id}": each for each in found}
    new = outbox.unposted(days)
    return sum(_tell_thanked(key, each) for key, each in days.items() if key in new)


def _tell_thanked(key: str, success: Success) -> bool:
    to, circle = reader(success.thanked) if success.thanked else None, success.commitment.circle
    url = reverse("followup:successes", args=[circle.pk])
    return to is not None and letters.thanks_wait(key, to, circle=circle.name, url=url)


def _still_here(person: str, circle: str = "circle") -> Exists:
    here = Membership.objects.filter(circle=OuterRef(circle), joined_at__isnull=False, left_at=None)
    return Exists(here.filter(person=OuterRef(person), person__erased_at=None))


def _with_people(found: QuerySet[Commitment]) -> QuerySet[Commitment]:
    return found.select_related("circle", "person__user")


def _due(key: str, commitment: Commitment) -> bool:
    to = reader(commitment.person)
    return to is not None and letters.commitment_due(
        key,
        to,
        circle=commitment.circle.name,
        due_on=commitment.due_on,
        answers=links.answers(commitment),
        url=reverse("followup:commitment", args=[commitment.pk]),
    )
