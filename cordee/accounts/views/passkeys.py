"""Passkeys: add one, name it, take it away, come in with one. What is said between browser and server is WebAuthn."""

import json
from collections.abc import Callable
from functools import wraps
from time import time
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from django.forms import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cordee.accounts import access, actions, codes, limits
from cordee.accounts.adapters import PROVED
from cordee.accounts.models import User
from cordee.accounts.queries import reader_of
from cordee.accounts.rules import needs
from cordee.accounts.views.sign_in import checked, safe
from cordee.mail import letters
from cordee.web import incidents, tries

LATELY = 900  # seconds for which who has just proved who they are may change how they sign in
MOST = 20  # passkeys of one account
PURPOSE = "confirm"


def lately(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Close a view to who has not just proved who they are: an unlocked phone on a table is not enough."""

    @wraps(view)
    def closed(request: HttpRequest, **where: Any) -> HttpResponse:
        if time() - request.session.get(PROVED, 0) < LATELY:
            return view(request, **where)
        page = request.get_full_path() if request.method == "GET" else reverse("accounts:passkeys")
        return redirect(f"{reverse('accounts:confirm')}?{urlencode({'next': page})}")

    return closed


# ---------------------------------------------------------------- coming in


@require_GET
@never_cache
def options(request: HttpRequest) -> HttpResponse:
    """What the browser asks its keys: any of this site when nobody is signed in, else one of theirs."""
    from allauth.mfa.webauthn.internal import auth

    user = request.user if request.user.is_authenticated else None
    return JsonResponse(auth.begin_authentication(user))


@require_POST
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Come in with a key that this device or a phone nearby holds."""
    authenticator = _proved(request, None)
    if authenticator is None:
        context = {"error": _("Cette clé d’accès n’ouvre rien ici. Demandez un code par e-mail.")}
        return render(request, "accounts/sign_in.html", context, status=403)
    return actions.sign_in(request, authenticator.user, safe(request, request.POST.get("next", "")))


@require_http_methods(["GET", "POST"])
@never_cache
@needs("account.own")
def confirm(request: HttpRequest) -> HttpResponse:
    """Prove once more who one is, by a code or a key, before changing how one signs in."""
    then = safe(request, request.POST.get("next", "") or request.GET.get("next", "")) or reverse("accounts:passkeys")
    user = access.me(request)
    context = {"address": user.email, "next": then, "confirming": "1"}
    has_keys = Authenticator.objects.filter(user_id=user.pk).exists()
    if request.method == "GET":
        return render(request, "accounts/confirm.html", context | {"has_keys": has_keys})
    if "credential" in request.POST:
        if _proved(request, user) is None:
            context["error"] = _("Cette clé d’accès n’est pas la vôtre ici.")
            return render(request, "accounts/confirm.html", context | {"has_keys": has_keys}, status=403)
    elif "code" in request.POST:
        if refused := checked(request, PURPOSE, context):
            return refused
    else:
        return _ask(request, user, context)
    request.session[PROVED] = time()
    return redirect(then)


def _ask(request: HttpRequest, user: User, context: dict[str, str]) -> HttpResponse:
    if limits.asking_too_often(request, user.email):
        incidents.noticed("too_often", request)
        context["error"] = _("Trop de codes demandés. Réessayez dans une heure, ou entrez avec une clé d’accès.")
        return render(request, "accounts/confirm.html", context, status=429)
    letters.sign_in_code(reader_of(user.email), codes.shown(codes.ask(request.session, PURPOSE, user.email)))
    return render(request, "accounts/code.html", context)


def _proved(request: HttpRequest, user: User | None) -> Authenticator | None:
    """The key that answered what we asked, of this person or of anybody; ``None`` when none did."""
    from allauth.mfa.webauthn.forms import LoginWebAuthnForm, ReauthenticateWebAuthnForm

    if limits.spent("wrong", tries.caller(request)):
        incidents.noticed("too_often", request)
        return None
    posted = {"credential": request.POST.get("credential", "")}
    form = ReauthenticateWebAuthnForm(posted, user=user) if user else LoginWebAuthnForm(posted)
    try:
        right = form.is_valid()
    except (ValueError, KeyError, TypeError, AttributeError):  # what no browser sends
        right = False
    if not right:
        limits.count("wrong", tries.caller(request))
        incidents.noticed("sign_in_wrong", request)
        return None
    found: Authenticator = form.cleaned_data["credential"]
    found.record_usage()
    return found


# ---------------------------------------------------------------- one's own keys


@require_GET
@never_cache
@needs("account.own")
def passkeys(request: HttpRequest) -> HttpResponse:
    return _list(request)


def _list(request: HttpRequest, error: str = "") -> HttpResponse:
    found = Authenticator.objects.filter(user_id=request.user.pk).order_by("created_at")
    keys = [
        {"id": one.pk, "name": one.data.get("name", ""), "made": one.created_at, "used": one.last_used_at}
        for one in found
    ]
    return render(request, "accounts/passkeys.html", {"keys": keys, "error": error}, status=409 if error else 200)


@require_http_methods(["GET", "POST"])
@never_cache
@needs("account.own")
@lately
def add(request: HttpRequest) -> HttpResponse:
    """Make a key on this device, or on a phone nearby, and give it a name."""
    from allauth.mfa.webauthn.internal import auth

    user = request.user
    if Authenticator.objects.filter(user_id=user.pk).count() >= MOST:
        return _list(request, _("Vous avez déjà vingt clés d’accès. Retirez-en une d’abord."))
    name = " ".join(request.POST.get("name", "").split())[:40] or _("Clé d’accès")
    error = ""
    if request.method == "POST":
        if error := _added(request, user, name):
            incidents.noticed("sign_in_wrong", request)
        else:
            return redirect("accounts:passkeys")
    page = {"options": auth.begin_registration(user, True), "name": name, "error": error}
    return render(request, "accounts/passkey_new.html", page, status=400 if error else 200)


def _added(request: HttpRequest, user: Any, name: str) -> str:
    """What went wrong, or nothing once the key is kept."""
    from allauth.mfa.webauthn.internal import auth

    try:
        credential = json.loads(request.POST.get("credential", ""))
        auth.parse_registration_response(credential)
        if not auth.complete_registration(credential).is_user_verified():
            raise ValidationError("unverified")
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
        return _("La clé d’accès n’a pas pu être créée. Recommencez.")
    auth.WebAuthn.add(user, name, credential)
    return ""


@require_POST
@never_cache
@needs("account.own")
@lately
def rename(request: HttpRequest, key: int) -> HttpResponse:
    found = _mine(request, key)
    name = " ".join(request.POST.get("name", "").split())[:40]
    if name:
        found.data["name"] = name
        found.save(update_fields=["data"])
    return redirect("accounts:passkeys")


@require_POST
@never_cache
@needs("account.own")
@lately
def remove(request: HttpRequest, key: int) -> HttpResponse:
    _mine(request, key).delete()
    return redirect("accounts:passkeys")


def _mine(request: HttpRequest, key: int) -> Authenticator:
    found = Authenticator.objects.filter(user_id=request.user.pk, pk=key).first()
    if found is None:
        raise Http404
    return found
