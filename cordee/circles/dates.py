"""The days on which circles meet: every so many weeks, the public holidays of France, the half-days of a meeting."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

MORNING, AFTERNOON = "morning", "afternoon"
LUNCH = (time(12), time(14))  # a meeting that starts before it and ends after it is two half-days

FIXED = {
    (1, 1): _("jour de l’an"),
    (5, 1): _("fête du Travail"),
    (5, 8): _("8 mai"),
    (7, 14): _("14 juillet"),
    (8, 15): _("Assomption"),
    (11, 1): _("Toussaint"),
    (11, 11): _("11 novembre"),
    (12, 25): _("Noël"),
}
AFTER_EASTER = {1: _("lundi de Pâques"), 39: _("Ascension"), 50: _("lundi de Pentecôte")}


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876, as J. Meeus gives it)."""
    century, in_century = divmod(year, 100)
    golden = year % 19
    leap, left = divmod(century, 4)
    moon = (19 * golden + century - leap - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * left + 2 * (in_century // 4) - moon - in_century % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def holidays(year: int) -> Mapping[date, str]:
    """The eleven public holidays of the French labour code (article L3133-1), with their French names."""
    found = {date(year, month, day): name for (month, day), name in FIXED.items()}
    return found | {easter(year) + timedelta(days=days): name for days, name in AFTER_EASTER.items()}


def remark(day: date) -> str:
    """What somebody who plans would like to be told of this day: a holiday, a Saturday, a Sunday; else nothing."""
    if day in holidays(day.year):
        return gettext("férié (%(name)s)") % {"name": gettext(holidays(day.year)[day])}
    return gettext("un %(weekday)s") % {"weekday": date_format(day, "l")} if day.weekday() >= 5 else ""


def every(first: date, weeks: int, count: int) -> list[date]:
    """``count`` days, the first one then every ``weeks`` weeks."""
    return [first + timedelta(weeks=weeks * i) for i in range(count)]


def half_days(starts_at: datetime, ends_at: datetime, zone: str) -> list[tuple[date, str]]:
    """The half-days of a meeting, (day, morning or afternoon), as they are lived in this time zone: to be signed."""
    start, end = (moment.astimezone(ZoneInfo(zone)) for moment in (starts_at, ends_at))
    last = (end - timedelta(microseconds=1)).date()
    days = [start.date() + timedelta(days=i) for i in range((last - start.date()).days + 1)]
    return [
        (day, half)
        for day in days
        for half in _halves(
            start.time() if day == start.date() else time.min, end.time() if day == end.date() else time.max
        )
    ]


def _halves(start: time, end: time) -> list[str]:
    before, after = LUNCH
    if start < before and end > after:
        return [MORNING, AFTERNOON]
    return [MORNING if start < before else AFTERNOON]
