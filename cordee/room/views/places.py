"""Whose account a seat is: the room of a meeting, and the seat of a guest who has an account."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cordee.accounts.models import Person, User
from cordee.accounts.rules import needs
from cordee.circles import access as circles_access
from cordee.circles.models import Circle, Meeting
from cordee.circles.queries import circles
from cordee.engine.policy import roles_of
from cordee.engine.refusal import Refused
from cordee.room import access, actions, meetings, phrases, store
from cordee.room.views.doors import seated


@require_http_methods(["GET", "POST"])
@never_cache
@needs("room.enter", circles_access.meeting)
def meeting(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    """One's place in the room of a meeting, the charter once signed. Long before or after it, one is asked first."""
    person = _person(request, meeting.circle)
    if not circles.has_signed(meeting.circle, person):
        return redirect("circles:charter", circle=meeting.circle_id)
    if request.method == "GET" and not meetings.is_time(meeting) and not meeting.cancelled_at:
        return render(request, "room/meeting.html", {"meeting": meeting})
    opened = meetings.enter(meeting, person)
    if isinstance(opened, Refused):
        return render(request, "room/meeting.html", {"meeting": meeting, "error": phrases.sentence(opened)}, status=409)
    return seated(request, opened)


def _person(request: HttpRequest, circle: Circle) -> Person:
    return get_object_or_404(Person, pk=_user(request).person_in(circle.space_id))


def _user(request: HttpRequest) -> User:
    """Whoever is signed in; 404 to others."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


@require_http_methods(["GET", "POST"])
@never_cache
def claim(request: HttpRequest, room: str) -> HttpResponse:
    """Attach the seat of this browser to one's account, once signed in."""
    key = access.seated(request, room)
    if not roles_of(store.load(room).state, key.seat):
        raise Http404
    if request.method == "GET":
        signed_in = request.user.is_authenticated
        return render(request, "room/claim.html", {"room": room, "user": request.user if signed_in else None})
    outcome = actions.claim(key, _user(request))
    if isinstance(outcome, Refused):
        context = {"room": room, "user": request.user, "error": phrases.sentence(outcome)}
        return render(request, "room/claim.html", context, status=409)
    response = render(request, "room/claim.html", {"room": room, "user": request.user, "done": True})
    access.sit(request, response, access.Key(outcome.room, outcome.seat), outcome.token)
    return response


@require_GET
@never_cache
@needs("account.own")
def mine(request: HttpRequest, room: str) -> HttpResponse:
    """The seat of whoever is signed in, on this device: the stage, or with ``?vers=bilan`` the record."""
    opened = actions.seat_of(room, _user(request))
    if opened is None:
        raise Http404
    response = redirect("room:record" if request.GET.get("vers") == "bilan" else "room:stage", room=room)
    access.sit(request, response, access.Key(room, opened.seat), opened.token)
    return response
