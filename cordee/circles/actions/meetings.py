"""Meetings are planned, moved, cancelled; people say whether they come. What changes is told by letter at once."""

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
from cordee.circles.actions import convocations
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


def plan_each(circle: Circle, appointments: Sequence[Appointment]) -> list[Meeting]:
    """A whole cycle at once. What is planned already is not planned twice: asking again changes nothing.

    Each meeting is committed with its letters, by itself: a cycle of ten people has hundreds of letters, and rooms
    must not wait for them; one that was interrupted is asked for again. Raises :class:`Refused` when the circle ended.
    """
    made = (_plan(circle, each) for each in sorted(appointments, key=lambda each: each.starts_at))
    return [meeting for meeting in made if meeting]


@transaction.atomic
def _plan(circle: Circle, to: Appointment) -> Meeting | None:
    number = next_number(circle)
    if circle.meetings.filter(cancelled_at=None, starts_at=to.starts_at).exists():
        return None
    meeting = _new(circle, number, to)
    convocations.convoke(meeting)
    return meeting


def next_number(circle: Circle) -> int:
    """The number of the next meeting; nobody else takes it before this transaction ends."""
    now = Circle.objects.select_for_update().get(pk=circle.pk)
    if now.ended_at:
        raise Refused(_("Ce cercle est clos : on n’y prévoit plus de séance."))
    return (now.meetings.aggregate(last=Max("number"))["last"] or 0) + 1


def _new(circle: Circle, number: int, to: Appointment) -> Meeting:
    return Meeting.objects.create(
        circle=circle,
        number=number,
        uid=new_uid(),
        starts_at=to.starts_at,
        ends_at=to.ends_at,
        place=to.place,
        video_link=to.video_link,
        rounds=to.rounds,
    )


def new_uid() -> str:
    return str(uuid4())


@transaction.atomic
def move(meeting: Meeting, to: Appointment) -> Meeting:
    """Change its date, place, link or number of rounds. Who had answered for another date is asked again.

    Gives the meeting as it is now. Raises :class:`Refused` when it is over or cancelled.
    """
    now = to_come(meeting)
    former = now.starts_at
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
    if dated or placed:
        convocations.tell_change(now, former if dated else None)
    return now


@transaction.atomic
def circle_moved(circle: Circle) -> None:
    """The circle's own place or link has changed: so have those of the coming meetings that have none of their own."""
    for meeting in queries.to_come(circle).select_for_update(of=("self",)).select_related("circle__space"):
        if not meeting.place or not meeting.video_link:
            _changed(meeting)
            meeting.save(update_fields=["sequence", "changed_at"])
            convocations.tell_change(meeting, None)


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
    if now.starts_at:
        convocations.tell_cancelled(now)
    return now


@transaction.atomic
def keep(meeting: Meeting) -> Meeting:
    """It will take place, though fewer come than the quorum. Raises :class:`Refused` when it is over or cancelled."""
    now = to_come(meeting)
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


def to_come(meeting: Meeting) -> Meeting:
    """The meeting as it is now, held until the transaction ends. Raises :class:`Refused`: over, or cancelled."""
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
    now = to_come(meeting)
    if now.starts_at is None:
        raise Refused(_("Cette séance n’a pas encore de date : dites quand vous êtes disponible."))
    if not queries.invited(now.circle).filter(person=person).exists():
        raise Refused(_("Vous n’êtes plus de ce cercle."))
    before = queries.coming(now)
    said, _created = Reply.objects.get_or_create(meeting=now, person=person, defaults={"answer": answer})
    said.answer, said.at = answer, timezone.now()
    if answer == Reply.COMING:
        said.sealed_reason = None
    elif reason is not None:
        said.sealed_reason = _sealed(now, person, reason.strip())
    said.save()
    after = queries.coming(now)
    if after.in_doubt and after.counted < before.counted:
        convocations.tell_doubt(now, after, str(after.counted))
    return said


def tell_doubts() -> int:
    """Tell who decides, once, of the meetings so near that silence is counted as absence. How many letters.

    For ``tick``: nobody's answer makes this known, only the day that comes nearer.
    """
    now = timezone.now()
    near = Meeting.objects.filter(starts_at__gt=now, starts_at__lt=now + queries.SOON, cancelled_at=None, kept_at=None)
    found = ((each, queries.coming(each)) for each in near.select_related("circle__space").iterator())
    return sum(convocations.tell_doubt(each, coming, "soon") for each, coming in found if coming.in_doubt)


def _sealed(meeting: Meeting, person: Person, reason: str) -> bytes | None:
    """The reason, which the circle's key alone opens; nothing when there is none, or no key any more."""
    wrapped = meeting.circle.wrapped_key
    if not reason or wrapped is None:
        return None
    return crypto.seal(crypto.unwrap(wrapped), {"reason": reason}, queries.about(meeting.pk, person.pk))
