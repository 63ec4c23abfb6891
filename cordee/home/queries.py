"""What the home page shows to one person: a fixed number of queries, however many circles they are in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone

from cordee.accounts.models import Role, Space, User
from cordee.circles.models import Charter, Circle, Meeting, Membership, Reply
from cordee.circles.queries import situations
from cordee.circles.queries.situations import Mine
from cordee.followup.models import Success
from cordee.followup.queries import commitments, learnings, successes
from cordee.followup.queries.commitments import Promise
from cordee.followup.queries.learnings import Learnt
from cordee.followup.queries.reading import persons as persons_of
from cordee.room.queries import RoomOf, rooms_of

NEAR = timedelta(minutes=45)  # before a meeting: its room is one tap away
MEETINGS, SITUATIONS, LEARNINGS, CIRCLES, ROOMS = 3, 2, 2, 12, 5  # shown at most
PROMISES, KEPT, ASKED, THANKS = 3, 2, 2, 3


@dataclass(frozen=True, slots=True)
class Next:
    """A meeting to come, and what they answered: coming, absent, or nothing yet."""

    meeting: Meeting
    answer: str
    near: bool


@dataclass(frozen=True, slots=True)
class Home:
    meetings: Sequence[Next]
    charters: Sequence[Circle]  # whose charter in force they have not signed
    polls: Sequence[Meeting]
    offered: Sequence[Circle]  # where a place is held for them
    promises: Sequence[Promise]
    kept: Sequence[Promise]  # that they could tell as successes
    asked: Sequence[Promise]  # of others, that they witness and whose date has come
    thanks: Sequence[Success]  # in which they are thanked
    situations: Sequence[Mine]
    learnings: Sequence[Learnt]
    circles: Sequence[Circle]  # where they may bring a situation
    led: Sequence[Circle]
    spaces: Sequence[Space]  # that they organise, with their number of circles
    rooms: Sequence[RoomOf]  # of guests, in which they claimed their seat; until the words are erased

    @property
    def member_of_none(self) -> bool:
        return not (self.circles or self.led or self.offered or self.spaces)


def home_of(user: User) -> Home:
    persons = persons_of(user)
    held = Membership.objects.filter(person__in=persons, circle__space__isnull=False).select_related("circle__space")
    here = [m for m in held.order_by("circle__name", "pk") if m.relation in {Membership.MEMBER, Membership.FACILITATOR}]
    going = [m.circle for m in here if m.circle.ended_at is None]
    return Home(
        meetings=_meetings(going, persons),
        charters=_charters(going, persons),
        polls=_polls(going, persons),
        offered=[m.circle for m in held.filter(offered_at__isnull=False)],
        promises=commitments.read(commitments.still_open(user)[:PROMISES]),
        kept=commitments.read(successes.to_tell(user)[:KEPT]),
        asked=commitments.read(commitments.to_ask_about(user)[:ASKED]),
        thanks=list(successes.thanks_to(user)[:THANKS]),
        situations=[each for each in situations.mine(persons) if each.situation.state != "treated"][:SITUATIONS],
        learnings=learnings.read_learnings(learnings.learnings_for(user).exclude(alone=True)[:LEARNINGS]),
        circles=[m.circle for m in here if m.role == Membership.MEMBER and m.circle.ended_at is None],
        led=[m.circle for m in here if m.role == Membership.FACILITATOR][:CIRCLES],
        spaces=_spaces(persons),
        rooms=[room for room in rooms_of(user) if room.meeting is None and room.readable][:ROOMS],
    )


def _meetings(circles: Sequence[Circle], persons: Sequence[int]) -> Sequence[Next]:
    now = timezone.now()
    coming = Meeting.objects.filter(circle__in=circles, ends_at__gt=now, cancelled_at=None)
    found = list(coming.select_related("circle").order_by("starts_at", "pk")[:MEETINGS])
    answers: Mapping[int, str] = dict(
        Reply.objects.filter(meeting__in=found, person__in=persons).values_list("meeting", "answer")
    )
    return [Next(each, answers.get(each.pk, ""), _near(each.starts_at, now)) for each in found]


def _near(starts_at: datetime | None, now: datetime) -> bool:
    return starts_at is not None and starts_at - NEAR <= now


def _charters(circles: Sequence[Circle], persons: Sequence[int]) -> Sequence[Circle]:
    latest = Charter.objects.filter(circle=OuterRef("pk")).order_by("-version").values("pk")[:1]
    found = Circle.objects.filter(pk__in=[c.pk for c in circles]).annotate(latest=Subquery(latest))
    signed = Charter.objects.filter(signatures__person__in=persons).values("pk")
    return list(found.filter(latest__isnull=False).exclude(latest__in=signed).order_by("name", "pk"))


def _polls(circles: Sequence[Circle], persons: Sequence[int]) -> Sequence[Meeting]:
    asked = Meeting.objects.filter(circle__in=circles, starts_at=None, cancelled_at=None, slots__isnull=False)
    unanswered = asked.exclude(slots__answers__person__in=persons).distinct()
    return list(unanswered.select_related("circle").order_by("pk"))


def _spaces(persons: Sequence[int]) -> Sequence[Space]:
    mine = Space.objects.filter(people__in=persons, people__roles__role=Role.ORGANISER)
    return list(
        mine.annotate(running=Count("circles", filter=Q(circles__ended_at=None), distinct=True)).order_by("name")
    )
