"""Signing in: an address, then the code of a letter. What is answered never tells whether an account exists."""

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cordee.accounts import actions, codes, limits
from cordee.accounts.adapters import landing
from cordee.accounts.middleware import speak
from cordee.accounts.queries import reader_of
from cordee.accounts.rules import needs
from cordee.mail import letters
from cordee.web import incidents, tries

PURPOSE = "sign_in"
THEN = "then"  # in a session: the page to go to once signed in


@require_http_methods(["GET", "POST"])
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for an address, and send it a code."""
    if request.user.is_authenticated:
        return redirect(safe(request, request.GET.get("next", "")) or landing(request.user))
    if request.method == "GET":
        return render(request, "accounts/sign_in.html", _page(request, then=request.GET.get("next", "")))
    address = request.POST.get("address", "").strip().lower()
    then = request.POST.get("next", "")
    if not is_address(address):
        says = _("« %(address)s » n’est pas une adresse e-mail. Exemple : prenom.nom@exemple.fr")
        page = _page(request, address, then, says % {"address": address})
        return render(request, "accounts/sign_in.html", page, status=400)
    if limits.asking_too_often(request, address):
        incidents.noticed("too_often", request)
        error = _("Trop de codes demandés. Réessayez dans une heure, ou entrez avec une clé d’accès.")
        return render(request, "accounts/sign_in.html", _page(request, address, then, error), status=429)
    letters.sign_in_code(reader_of(address), codes.shown(codes.ask(request.session, PURPOSE, address)))
    request.session[THEN] = safe(request, then)
    request.session.set_expiry(codes.SECONDS + 60)  # of somebody who never types it, nothing stays
    return redirect("accounts:code")


@require_http_methods(["GET", "POST"])
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """Type the code: the account is made now if the address has none."""
    if request.user.is_authenticated:
        return redirect(landing(request.user))
    address = codes.address(request.session, PURPOSE)
    if not address:
        return redirect("accounts:sign_in")
    if request.method == "GET":
        return render(request, "accounts/code.html", {"address": address})
    then = request.session.get(THEN, "")
    if refused := checked(request, PURPOSE, {"address": address}):
        return refused
    request.session.pop(THEN, None)
    return actions.sign_in(request, actions.account_of(address), then)


def checked(request: HttpRequest, purpose: str, context: dict[str, str]) -> HttpResponse | None:
    """The page that says what is wrong with the code that was typed; ``None`` when it is right."""
    who = tries.caller(request)
    if limits.spent("wrong", who):
        incidents.noticed("too_often", request)
        context["error"] = _("Trop d’essais depuis ce réseau. Réessayez dans une heure.")
        return render(request, "accounts/code.html", context, status=429)
    outcome = codes.check(request.session, purpose, request.POST.get("code", ""))
    if outcome == codes.RIGHT:
        return None
    limits.count("wrong", who)
    incidents.noticed("sign_in_wrong", request)
    if outcome == codes.OVER:
        return render(request, "accounts/code_over.html", context, status=403)
    context["error"] = _("Ce n’est pas le bon code. Recopiez celui du dernier e-mail reçu.")
    return render(request, "accounts/code.html", context, status=403)


@require_POST
@never_cache
@needs("account.own")
def sign_out(request: HttpRequest) -> HttpResponse:
    """This browser forgets who was here, and their language."""
    logout(request)
    response = redirect("home")
    speak(response, "")
    return response


# ---------------------------------------------------------------- the organisation's own door


@require_POST
@never_cache
def organisation(request: HttpRequest) -> HttpResponse:
    """On to the organisation's page, by a link: a form may not lead a browser to another site."""
    if not settings.OIDC:
        raise Http404
    if limits.spent("wrong", tries.caller(request)):
        incidents.noticed("too_often", request)
        error = _("Trop d’essais depuis ce réseau. Réessayez dans une heure.")
        return render(request, "accounts/sign_in.html", _page(request, error=error), status=429)
    from cordee.accounts import oidc

    found = oidc.leave(request)
    if isinstance(found, HttpResponse):
        return found
    return render(request, "accounts/leaving.html", {"url": found, "organisation": settings.OIDC_NAME})


@require_GET
@never_cache
def organisation_back(request: HttpRequest) -> HttpResponse:
    if not settings.OIDC:
        raise Http404
    from cordee.accounts import oidc

    return oidc.back(request)


# ----------------------------------------------------------------


def _page(request: HttpRequest, address: str = "", then: str = "", error: str = "") -> dict[str, str]:
    return {"address": address, "next": safe(request, then), "error": error, "organisation": settings.OIDC_NAME}


def safe(request: HttpRequest, url: str) -> str:
    """A path of ours to go on to, or nothing: nobody is sent to another site."""
    here = url.startswith("/") and url_has_allowed_host_and_scheme(url, None, require_https=request.is_secure())
    return url if here else ""


def is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254
