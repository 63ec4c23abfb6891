"""When something is, on the reader's clock; and on the circle's, when it does not show the same hour."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class When:
    """``text`` is on the reader's clock; ``there`` is the same on the circle's, empty when both agree."""

    text: str
    there: str
    day: str
    hours: str


def when(starts_at: datetime, ends_at: datetime, circle_zone: str, reader_zone: str) -> When:
    start, end = _local(starts_at, ends_at, reader_zone)
    there = _local(starts_at, ends_at, circle_zone)
    differ = (start.utcoffset(), end.utcoffset()) != tuple(each.utcoffset() for each in there)
    text = _span(start, end) + (f" ({city(reader_zone)})" if differ else "")
    elsewhere = f"{_span(*there)} ({city(circle_zone)})" if differ else ""
    return When(text, elsewhere, date_format(start, "l j F Y"), _hours(start, end))


def _local(starts_at: datetime, ends_at: datetime, zone: str) -> tuple[datetime, datetime]:
    return starts_at.astimezone(ZoneInfo(zone)), ends_at.astimezone(ZoneInfo(zone))


def _span(start: datetime, end: datetime) -> str:
    day = date_format(start, "l j F Y")
    if start.date() == end.date():
        return _("%(day)s, %(hours)s") % {"day": day, "hours": _hours(start, end)}
    said = {"day": day, "start": f"{start:%H:%M}", "last": date_format(end, "l j F Y"), "end": f"{end:%H:%M}"}
    return _("du %(day)s à %(start)s au %(last)s à %(end)s") % said


def _hours(start: datetime, end: datetime) -> str:
    return _("de %(start)s à %(end)s") % {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}


def city(zone: str) -> str:
    """``America/Montreal`` as one says it."""
    return _("heure de %(city)s") % {"city": zone.rpartition("/")[2].replace("_", " ")}
