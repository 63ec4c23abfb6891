"""Meetings are planned, moved, cancelled; people say whether they come, and when they are available."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from cordee.accounts.models import Person
from cordee.circles import crypto
from cordee.circles.models import Circle, Meeting, Reply
from cordee.circles.queries import meetings as queries
from cordee.circles.refused import Refused


@dataclass(frozen=True, slots=True)
class Appointment:
    """When and where a meeting will be. A blank place or link is the circle's."""

    starts_at: datetime
    ends_at: datetime
    place: str = ""
    video_link: str = ""
    rounds: int = 1


# ---------------------------------------------------------------- dates


def plan(
    circle: Circle,
    starts: Sequence[tuple[datetime, datetime]],
    *,
    place: str = "",
    video_link: str = "",
    rounds: int = 1,
) -> list[Meeting]:
    """Meetings from these starts to these ends, all at one place. Raises :class:`Refused`."""
    return plan_each(circle, [Appointment(start, end, place, video_link, rounds) for start, end in starts])


@transaction.atomic
def plan_each(circle: Circle, appointments: Sequence[Appointment]) -> list[Meeting]:
    """A whole cycle at once. What is planned already is not planned twice: asking again changes nothing.

    Raises :class:`Refused` when the circle ended.
    """
    number = _next_number(circle)
    taken = set(circle.meetings.filter(cancelled_at=None).values_list("starts_at", flat=True))
    new = [each for each in sorted(appointments, key=lambda each: each.starts_at) if each.starts_at not in taken]
    return [_new(circle, number + i, each) for i, each in enumerate(new)]


def _next_number(circle: Circle) -> int:
    """The number of the next meeting; nobody else takes it before this transaction ends."""
    now = Circle.objects.select_for_update().get(pk=circle.pk)
    if now.ended_at:
        raise Refused(_("Ce cercle est clos : on n’y prévoit plus de séance."))
    return (now.meetings.aggregate(last=Max("number"))["last"] or 0) + 1


def _new(circle: Circle, number: int, appointment: Appointment | None, **more: object) -> Meeting:
    when = (
        {"starts_at": appointment.starts_at, "ends_at": appointment.ends_at, "place": appointment.place,
         "video_link": appointment.video_link, "rounds": appointment.rounds}
        if appointment else {}
    )  # fmt: skip
    return Meeting.objects.create(circle=circle, number=number, uid=str(uuid4()), **when, **more)


@transaction.atomic
def move(meeting: Meeting, to: Appointment) -> Meeting:
    """Change its date, place, link or number of rounds. Who had answered for another date is asked again.

    Gives the meeting as it is now. Raises :class:`Refused` when it is over or cancelled.
    """
    now = _to_come(meeting)
    dated = (now.starts_at, now.ends_at) != (to.starts_at, to.ends_at)
    placed = (now.place, now.video_link) != (to.place, to.video_link)
    now.starts_at, now.ends_at = to.starts_at, to.ends_at
    now.place, now.video_link, now.rounds = to.place, to.video_link, to.rounds
    if dated:
        now.replies.all().delete()
        now.kept_at = None
    if dated or placed:
        _changed(now)
    now.save()
    return now


@transaction.atomic
def cancel(meeting: Meeting) -> Meeting:
    """It will not take place. Cancelling twice is cancelling once. Raises :class:`Refused` when it is over."""
    now = _locked(meeting)
    if now.cancelled_at:
        return now
    if now.over:
        raise Refused(_("Cette séance a eu lieu : elle ne s’annule plus."))
    now.cancelled_at = timezone.now()
    _changed(now)
    now.save()
    return now


@transaction.atomic
def keep(meeting: Meeting) -> Meeting:
    """It will take place, though fewer come than the quorum. Raises :class:`Refused` when it is over or cancelled."""
    now = _to_come(meeting)
    now.kept_at = timezone.now()
    now.save(update_fields=["kept_at"])
    return now


def _changed(meeting: Meeting) -> None:
    """Calendars will take this version for the last."""
    meeting.sequence += 1
    meeting.changed_at = timezone.now()


def _locked(meeting: Meeting) -> Meeting:
    """The meeting as it is now; nobody else changes it before this transaction ends."""
    return Meeting.objects.select_for_update(of=("self",)).select_related("circle__space").get(pk=meeting.pk)


def _to_come(meeting: Meeting) -> Meeting:
    now = _locked(meeting)
    if now.cancelled_at:
        raise Refused(_("Cette séance est annulée."))
    if now.over:
        raise Refused(_("Cette séance a eu lieu : elle ne change plus."))
    return now


# ---------------------------------------------------------------- who comes


@transaction.atomic
def reply(meeting: Meeting, person: Person, answer: str, reason: str | None = None) -> Reply:
    """Say that this person comes, or not. ``reason`` of an absence is sealed; ``None`` leaves it as it is.

    Raises :class:`Refused` when the meeting is over, cancelled, without a date, or when they are not of the circle.
    """
    now = _to_come(meeting)
    if now.starts_at is None:
        raise Refused(_("Cette séance n’a pas encore de date : dites quand vous êtes disponible."))
    if not queries.invited(now.circle).filter(person=person).exists():
        raise Refused(_("Vous n’êtes plus de ce cercle."))
    said, _new_one = Reply.objects.get_or_create(meeting=now, person=person, defaults={"answer": answer})
    said.answer, said.at = answer, timezone.now()
    if answer == Reply.COMING:
        said.sealed_reason = None
    elif reason is not None:
        said.sealed_reason = _sealed(now, person, reason.strip())
    said.save()
    return said


def _sealed(meeting: Meeting, person: Person, reason: str) -> bytes | None:
    """The reason, which the circle's key alone opens; nothing when there is none, or no key any more."""
    wrapped = meeting.circle.wrapped_key
    if not reason or wrapped is None:
        return None
    return crypto.seal(crypto.unwrap(wrapped), {"reason": reason}, queries.about(meeting.pk, person.pk))
