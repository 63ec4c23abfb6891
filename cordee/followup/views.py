"""What I promised and where I stand; what was learnt. And, from a letter, one tap without signing in."""

from collections.abc import Mapping, Sequence

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cordee.accounts import access as accounts
from cordee.accounts.models import Space, User
from cordee.accounts.rules import SignedIn, may, needs
from cordee.circles import access as circles
from cordee.circles.models import Situation
from cordee.followup import access, actions, links, published, queries
from cordee.followup.discreet import Trace
from cordee.followup.forms import LONGEST_QUERY, NAMES, TOLD, Standing, not_publishable, pieces, wish_of
from cordee.followup.models import Commitment, Learning, Publication

PAGE = 50


@require_safe
@never_cache
@needs("account.home")
def commitments(request: SignedIn) -> HttpResponse:
    mine = Paginator(queries.commitments_of(request.user), PAGE).get_page(request.GET.get("page"))
    page = {
        "page": mine,
        "mine": queries.read(mine),
        "witnessed": queries.read(queries.witnessed_by(request.user)[:PAGE]),
    }
    return render(request, "followup/commitments.html", page)


@require_safe
@never_cache
@needs("commitment.see", access.commitment)
def commitment(request: SignedIn, commitment: Commitment) -> HttpResponse:
    return _page(request, commitment)


@require_POST
@never_cache
@needs("commitment.own", access.commitment)
def answer(request: SignedIn, commitment: Commitment) -> HttpResponse:
    form = Standing(request.POST)
    if not form.is_valid():
        return _page(request, commitment, form)
    commitment.stand(**form.cleaned_data)
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, None) and back.startswith("/")
    return redirect(back) if safe else redirect("followup:commitment", commitment.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def one_tap(request: HttpRequest, commitment: str, token: str) -> HttpResponse:
    """The page of a letter's link: it shows no word to who is not signed in as the author, and GET changes nothing."""
    found = access.commitment(commitment)
    state = links.state_of(found, token)
    if not state:
        raise Http404
    if request.method == "POST":
        found.stand(state=state)
    mine = may(request.user, "commitment.own", found)
    page = {
        "state": NAMES[state],
        "done": request.method == "POST",
        "commitment": found,
        "promise": queries.read([found])[0] if mine else None,
    }
    return render(request, "followup/one_tap.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("account.home")
def learnings(request: SignedIn) -> HttpResponse:
    """What I may read of what was learnt; POST searches it, so that what is looked for is in no log of addresses."""
    if request.method == "POST":
        return _search(request, wish_of(request.POST))
    found = Paginator(queries.learnings_for(request.user), PAGE).get_page(request.GET.get("page"))
    page = {
        "page": found,
        "learnings": queries.read_learnings(found),
        "me": queries.persons(request.user),
        "spaces": _spaces(request.user),
        "circles": queries.circles_of(request.user),
    }
    return render(request, "followup/learnings.html", page)


def _search(request: SignedIn, wish: queries.Wish) -> HttpResponse:
    spaces = _spaces(request.user)
    anywhere = wish.text and wish.kind in {"", "published"} and not (wish.theme or wish.value or wish.circle)
    page = {
        "wish": wish,
        "learnings": queries.searched(request.user, wish),
        "shown": [each for space in spaces for each in published.resembling(space, wish.text)] if anywhere else [],
        "me": queries.persons(request.user),
        "spaces": spaces,
        "circles": queries.circles_of(request.user),
    }
    return render(request, "followup/learnings.html", page)


def _spaces(user: User) -> Sequence[Space]:
    return list(Space.objects.filter(pk__in=user.spaces).order_by("name", "pk"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("situation.own", circles.situation)
def recalled(request: SignedIn, situation: Situation) -> HttpResponse:
    """What this circle has already learnt that resembles a situation being prepared; POST says that one helps."""
    if request.method != "POST":
        page = {"situation": situation, "recalled": queries.recalled(request.user, situation)}
        return render(request, "followup/recalled.html", page | {"me": queries.persons(request.user)})
    seen = queries.learnings_for(request.user).filter(circle=situation.circle_id)
    if learning := seen.filter(pk=request.POST.get("learning", "")).first():
        actions.helps(learning, situation, yes=request.POST.get("do") == "helps")
    return redirect("followup:recalled", situation.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("learning.publish", access.learning)
def publish(request: SignedIn, learning: Learning) -> HttpResponse:
    """Its author reads again what the space would read, then publishes it, or takes it back."""
    wish = request.POST.get("do", "") if request.method == "POST" else ""
    text = request.POST.get("text", "").replace("\r\n", "\n").strip()
    if wish == "withdraw":
        published.withdraw(Publication.objects.filter(learning=learning))
        return redirect("followup:publish", learning.pk)
    words = queries.read_learnings([learning])[0].words
    if wish not in {"preview", "publish"} or not words:
        return _publish_page(request, learning, words, text or words.get("text", ""))
    if refusal := not_publishable(text):
        return _publish_page(request, learning, words, text, refusal)
    if wish == "publish" and request.POST.get("sure"):
        published.publish(learning, text)
        return redirect("followup:publish", learning.pk)
    unsure = _("Rien n’est publié : cochez d’abord que vous avez relu.") if wish == "publish" else ""
    return _publish_page(request, learning, words, text, unsure, published.warnings(learning, text))


def _publish_page(
    request: SignedIn,
    learning: Learning,
    words: Mapping[str, str],
    text: str,
    refusal: str = "",
    warned: Sequence[Trace] | None = None,
) -> HttpResponse:
    page = {
        "space": learning.circle.space,
        "publication": Publication.objects.filter(learning=learning).first(),
        "words": words,
        "text": text,
        "refusal": refusal,
        "preview": pieces(text, warned) if warned is not None else None,
        "warned": [(trace.text, TOLD[trace.kind]) for trace in warned or ()],
    }
    return render(request, "followup/publish.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("published.see", accounts.space)
def publications(request: SignedIn, space: Space) -> HttpResponse:
    """What a space has published; POST searches it, so that what is looked for is in no log of addresses."""
    wanted = request.POST.get("q", "").strip()[:LONGEST_QUERY]
    page = {"space": space, "q": wanted, "me": queries.persons(request.user)}
    if wanted:
        return render(request, "followup/published.html", page | {"publications": published.resembling(space, wanted)})
    some = Paginator(published.of(space), PAGE).get_page(request.GET.get("page"))
    return render(request, "followup/published.html", page | {"publications": list(some), "page": some})


def _page(request: SignedIn, commitment: Commitment, form: Standing | None = None) -> HttpResponse:
    promise = queries.read([commitment])[0]
    page = {
        "promise": promise,
        "commitment": commitment,
        "mine": may(request.user, "commitment.own", commitment) and bool(promise.words),
        "witness": commitment.witness_id in queries.persons(request.user),
        "form": form,
        "states": [(state, NAMES[state]) for state in links.ANSWERS],
        "typed": form.data if form else promise.outcome,
    }
    return render(request, "followup/commitment.html", page)
