"""The meetings of a circle: planned, moved, cancelled; who comes. Each view calls one action or one query."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cordee.accounts.models import Person
from cordee.accounts.queries import person_of
from cordee.accounts.rules import may, needs
from cordee.circles import access
from cordee.circles.actions import meetings as actions
from cordee.circles.forms.meetings import Cycle, Row, RowSet, row_of, taken
from cordee.circles.models import Circle, Meeting, Reply
from cordee.circles.queries import meetings as queries
from cordee.circles.refused import Refused

A_PAGE = 50
DOOR_OPENS = timedelta(minutes=15)  # before a meeting, its room is offered


def zone_of(request: HttpRequest, circle: Circle) -> str:
    """The reader's time zone: their account's, or the circle's for who has none."""
    return request.user.time_zone if request.user.is_authenticated else circle.time_zone


def me(request: HttpRequest, meeting: Meeting) -> Person:
    """Who the reader is in the space of this meeting."""
    space = meeting.circle.space
    found = person_of(request.user, space) if request.user.is_authenticated and space else None
    if found is None:
        raise Http404
    return found


# ---------------------------------------------------------------- a circle's meetings


@require_GET
@never_cache
@needs("meeting.see", access.circle)
def meetings(request: HttpRequest, circle: Circle) -> HttpResponse:
    found = circle.meetings.annotate(coming=Count("replies", filter=Q(replies__answer=Reply.COMING)))
    now = timezone.now()
    past = Paginator(found.filter(ends_at__lte=now).order_by("-starts_at", "-pk"), A_PAGE)
    shown = {
        "circle": circle,
        "zone": zone_of(request, circle),
        "polled": found.filter(starts_at=None, cancelled_at=None).order_by("pk")[:A_PAGE],
        "to_come": found.filter(ends_at__gt=now).order_by("starts_at", "pk")[: 2 * A_PAGE],
        "past": past.get_page(request.GET.get("page")),
    }
    return render(request, "meetings/list.html", shown)


@require_http_methods(["GET", "POST"])
@never_cache
@needs("meeting.plan", access.circle)
def plan(request: HttpRequest, circle: Circle) -> HttpResponse:
    """A cycle: described, shown meeting by meeting, confirmed."""
    if request.method == "POST" and "form-TOTAL_FORMS" in request.POST:
        return _confirm(request, circle)
    form = Cycle(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _preview(request, circle, _rows(circle, initial=form.rows(circle)))
    status = 409 if request.method == "POST" else 200
    return render(request, "meetings/plan.html", {"circle": circle, "form": form}, status=status)


def _confirm(request: HttpRequest, circle: Circle) -> HttpResponse:
    rows = _rows(circle, data=request.POST)
    if not rows.is_valid():
        return _preview(request, circle, rows, status=409)
    if request.POST.get("do") != "confirm" or not rows.appointments:
        return _preview(request, circle, rows)
    try:
        made = actions.plan_each(circle, rows.appointments)
    except Refused as refused:
        return _preview(request, circle, rows, str(refused), status=409)
    said = ngettext(
        "%(count)d séance est prévue. Chacun·e reçoit une convocation.",
        "%(count)d séances sont prévues. Chacun·e reçoit une convocation pour chacune.",
        len(made),
    )
    messages.success(request, said % {"count": len(made)})
    return redirect("circles:meetings", circle=circle.pk)


def _rows(circle: Circle, **given: Any) -> Any:
    known = taken(circle.meetings.filter(cancelled_at=None, ends_at__gt=timezone.now()))
    return RowSet(form_kwargs={"circle": circle, "taken": known}, **given)


def _preview(request: HttpRequest, circle: Circle, rows: Any, refusal: str = "", status: int = 200) -> HttpResponse:
    shown = {"circle": circle, "rows": rows, "refusal": refusal}
    return render(request, "meetings/preview.html", shown, status=status)


# ---------------------------------------------------------------- one meeting


@require_GET
@never_cache
@needs("meeting.see", access.meeting)
def meeting(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    if meeting.polled:
        return redirect("circles:availability", meeting=meeting.pk)
    return _meeting(request, meeting)


def _meeting(request: HttpRequest, meeting: Meeting, refusal: str = "") -> HttpResponse:
    circle, now = meeting.circle, timezone.now()
    me = request.user.person_in(circle.space_id) if request.user.is_authenticated else None
    coming = queries.coming(meeting)
    mine = next((guest for guest in coming.guests if guest.person.pk == me), None)
    begun = meeting.starts_at is not None and meeting.starts_at <= now
    shown = {
        "meeting": meeting,
        "circle": circle,
        "zone": zone_of(request, circle),
        "coming": coming,
        "mine": mine,
        "reason": queries.reason(meeting, mine.person) if mine and mine.answer == Reply.ABSENT else "",
        "prepared": queries.prepared(meeting),
        "attendances": queries.attendances(meeting) if begun else [],
        "decides": may(request.user, "meeting.plan", meeting),
        "door": _door(meeting) if may(request.user, "room.enter", meeting) else "",
        "refusal": refusal,
    }
    return render(request, "meetings/meeting.html", shown, status=409 if refusal else 200)


def _door(meeting: Meeting) -> str:
    """Whether its room is open to come in, will be, or neither."""
    if not meeting.to_come or meeting.starts_at is None:
        return ""
    return "open" if timezone.now() >= meeting.starts_at - DOOR_OPENS else "later"


@require_POST
@never_cache
@needs("meeting.reply", access.meeting)
def reply(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    person = me(request, meeting)
    answer = request.POST.get("answer")
    if answer not in dict(Reply.ANSWERS):
        return _meeting(request, meeting, _("Touchez « Je viens » ou « Je ne peux pas venir »."))
    reason = request.POST.get("reason")
    try:
        actions.reply(meeting, person, answer, reason[:MOST_REASON] if reason is not None else None)
    except Refused as refused:
        return _meeting(request, meeting, str(refused))
    return redirect("circles:meeting", meeting=meeting.pk)


MOST_REASON = 500  # characters: as many as the page's field takes


@require_http_methods(["GET", "POST"])
@never_cache
@needs("meeting.plan", access.meeting)
def move(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    """Change the date, the place, the link, the number of rounds. What should be looked at is asked once."""
    others = meeting.circle.meetings.exclude(pk=meeting.pk).filter(cancelled_at=None, ends_at__gt=timezone.now())
    form = Row(request.POST or None, initial=row_of(meeting), circle=meeting.circle, taken=taken(others))
    shown = {"meeting": meeting, "circle": meeting.circle, "form": form, "zone": zone_of(request, meeting.circle)}
    if request.method == "GET":
        return render(request, "meetings/move.html", shown)
    if not form.is_valid():
        return render(request, "meetings/move.html", shown, status=409)
    if form.remarks and request.POST.get("sure") != str(form.cleaned_data["day"]):
        return render(request, "meetings/move.html", shown | {"sure": form.cleaned_data["day"]})
    try:
        actions.move(meeting, form.appointment)
    except Refused as refused:
        return render(request, "meetings/move.html", shown | {"refusal": str(refused)}, status=409)
    messages.success(request, _("C’est changé. Chacun·e est prévenu·e."))
    return redirect("circles:meeting", meeting=meeting.pk)


@require_http_methods(["GET", "POST"])
@never_cache
@needs("meeting.plan", access.meeting)
def cancel(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    shown = {"meeting": meeting, "circle": meeting.circle, "zone": zone_of(request, meeting.circle)}
    if request.method == "GET":
        return render(request, "meetings/cancel.html", shown)
    try:
        actions.cancel(meeting)
    except Refused as refused:
        return render(request, "meetings/cancel.html", shown | {"refusal": str(refused)}, status=409)
    messages.success(request, _("La séance est annulée."))
    return redirect("circles:meetings", circle=meeting.circle_id)


@require_POST
@never_cache
@needs("meeting.plan", access.meeting)
def keep(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    """It will take place, though few come."""
    try:
        actions.keep(meeting)
    except Refused as refused:
        return _meeting(request, meeting, str(refused))
    return redirect("circles:meeting", meeting=meeting.pk)


# ---------------------------------------------------------------- by the link of a letter


@require_http_methods(["GET", "POST"])
@never_cache
def reply_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """One button, which answers for who received the letter: looking at the page answers nothing."""
    found, person, sequence = access.answering(token)
    shown = {"meeting": found, "circle": found.circle, "person": person,
             "zone": person.user.time_zone if person.user else found.circle.time_zone}  # fmt: skip
    if sequence != found.sequence or not found.to_come:
        return render(request, "meetings/link_over.html", shown, status=410)
    answer = request.POST.get("answer", "") if request.method == "POST" else request.GET.get("r", "")
    answer = answer if answer in dict(Reply.ANSWERS) else ""
    if request.method == "POST" and answer:
        try:
            actions.reply(found, person, answer)
        except Refused:  # it was cancelled, or they left, in between
            return render(request, "meetings/link_over.html", shown, status=410)
        return render(request, "meetings/link_done.html", shown | {"answer": answer})
    return render(request, "meetings/link.html", shown | {"proposed": answer})
