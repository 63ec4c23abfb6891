"""What we answer to allauth: how somebody is signed in, and what is left aside (messages, stages, whole addresses)."""

from time import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from cordee.accounts.models import User
from cordee.web import tries

PROVED = "proved_at"  # in a session: when this person last proved who they are (seconds since the epoch)
NO_NETWORK = "0.0.0.0"


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """A code, a passkey or the organisation's word: one is enough to come in, and no stage follows."""

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)  # a new session key: what was planted before is worth nothing
        request.session.set_expiry(None)
        request.session[PROVED] = time()

    def get_login_stages(self) -> list[str]:
        return []

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return landing(request.user)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False  # an account is made by who proves an address: see actions.py

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        return render(request, "accounts/closed.html", status=403)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The neighbourhood alone: it tells a person which of their devices, and nobody where they live."""
        found = tries.neighbourhood(request).partition("/")[0]
        return found if found[:1].isdigit() or ":" in found else NO_NETWORK

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Our pages say what happened."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Our letters are in cordee/mail/letters.py."""


class Passkeys(DefaultMFAAdapter):  # type: ignore[misc]
    def _get_site_name(self) -> str:
        return "Cordée"

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        return {**super().get_public_key_credential_user_entity(user), "display_name": user.name or user.email}


def landing(user: Any) -> str:
    """Where somebody comes in: to say their name once, then their home."""
    if isinstance(user, User) and not user.name:
        return reverse("accounts:profile")
    try:
        return reverse("home:home")
    except NoReverseMatch:
        return reverse("accounts:profile")
