"""What a circle did together, for its people."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cordee.accounts.rules import SignedIn, needs
from cordee.circles import access
from cordee.circles.models import Circle
from cordee.followup.queries import closing as queries


@require_safe
@never_cache
@needs("closing.see", access.circle)
def closing(request: SignedIn, circle: Circle) -> HttpResponse:
    page = {"circle": circle, "closing": queries.closing(circle)}
    return render(request, "followup/closing.html", page)
