"""What one does there, by the plain-form road of browsers without JavaScript. Each calls one action."""

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cordee.engine.hint import hint, said
from cordee.engine.refusal import Refused
from cordee.room import access, actions, forms, limits, phrases
from cordee.room.views.stage import page
from cordee.web import incidents


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
    return page(request, key, {**actions.drafts(key), **({kind: body} if body else {})}, refusal, body, again)


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
        return page(request, key, {}, {"reason": refused.reason, "sentence": phrases.sentence(refused), "kind": ""})
    return redirect("room:stage", room=room)


@csrf_exempt
@require_POST
@never_cache
def leave(request: HttpRequest, room: str) -> HttpResponse:
    """This browser gives its seat up, and its page forgets what it kept here."""
    key = access.seated(request, room)
    if not _from_here(request, room):
        refused = Refused("origin")
        return page(request, key, {}, {"reason": refused.reason, "sentence": phrases.sentence(refused), "kind": ""})
    response = render(request, "room/left.html")
    access.stand(response, key)
    return response
