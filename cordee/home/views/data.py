"""My data: to take home, or to have erased. And the operator's register of what was erased."""

from django.contrib.auth import logout
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cordee.accounts.rules import SignedIn, needs
from cordee.accounts.views.passkeys import lately
from cordee.home import book, erasure, export
from cordee.home.models import Erasure
from cordee.home.phrases import LABELS
from cordee.room.belongings import Choice

KEPT = {"keep": True, "withdraw": False}
PAGE = 50


@require_safe
@never_cache
@needs("account.data")
def data(request: SignedIn) -> HttpResponse:
    return render(request, "home/data.html", {"books": book.books_of(request.user)})


@require_POST
@never_cache
@needs("account.data")
def archive(request: SignedIn) -> HttpResponse:
    response = HttpResponse(export.archive(request.user), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="cordee-{timezone.localdate().isoformat()}.zip"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs("account.data")
@lately
def erase(request: SignedIn) -> HttpResponse:
    """What will be erased and what stays, with the two choices; done once both are made and the box is ticked."""
    posted = request.POST
    words, learnings = KEPT.get(posted.get("words", "")), KEPT.get(posted.get("learnings", ""))
    if request.method != "POST" or words is None or learnings is None or not posted.get("sure"):
        page = {"missing": request.method == "POST", "leads": erasure.leads_alone(request.user), "posted": posted}
        return render(request, "home/erase.html", page)
    user = request.user
    logout(request)
    erasure.erase_user(user, Choice(keep=words, keep_learnings=learnings))
    return redirect("home:erased")


@require_safe
def erased(request: HttpRequest) -> HttpResponse:
    return render(request, "home/erased.html")


@require_safe
@never_cache
@needs("server.register")
def register(request: SignedIn) -> HttpResponse:
    page = Paginator(Erasure.objects.order_by("-at", "-pk"), PAGE).get_page(request.GET.get("page"))
    rows = [(each, [(LABELS.get(name, name), count) for name, count in each.counts.items()]) for each in page]
    return render(request, "home/register.html", {"page": page, "rows": rows})
