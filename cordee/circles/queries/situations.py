"""What pages read of situations and of client turns. Only its author ever reads a situation here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q
from django.utils import timezone

from cordee.accounts.models import Person
from cordee.circles import crypto
from cordee.circles.actions.situations import words
from cordee.circles.models import Circle, Meeting, Membership, Situation


@dataclass(frozen=True, slots=True)
class Mine:
    """A situation as its author finds it in a list. ``title`` is empty when they wrote none, or once it is erased."""

    situation: Situation
    title: str

    @property
    def over(self) -> bool:
        """Brought to a meeting that is over or will not take place: it waits for its author."""
        meeting = self.situation.meeting
        if self.situation.state != Situation.BROUGHT:
            return False
        return meeting is None or bool(meeting.cancelled_at) or (meeting.ends_at or timezone.now()) < timezone.now()


def mine(persons: Iterable[int], circle: Circle | None = None) -> list[Mine]:
    """Their situations, those to come first, then the latest; of one circle, or of all."""
    found = Situation.objects.filter(person__in=persons).select_related("circle", "meeting")
    found = found.filter(circle=circle) if circle else found
    order = {Situation.BROUGHT: 0, Situation.DRAFT: 1, Situation.SET_ASIDE: 2, Situation.TREATED: 3}
    rows = sorted(found.order_by("-changed_at", "pk"), key=lambda each: order[each.state])
    return [Mine(each, title(each)) for each in rows]


def title(situation: Situation) -> str:
    try:
        held = words(situation)
    except crypto.Unreadable:  # a key of the ring is missing: doctor says which
        return ""
    return held.body.get("title", "") if held else ""


def next_meeting(circle: Circle) -> Meeting | None:
    """The meeting to which a situation would be brought now: not one whose room has closed, though its hours run."""
    coming = circle.meetings.filter(ends_at__gt=timezone.now(), cancelled_at=None, attendances=None)
    return coming.order_by("starts_at", "pk").first()


@dataclass(frozen=True, slots=True)
class Turns:
    """How often somebody was client in a circle. ``left``: they are no longer in it."""

    person: Person
    times: int
    last_at: datetime | None
    left: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """Who has been client; whose turn is nearest comes first."""

    rows: tuple[Turns, ...]

    @property
    def waiting(self) -> list[Turns]:
        """Members who were client less often than others: everyone once before anyone twice."""
        here = [row for row in self.rows if not row.left]
        fewest = min((row.times for row in here), default=0)
        return [row for row in here if row.times == fewest] if any(row.times > fewest for row in here) else []


def ledger(circle: Circle) -> Ledger:
    """The client turns of its members, present and former; who only leads is none."""
    turns = Q(person__turns__circle=circle)
    found = circle.memberships.filter(joined_at__isnull=False).select_related("person")
    counted = found.annotate(times=Count("person__turns", filter=turns), last=Max("person__turns__at", filter=turns))
    rows = [
        Turns(each.person, each.times, each.last, each.left_at is not None)
        for each in counted.order_by("times", "last", "person__name", "pk")
        if each.times or (each.role == Membership.MEMBER and each.left_at is None)
    ]
    return Ledger(tuple(sorted(rows, key=lambda row: row.left)))
