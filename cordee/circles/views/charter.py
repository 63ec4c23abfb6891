"""The charter: read, signed, proposed anew. What changed since somebody signed is shown before they sign again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cordee.accounts.models import User
from cordee.accounts.rules import needs
from cordee.circles import access
from cordee.circles.actions import charter as actions
from cordee.circles.forms.circles import EditCharter
from cordee.circles.models import Charter, Circle
from cordee.circles.queries import circles as queries
from cordee.circles.refused import Refused


@needs("charter.see", access.circle)
@require_safe
@never_cache
def charter(request: HttpRequest, circle: Circle) -> HttpResponse:
    """The version in force, who signed it, and what changed since the reader last signed."""
    return _page(request, circle, queries.charter_in_force(circle))


@needs("charter.see", access.circle)
@require_safe
@never_cache
def version(request: HttpRequest, circle: Circle, version: int) -> HttpResponse:
    """Any version, as it was signed, and what it changed."""
    shown = get_object_or_404(circle.charters, version=version)
    before = circle.charters.filter(version=version - 1).first()
    changes = queries.what_changed(before, shown) if before else []
    context = {"circle": circle, "charter": shown, "before": before, "changes": changes, "former_version": True}
    return render(request, "circles/charter.html", context)


@needs("charter.sign", access.circle)
@require_POST
@never_cache
def sign(request: HttpRequest, circle: Circle) -> HttpResponse:
    """Sign the version that was read, which the form names."""
    asked = request.POST.get("version", "")
    read = circle.charters.filter(version=asked if asked.isdecimal() and len(asked) < 5 else 0).first()
    me = _user(request).persons.get(space=circle.space_id)
    try:
        actions.sign(read or queries.charter_in_force(circle), me) if read else None
    except Refused as refused:
        return _page(request, circle, queries.charter_in_force(circle), refusal=str(refused))
    return redirect("circles:charter", circle=circle.pk)


@needs("charter.edit", access.circle)
@require_http_methods(["GET", "POST"])
@never_cache
def propose(request: HttpRequest, circle: Circle) -> HttpResponse:
    """Write a new version from the one in force."""
    now = queries.charter_in_force(circle)
    known = {"text": now.text, "scope": now.scope, "erase_on": now.erase_on}
    form = EditCharter(request.POST or None, initial=known, circle=circle)
    context = {"circle": circle, "form": form, "charter": now}
    if not form.is_valid():
        return render(request, "circles/propose.html", context)
    try:
        if form.cleaned_data != known:
            actions.propose(circle, **form.cleaned_data)
    except Refused as refused:
        return render(request, "circles/propose.html", context | {"refusal": str(refused)}, status=409)
    return redirect("circles:charter", circle=circle.pk)


def _page(request: HttpRequest, circle: Circle, charter: Charter, refusal: str = "") -> HttpResponse:
    me = _user(request).person_in(circle.space_id)
    signing = queries.signing(circle, charter)
    before = queries.signed_before(circle, me)
    again = before is not None and before.version < charter.version
    context = {
        "circle": circle,
        "charter": charter,
        "signing": signing,
        "mine": next((each for each in signing.signers if each.person.pk == me), None),
        "before": before if again else None,
        "changes": queries.what_changed(before, charter) if before and again else [],
        "versions": circle.charters.filter(version__lt=charter.version).order_by("-version"),
        "refusal": refusal,
    }
    return render(request, "circles/charter.html", context, status=409 if refusal else 200)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the table of abilities lets nobody else come here
    return request.user
