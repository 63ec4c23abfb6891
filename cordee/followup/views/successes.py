"""The circle's wall: what its members have kept and told. One tells and withdraws one's own in cordee/home."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cordee.accounts.rules import SignedIn, needs
from cordee.circles import access
from cordee.circles.models import Circle
from cordee.followup.queries import successes
from cordee.followup.queries.reading import persons

PAGE = 50


@require_safe
@never_cache
@needs("success.see", access.circle)
def wall(request: SignedIn, circle: Circle) -> HttpResponse:
    page = Paginator(successes.of_circle(circle), PAGE).get_page(request.GET.get("page"))
    shown = {"circle": circle, "page": page, "told": successes.read(page), "me": persons(request.user)}
    return render(request, "followup/successes.html", shown)
