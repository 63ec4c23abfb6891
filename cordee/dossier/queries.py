"""What the administrative plane counts. A room tells it times and numbers, through room/facts.py alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from cordee.accounts.models import Space
from cordee.circles.models import Meeting, Membership, Reply
from cordee.room import facts


@dataclass(frozen=True, slots=True)
class Line:
    """One meeting on the board. ``where`` is ``None`` until its room is opened; ``expected``: who has not said no."""

    circle: str
    facilitators: tuple[str, ...]
    number: int
    starts_at: datetime
    ends_at: datetime
    expected: int
    where: facts.Where | None

    @property
    def state(self) -> str:
        """waiting, late (past its time and not opened), going, paused or closed."""
        if self.where is None:
            return "late" if timezone.now() > self.starts_at + timedelta(minutes=10) else "waiting"
        if not self.where.open:
            return "closed"
        return "paused" if self.where.paused else "going"


def meetings_of_day(space: Space, day: date) -> QuerySet[Meeting]:
    """The space's meetings that begin on this day, in the server's time zone; cancelled ones left out."""
    begin = timezone.make_aware(datetime.combine(day, time.min))
    end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    of_day = Meeting.objects.filter(circle__space=space, cancelled_at=None, starts_at__gte=begin, starts_at__lt=end)
    return of_day.select_related("circle").order_by("starts_at", "circle__name", "pk")


def board(meetings: Iterable[Meeting]) -> list[Line]:
    """Where each of these meetings is. Five questions to the database, however many they are."""
    shown = list(meetings)
    circles = {meeting.circle_id for meeting in shown}
    leaders = _leaders(circles)
    counted = _counts(circles)
    absent = _absent([meeting.pk for meeting in shown])
    where = facts.where([meeting.pk for meeting in shown])
    return [
        Line(
            circle=meeting.circle.name,
            facilitators=tuple(leaders.get(meeting.circle_id, ())),
            number=meeting.number,
            starts_at=meeting.starts_at,
            ends_at=meeting.ends_at,
            expected=max(0, counted.get(meeting.circle_id, 0) - absent.get(meeting.pk, 0)),
            where=where.get(meeting.pk),
        )
        for meeting in shown
        if meeting.starts_at and meeting.ends_at
    ]


def tally(lines: Iterable[Line]) -> Mapping[str, int]:
    """How many meetings are in each state."""
    found = dict.fromkeys(("going", "paused", "waiting", "late", "closed"), 0)
    for line in lines:
        found[line.state] += 1
    return found


def _current(circles: Iterable[int]) -> QuerySet[Membership]:
    return Membership.objects.filter(circle__in=circles, joined_at__isnull=False, left_at=None)


def _leaders(circles: Iterable[int]) -> Mapping[int, list[str]]:
    names: dict[int, list[str]] = {}
    rows = _current(circles).filter(role=Membership.FACILITATOR).order_by("person__name")
    for circle, name in rows.values_list("circle", "person__name"):
        names.setdefault(circle, []).append(name)
    return names


def _counts(circles: Iterable[int]) -> Mapping[int, int]:
    return dict(_current(circles).values("circle").annotate(n=Count("pk")).values_list("circle", "n"))


def _absent(meetings: Iterable[int]) -> Mapping[int, int]:
    """Of who is in the circle now, how many have said that they cannot come."""
    here = Membership.objects.filter(
        circle=OuterRef("meeting__circle"), person=OuterRef("person"), joined_at__isnull=False, left_at=None
    )
    replies = Reply.objects.filter(Exists(here), meeting__in=meetings, answer=Reply.ABSENT)
    return dict(replies.values("meeting").annotate(n=Count("pk")).values_list("meeting", "n"))
