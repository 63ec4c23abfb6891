"""The organisation's OpenID Connect: its word about an address is taken as a code is. Loaded when somebody uses it.

Source of what is checked: OpenID Connect Core 1.0, sections 3.1.3.7 (the ID token, by allauth) and 5.3.2 (the subject).
"""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from cordee.accounts import actions
from cordee.web import incidents

FAULTS = (OSError, KeyError, ValueError, TypeError)  # of a provider that is away, or does not answer as it should


class Client(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """What we ask the provider and what we keep of its answer: the subject, and nothing of what else it tells."""

    def __init__(self, request: HttpRequest, provider_id: str = "") -> None:
        super().__init__(request, provider_id or settings.OIDC_ID)

    def get_provider(self) -> Any:
        provider = super().get_provider()
        provider.oauth2_adapter_class = Client  # which knows our address to come back to
        return provider

    @property
    def openid_config(self) -> Any:
        """What the provider says of itself, if it is the one that was named (OpenID Connect Discovery 1.0, 4.3)."""
        told = super().openid_config
        if str(told["issuer"]).rstrip("/") != settings.OIDC_URL:
            raise ValueError("another issuer answers at this address")
        return told

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return str(build_absolute_uri(request, reverse("accounts:organisation_back"), self.redirect_uri_protocol))

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> SocialLogin:
        login = super().complete_login(request, app, token, **kwargs)
        told = login.account.extra_data
        subjects = {claims["sub"] for claims in (told.get("userinfo"), told.get("id_token")) if claims}
        if len(subjects) != 1 or not told.get("id_token"):
            raise ValueError("the ID token and the user's claims are not of one person")
        login.claims = told["id_token"] | (told.get("userinfo") or {})
        login.account.extra_data = {}
        return login


class Organisation(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Whom the provider sends for the first time is the account of that address, made if there is none."""
        if sociallogin.is_existing:
            actions.welcome(sociallogin.user)
            return
        address = spoken_for(sociallogin.claims)
        if not address:
            raise ImmediateHttpResponse(refused(request, "address"))
        user = actions.account_of(address, str(sociallogin.claims.get("given_name") or ""))
        sociallogin.connect(request, user)
        actions.welcome(user)

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        raise ImmediateHttpResponse(refused(request, "failed"))

    def get_requests_session(self) -> Any:
        session = super().get_requests_session()
        session.max_redirects = 0  # we ask whom the operator named, and nobody whom they name in turn
        return session

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Our letters are in cordee/mail/letters.py."""


def spoken_for(claims: dict[str, Any]) -> str:
    """The address that the provider vouches for, in lower case; empty when it does not, or may not.

    With ``CORDEE_OIDC_DOMAINS`` the provider speaks for those domains, and need not say that it verified an address.
    """
    address = str(claims.get("email") or "").strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        return ""
    verified = claims.get("email_verified")
    if settings.OIDC_DOMAINS:
        ours = address.rpartition("@")[2] in settings.OIDC_DOMAINS
        return address if ours and verified not in (False, "false") else ""
    return address if verified in (True, "true") else ""


def leave(request: HttpRequest) -> str | HttpResponse:
    """Where to ask the provider, or the page that says that it cannot be asked."""
    try:
        answer = OAuth2LoginView.adapter_view(Client(request))(request)
    except FAULTS:
        return refused(request, "away")
    return str(answer["Location"]) if answer.status_code == 302 else answer


def back(request: HttpRequest) -> HttpResponse:
    """What the provider says of who comes back: signed in, or told why not."""
    try:
        answer: HttpResponse = OAuth2CallbackView.adapter_view(Client(request))(request)
        return answer
    except FAULTS:
        return refused(request, "failed")


def refused(request: HttpRequest, why: str) -> HttpResponse:
    incidents.noticed("sign_in_wrong", request)
    context = {"why": why, "organisation": settings.OIDC_NAME}
    return render(request, "accounts/organisation_refused.html", context, status=503 if why == "away" else 403)
