"""What is asked of who plans: dates and hours of the circle's own clock, a place or a video link."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from cordee.circles import dates
from cordee.circles.actions.meetings import Appointment
from cordee.circles.models import Circle, Meeting

WEEKS, DATES = "weeks", "dates"
MOST = 24  # meetings planned at once
MOST_ROUNDS = 6
MOST_SLOTS = 12  # dates proposed in one poll
DURATIONS = {
    90: gettext_lazy("1 h 30"),
    120: gettext_lazy("2 h"),
    180: gettext_lazy("3 h"),
    210: gettext_lazy("3 h 30 (demi-journée)"),
    420: gettext_lazy("7 h (journée)"),
    0: gettext_lazy("autre : jusqu’à…"),
}
LINE = re.compile(r"^\s*(?:(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})|(\d{4})-(\d{2})-(\d{2}))\s*$")


def _date(label: Any, **more: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), **more)


def _time(label: Any, **more: Any) -> forms.TimeField:
    return forms.TimeField(label=label, widget=forms.TimeInput({"type": "time"}, format="%H:%M"), **more)


def _place() -> forms.CharField:
    return forms.CharField(label=gettext_lazy("Lieu"), max_length=200, required=False)


def _link() -> forms.URLField:
    return forms.URLField(
        label=gettext_lazy("Lien de visioconférence"), max_length=400, required=False, assume_scheme="https"
    )


def _rounds() -> forms.IntegerField:
    return forms.IntegerField(
        label=gettext_lazy("Consultations prévues"), min_value=1, max_value=MOST_ROUNDS, initial=1,
        help_text=gettext_lazy("Une consultation : une situation menée jusqu’au bout, 90 minutes environ."),
    )  # fmt: skip


class Lasting(forms.Form):
    """An hour and a duration; an hour of end only when no usual duration suits."""

    at = _time(gettext_lazy("Heure de début"), initial=time(9))
    lasts = forms.TypedChoiceField(
        label=gettext_lazy("Durée"), coerce=int, choices=list(DURATIONS.items()), initial=210
    )
    until = _time(gettext_lazy("Heure de fin"), required=False, help_text=gettext_lazy("Pour une autre durée."))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("lasts") == 0 and "at" in given and not self.has_error("until"):
            until = given.get("until")
            if until is None:
                self.add_error("until", _("Donnez l’heure de fin, ou choisissez une durée."))
            elif until <= given["at"]:
                self.add_error("until", _("Cette heure est avant celle du début."))
        return given

    def span(self, day: date, zone: str) -> tuple[datetime, datetime]:
        """From when to when the meeting of this day is."""
        given = self.cleaned_data
        start = datetime.combine(day, given["at"])
        end = datetime.combine(day, given["until"]) if not given["lasts"] else start + timedelta(minutes=given["lasts"])
        return _aware(start, zone), _aware(end, zone)


class Cycle(Lasting):
    """A whole cycle: every so many weeks from a first date, or a list of dates."""

    rhythm = forms.ChoiceField(
        label=gettext_lazy("Quand vous retrouvez-vous ?"),
        choices=[(WEEKS, gettext_lazy("À intervalle régulier")), (DATES, gettext_lazy("À des dates que je donne"))],
        widget=forms.RadioSelect,
        initial=WEEKS,
    )
    first = _date(gettext_lazy("Première séance"), required=False)
    every = forms.IntegerField(
        label=gettext_lazy("Toutes les … semaines"), min_value=1, max_value=26, initial=4, required=False
    )
    count = forms.IntegerField(
        label=gettext_lazy("Nombre de séances"), min_value=1, max_value=MOST, initial=6, required=False
    )
    days = forms.CharField(
        label=gettext_lazy("Dates"),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 5}),
        help_text=gettext_lazy("Une par ligne, par exemple 12/01/2027."),
    )
    place = _place()
    video_link = _link()
    rounds = _rounds()

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("rhythm") == WEEKS:
            for name in ("first", "every", "count"):
                if not given.get(name) and not self.has_error(name):
                    self.add_error(name, _("Il manque ce nombre.") if name != "first" else _("Il manque la date."))
        elif given.get("rhythm") == DATES:
            given["listed"] = self._listed(given.get("days") or "")
        return given

    def _listed(self, text: str) -> list[date]:
        """The dates of the lines; what is wrong with a line is said with its number."""
        found: list[date] = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    found.append(_day(line))
                except ValueError:
                    said = _("Ligne %(number)d : « %(line)s » n’est pas une date. Écrivez-la comme 12/01/2027.")
                    self.add_error("days", said % {"number": number, "line": line.strip()[:40]})
        if not text.strip():
            self.add_error("days", _("Écrivez au moins une date."))
        if len(found) > MOST:
            self.add_error("days", _("%(most)d dates au plus en une fois.") % {"most": MOST})
        return sorted(set(found))

    def rows(self, circle: Circle) -> list[dict[str, Any]]:
        """One a meeting, for :class:`Row`."""
        given = self.cleaned_data
        days = (
            given["listed"] if given["rhythm"] == DATES else dates.every(given["first"], given["every"], given["count"])
        )
        shared = {name: given[name] for name in ("place", "video_link", "rounds")}
        return [_split(*self.span(day, circle.time_zone), circle.time_zone) | shared for day in days]


def _day(line: str) -> date:
    """Raises ``ValueError`` for what is not a date."""
    found = LINE.match(line)
    if not found:
        raise ValueError(line)
    day, month, year, *iso = found.groups()
    return date(int(year), int(month), int(day)) if year else date(*map(int, iso))


class Row(forms.Form):
    """One meeting: its day, its hours, and where it is if not where the circle meets."""

    day = _date(gettext_lazy("Jour"))
    start = _time(gettext_lazy("Début"))
    end = _time(pgettext_lazy("hour", "Fin"))
    place = _place()
    video_link = _link()
    rounds = _rounds()

    def __init__(self, *args: Any, circle: Circle, taken: "Taken | None" = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.circle, self.taken = circle, taken
        for name in ("place", "video_link"):
            self.fields[name].widget.attrs["placeholder"] = getattr(circle, name)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "start" in given and "end" in given and given["end"] <= given["start"]:
            self.add_error("end", _("Cette heure est avant celle du début."))
        elif not self.errors and self.appointment.starts_at < timezone.now():
            self.add_error("day", _("Cette date est passée."))
        return given

    @property
    def appointment(self) -> Appointment:
        given = self.cleaned_data
        start, end = (
            _aware(datetime.combine(given["day"], given[name]), self.circle.time_zone) for name in ("start", "end")
        )
        return Appointment(start, end, given["place"], given["video_link"], given["rounds"])

    @property
    def remarks(self) -> list[str]:
        """What one would like to be told before confirming: a holiday, a weekend, another meeting at that time."""
        day, start, end = (self._value(name) for name in ("day", "start", "end"))
        said = [dates.remark(day)] if day else []
        if day and start and end and self.taken:
            zone = self.circle.time_zone
            said.append(
                self.taken(_aware(datetime.combine(day, start), zone), _aware(datetime.combine(day, end), zone))
            )
        return [each for each in said if each]

    @property
    def long_day(self) -> str:
        """With its day of the week, which people look at first."""
        day = self._value("day")
        return date_format(day, "l j F Y") if day else ""

    def _value(self, name: str) -> Any:
        """What the field holds, given or proposed; nothing if it was not understood."""
        if self.is_bound:
            self.errors  # noqa: B018  (cleans)
            return self.cleaned_data.get(name)
        return self.get_initial_for_field(self.fields[name], name)


Taken = Callable[[datetime, datetime], str]


def taken(meetings: Iterable[Meeting]) -> Taken:
    """What to say of a span that these meetings of the circle already take."""
    known = [each for each in meetings if each.starts_at and not each.cancelled_at]

    def said(start: datetime, end: datetime) -> str:
        for each in known:
            if each.starts_at and each.ends_at and each.starts_at < end and start < each.ends_at:
                return _("en même temps que la séance %(number)d") % {"number": each.number}
        return ""

    return said


class Rows(forms.BaseFormSet):  # type: ignore[type-arg]
    """The meetings of a cycle before it is confirmed: each may be changed, or taken away."""

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Ne pas prévoir cette séance")

    @property
    def appointments(self) -> list[Appointment]:
        return [form.appointment for form in self.forms if form not in self.deleted_forms]


RowSet = forms.formset_factory(
    Row, formset=Rows, extra=0, can_delete=True, max_num=MOST, validate_max=True, absolute_max=MOST
)


class Slots(Lasting):
    """What all the dates of a poll share."""

    place = _place()
    video_link = _link()
    rounds = _rounds()


class SlotDay(forms.Form):
    """A date proposed, at the usual hour unless it has its own."""

    day = _date(gettext_lazy("Jour"), required=False)
    start = _time(gettext_lazy("Début, s’il diffère"), required=False)


class SlotDays(forms.BaseFormSet):  # type: ignore[type-arg]
    def clean(self) -> None:
        if not any(self.errors) and len(self.given) < 2:
            raise forms.ValidationError(_("Proposez au moins deux dates."))

    @property
    def given(self) -> list[Mapping[str, Any]]:
        return [form.cleaned_data for form in self.forms if form.cleaned_data.get("day")]

    def spans(self, shared: Slots, zone: str) -> list[tuple[datetime, datetime]]:
        """From when to when each date proposed is."""
        found = []
        for given in self.given:
            start, end = shared.span(given["day"], zone)
            if given.get("start"):
                own = _aware(datetime.combine(given["day"], given["start"]), zone)
                start, end = own, own + (end - start)
            found.append((start, end))
        return found


SlotDaySet = forms.formset_factory(
    SlotDay, formset=SlotDays, extra=6, max_num=MOST_SLOTS, validate_max=True, absolute_max=MOST_SLOTS
)


def row_of(meeting: Meeting) -> dict[str, Any]:
    """A meeting as :class:`Row` opens with it."""
    shared = {name: getattr(meeting, name) for name in ("place", "video_link", "rounds")}
    if meeting.starts_at is None or meeting.ends_at is None:
        return shared
    return _split(meeting.starts_at, meeting.ends_at, meeting.circle.time_zone) | shared


def _split(start: datetime, end: datetime, zone: str) -> dict[str, Any]:
    local, last = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    return {"day": local.date(), "start": local.time(), "end": last.time()}


def _aware(local: datetime, zone: str) -> datetime:
    """This moment of the circle's clock. An hour that the clocks jump over is the one they jump to."""
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
