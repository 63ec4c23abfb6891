"""A meeting whose date is looked for: dates are proposed, people say when they are available, one is decided."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cordee.accounts.models import Person
from cordee.circles.actions import convocations
from cordee.circles.actions.meetings import new_uid, next_number, to_come
from cordee.circles.models import Availability, Circle, Meeting, Reply, Slot
from cordee.circles.queries import meetings as queries
from cordee.circles.refused import Refused

SAYS = {Availability.YES: Reply.COMING, Availability.NO: Reply.ABSENT}  # of the date decided, what was said of it


@transaction.atomic
def poll(
    circle: Circle,
    slots: Sequence[tuple[datetime, datetime]],
    *,
    place: str = "",
    video_link: str = "",
    rounds: int = 1,
) -> Meeting:
    """Ask the circle which of these dates suits. Raises :class:`Refused` when the circle ended."""
    number = next_number(circle)
    meeting = Meeting.objects.create(
        circle=circle, number=number, uid=new_uid(), place=place, video_link=video_link, rounds=rounds
    )
    Slot.objects.bulk_create(
        Slot(meeting=meeting, starts_at=start, ends_at=end) for start, end in sorted(dict(slots).items())
    )
    convocations.ask_availability(meeting, [each.person for each in queries.invited(circle)])
    return meeting


@transaction.atomic
def answer(meeting: Meeting, person: Person, answers: Mapping[int, str]) -> None:
    """What this person says of each slot (by id); what is not a slot of this meeting is ignored.

    Raises :class:`Refused` when the date is decided, the meeting cancelled, or when they are not of the circle.
    """
    now = _undecided(meeting)
    if not queries.invited(now.circle).filter(person=person).exists():
        raise Refused(_("Vous n’êtes plus de ce cercle."))
    given = {slot: answers[slot.pk] for slot in queries.slots(now) if slot.pk in answers}
    Availability.objects.bulk_create(
        [Availability(slot=slot, person=person, answer=said) for slot, said in given.items()],
        update_conflicts=True,
        unique_fields=["slot", "person"],
        update_fields=["answer"],
    )


@transaction.atomic
def remind(meeting: Meeting) -> int:
    """Write again to those who have answered nothing, once a day at most. How many letters. Raises :class:`Refused`."""
    now = _undecided(meeting)
    return convocations.ask_availability(now, queries.poll_of(now).silent, f":{timezone.localdate()}")


@transaction.atomic
def decide(meeting: Meeting, slot: Slot) -> Meeting:
    """The meeting takes place then. Who said yes to that date comes, who said no does not; the others are asked.

    Raises :class:`Refused` when the date is decided already, or the meeting cancelled.
    """
    now = _undecided(meeting)
    now.starts_at, now.ends_at, now.changed_at = slot.starts_at, slot.ends_at, timezone.now()
    now.save()
    people = {each.person_id for each in queries.invited(now.circle)}
    Reply.objects.bulk_create(
        Reply(meeting=now, person_id=said.person_id, answer=SAYS[said.answer])
        for said in slot.answers.filter(answer__in=SAYS, person__in=people)
    )
    convocations.convoke(now)
    coming = queries.coming(now)
    if coming.in_doubt:
        convocations.tell_doubt(now, coming, str(coming.counted))
    return now


def _undecided(meeting: Meeting) -> Meeting:
    now = to_come(meeting)
    if now.starts_at:
        raise Refused(_("La date de cette séance est fixée."))
    return now
