"""What one wishes of letters; the letters that did not leave, for the operator; the demo's mailbox."""

import re
from base64 import b64encode
from hashlib import sha256

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cordee.accounts.rules import needs
from cordee.mail import actions, queries, tokens, wishes
from cordee.mail.forms import WishForm
from cordee.mail.models import Letter, Wish

A_PAGE = 50


# ---------------------------------------------------------------- what one wishes


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@needs("account.own")
def preferences(request: HttpRequest) -> HttpResponse:
    assert request.user.is_authenticated
    wish = Wish.objects.filter(address=request.user.email.lower()).first() or Wish(address=request.user.email.lower())
    form = WishForm(request.POST) if request.method == "POST" else WishForm.of(wish)
    if form.is_valid() and request.method == "POST":
        form.keep(wish)
        messages.success(request, _("C’est noté."))
        return redirect("mail:wishes")
    return render(request, "mail/wishes.html", {"form": form}, status=200 if form.is_valid() else 400)


@never_cache
@csrf_exempt  # the sender's servers post here without having seen a page (RFC 8058); who holds the link may
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """A page with a button; a POST, by the button or by a mail program, and it is done."""
    address, kind = _told(token)
    if request.method == "POST":
        wishes.stop(address, kind)
    said = {"kind": wishes.OPTIONAL.get(kind), "token": token, "done": request.method == "POST"}
    return render(request, "mail/stop.html", said)


@never_cache
@csrf_exempt
@require_POST
def resume(request: HttpRequest, token: str) -> HttpResponse:
    address, kind = _told(token)
    wishes.resume(address, kind)
    return render(request, "mail/stop.html", {"kind": wishes.OPTIONAL.get(kind), "token": token, "resumed": True})


def _told(token: str) -> tuple[str, str]:
    told = tokens.unseal(token)
    if told is None or told.get("kind") not in wishes.KINDS:
        raise Http404
    return told["to"], told["kind"]


# ---------------------------------------------------------------- the operator's page


@never_cache
@require_safe
@needs("server.letters")
def letters(request: HttpRequest) -> HttpResponse:
    page = Paginator(queries.dead(), A_PAGE).get_page(request.GET.get("page"))
    rows = [(letter, wishes.NAMES.get(letter.kind, letter.kind), queries.reason(letter.error)) for letter in page]
    box = queries.outbox()
    said = {"page": page, "rows": rows, "box": box, "road": settings.MAIL["road"], "why": queries.reason(box.error)}
    return render(request, "mail/outbox.html", said)


@require_POST
@needs("server.letters")
def again(request: HttpRequest, letter: int) -> HttpResponse:
    if actions.try_again(get_object_or_404(Letter, pk=letter)):
        messages.success(request, _("Elle va repartir."))
    else:
        messages.warning(request, _("Elle ne peut plus partir : ce qu’elle disait est effacé, ou elle est repartie."))
    return redirect("mail:letters")


# ---------------------------------------------------------------- the demo's mailbox

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def _in_the_demo() -> None:
    """Only where letters have no other place to go: config/env.py refuses that to a site that is open to others."""
    if settings.MAIL["road"] != "demo" or settings.HTTPS:
        raise Http404


@never_cache
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    _in_the_demo()
    page = Paginator(Letter.objects.exclude(to="").order_by("-pk"), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "mail/mailbox.html", {"page": page})


@never_cache
@require_safe
def one(request: HttpRequest, letter: int) -> HttpResponse:
    _in_the_demo()
    return render(request, "mail/one.html", {"letter": get_object_or_404(Letter, pk=letter)})


@never_cache
@require_safe
def one_html(request: HttpRequest, letter: int) -> HttpResponse:
    """The letter as a page of its own: nothing is allowed but its own style, known by its hash."""
    _in_the_demo()
    html = get_object_or_404(Letter, pk=letter).html
    answer = HttpResponse(html)
    styles = "".join(f" 'sha256-{_hash(style)}'" for style in re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    answer["Content-Security-Policy"] = (
        f"{NOTHING}; style-src 'none'" if not styles else f"{NOTHING}; style-src{styles}"
    )
    return answer


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


@never_cache
@require_safe
def one_calendar(request: HttpRequest, letter: int) -> HttpResponse:
    _in_the_demo()
    found = get_object_or_404(Letter.objects.exclude(calendar=""), pk=letter)
    return HttpResponse(
        found.calendar,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="invite.ics"'},
    )
