"""Find what an address names, or 404. Who may see it is said in :mod:`cordee.accounts.rules`."""

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from cordee.accounts.models import Person, Space, User


def me(request: HttpRequest) -> User:
    """Who is signed in."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def space(space: int) -> Space:
    return get_object_or_404(Space, pk=space)


def person(person: int) -> Person:
    return get_object_or_404(Person.objects.select_related("space"), pk=person, erased_at=None)
