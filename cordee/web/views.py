"""The front door."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

CONTACT_DAYS = 180  # how long a copy of security.txt may be believed; less than a year, RFC 9116 says


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "web/home.html", {"mailbox": settings.MAIL["road"] == "demo"})


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Whom to tell of a weakness (RFC 9116), where the operator has said so."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=CONTACT_DAYS)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {until.isoformat()}",
        "Preferred-Languages: fr, en",
        f"Canonical: {request.build_absolute_uri(request.path)}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
