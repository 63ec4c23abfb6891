"""Coming in: a new room, a code to type, a first name to give, a private link."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cordee.engine.refusal import Refused
from cordee.room import access, actions, limits, phrases
from cordee.web import incidents


@require_http_methods(["GET", "POST"])
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """Open a room: a first name is all it takes."""
    name = request.POST.get("name", "")
    if request.method == "GET" or not name.strip():
        return render(request, "room/new.html", {"name": name})
    if limits.spent("new", limits.caller(request)):
        return _too_often(request, "room/new.html", {"name": name})
    limits.count("new", limits.caller(request))
    opened = actions.open_room(name)
    if isinstance(opened, Refused):
        return render(request, "room/new.html", {"name": name, "error": phrases.sentence(opened)}, status=409)
    return seated(request, opened)


@require_http_methods(["GET", "POST"])
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """Type the room's code."""
    given = request.POST.get("code", "")
    if request.method == "GET" or not given.strip():
        return render(request, "room/code.html")
    room = _room_of_code(request, given)
    if isinstance(room, HttpResponse):
        return room
    return redirect("room:join", code=_plain(given))


def _plain(given: str) -> str:
    return "".join(ch for ch in given.upper() if ch in access.ALPHABET)


def _room_of_code(request: HttpRequest, given: str) -> str | HttpResponse:
    """The room of this code, or the page that says there is none; wrong guesses are counted."""
    if limits.guessing(request):
        return _too_often(request, "room/code.html", {"code": given})
    room = actions.room_of_code(given)
    if room is None:
        limits.guessed_wrong(request)
        incidents.noticed("code_wrong", request)
        error = phrases.sentence(Refused("no_such_code"))
        return render(request, "room/code.html", {"code": given, "error": error}, status=404)
    return room


def _too_often(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    incidents.noticed("too_often", request)
    error = phrases.sentence(Refused("too_often"))
    return render(request, template, context | {"error": error}, status=429)


@require_http_methods(["GET", "POST"])
@never_cache
def join(request: HttpRequest, code: str) -> HttpResponse:
    """Sit down with a first name only. Who already has a seat here goes back to it."""
    room = _room_of_code(request, code)
    if isinstance(room, HttpResponse):
        return room
    name = request.POST.get("name", "")
    context = {"code": actions.shown_code(_plain(code)), "name": name}
    if request.method == "GET" or not name.strip():
        return render(request, "room/join.html", context)
    if limits.spent("join", limits.caller(request)):
        return _too_often(request, "room/join.html", context)
    limits.count("join", limits.caller(request))
    role = "observer" if request.POST.get("role") == "observer" else "member"
    opened = actions.join(room, name, role)
    if isinstance(opened, Refused):
        return render(request, "room/join.html", context | {"error": phrases.sentence(opened)}, status=409)
    return seated(request, opened)


def seated(request: HttpRequest, opened: actions.Opened) -> HttpResponse:
    response = redirect("room:stage", room=opened.room)
    access.sit(request, response, access.Key(opened.room, opened.seat), opened.token)
    return response


@require_GET
@never_cache
def place(request: HttpRequest, token: str) -> HttpResponse:
    """A private link: the same seat, or the shared screen, on this device."""
    key = access.key_of(token)
    if key is None:
        incidents.noticed("link_unknown", request)
        return render(request, "room/lost.html", status=404)
    response = redirect("room:screen" if key.is_screen else "room:stage", room=key.room)
    access.sit(request, response, key, token)
    return response
