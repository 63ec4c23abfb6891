"""The date of a meeting is looked for: proposed by who plans, answered with one thumb, decided from a table."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cordee.accounts.rules import may, needs
from cordee.circles import access
from cordee.circles.actions import polls as actions
from cordee.circles.forms.meetings import MOST_SLOTS, SlotDaySet, Slots
from cordee.circles.models import Availability, Circle, Meeting
from cordee.circles.queries import meetings as queries
from cordee.circles.refused import Refused
from cordee.circles.views.meetings import me, zone_of

MORE = 3  # dates added at a time
ANSWERS = dict(Availability.ANSWERS)


@require_http_methods(["GET", "POST"])
@never_cache
@needs("meeting.plan", access.circle)
def propose(request: HttpRequest, circle: Circle) -> HttpResponse:
    """Ask a circle which of several dates suits."""
    if request.method == "GET":
        return _propose(request, circle, Slots(), SlotDaySet())
    if request.POST.get("do") == "more":
        return _propose(request, circle, Slots(initial=request.POST.dict()), SlotDaySet(_with_more(request)))
    shared, days = Slots(request.POST), _days(request)
    if not (shared.is_valid() & days.is_valid()):
        return _propose(request, circle, shared, days, status=409)
    given = {name: shared.cleaned_data[name] for name in ("place", "video_link", "rounds")}
    try:
        meeting = actions.poll(circle, days.spans(shared, circle.time_zone), **given)
    except Refused as refused:
        return _propose(request, circle, shared, days, str(refused), status=409)
    messages.success(request, _("La demande est partie : chacun·e la reçoit par lettre."))
    return redirect("circles:availability", meeting=meeting.pk)


def _days(request: HttpRequest) -> Any:
    return SlotDaySet(request.POST)


def _with_more(request: HttpRequest) -> Any:
    """What was typed, and some more empty dates."""
    data = request.POST.copy()
    known = data.get("form-TOTAL_FORMS", "")
    data["form-TOTAL_FORMS"] = str(min((int(known) if known.isdecimal() else 0) + MORE, MOST_SLOTS))
    return data


def _propose(
    request: HttpRequest, circle: Circle, shared: Slots, days: Any, refusal: str = "", status: int = 200
) -> HttpResponse:
    shown = {"circle": circle, "form": shared, "days": days, "refusal": refusal}
    return render(request, "meetings/propose.html", shown, status=status)


@require_GET
@never_cache
@needs("meeting.see", access.meeting)
def availability(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    if not meeting.polled:
        return redirect("circles:meeting", meeting=meeting.pk)
    return _availability(request, meeting)


def _availability(request: HttpRequest, meeting: Meeting, refusal: str = "") -> HttpResponse:
    person = me(request, meeting) if may(request.user, "meeting.reply", meeting) else None
    decides = may(request.user, "meeting.plan", meeting)
    shown = {
        "meeting": meeting,
        "circle": meeting.circle,
        "zone": zone_of(request, meeting.circle),
        "person": person,
        "slots": queries.slots(meeting),
        "given": queries.answers_of(meeting, person) if person else {},
        "choices": Availability.ANSWERS,
        "decides": decides,
        "poll": queries.poll_of(meeting) if decides else None,
        "refusal": refusal,
    }
    return render(request, "meetings/availability.html", shown, status=409 if refusal else 200)


@require_POST
@never_cache
@needs("meeting.reply", access.meeting)
def answer(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    try:
        actions.answer(meeting, me(request, meeting), _answers(request))
    except Refused as refused:
        return _availability(request, meeting, str(refused))
    messages.success(request, _("C’est noté. Vous pouvez changer d’avis tant que la date n’est pas fixée."))
    return redirect("circles:availability", meeting=meeting.pk)


def _answers(request: HttpRequest) -> dict[int, str]:
    """Slot id -> what was chosen for it."""
    return {
        int(name[5:]): said
        for name, said in request.POST.items()
        if name.startswith("slot-") and name[5:].isdecimal() and said in ANSWERS
    }


@require_POST
@never_cache
@needs("meeting.plan", access.meeting)
def remind(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    try:
        written = actions.remind(meeting)
    except Refused as refused:
        return _availability(request, meeting, str(refused))
    if written:
        said = ngettext("Une personne est relancée.", "%(count)d personnes sont relancées.", written)
        messages.success(request, said % {"count": written})
    else:
        messages.info(request, _("Il n’y a personne à relancer aujourd’hui : une relance par jour au plus."))
    return redirect("circles:availability", meeting=meeting.pk)


@require_POST
@never_cache
@needs("meeting.plan", access.meeting)
def decide(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    given = request.POST.get("slot", "")
    if not given.isdecimal():
        return _availability(request, meeting, _("Choisissez une des dates proposées."))
    slot = get_object_or_404(meeting.slots, pk=int(given))
    try:
        actions.decide(meeting, slot)
    except Refused as refused:
        return _availability(request, meeting, str(refused))
    messages.success(request, _("La date est fixée. Chacun·e reçoit une convocation."))
    return redirect("circles:meeting", meeting=meeting.pk)


@require_http_methods(["GET", "POST"])
@never_cache
def availability_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The same answers, by the link of a letter, for who received it."""
    meeting, person = access.available(token)
    shown = {"meeting": meeting, "circle": meeting.circle, "person": person, "by_link": True,
             "zone": person.user.time_zone if person.user else meeting.circle.time_zone}  # fmt: skip
    if not meeting.polled:
        return render(request, "meetings/link_over.html", shown, status=410)
    if request.method == "POST":
        try:
            actions.answer(meeting, person, _answers(request))
        except Refused:
            return render(request, "meetings/link_over.html", shown, status=410)
        messages.success(request, _("C’est noté. Vous pouvez changer d’avis tant que la date n’est pas fixée."))
        return redirect(request.path)
    shown |= {"slots": queries.slots(meeting), "given": queries.answers_of(meeting, person),
              "choices": Availability.ANSWERS}  # fmt: skip
    return render(request, "meetings/availability.html", shown)
