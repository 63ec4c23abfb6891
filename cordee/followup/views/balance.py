"""Giving and receiving, for the people of the circle; and whether the circle shows it."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cordee.accounts.rules import SignedIn, needs
from cordee.circles import access
from cordee.circles.models import Circle
from cordee.followup.queries import balance as queries


@require_safe
@never_cache
@needs("balance.see", access.circle)
def balance(request: SignedIn, circle: Circle) -> HttpResponse:
    """Where the circle chose not to show it, the page says so, and nothing is looked up."""
    page = {"circle": circle, "balance": queries.balance(circle) if circle.balance_shown else None}
    return render(request, "followup/balance.html", page)


@require_POST
@never_cache
@needs("balance.hide", access.circle)
def hide(request: SignedIn, circle: Circle) -> HttpResponse:
    circle.show_balance(False)
    return redirect("followup:balance", circle.pk)


@require_POST
@never_cache
@needs("balance.show", access.circle)
def show(request: SignedIn, circle: Circle) -> HttpResponse:
    circle.show_balance(True)
    return redirect("followup:balance", circle.pk)
