"""One's own successes: told, told anew, withdrawn; wherever they were told, in rooms too."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cordee.accounts.rules import SignedIn, needs
from cordee.followup import access
from cordee.followup.forms.successes import Telling
from cordee.followup.models import Commitment, Success
from cordee.followup.queries import commitments, successes
from cordee.home import actions


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("success.tell", access.commitment)
def success(request: SignedIn, commitment: Commitment) -> HttpResponse:
    told = Success.objects.filter(commitment=commitment).first()
    key = commitment.circle.key()
    if key is None or commitment.sealed is None or not (told or commitment.state in Commitment.DONE):
        raise Http404  # nothing was kept, or nothing of it can be read any more
    form = Telling(successes.peers(commitment), request.POST or None, initial=_known(commitment, told, key))
    if request.method == "POST" and form.is_valid():
        words = {name: form.cleaned_data[name] for name in ("situation", "did", "gave", "word")}
        actions.tell(commitment, key, words, form.thanked_peer)
        return redirect("followup:successes", commitment.circle_id)
    return render(request, "home/success.html", {"commitment": commitment, "told": told, "form": form})


def _known(commitment: Commitment, told: Success | None, key: bytes) -> dict[str, object]:
    if told:
        return {**told.words(key), "thanked": told.thanked_id}
    return dict(successes.prefilled(commitments.read([commitment])[0]))


@require_POST
@never_cache
@needs("success.tell", access.commitment)
def withdraw(request: SignedIn, commitment: Commitment) -> HttpResponse:
    actions.withdraw(commitment)
    return redirect("followup:commitment", commitment.pk)
