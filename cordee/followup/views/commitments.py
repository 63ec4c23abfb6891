"""What I promised and where I stand; and, from a letter, one tap without signing in."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cordee.accounts.rules import SignedIn, may, needs
from cordee.circles.models import Circle
from cordee.followup import access, links
from cordee.followup.forms.commitments import NAMES, Sentence, Standing
from cordee.followup.models import Commitment, Success
from cordee.followup.queries import commitments as queries
from cordee.followup.queries.reading import circles_in, persons

PAGE = 50


@require_safe
@never_cache
@needs("account.home")
def commitments(request: SignedIn) -> HttpResponse:
    some = Paginator(queries.commitments_of(request.user), PAGE).get_page(request.GET.get("page"))
    mine = queries.read(some)
    page = {
        "page": some,
        "mine": mine,
        "open": [each for each in mine if each.open],
        "done": [each for each in mine if not each.open],
        "witnessed": queries.read(queries.witnessed_by(request.user)[:PAGE]),
        "circles": Circle.objects.filter(pk__in=circles_in(request.user), space__isnull=False).order_by("name", "pk"),
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
    """The page of a letter's link: it shows no word to who is not signed in as the author, and GET changes nothing.

    Once it has been pressed, a sentence may be added where none was written yet: a link overwrites no word.
    """
    found = access.commitment(commitment)
    state = links.state_of(found, token)
    if not state:
        raise Http404
    said = Sentence(request.POST if "gave" in request.POST else None)
    words = said.cleaned_data if said.is_valid() else {}
    added = any(words.values()) and found.say_first(state, **words)
    if request.method == "POST" and not said.is_bound:
        found.stand(state=state)
    mine = may(request.user, "commitment.own", found)
    page = {
        "state": NAMES[state],
        "done": request.method == "POST",
        "said": said,
        "added": added,
        "may_say": found.may_say_first,
        "commitment": found,
        "owner": request.user if request.user.is_authenticated else found.person.user or found.person,
        "promise": queries.read([found])[0] if mine else None,
    }
    return render(request, "followup/one_tap.html", page)


def _page(request: SignedIn, commitment: Commitment, form: Standing | None = None) -> HttpResponse:
    promise = queries.read([commitment])[0]
    page = {
        "promise": promise,
        "commitment": commitment,
        "mine": may(request.user, "commitment.own", commitment) and bool(promise.words),
        "today": timezone.localdate(),
        "remind": _reminder(commitment),
        "tellable": commitment.state in Commitment.DONE,
        "told": Success.objects.filter(commitment=commitment).exists(),
        "witness": commitment.witness_id in persons(request.user),
        "form": form,
        "states": [(state, NAMES[state]) for state in links.ANSWERS],
        "typed": form.data if form else promise.outcome,
        "was": {name: form.data.get(f"{name}_was", "") for name in ("gave", "learnt")} if form else promise.outcome,
    }
    return render(request, "followup/commitment.html", page)


def _reminder(commitment: Commitment) -> str:
    """Whether the day on which they asked to be reminded is later, today or past; "" where there is none."""
    day, today = commitment.remind_on, timezone.localdate()
    if day is None:
        return ""
    return "later" if day > today else "today" if day == today else "past"
