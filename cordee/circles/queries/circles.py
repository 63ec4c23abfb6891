"""What pages and other apps read of circles. Each function asks the database once or twice, whatever the size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Count, F, Max, Min, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from cordee.accounts.models import Person, Role, Space, User
from cordee.circles import compose, diff, phrases
from cordee.circles.models import Charter, Circle, Meeting, Membership, Signature, ValueCount

# ---------------------------------------------------------------- who is in a circle

HERE = Q(joined_at__isnull=False, left_at=None)


def current(circle: Circle) -> QuerySet[Membership]:
    """Who is in the circle now, facilitators first, with their person."""
    return circle.memberships.filter(HERE).select_related("person").order_by("role", "person__name", "pk")


def waiting(circle: Circle) -> QuerySet[Membership]:
    """Who waits for a place, first come first; one that was offered a place has ``offered_at``."""
    queue = circle.memberships.filter(waiting_since__isnull=False)
    return queue.select_related("person").order_by("waiting_since", "pk")


def former(circle: Circle) -> QuerySet[Membership]:
    """Who was in the circle and left, with whoever took their place."""
    gone = circle.memberships.filter(left_at__isnull=False).select_related("person").order_by("left_at", "pk")
    return gone.prefetch_related("replaced_by__person")


def candidates(circle: Circle, search: str, most: int = 20) -> list[Person]:
    """People of the space whose name, address or profile has each of these words, and who are not in the circle."""
    found = Person.objects.filter(space=circle.space_id, left_at=None, erased_at=None)
    for word in search.split()[:5]:
        where = Q()
        for field in ("name", "email", "organisation", "site", "branch", "team", "level"):
            where |= Q(**{f"{field}__icontains": word})
        found = found.filter(where)
    here = circle.memberships.filter(HERE | Q(waiting_since__isnull=False))
    return list(found.exclude(pk__in=here.values("person")).order_by("name", "pk")[:most])


ABOVE = """
    WITH RECURSIVE up(id, manager_id) AS (
        SELECT id, manager_id FROM accounts_person WHERE id IN ({})
        UNION SELECT one.id, one.manager_id FROM accounts_person one JOIN up ON one.id = up.manager_id
    )
    SELECT id, manager_id FROM up WHERE manager_id IS NOT NULL
"""


def managers(people: Iterable[int]) -> dict[int, int]:
    """Person → their manager, for these people and everybody above them, in one question."""
    ids = list(people)
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            ABOVE.format(", ".join(["%s"] * len(ids))),
            ids,
        )
        return dict(cursor.fetchall())


def warnings(circle: Circle) -> list[str]:
    """What should be looked at in who is in this circle, in sentences. None of it forbids anything."""
    here = peers(circle)
    return [phrases.sentence(found) for found in compose.findings(here, managers(peer.id for peer in here))]


def peers(circle: Circle) -> list[compose.Peer]:
    return [_peer(each.person, leads=each.role == Membership.FACILITATOR) for each in _organising(current(circle))]


def _organising(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    return memberships.prefetch_related("person__roles")


def _peer(person: Person, leads: bool = False) -> compose.Peer:
    organises = leads and any(role.role == Role.ORGANISER for role in person.roles.all())
    return compose.Peer(
        person.pk, person.name, person.team, person.site, person.branch, person.level, leads=leads, organises=organises
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could come, and the sentences that would be true of the circle with them and are not without."""

    person: Person
    warnings: Sequence[str]


def weighed(circle: Circle, people: Sequence[Person]) -> list[Candidate]:
    """What each of these people would bring into the circle: the links of hierarchy and of team."""
    here = peers(circle)
    chains = managers([peer.id for peer in here] + [person.pk for person in people])
    now = set(compose.findings(here, chains))
    return [Candidate(person, _brought(here, person, chains, now)) for person in people]


def _brought(
    here: list[compose.Peer], person: Person, chains: Mapping[int, int], now: set[compose.Finding]
) -> list[str]:
    found = compose.findings([*here, _peer(person)], chains)
    return [phrases.sentence(each) for each in found if each not in now and each.names and person.name in each.names]


# ---------------------------------------------------------------- the charter


def charter_in_force(circle: Circle) -> Charter:
    """The latest version. Raises ``Charter.DoesNotExist`` for the guests of a room, who have none."""
    return circle.charters.latest("version")


def has_signed(circle: Circle, person: Person) -> bool:
    """Whether they signed the version in force: what a room asks before it opens to them."""
    latest = circle.charters.order_by("-version").values("pk")[:1]
    return Signature.objects.filter(charter=latest, person=person).exists()


def last_signed(circle: Circle) -> dict[int, date]:
    """Person id → the date of erasure in the version that they last signed, those who left included."""
    signed = Signature.objects.filter(charter__circle=circle).order_by("charter__version")
    return dict(signed.values_list("person", "charter__erase_on"))  # a later version replaces the former


def date_of_erasure(circle: Circle) -> date:
    """The earliest date among the versions that people last signed; the charter's in force before anybody signed.

    Those who left count: their words are still there, for as long as they agreed to and no longer. See docs/adr/0010.
    """
    return min(last_signed(circle).values(), default=None) or charter_in_force(circle).erase_on


@dataclass(frozen=True, slots=True)
class Signer:
    person: Person
    role: str  # member, facilitator, former
    signed_at: datetime | None  # the version that is looked at


@dataclass(frozen=True, slots=True)
class Signing:
    """Where a version of the charter stands."""

    charter: Charter
    signers: Sequence[Signer]

    @property
    def signed(self) -> int:
        return sum(1 for each in self.signers if each.signed_at)

    @property
    def missing(self) -> Sequence[Signer]:
        return [each for each in self.signers if not each.signed_at]


def signing(circle: Circle, charter: Charter) -> Signing:
    """Everybody in the circle, and those who left and had signed this version or must agree to it, with their dates."""
    every = Signature.objects.filter(charter__circle=circle).order_by("charter__version").select_related("charter")
    signed = {each.person_id: each.signed_at for each in every if each.charter_id == charter.pk}
    until = {each.person_id: each.charter.erase_on for each in every}  # a later version replaces the former
    concerned = {person for person, day in until.items() if day < charter.erase_on}  # without them it does not hold
    everybody = circle.memberships.select_related("person").order_by("role", "person__name", "pk")
    signers = [
        Signer(each.person, each.relation, signed.get(each.person_id))
        for each in everybody
        if each.current or each.person_id in signed or (each.relation == "former" and each.person_id in concerned)
    ]
    return Signing(charter, signers)


def signed_before(circle: Circle, person_id: int | None) -> Charter | None:
    """The version that this person last signed."""
    mine = Signature.objects.filter(charter__circle=circle, person=person_id).select_related("charter")
    last = mine.order_by("-charter__version").first()
    return last.charter if last else None


def what_changed(before: Charter, after: Charter) -> list[list[diff.Piece]]:
    """The paragraphs that changed, each in pieces."""
    return diff.changed_paragraphs(diff.changes(before.text, after.text))


# ---------------------------------------------------------------- the ledger of turns


@dataclass(frozen=True, slots=True)
class Turns:
    """How often somebody was client, and when last."""

    person: Person
    current: bool
    times: int
    last_at: datetime | None


def ledger(circle: Circle) -> list[Turns]:
    """Every member: first who was never client, then who was least, or longest ago; at last those who left."""
    mine = Q(person__turns__circle=circle)
    everybody = (
        circle.memberships.filter(waiting_since=None)
        .select_related("person")
        .annotate(times=Count("person__turns", filter=mine), last_at=Max("person__turns__at", filter=mine))
    )
    kept = [each for each in everybody if each.times or (each.current and each.role == Membership.MEMBER)]
    kept.sort(key=lambda each: (not each.current, each.times, each.last_at or datetime.min, each.person.name))
    return [Turns(each.person, each.current, each.times, each.last_at) for each in kept]


# ---------------------------------------------------------------- lists of circles


def mine(user: User) -> QuerySet[Circle]:
    """The circles that they are in, of all their spaces, those that last first."""
    persons = [person for person, _roles in user.spaces.values()]
    here = Membership.objects.filter(HERE, person__in=persons).values("circle")
    return (
        Circle.objects.filter(pk__in=here)
        .select_related("space")
        .order_by(F("ended_at").desc(nulls_first=True), "name")
    )


def awaited(user: User) -> QuerySet[Membership]:
    """Where they wait for a place, those that are offered first."""
    persons = [person for person, _roles in user.spaces.values()]
    queue = Membership.objects.filter(person__in=persons, waiting_since__isnull=False, circle__ended_at=None)
    return queue.select_related("circle").order_by(F("offered_at").asc(nulls_last=True), "waiting_since")


def of_space(space: Space, search: str = "", state: str = "open") -> QuerySet[Circle]:
    """The circles of a space, by name. ``state``: open, ended or all."""
    found = Circle.objects.filter(space=space)
    if state in {"open", "ended"}:
        found = found.filter(ended_at__isnull=state == "open")
    for word in search.split()[:5]:
        found = found.filter(Q(name__icontains=word) | Q(purpose__icontains=word))
    return found.order_by("name", "pk")


def with_people(circles: QuerySet[Circle]) -> QuerySet[Circle]:
    """With ``members`` and ``queue`` (counts), ``next_at`` (the next meeting) and ``leaders`` (memberships)."""
    leaders = Membership.objects.filter(HERE, role=Membership.FACILITATOR).select_related("person")
    return circles.annotate(
        members=_count(Q(HERE, role=Membership.MEMBER)),
        queue=_count(Q(waiting_since__isnull=False)),
        next_at=Subquery(_next_meetings().values("starts_at")[:1]),
    ).prefetch_related(Prefetch("memberships", queryset=leaders, to_attr="leaders"))


def _count(which: Q) -> Coalesce:
    rows = Membership.objects.filter(which, circle=OuterRef("pk")).order_by().values("circle")
    return Coalesce(Subquery(rows.annotate(how_many=Count("pk")).values("how_many")), 0)


def _next_meetings() -> QuerySet[Meeting]:
    coming = Meeting.objects.filter(circle=OuterRef("pk"), ends_at__gt=timezone.now(), cancelled_at=None)
    return coming.order_by("starts_at")


def next_meeting(circle: Circle) -> Meeting | None:
    coming = circle.meetings.filter(ends_at__gt=timezone.now(), cancelled_at=None)
    return coming.order_by("starts_at", "pk").first()


def not_begun(circle: Circle) -> QuerySet[Meeting]:
    """What ends with the circle: meetings to come, and those whose date was still being looked for."""
    later = Q(starts_at__gt=timezone.now()) | Q(starts_at=None)
    return circle.meetings.filter(later, cancelled_at=None)


@dataclass(frozen=True, slots=True)
class Numbers:
    """All that a sponsor is told: counts of a space, and not a name."""

    open: int
    ended: int
    members: int
    waiting: int
    small: int  # open circles of fewer than five members
    large: int  # and of more than eight
    unled: int
    meetings: int  # that took place
    turns: int
    first_end: date | None  # when the next circle is to be erased


def numbers(space: Space) -> Numbers:
    open_ones = Circle.objects.filter(space=space, ended_at=None)
    sizes = open_ones.annotate(members=_count(Q(HERE, role=Membership.MEMBER)), led=_count(Q(HERE, role="facilitator")))
    shape = sizes.aggregate(
        all=Count("pk"),
        small=Count("pk", filter=Q(members__lt=compose.FEWEST)),
        large=Count("pk", filter=Q(members__gt=compose.MOST)),
        unled=Count("pk", filter=Q(led=0)),
    )
    people = Membership.objects.filter(circle__space=space, circle__ended_at=None).aggregate(
        members=Count("person", filter=HERE, distinct=True), waiting=Count("pk", filter=Q(waiting_since__isnull=False))
    )
    past = Circle.objects.filter(space=space).aggregate(
        ended=Count("pk", filter=Q(ended_at__isnull=False), distinct=True),
        turns=Count("turns", distinct=True),
        first_end=Min("erase_on", filter=Q(wrapped_key__isnull=False)),  # of one that has ended too
    )
    held = Meeting.objects.filter(circle__space=space, ends_at__lt=timezone.now(), cancelled_at=None).count()
    return Numbers(
        shape["all"], past["ended"], people["members"], people["waiting"], shape["small"], shape["large"],
        shape["unled"], held, past["turns"], past["first_end"],
    )  # fmt: skip


TOGETHER, CIRCLES = 3, 2  # people of one meeting, and circles, from which on a value is told of


def values_carried(space: Space) -> list[tuple[str, int]]:
    """(a value of this space, how many learnings bore it), in its order, up to the end of last month.

    Only those that at least three people of one meeting, and at least two circles, put on what they learnt: counts hold
    no names, so that three at one meeting are surely three people. By the month, so that no meeting is told apart.
    """
    month = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    counted = ValueCount.objects.filter(value__space=space, meeting__ends_at__lt=month).values("value")
    counted = counted.annotate(
        times=Sum("learnings"), together=Max("people"), circles=Count("meeting__circle", distinct=True)
    )
    told = counted.filter(together__gte=TOGETHER, circles__gte=CIRCLES).order_by("value__position", "value")
    return list(told.values_list("value__name", "times"))
