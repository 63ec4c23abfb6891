"""Find what an address names, or 404. Who may see it is said in :mod:`cordee.accounts.rules`."""

from django.shortcuts import get_object_or_404

from cordee.circles.models import Charter, Circle, Meeting, Situation


def circle(circle: int) -> Circle:
    """A circle of a space: the guests of a room have no page."""
    return get_object_or_404(Circle.objects.select_related("space"), pk=circle, space__isnull=False)


def charter(charter: int) -> Charter:
    return get_object_or_404(Charter.objects.select_related("circle__space"), pk=charter)


def meeting(meeting: int) -> Meeting:
    return get_object_or_404(Meeting.objects.select_related("circle__space"), pk=meeting)


def situation(situation: str) -> Situation:
    return get_object_or_404(Situation.objects.select_related("circle__space", "person"), pk=situation)
