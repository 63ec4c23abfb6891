"""Who may do what outside of a room: the relations of somebody to a thing ∩ those that a row of the table names."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse

from cordee.accounts.models import User
from cordee.web import incidents

TABLE = Path(__file__).with_name("abilities.toml")
Visitor = User | AnonymousUser


class SignedIn(HttpRequest):
    """A request that came through :func:`needs` of an ability that is not anybody's."""

    user: User


class Thing(Protocol):
    """What abilities are about: it says how somebody stands to it."""

    def relations(self, user: User) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Ability:
    id: str
    area: str
    who: frozenset[str]
    says: str  # in French: what it lets somebody do


@cache
def abilities() -> Mapping[str, Ability]:
    areas = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        id_: Ability(id_, area, frozenset(row["who"]), row["says"])
        for area, rows in areas.items()
        for id_, row in rows.items()
    }


def relations(user: Visitor, thing: Thing | None) -> frozenset[str]:
    """How this visitor stands to this thing."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset({"anybody"})
    whatever = {"anybody", "signed_in"} | ({"operator"} if user.is_operator else set())
    return frozenset(whatever) | (thing.relations(user) if thing is not None else frozenset())


def may(user: Visitor, ability: str, thing: Thing | None = None) -> bool:
    """Whether a row gives this. ``KeyError`` for an ability that is not in the table."""
    return bool(abilities()[ability].who & relations(user, thing))


def needs(ability: str, find: Callable[[Any], Thing] | None = None) -> Callable[..., Callable[..., HttpResponse]]:
    """Close a view to whoever may not: they get the 404 of what does not exist; who is not signed in is asked to.

    ``find`` gives the thing that the address names, or raises 404; the part of the address bears its name, and the view
    receives the thing after the request.
    """
    abilities()[ability]  # a row that is missing is noticed when the server starts

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def checked(request: HttpRequest, **where: Any) -> HttpResponse:
            user = request.user
            if not user.is_authenticated and "anybody" not in abilities()[ability].who:
                return redirect_to_login(_again(request))
            if find is None:
                if not may(user, ability):
                    raise _nothing_here(request)
                return view(request, **where)
            thing = find(where.pop(find.__name__))
            if not may(user, ability, thing):
                raise _nothing_here(request)
            return view(request, thing, **where)

        checked.ability = ability  # type: ignore[attr-defined]
        return checked

    return decorate


def _again(request: HttpRequest) -> str:
    """Where to go once signed in: the page of a form that was posted, which kept what was typed (web/keep.js)."""
    came = urlsplit(request.headers.get("Referer", ""))
    posted = request.method not in {"GET", "HEAD"} and came.netloc == request.get_host()
    return came.path if posted else request.get_full_path()


def _nothing_here(request: HttpRequest) -> Http404:
    """The 404 of who may not, like that of what does not exist; the security log tells them apart."""
    incidents.noticed("not_allowed", request)
    return Http404()
