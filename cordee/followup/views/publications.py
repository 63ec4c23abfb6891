"""What a space shows of what its people learnt; its authors publish and withdraw."""

from collections.abc import Mapping, Sequence

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cordee.accounts import access as accounts
from cordee.accounts.models import Space
from cordee.accounts.rules import SignedIn, needs
from cordee.engine.rules.judgements import tidied
from cordee.followup import access, published
from cordee.followup.discreet import Trace
from cordee.followup.forms.learnings import LONGEST_QUERY
from cordee.followup.forms.publications import TOLD, not_publishable, pieces
from cordee.followup.models import Learning, Publication
from cordee.followup.queries.learnings import read_learnings
from cordee.followup.queries.reading import persons

PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("learning.publish", access.learning)
def publish(request: SignedIn, learning: Learning) -> HttpResponse:
    """Its author reads again what the space would read, then publishes it, or takes it back."""
    wish = request.POST.get("do", "") if request.method == "POST" else ""
    text = tidied(request.POST.get("text", ""))
    if wish == "withdraw":
        published.withdraw(Publication.objects.filter(learning=learning))
        return redirect("followup:publish", learning.pk)
    words = read_learnings([learning])[0].words
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
        "learning": learning,
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
    page = {"space": space, "q": wanted, "me": persons(request.user)}
    if wanted:
        return render(request, "followup/published.html", page | {"publications": published.resembling(space, wanted)})
    some = Paginator(published.of(space), PAGE).get_page(request.GET.get("page"))
    return render(request, "followup/published.html", page | {"publications": list(some), "page": some})
