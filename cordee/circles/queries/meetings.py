"""What pages and other apps read of meetings. Each function asks the database once or twice, whatever the size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from cordee.accounts.models import Person, User
from cordee.circles import crypto
from cordee.circles.models import Attendance, Availability, Circle, Meeting, Membership, Reply, Situation, Slot

SOON = timedelta(days=3)  # before a meeting: who has not answered by then is not counted on


# ---------------------------------------------------------------- which meetings


def of_user(user: User) -> QuerySet[Meeting]:
    """Every meeting of the circles in which they are now, cancelled ones too."""
    persons = [person for person, _roles in user.spaces.values()]
    here = Membership.objects.filter(person__in=persons, joined_at__isnull=False, left_at=None)
    return Meeting.objects.filter(circle__in=here.values("circle"), circle__space__isnull=False).select_related(
        "circle__space"
    )


def next_of(user: User) -> Meeting | None:
    """The meeting they go to next, or are at."""
    coming = of_user(user).filter(ends_at__gt=timezone.now(), cancelled_at=None)
    return coming.order_by("starts_at", "pk").first()


def polls_of(user: User) -> QuerySet[Meeting]:
    """The meetings for which they have not said when they are free."""
    persons = [person for person, _roles in user.spaces.values()]
    asked = of_user(user).filter(starts_at=None, cancelled_at=None, circle__ended_at=None)
    return asked.exclude(slots__answers__person__in=persons).order_by("pk")


def to_come(circle: Circle) -> QuerySet[Meeting]:
    """Those with a date that are neither over nor cancelled, the next first."""
    return circle.meetings.filter(ends_at__gt=timezone.now(), cancelled_at=None).order_by("starts_at", "pk")


# ---------------------------------------------------------------- who comes


def invited(circle: Circle) -> QuerySet[Membership]:
    """Who is called to its meetings: who is in the circle now, facilitators first, with their person and account."""
    here = circle.memberships.filter(joined_at__isnull=False, left_at=None)
    return here.select_related("person__user").order_by("role", "person__name", "pk")


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody of the circle, and what they answered: coming, absent, or nothing yet."""

    person: Person
    role: str
    answer: str


@dataclass(frozen=True, slots=True)
class Coming:
    """Who comes to a meeting. The quorum counts peers: members, not who leads."""

    guests: tuple[Guest, ...]
    needed: int
    soon: bool
    kept: bool

    def count(self, answer: str) -> int:
        return sum(1 for guest in self.peers if guest.answer == answer)

    @property
    def peers(self) -> list[Guest]:
        return [guest for guest in self.guests if guest.role == Membership.MEMBER]

    @property
    def present(self) -> int:
        """Peers who said that they come."""
        return self.count(Reply.COMING)

    @property
    def possible(self) -> int:
        """Peers who have not said that they will be absent."""
        return len(self.peers) - self.count(Reply.ABSENT)

    @property
    def silent(self) -> list[Guest]:
        return [guest for guest in self.guests if not guest.answer]

    @property
    def counted(self) -> int:
        """On how many one may count: who may still come; in the last days, who said so."""
        return self.present if self.soon else self.possible

    @property
    def short(self) -> bool:
        return self.counted < self.needed

    @property
    def in_doubt(self) -> bool:
        """Fewer than the quorum, and nobody has yet said that it will take place all the same."""
        return self.short and not self.kept


def coming(meeting: Meeting) -> Coming:
    answers = dict(meeting.replies.values_list("person", "answer"))
    guests = [Guest(each.person, each.role, answers.get(each.person_id, "")) for each in invited(meeting.circle)]
    soon = meeting.starts_at is not None and meeting.starts_at - timezone.now() < SOON
    return Coming(tuple(guests), meeting.circle.quorum, soon, meeting.kept_at is not None)


def reason(meeting: Meeting, person: Person) -> str:
    """Why this person will be absent, for themselves alone; empty if they said nothing, or once it is erased."""
    reply = meeting.replies.filter(person=person).first()
    key = meeting.circle.wrapped_key
    if reply is None or reply.sealed_reason is None or key is None:
        return ""
    body = crypto.unseal(crypto.unwrap(key), reply.sealed_reason, about(meeting.pk, person.pk))
    return body["reason"] if body else ""


def about(meeting_id: int, person_id: int) -> str:
    """What a reason is about, authenticated with it."""
    return f"reply:{meeting_id}:{person_id}"


def attendances(meeting: Meeting) -> QuerySet[Attendance]:
    return meeting.attendances.select_related("person").order_by("person__name", "pk")


# ---------------------------------------------------------------- what is brought


@dataclass(frozen=True, slots=True)
class Prepared:
    """Situations, counted and never read: brought to this meeting; kept in reserve by the circle's members."""

    brought: int
    reserve: int


def prepared(meeting: Meeting) -> Prepared:
    kept = Q(reserve=True) & ~Q(state=Situation.TREATED)
    found = meeting.circle.situations.aggregate(
        brought=Count("pk", filter=Q(meeting=meeting, state=Situation.BROUGHT)),
        reserve=Count("pk", filter=kept & ~Q(meeting=meeting, state=Situation.BROUGHT)),
    )
    return Prepared(found["brought"], found["reserve"])


# ---------------------------------------------------------------- when people are available


@dataclass(frozen=True, slots=True)
class Column:
    """A date proposed, and who answered what: the answers are in the order of the poll's people, "" for none."""

    slot: Slot
    answers: tuple[str, ...]

    @property
    def yes(self) -> int:
        return self.answers.count(Availability.YES)

    @property
    def if_needed(self) -> int:
        return self.answers.count(Availability.IF_NEEDED)

    @property
    def worth(self) -> tuple[int, int]:
        """As many as possible, and as few as possible against their convenience."""
        return self.yes + self.if_needed, self.yes


@dataclass(frozen=True, slots=True)
class Poll:
    people: tuple[Person, ...]
    columns: tuple[Column, ...]

    @property
    def best(self) -> Column | None:
        """The date that suits most people; of equals, the first. None while nobody can come to any."""
        best = max(self.columns, key=lambda each: each.worth, default=None)
        return best if best and best.worth > (0, 0) else None

    @property
    def silent(self) -> list[Person]:
        """Who has answered nothing yet."""
        return [person for i, person in enumerate(self.people) if not any(column.answers[i] for column in self.columns)]


def poll_of(meeting: Meeting) -> Poll:
    """Every answer: for who decides of the date."""
    people = [each.person for each in invited(meeting.circle)]
    said: dict[tuple[int, int], str] = {
        (slot, person): answer
        for slot, person, answer in Availability.objects.filter(slot__meeting=meeting).values_list(
            "slot", "person", "answer"
        )
    }
    columns = [Column(slot, tuple(said.get((slot.pk, person.pk), "") for person in people)) for slot in slots(meeting)]
    return Poll(tuple(people), tuple(columns))


def slots(meeting: Meeting) -> Sequence[Slot]:
    return list(meeting.slots.order_by("starts_at", "pk"))


def answers_of(meeting: Meeting, person: Person) -> Mapping[int, str]:
    """Slot id -> what this person answered."""
    found = Availability.objects.filter(slot__meeting=meeting, person=person)
    return dict(found.values_list("slot", "answer"))
