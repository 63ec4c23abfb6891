"""A circle of a space, its charter signed, and its meetings' rooms as its people enter them.

lake = Lake("claire", "karim")          # Fanny facilitates
room = lake.enter("karim", lake.meeting())
"""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from cordee.accounts.models import Person
from cordee.circles.actions import charter, circles, meetings, members
from cordee.circles.models import Circle, Meeting
from cordee.circles.queries.circles import charter_in_force
from cordee.engine.refusal import Refused
from cordee.room import meetings as rooms
from cordee.room.actions import Opened
from tests import people
from tests.room.rooms import ORIGIN, House


class Lake:
    """Fanny's circle of the Atelier du Lac."""

    def __init__(self, *who: str, facilitators: tuple[str, ...] = ("fanny",)) -> None:
        self.space = people.space_of()
        self.people: dict[str, Person] = {}
        rose = self.person("rose", roles=("organiser",))
        leaders = [self.person(name) for name in facilitators]
        self.circle: Circle = circles.create(self.space, rose, leaders, name="Les éclaireurs")
        for name in who:
            members.add(self.circle, self.person(name))
        for name in (*facilitators, *who):
            self.sign(name)

    def person(self, who: str, **more) -> Person:
        if who not in self.people:
            self.people[who] = people.person(self.space, who, **more)
        return self.people[who]

    def sign(self, who: str) -> None:
        charter.sign(charter_in_force(self.circle), self.people[who])

    def meeting(self, in_hours: float = 0) -> Meeting:
        """The circle's next one, which begins in so many hours."""
        start = timezone.now() + timedelta(hours=in_hours)
        return meetings.plan(self.circle, [(start, start + timedelta(hours=2))])[0]

    def enter(self, who: str, meeting: Meeting) -> "House":
        """The meeting's room, in which they have just taken their place."""
        opened = rooms.enter(meeting, Person.objects.get(pk=self.people[who].pk))
        assert isinstance(opened, Opened), opened
        return House(opened.room, {opened.seat: opened.token})

    def refused(self, who: str, meeting: Meeting) -> str:
        outcome = rooms.enter(meeting, Person.objects.get(pk=self.people[who].pk))
        return outcome.reason if isinstance(outcome, Refused) else ""

    def seat(self, who: str, house: House) -> str:
        from cordee.room.models import Seat

        return Seat.objects.get(session=house.id, person=self.people[who]).seat

    def browser(self, who: str) -> Client:
        client = Client(**ORIGIN)
        client.force_login(people.user(who))
        return client


def address(meeting: Meeting) -> str:
    return f"/seances/{meeting.pk}/salle/"
