"""A space of 10,000 people and 1,000 circles, made in seconds, for figures and for tests of their number."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import count, islice
from typing import Any

from django.db import connection
from django.utils import timezone

from cordee.accounts.models import Person, Role, Space, User
from cordee.circles import crypto
from cordee.circles.models import Charter, Circle, Meeting, Membership, Reply, Signature, Turn
from cordee.circles.queries.meetings import to_come

PEOPLE, CIRCLES, MEMBERS, MEETINGS = 10_000, 1_000, 8, 4
SITES = ("Annecy", "Lyon", "Grenoble", "Chambéry", "Valence")
BRANCHES = ("Réseau", "Clientèle", "Siège", "Industrie")
LEVELS = ("Chargée de mission", "Chef d’équipe", "Responsable d’agence", "Directrice")


def gathered(people: int = PEOPLE, circles: int = CIRCLES) -> Space:
    """Rose organises, Julien sponsors, Fanny leads every fiftieth circle, Claire is in the first three."""
    space = Space.objects.create(name="Atelier du Lac")
    persons = _people(space, people)
    Role.objects.create(person=persons[0], role=Role.ORGANISER)
    Role.objects.create(person=persons[3], role=Role.SPONSOR)
    made = Circle.objects.bulk_create(_circles(space, circles))
    charters = Charter.objects.bulk_create([_charter(circle) for circle in made], 500)
    places = Membership.objects.bulk_create(_places(made, persons), 500)
    everybody = zip(charters, _by_circle(places, made), strict=True)
    signatures = [Signature(charter=charter, person=each.person) for charter, group in everybody for each in group]
    Signature.objects.bulk_create(signatures, 500)
    _meetings(made, _by_circle(places, made))
    _counted()
    return space


def _counted() -> None:
    """Let PostgreSQL count its rows, as it does by itself within a minute: until then it plans for what it last saw."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def names() -> Iterator[str]:
    yield from ("Rose", "Fanny", "Claire", "Julien")
    yield from (f"Personne {number}" for number in count(5))


def _people(space: Space, how_many: int) -> list[Person]:
    known = list(islice(names(), how_many))
    users = User.objects.bulk_create(
        [User(email=f"p{n}@example.org", name=name, password="!") for n, name in enumerate(known)], 500
    )
    persons: list[Person] = []
    for level in (10, 100, 1_000, 10_000, 100_000):  # each level is managed by the one before
        new = [_person(space, n, user, persons) for n, user in enumerate(users[:level])][len(persons) :]
        persons += Person.objects.bulk_create(new, 500)
    return persons


def _person(space: Space, n: int, user: User, above: list[Person]) -> Person:
    profile = {"site": SITES[n % 5], "branch": BRANCHES[n % 4], "level": LEVELS[n % 4], "team": f"Équipe {n // 8}"}
    manager = above[n // 10] if above and n >= 10 else None
    return Person(space=space, user=user, name=user.name, email=user.email, manager=manager, **profile)


def _circles(space: Space, how_many: int) -> list[Circle]:
    key = crypto.new_wrapped_key()
    return [
        Circle(space=space, name=f"Cercle n° {n:04d}", purpose="S’entraider.", wrapped_key=key, erase_on=_until())
        for n in range(1, how_many + 1)
    ]


def _until() -> date:
    return timezone.localdate() + timedelta(days=300)


def _charter(circle: Circle) -> Charter:
    text = "\n\n".join(["Ce qui se dit ici reste ici."] * 40)
    return Charter(circle=circle, version=1, text=text, scope="Tous, sur tout.", erase_on=circle.erase_on)


def _places(circles: list[Circle], persons: list[Person]) -> list[Membership]:
    now = timezone.now()
    others = persons[4:]
    places: list[Membership] = []
    for n, circle in enumerate(circles):
        leader = persons[1] if n % 50 == 0 else others[n % len(others)]
        group = {others[(len(circles) + n * MEMBERS + i) % len(others)].pk: None for i in range(MEMBERS)}
        if n < 3:
            group = {persons[2].pk: None, **dict(list(group.items())[1:])}
        group.pop(leader.pk, None)
        places.append(Membership(circle=circle, person=leader, role=Membership.FACILITATOR, joined_at=now))
        places += [Membership(circle=circle, person_id=person, joined_at=now) for person in group]
    return places


def _by_circle(places: list[Membership], circles: list[Circle]) -> list[list[Membership]]:
    groups: dict[int, list[Membership]] = {circle.pk: [] for circle in circles}
    for place in places:
        groups[place.circle_id].append(place)
    return list(groups.values())


def _meetings(circles: list[Circle], groups: list[list[Membership]]) -> None:
    first = timezone.now() - timedelta(days=45)
    meetings = Meeting.objects.bulk_create(
        [_meeting(circle, n, first) for circle in circles for n in range(1, MEETINGS + 1)], 500
    )
    by_circle = {circle.pk: group for circle, group in zip(circles, groups, strict=True)}
    replies: list[Reply] = []
    turns: list[Turn] = []
    for meeting in meetings:
        group = by_circle[meeting.circle_id]
        replies += [Reply(meeting=meeting, person_id=each.person_id, answer=Reply.COMING) for each in group[:5]]
        if meeting.number < 3:
            client = group[meeting.number]
            turns.append(
                Turn(circle_id=meeting.circle_id, meeting=meeting, person_id=client.person_id, round=1, at=first)
            )
    Reply.objects.bulk_create(replies, 500)
    Turn.objects.bulk_create(turns, 500)


def _meeting(circle: Circle, number: int, first: datetime) -> Meeting:
    start = first + timedelta(days=30 * (number - 1))
    return Meeting(
        circle=circle, number=number, starts_at=start, ends_at=start + timedelta(hours=3), uid=f"{circle.pk}-{number}"
    )


def places() -> dict[str, Any]:
    """What each part of an address names, for who asks for it: something of the first circle."""
    circle = Circle.objects.filter(name="Cercle n° 0001").get()
    coming = to_come(circle).first()
    return {
        "space": circle.space_id,
        "circle": circle.pk,
        "membership": circle.memberships.order_by("pk")[3].pk,
        "person": Person.objects.get(name="Claire").pk,
        "version": 1,
        "meeting": coming.pk if coming else 0,
    }
