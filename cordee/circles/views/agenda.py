"""Meetings in people's own calendars: a file, or a private address to which a calendar subscribes."""

from hashlib import sha256

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from cordee.accounts.models import User
from cordee.accounts.rules import needs
from cordee.circles import access, calendar
from cordee.circles.models import Meeting

TYPE = "text/calendar; charset=utf-8"


@require_GET
@never_cache
@needs("account.own")
def agenda(request: HttpRequest) -> HttpResponse:
    path = reverse("circles:feed", args=[calendar.feed_token(_user(request))])
    url = request.build_absolute_uri(path)
    return render(request, "meetings/agenda.html", {"url": url, "webcal": f"webcal:{url.partition(':')[2]}"})


@require_POST
@never_cache
@needs("account.own")
def renew(request: HttpRequest) -> HttpResponse:
    """A new address: the former, wherever it went, opens nothing."""
    calendar.renew_links(_user(request))
    said = _("Votre adresse est neuve : abonnez de nouveau vos agendas. L’ancienne n’ouvre plus rien.")
    messages.success(request, said)
    return redirect("circles:agenda")


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Asked by calendars, which have no session: the token is all they show."""
    user = calendar.user_of_feed(token)
    if user is None:
        raise Http404
    text, changed = calendar.feed(user), calendar.feed_changed(user)
    etag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    response = HttpResponse(text, content_type=TYPE)
    response["Content-Disposition"] = 'inline; filename="cordee.ics"'
    response["ETag"] = etag
    response["Last-Modified"] = http_date(int(changed.timestamp()))
    response["Cache-Control"] = "private, no-cache"  # kept by nobody on the way; asked again with its tag
    response["X-Robots-Tag"] = "noindex"
    # By its tag alone: a circle's name or place changes what is read without a date of its own.
    return get_conditional_response(request, etag=etag, response=response) or response


@require_GET
@never_cache
@needs("meeting.see", access.meeting)
def file(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    """One meeting, to be added to a calendar by hand."""
    if meeting.starts_at is None:
        raise Http404
    response = HttpResponse(calendar.single(meeting), content_type=TYPE)
    response["Content-Disposition"] = f'attachment; filename="seance-{meeting.number}.ics"'
    return response
