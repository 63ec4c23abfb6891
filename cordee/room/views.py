"""The pages of a room, and the plain-form road for browsers without JavaScript. Each calls one action or one query."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cordee.accounts.models import Person, User
from cordee.accounts.rules import needs
from cordee.circles import access as circles_access
from cordee.circles.models import Circle, Meeting
from cordee.circles.queries import circles
from cordee.engine.decide import Refused
from cordee.engine.hint import hint, said
from cordee.engine.policy import roles_of
from cordee.engine.record import Record, records_for
from cordee.engine.seen import View
from cordee.room import access, actions, documents, forms, limits, meetings, phrases, store, stream
from cordee.room import render as parts
from cordee.web import incidents

# ---------------------------------------------------------------- coming in


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
    return _seated(request, opened)


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
    return _seated(request, opened)


def _seated(request: HttpRequest, opened: actions.Opened) -> HttpResponse:
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


# ---------------------------------------------------------------- who has an account


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
    return _seated(request, opened)


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


# ---------------------------------------------------------------- the stage


@dataclass(frozen=True)
class Invitation:
    """The links of a room, as its stage shows them; those of the whole room to the facilitator alone.

    ``owned``: the seat is an account's, which needs no private link. ``absent``: (seat, name) of members not here yet.
    """

    id: str
    seat_url: str = ""
    code: str = ""
    join_url: str = ""
    screen_url: str = ""
    qr_svg: str = ""
    owned: bool = False
    absent: tuple[tuple[str, str], ...] = ()


@require_GET
@never_cache
def stage(request: HttpRequest, room: str) -> HttpResponse:
    key = access.seated(request, room)
    return _stage(request, key, actions.drafts(key))


@require_GET
@never_cache
def screen(request: HttpRequest, room: str) -> HttpResponse:
    """The shared screen: read-only, for a wall or a video call."""
    return _stage(request, access.seated(request, room, screen=True), {})


@require_GET
@never_cache
def now(request: HttpRequest, room: str, screen: bool = False) -> HttpResponse:
    """The page as it is now, for a browser whose stream is held back on its way; no ``html`` if ``vu`` is its tag."""
    key = access.seated(request, room, screen=screen)
    view = store.load(key.room).view(key.seat)
    if view is None:
        incidents.noticed("revoked", request, room)
        return JsonResponse({}, status=403)
    html = "".join(stream.changes(None, view, get_language() or "fr"))
    tag = sha256(html.encode()).hexdigest()[:16]
    seen = request.GET.get("vu") == tag
    return JsonResponse({**stream.hello(), "tag": tag, "html": "" if seen else html})


def _stage(
    request: HttpRequest,
    key: access.Key,
    drafts: Mapping[str, Mapping[str, str]],
    refusal: dict[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    new_id: str = "",
) -> HttpResponse:
    known = store.load(key.room)
    view = known.view(key.seat)
    if view is None:
        incidents.noticed("revoked", request, key.room)
        return render(request, "room/lost.html", status=403)
    if refusal and typed and not any(form.own and form.kind.id == refusal["kind"] for form in view.forms):
        # No field of this page holds what was typed any more: it is given back, to be copied.
        refusal["sentence"] += " « " + " / ".join(typed.values()) + " »"
    extra = {"drafts": drafts, "new_id": new_id or token_urlsafe(18)}
    context = {
        "view": view,
        "room": _invitation(request, known, view),
        "parts": parts.page(view, get_language() or "fr", extra),
        "drafts": drafts,
        "is_screen": key.is_screen,
        "refusal": refusal,
        "hello": {name: str(value) for name, value in stream.hello().items()},
    }
    status = {"": 200, "not_written": 503}.get(refusal["reason"] if refusal else "", 409)
    return render(request, "room/stage.html", context, status=status)


def _invitation(request: HttpRequest, known: store.Room, view: View) -> Invitation:
    if view.seat == "screen" or view.waiting:
        return Invitation(known.id)
    owned = actions.is_owned(known.id, view.seat)
    link = reverse("room:place", args=[access.token_in(known.id, request.COOKIES)])
    mine = "" if owned else request.build_absolute_uri(link)
    links = actions.links(known) if view.hand else {}
    if not links:
        return Invitation(known.id, mine, owned=owned)
    join_url = request.build_absolute_uri(reverse("room:join", args=[links["code"]]))
    screen_url = request.build_absolute_uri(reverse("room:place", args=[links["screen"]]))
    code, absent = actions.shown_code(links["code"]), tuple(meetings.absent(known.id))
    return Invitation(known.id, mine, code, join_url, screen_url, _qr(join_url), owned, absent)


def _qr(url: str) -> SafeString:
    import segno  # the facilitator's page alone draws one

    out = io.BytesIO()
    segno.make(url, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=2, dark="#000", light="#fff", svgclass="qr",
        lineclass=None, title=gettext("Code QR pour rejoindre la salle"),
    )  # fmt: skip
    return mark_safe(out.getvalue().decode())


def _from_here(request: HttpRequest, room: str) -> bool:
    """Whether a page of ours sent this; what another site sent is in the security log."""
    if access.from_here(request):
        return True
    incidents.noticed("other_site", request, room)
    return False


def _too_fast(request: HttpRequest, key: access.Key, what: str) -> bool:
    if not limits.too_fast(what, key):
        return False
    incidents.noticed("too_often", request, key.room)
    return True


@csrf_exempt  # the page's parts are shared between seats and hold no token: Origin is checked instead
@require_POST
@never_cache
def act(request: HttpRequest, room: str) -> HttpResponse:
    """One act by a plain form: back to the stage, or the stage with the sentence and what was typed."""
    key = access.seated(request, room)
    asked = forms.command(key.seat, ((name, request.POST[name]) for name in request.POST))
    if not _from_here(request, room):
        asked = Refused("origin")
    elif _too_fast(request, key, "contributions"):
        asked = Refused("too_often")
    try:
        outcome = asked if isinstance(asked, Refused) else actions.submit(room, asked)
    except Error:
        outcome = Refused("not_written")
    if not isinstance(outcome, Refused):
        return redirect("room:stage", room=room)
    kind, body = forms.draft(request.POST.dict())
    if request.POST.get("do") != "write" or request.POST.get("behalf"):
        kind = ""  # typed elsewhere than in a form that opens with one's draft
    refusal = {"reason": outcome.reason, "sentence": phrases.sentence(outcome), "kind": kind}
    body.pop("at", None)  # no field of ours: of a draft it is when it was typed
    # Sent again it keeps its id: had it been written after all, it is there once.
    again = request.POST.get("id", "") if outcome.reason == "not_written" else ""
    return _stage(request, key, {**actions.drafts(key), **({kind: body} if body else {})}, refusal, body, again)


@csrf_exempt
@require_POST
@never_cache
def draft(request: HttpRequest, room: str) -> HttpResponse:
    """Keep what is being typed: 204 once it is durable."""
    key = access.seated(request, room)
    if not _from_here(request, room):
        return HttpResponse(status=403)
    if _too_fast(request, key, "brouillon"):
        return HttpResponse(status=429)
    kind, body = forms.draft(request.POST.dict())
    typed = forms.moment(request.POST.get("at", ""))
    return HttpResponse(status=204 if kind and actions.save_draft(key, kind, body, typed) else 409)


@csrf_exempt
@require_POST
@never_cache
def private_hint(request: HttpRequest, room: str) -> HttpResponse:
    """What the rules say of a question being typed: to its author alone, kept nowhere."""
    if _too_fast(request, access.seated(request, room), "indice"):
        return JsonResponse({}, status=429)
    found = hint(request.POST.get("text", "")[:2000])
    return JsonResponse({"kind": found.kind, "text": said(found.kind, (get_language() or "fr")[:2])})


@csrf_exempt
@require_POST
@never_cache
def renew(request: HttpRequest, room: str) -> HttpResponse:
    """A new room code and a new shared screen link."""
    key = access.seated(request, room)
    refused = actions.renew_code(room, key.seat) if _from_here(request, room) else Refused("origin")
    if refused:
        return _stage(request, key, {}, {"reason": refused.reason, "sentence": phrases.sentence(refused), "kind": ""})
    return redirect("room:stage", room=room)


@csrf_exempt
@require_POST
@never_cache
def leave(request: HttpRequest, room: str) -> HttpResponse:
    """This browser gives its seat up, and its page forgets what it kept here."""
    key = access.seated(request, room)
    if not _from_here(request, room):
        refused = Refused("origin")
        return _stage(request, key, {}, {"reason": refused.reason, "sentence": phrases.sentence(refused), "kind": ""})
    response = render(request, "room/left.html")
    access.stand(response, key)
    return response


# ---------------------------------------------------------------- afterwards


@require_GET
@never_cache
def record(request: HttpRequest, room: str) -> HttpResponse:
    """What this person may take home, to read."""
    records = _records(request, room)
    downloads = [
        (f"{gettext(r.title)} ({kind})", reverse("room:download", args=[room, r.id, ext]))
        for r in records
        for kind, ext in (("PDF", "pdf"), ("Markdown", "md"))
    ]
    zone = timezone.get_current_timezone()
    html = mark_safe("".join(documents.html(r, zone) for r in records))
    context = {"records": records, "record_html": html, "downloads": downloads}
    owned = actions.is_owned(room, access.seated(request, room).seat)
    return render(request, "room/record.html", context | {"room": room, "owned": owned})


@require_GET
@never_cache
def download(request: HttpRequest, room: str, name: str, kind: str) -> HttpResponse:
    found = next((r for r in _records(request, room) if r.id == name), None)
    if found is None:
        raise Http404
    pdf = kind == "pdf"
    zone = timezone.get_current_timezone()
    try:
        content = documents.pdf_in_child(found, zone) if pdf else documents.markdown(found, zone).encode()
    except documents.DocumentError as error:  # a sentence for the reader, without a word of the record
        return HttpResponse(str(error), status=503, content_type="text/plain; charset=utf-8")
    response = HttpResponse(content, content_type="application/pdf" if pdf else "text/markdown; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="cordee-{slugify(found.id)}.{kind}"'
    return response


def _records(request: HttpRequest, room: str) -> tuple[Record, ...]:
    key = access.seated(request, room)
    records = records_for(store.load(room).state, key.seat)
    if not records:
        raise Http404
    return records
