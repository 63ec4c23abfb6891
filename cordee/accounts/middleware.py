"""Pages in the language and the time zone of who is signed in; when their device was last seen."""

import threading
from collections.abc import Callable
from time import monotonic
from zoneinfo import ZoneInfo

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from cordee.accounts.models import User
from cordee.web.unavailable import unavailable

View = Callable[[HttpRequest], HttpResponse]
SEEN_AGAIN = 3600.0  # seconds between two notes of when a device was seen
MOST_SEEN = 100_000
_seen: dict[str, float] = {}  # session key -> when this process last noted it
_lock = threading.Lock()


class Visitor:
    """Middleware. A visitor without a session costs nothing here. A language chosen by hand wins over the account's."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        try:
            user = request.user
            if not isinstance(user, User) or not user.is_authenticated:
                return self.get_response(request)
            note(request.session.session_key or "")
        except Error:
            request.user = AnonymousUser()
            return unavailable(request)
        chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
        if not chosen and translation.check_for_language(user.language):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        with timezone.override(ZoneInfo(user.time_zone)):
            response = self.get_response(request)
        if not chosen and settings.LANGUAGE_COOKIE_NAME not in response.cookies:
            speak(response, user.language)  # what comes by the live line knows the cookie alone
        return response


def speak(response: HttpResponse, language: str) -> None:
    """Have this browser shown this language; none, what it asks for itself."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.SESSION_COOKIE_AGE if language else 0,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )


def note(key: str) -> None:
    """Write that this session was seen, at most once an hour."""
    now = monotonic()
    with _lock:
        if now - _seen.get(key, -SEEN_AGAIN) < SEEN_AGAIN:
            return
        if len(_seen) >= MOST_SEEN:
            _seen.clear()
        _seen[key] = now
    UserSession.objects.filter(session_key=key).update(last_seen_at=timezone.now())
