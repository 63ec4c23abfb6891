"""The first page of somebody signed in: what is next, what I promised, what I prepared, what I learnt."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cordee.accounts.rules import SignedIn, needs
from cordee.followup.queries.reading import persons
from cordee.home import queries


@require_safe
@never_cache
@needs("account.home")
def home(request: SignedIn) -> HttpResponse:
    page = {"home": queries.home_of(request.user), "me": persons(request.user)}
    return render(request, "home/home.html", page)
