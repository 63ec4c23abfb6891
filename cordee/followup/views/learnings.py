"""What was learnt: read, looked for, and recalled for a situation that is being prepared."""

from collections.abc import Mapping, Sequence

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cordee.accounts.models import Person, Space, User
from cordee.accounts.rules import SignedIn, needs
from cordee.circles import access as circles
from cordee.circles.models import Circle, Situation
from cordee.engine.rules.judgements import tidied
from cordee.followup import access, published
from cordee.followup.actions import learnings as actions
from cordee.followup.forms.commitments import LONGEST
from cordee.followup.forms.learnings import wish_of
from cordee.followup.models import Learning
from cordee.followup.queries import learnings as queries
from cordee.followup.queries import recalled as recalling
from cordee.followup.queries.reading import persons

PAGE = 50
IN = {"member", "facilitator"}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("account.home")
def learnings(request: SignedIn) -> HttpResponse:
    """What I may read of what was learnt; POST searches it, so that what is looked for is in no log of addresses."""
    if request.method == "POST":
        return _search(request, wish_of(request.POST))
    return _page(request, {})


def _page(request: SignedIn, more: Mapping[str, object]) -> HttpResponse:
    """The list, the latest first; or what was looked for, given in ``more``."""
    themes, values = queries.labels(request.user)
    page: dict[str, object] = {
        "themes": themes,
        "values": values,
        "me": persons(request.user),
        "spaces": _spaces(request.user),
        "circles": queries.circles_of(request.user),
        "mine": queries.running_circles(request.user),
    }
    if "wish" not in more:
        found = Paginator(queries.learnings_for(request.user), PAGE).get_page(request.GET.get("page"))
        page |= {"page": found, "learnings": queries.read_learnings(found)}
    return render(request, "followup/learnings.html", page | dict(more))


@require_POST
@needs("learning.keep", circles.circle)
def keep_alone(request: SignedIn, circle: Circle) -> HttpResponse:
    """Something learnt, for oneself alone."""
    text = tidied(request.POST.get("text", ""))
    person = get_object_or_404(Person, space=circle.space, user=request.user)
    if text and len(text) <= LONGEST and actions.keep_alone(circle, person, text):
        return redirect("followup:learnings")
    return _page(request, {"refused": True, "typed": text, "typed_in": circle})


@require_POST
@needs("learning.alone", access.kept)
def share(request: SignedIn, learning: Learning) -> HttpResponse:
    """Its author gives it to their circle, for good; or throws it away."""
    wish = request.POST.get("do", "")
    if wish == "share" and learning.circle.relations(request.user) & IN:
        learning.share()
    elif wish == "throw_away":
        learning.throw_away()
    return redirect("followup:learnings")


def _search(request: SignedIn, wish: queries.Wish) -> HttpResponse:
    page = {
        "wish": wish,
        "learnings": queries.searched(request.user, wish),
        "shown": queries.shown(_spaces(request.user), wish),
    }
    return _page(request, page)


def _spaces(user: User) -> Sequence[Space]:
    return list(Space.objects.filter(pk__in=user.spaces).order_by("name", "pk"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("situation.own", circles.situation)
def recalled(request: SignedIn, situation: Situation) -> HttpResponse:
    """What resembles a situation being prepared, of what its circle learnt or its space shows; POST says one helps."""
    if request.method != "POST":
        page = {"situation": situation, "recalled": recalling.recalled(request.user, situation)}
        return render(request, "followup/recalled.html", page | {"me": persons(request.user)})
    if learning := _helping(request, situation):
        actions.helps(learning, situation, yes=request.POST.get("do") == "helps")
    return redirect("followup:recalled", situation.pk)


def _helping(request: SignedIn, situation: Situation) -> Learning | None:
    """The learning that is said to help, if it is one that could be recalled to them here."""
    space = situation.circle.space
    if shown := request.POST.get(recalling.SPACE):
        found = published.of(space).filter(pk=shown).first() if space and space.pk in request.user.spaces else None
        return found.learning if found else None
    return recalling.compared(request.user, situation).filter(pk=request.POST.get(recalling.CIRCLE, "")).first()
