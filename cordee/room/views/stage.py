"""The room itself, as one seat sees it now."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_urlsafe

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cordee.engine.seen import View
from cordee.room import access, actions, lent, meetings, store, stream
from cordee.room import render as parts
from cordee.web import incidents


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
    return page(request, key, actions.drafts(key))


@require_GET
@never_cache
def screen(request: HttpRequest, room: str) -> HttpResponse:
    """The shared screen: read-only, for a wall or a video call."""
    return page(request, access.seated(request, room, screen=True), {})


@require_GET
@never_cache
def now(request: HttpRequest, room: str, screen: bool = False) -> HttpResponse:
    """The page as it is now, for a browser whose stream is held back on its way; no ``html`` if ``vu`` is its tag."""
    key = access.seated(request, room, screen=screen)
    view = store.load(key.room).view(key.seat)
    if view is None:
        incidents.noticed("revoked", request, room)
        return JsonResponse({}, status=403)
    html = stream.whole(view, get_language() or "fr")
    tag = stream.tag(html)
    seen = request.GET.get("vu") == tag
    return JsonResponse({**stream.hello(), "tag": tag, "html": "" if seen else html})


def page(
    request: HttpRequest,
    key: access.Key,
    drafts: Mapping[str, Mapping[str, str]],
    refusal: dict[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    new_id: str = "",
) -> HttpResponse:
    lent.put_right(key.room, actions.submit)
    known = store.load(key.room)
    view = known.view(key.seat)
    if view is None:
        incidents.noticed("revoked", request, key.room)
        return render(request, "room/lost.html", status=403)
    if refusal and typed and not any(form.own and form.kind.id == refusal["kind"] for form in view.forms):
        # No field of this page holds what was typed any more: it is given back, to be copied.
        refusal["sentence"] += " « " + " / ".join(typed.values()) + " »"
    extra, language = {"drafts": drafts, "new_id": new_id or token_urlsafe(18)}, get_language() or "fr"
    context = {
        "view": view,
        "room": _invitation(request, known, view),
        "parts": parts.page(view, language, extra),
        "shown": stream.tag(stream.whole(view, language)),
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
