"""One's own account: name, language, time zone, devices."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cordee.accounts import access, actions, queries
from cordee.accounts.forms import Account
from cordee.accounts.middleware import speak
from cordee.accounts.models import Person, User
from cordee.accounts.rules import needs


@require_http_methods(["GET", "POST"])
@never_cache
@needs("account.own")
def profile(request: HttpRequest) -> HttpResponse:
    """Name, language, time zone, and the way to the rest."""
    user = access.me(request)
    new = not user.name
    form = Account(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        response = redirect("accounts:landing" if new else "accounts:profile")
        speak(response, user.language)
        return response
    persons = Person.objects.filter(user=user, left_at=None, erased_at=None).select_related("space")
    context = {"form": form, "persons": persons.order_by("space__name"), "account": User.objects.get(pk=user.pk)}
    return render(request, "accounts/profile.html", context, status=400 if form.errors else 200)


@require_GET
@never_cache
@needs("account.own")
def landing(request: HttpRequest) -> HttpResponse:
    from cordee.accounts.adapters import landing as where

    return redirect(where(request.user))


@require_GET
@never_cache
@needs("account.own")
def devices(request: HttpRequest) -> HttpResponse:
    user = access.me(request)
    found = queries.devices(user, request.session.session_key)
    return render(request, "accounts/devices.html", {"devices": found})


@require_POST
@never_cache
@needs("account.own")
def end_session(request: HttpRequest, session: int) -> HttpResponse:
    user = access.me(request)
    actions.end_session(user, session)
    return redirect("accounts:devices")


@require_POST
@never_cache
@needs("account.own")
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    user = access.me(request)
    actions.sign_out_everywhere(user)
    request.session.flush()
    return redirect("home")
