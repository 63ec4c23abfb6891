"""Find what an address names, or 404. Who may see it is said in :mod:`cordee.accounts.rules`."""

from django.http import Http404
from django.shortcuts import get_object_or_404

from cordee.accounts.models import Person
from cordee.circles import links
from cordee.circles.models import Charter, Circle, Meeting, Situation
from cordee.circles.queries import meetings


def circle(circle: int) -> Circle:
    """A circle of a space: the guests of a room have no page."""
    return get_object_or_404(Circle.objects.select_related("space"), pk=circle, space__isnull=False)


def charter(charter: int) -> Charter:
    return get_object_or_404(Charter.objects.select_related("circle__space"), pk=charter)


def meeting(meeting: int) -> Meeting:
    return get_object_or_404(Meeting.objects.select_related("circle__space"), pk=meeting)


def situation(situation: str) -> Situation:
    return get_object_or_404(Situation.objects.select_related("circle__space", "person"), pk=situation)


def answering(token: str) -> tuple[Meeting, Person, int]:
    """The meeting, the person and the version of the meeting that a letter's link is about, for who is still called."""
    numbers = links.read(links.REPLY, token)
    if numbers is None or len(numbers) != 3:
        raise Http404
    return *_called(*numbers[:2]), numbers[2]


def available(token: str) -> tuple[Meeting, Person]:
    """The meeting and the person that a link about availability is for, while that person is of the circle."""
    numbers = links.read(links.AVAILABILITY, token)
    if numbers is None or len(numbers) != 2:
        raise Http404
    return _called(*numbers)


def _called(meeting_id: int, person_id: int) -> tuple[Meeting, Person]:
    found = meeting(meeting_id)
    membership = meetings.invited(found.circle).filter(person=person_id, person__erased_at=None).first()
    if membership is None:
        raise Http404
    return found, membership.person
