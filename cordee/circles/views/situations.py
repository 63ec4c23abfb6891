"""Pages on which a member prepares a situation, and the ledger of client turns."""

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cordee.accounts.queries import person_of
from cordee.accounts.rules import SignedIn, may, needs
from cordee.circles import access
from cordee.circles.actions import situations as actions
from cordee.circles.forms import situations as forms
from cordee.circles.models import Circle, Situation
from cordee.circles.queries import situations as queries


@require_safe
@never_cache
@needs("turns.see", access.circle)
def of_circle(request: SignedIn, circle: Circle) -> HttpResponse:
    person = request.user.person_in(circle.space_id)
    writes = may(request.user, "situation.write", circle)
    page = {
        "circle": circle,
        "ledger": queries.ledger(circle),
        "writes": writes and circle.wrapped_key is not None and circle.ended_at is None,
        "mine": queries.mine([person], circle) if writes and person else [],
    }
    return render(request, "situations/list.html", page)


@require_POST
@never_cache
@needs("situation.write", access.circle)
def begin(request: SignedIn, circle: Circle) -> HttpResponse:
    person = person_of(request.user, circle.space) if circle.space else None
    if person is None or circle.wrapped_key is None or circle.ended_at is not None:
        return redirect("circles:situations", circle.pk)
    return redirect("circles:situation", actions.begin(circle, person).pk)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("situation.own", access.situation)
def situation(request: SignedIn, situation: Situation) -> HttpResponse:
    if request.method != "POST":
        return _page(request, situation)
    outcome = _do(request, situation)
    if isinstance(outcome, str):
        return _page(request, situation, outcome)
    return outcome


@require_POST
@never_cache
@needs("situation.own", access.situation)
def draft(request: SignedIn, situation: Situation) -> HttpResponseBase:
    """What the page's script saves while its author types: the version now in force, and whether it is this one."""
    if situation.state == Situation.TREATED:
        return JsonResponse({"sentence": forms.sentence("treated")}, status=409)
    try:
        latest = actions.save(
            situation, forms.body(request.POST), request.POST.get("seen", ""), forms.moment(request.POST)
        )
    except (actions.Erased, actions.TooLong) as refused:
        return JsonResponse({"sentence": forms.sentence(refused.reason)}, status=409)
    held = actions.words(situation)
    return JsonResponse(
        {"version": held.version if held else "", "latest": latest, "others": len(held.others) if held else 0}
    )


def _do(request: SignedIn, situation: Situation) -> HttpResponse | str:
    """Do what the page asks; words in it are kept first, whatever is asked. A text is the reason of a refusal."""
    posted, here = request.POST, reverse("circles:situation", args=[situation.pk])
    wish = posted.get("do", "save")
    if "seen" in posted and situation.state != Situation.TREATED:
        try:
            actions.save(situation, forms.body(posted), posted["seen"], forms.moment(posted))
        except (actions.Erased, actions.TooLong) as refused:
            return refused.reason
    if wish == "erase":
        if not posted.get("sure"):
            return "unsure"
        actions.throw_away(situation)
        return redirect("circles:situations", situation.circle_id)
    reason = _become(situation, wish, posted.get("number", ""))
    return reason or redirect(here)


def _become(situation: Situation, wish: str, number: str) -> str:
    if wish == "bring":
        meeting = queries.next_meeting(situation.circle)
        return actions.bring(situation, meeting) if meeting else "no_meeting"
    if wish in {"reserve", "unreserve"}:
        return actions.keep_in_reserve(situation, wish == "reserve")
    if wish in {"take_up", "drop_other"} and number.isdecimal():
        (actions.take_up if wish == "take_up" else actions.drop_other)(situation, int(number[:4]))
    elif wish == "take_back":
        actions.take_back(situation)
    elif wish == "set_aside":
        actions.set_aside(situation)
    return ""


def _page(request: SignedIn, situation: Situation, refused: str = "") -> HttpResponse:
    held = actions.words(situation)
    posted = forms.body(request.POST) if refused == "too_much" else {}
    body = posted or (held.body if held else {})
    page = {
        "situation": situation,
        "circle": situation.circle,
        "held": held,
        "over": queries.Mine(situation, "").over,
        "boxes": [(box, body.get(box.name, "")) for box in forms.BOXES],
        "others": [
            [(box.label, box.choices.get(text, text)) for box in forms.BOXES if (text := other.get(box.name))]
            for other in (held.others if held else ())
        ],
        "meeting": queries.next_meeting(situation.circle),
        "refusal": forms.sentence(refused) if refused else "",
        "open": held is not None and situation.state != Situation.TREATED,
    }
    return render(request, "situations/situation.html", page)
