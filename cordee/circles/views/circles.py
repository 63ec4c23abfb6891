"""The pages of circles and of who is in them. Each calls one action or one query; the table of abilities opens them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from cordee.accounts import access as accounts
from cordee.accounts.models import Person, Space, User
from cordee.accounts.queries import person_of
from cordee.accounts.rules import may, needs
from cordee.circles import access
from cordee.circles.actions import circles, members
from cordee.circles.forms.circles import EditCircle, NewCircle
from cordee.circles.methods import methods
from cordee.circles.models import Circle, Membership
from cordee.circles.queries import circles as queries
from cordee.circles.refused import Refused

A_PAGE = 50  # circles of a list
CHANGE = ["GET", "POST"]

# ---------------------------------------------------------------- lists


@needs("circle.mine")
@require_safe
@never_cache
def mine(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    context = {"circles": queries.with_people(queries.mine(user)), "awaited": queries.awaited(user)}
    return render(request, "circles/mine.html", context)


@needs("circle.list", accounts.space)
@require_safe
@never_cache
def of_space(request: HttpRequest, space: Space) -> HttpResponse:
    search, state = request.GET.get("q", "").strip()[:120], request.GET.get("etat", "open")
    found = Paginator(queries.with_people(queries.of_space(space, search, state)), A_PAGE)
    context = {"space": space, "page": found.get_page(request.GET.get("page")), "search": search, "state": state}
    return render(request, "circles/of_space.html", context)


@needs("circle.numbers", accounts.space)
@require_safe
@never_cache
def numbers(request: HttpRequest, space: Space) -> HttpResponse:
    return render(
        request,
        "circles/numbers.html",
        {"space": space, "numbers": queries.numbers(space), "values": queries.values_carried(space)},
    )


# ---------------------------------------------------------------- one circle


@needs("circle.create", accounts.space)
@require_http_methods(CHANGE)
@never_cache
def create(request: HttpRequest, space: Space) -> HttpResponse:
    form = NewCircle(space, request.POST or None)
    if not form.is_valid():
        return render(request, "circles/create.html", {"space": space, "form": form})
    circle = circles.create(space, _me(request, space), **form.cleaned_data)
    return redirect("circles:members", circle=circle.pk)


@needs("circle.see", access.circle)
@require_safe
@never_cache
def circle(request: HttpRequest, circle: Circle) -> HttpResponse:
    charter = queries.charter_in_force(circle)
    composes = circle.ended_at is None and may(request.user, "circle.edit", circle)
    context = {
        "circle": circle,
        "method": methods().get(circle.protocol, circle.protocol),
        "members": queries.current(circle),
        "former": queries.former(circle),
        "meeting": queries.next_meeting(circle),
        "charter": charter,
        "signing": queries.signing(circle, charter),
        "ledger": queries.ledger(circle),
        "warnings": queries.warnings(circle) if composes else [],
        "me": _user(request).person_in(circle.space_id),
    }
    return render(request, "circles/circle.html", context)


@needs("circle.edit", access.circle)
@require_http_methods(CHANGE)
@never_cache
def edit(request: HttpRequest, circle: Circle) -> HttpResponse:
    form = EditCircle(request.POST or None, instance=circle)
    if not form.is_valid():
        return render(request, "circles/edit.html", {"circle": circle, "form": form})
    return _done(
        request, circle, lambda: circles.edit(circle, **form.cleaned_data), "circles/edit.html", {"form": form}
    )


@needs("circle.end", access.circle)
@require_http_methods(CHANGE)
@never_cache
def end(request: HttpRequest, circle: Circle) -> HttpResponse:
    context: dict[str, Any] = {"to_cancel": queries.not_begun(circle).count()}
    if request.method == "GET":
        return render(request, "circles/end.html", context | {"circle": circle})
    return _done(request, circle, lambda: circles.end(circle), "circles/end.html", context)


@needs("circle.leave", access.circle)
@require_http_methods(CHANGE)
@never_cache
def leave(request: HttpRequest, circle: Circle) -> HttpResponse:
    """Leave by oneself, without a reason."""
    mine = _my_place(request, circle)
    if request.method == "GET":
        return render(request, "circles/leave.html", {"circle": circle})
    return _done(request, circle, lambda: members.leave(mine), "circles/leave.html", {}, then="circles:mine")


@needs("place.answer", access.circle)
@require_http_methods(CHANGE)
@never_cache
def place(request: HttpRequest, circle: Circle) -> HttpResponse:
    """What somebody on the waiting list sees: their rank, or the place that is held for them."""
    mine = _my_place(request, circle)
    queue = [each.pk for each in queries.waiting(circle)]
    context: dict[str, Any] = {"membership": mine, "rank": queue.index(mine.pk) + 1 if mine.pk in queue else 0}
    match request.POST.get("do"):
        case "accept":
            return _done(request, circle, lambda: members.accept(mine), "circles/place.html", context)
        case "decline":
            leave = partial(members.leave, mine)
            return _done(request, circle, leave, "circles/place.html", context, then="circles:mine")
    return render(request, "circles/place.html", context | {"circle": circle})


# ---------------------------------------------------------------- composing it


@needs("circle.people", access.circle)
@require_http_methods(CHANGE)
@never_cache
def composition(request: HttpRequest, circle: Circle) -> HttpResponse:
    """Who is in, who waits, what to look at, and the people of the space to choose from."""
    if request.method == "GET":
        return render(request, "circles/members.html", _composition(request, circle))
    person, by = _chosen(request, circle), _me(request, circle.space)
    acts: dict[str, Callable[[], Any]] = {
        "add": lambda: members.add(circle, person, by=by),
        "lead": lambda: members.add(circle, person, Membership.FACILITATOR, by=by),
        "wait": lambda: members.wait(circle, person),
    }
    act = acts.get(request.POST.get("do", "add"), acts["add"])
    return _composed(request, circle, act)


@needs("circle.people", access.circle)
@require_http_methods(CHANGE)
@never_cache
def member(request: HttpRequest, circle: Circle, membership: int) -> HttpResponse:
    """One place: its role, who could take it, and how to free it."""
    found = get_object_or_404(circle.memberships.select_related("person"), pk=membership)
    context = _one_place(request, circle, found)
    if request.method == "GET":
        return render(request, "circles/member.html", context)
    acts: dict[str, Callable[[], Any]] = {
        "lead": lambda: members.set_role(found, Membership.FACILITATOR),
        "follow": lambda: members.set_role(found, Membership.MEMBER),
        "seat": lambda: members.add(circle, found.person, by=_me(request, circle.space)),
        "remove": lambda: members.leave(found),
        "replace": lambda: members.replace(found, _chosen(request, circle), by=_me(request, circle.space)),
    }
    act = acts.get(request.POST.get("do", ""))
    if act is None:
        return render(request, "circles/member.html", context)
    return _done(request, circle, act, "circles/member.html", context, then="circles:members")


def _composition(request: HttpRequest, circle: Circle) -> dict[str, Any]:
    search = (request.POST.get("q") or request.GET.get("q", "")).strip()[:120]
    return {
        "circle": circle,
        "members": queries.current(circle),
        "queue": queries.waiting(circle),
        "former": queries.former(circle),
        "free": members.free(circle),
        "warnings": queries.warnings(circle),
        "search": search,
        "candidates": queries.weighed(circle, queries.candidates(circle, search)),
    }


def _one_place(request: HttpRequest, circle: Circle, membership: Membership) -> dict[str, Any]:
    search = request.GET.get("q", "").strip()[:120]
    found = queries.candidates(circle, search) if membership.current else []
    return {"circle": circle, "membership": membership, "search": search, "candidates": found}


def _composed(request: HttpRequest, circle: Circle, act: Callable[[], Any]) -> HttpResponse:
    try:
        act()
    except Refused as refused:
        context = _composition(request, circle) | {"refusal": str(refused)}
        return render(request, "circles/members.html", context, status=409)
    return redirect("circles:members", circle=circle.pk)


def _chosen(request: HttpRequest, circle: Circle) -> Person:
    """Whoever the form names, of this space; 404 for anybody else."""
    asked = request.POST.get("person", "")
    if not asked.isdecimal() or len(asked) > 18:
        raise Http404
    return get_object_or_404(Person, pk=asked, space=circle.space_id, left_at=None, erased_at=None)


# ---------------------------------------------------------------- shared by these pages


def _done(
    request: HttpRequest,
    circle: Circle,
    act: Callable[[], Any],
    page: str,
    context: dict[str, Any],
    then: str = "circles:circle",
) -> HttpResponse:
    """Do it, then go on; a refusal is said on the page where it was asked."""
    try:
        act()
    except Refused as refused:
        return render(request, page, {**context, "circle": circle, "refusal": str(refused)}, status=409)
    return redirect(then) if then == "circles:mine" else redirect(then, circle=circle.pk)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the table of abilities lets nobody else come here
    return request.user


def _me(request: HttpRequest, space: Space | None) -> Person:
    person = person_of(_user(request), space) if space else None
    if person is None:
        raise Http404
    return person


def _my_place(request: HttpRequest, circle: Circle) -> Membership:
    mine = circle.memberships.filter(person=_user(request).person_in(circle.space_id))
    return get_object_or_404(mine.select_related("person"))
