"""A time zone as calendars want it (RFC 5545, 3.6.5): its rule where it has one for years, else each of its changes."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

AHEAD = 12  # years looked at: in eleven a date falls on every day of the week, so that "last" and "fourth" differ
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class Change:
    """The moment when clocks change, in the local time of just before."""

    local: datetime
    before: timedelta
    after: timedelta
    name: str

    @property
    def alike(self) -> tuple[object, ...]:
        """What yearly changes of one rule have in common, but for the week of the month."""
        at = self.local
        return at.month, at.weekday(), at.time(), self.before, self.after, self.name

    @property
    def weeks(self) -> set[int]:
        """The places of its day in the month: 1 to 5, and -1 for the last."""
        day = self.local.day
        last = day + 7 > monthrange(self.local.year, self.local.month)[1]
        return {(day - 1) // 7 + 1} | ({-1} if last else set())


@lru_cache(maxsize=128)
def vtimezone(zone: str, year: int) -> Timezone:
    """The definition of this zone, right from the first day of ``year`` on. Shared: do not change it."""
    made = Timezone()
    made.add("tzid", zone)
    found = list(changes(zone, year - 1))
    for part in _rules(found) or [_at_first(zone, year), *map(_part, found)]:
        made.add_component(part)
    return made


def changes(zone: str, year: int) -> Iterator[Change]:
    """Every change of the clocks of this zone in the years that follow the start of this one."""
    info = ZoneInfo(zone)
    first = datetime(year, 1, 1, tzinfo=UTC)
    days = (first + timedelta(days=i) for i in range(366 * AHEAD))
    for before, after in pairwise(days):
        if _clock(before, info) != _clock(after, info):
            yield _change(before, after, info)


def _clock(moment: datetime, info: ZoneInfo) -> tuple[timedelta | None, str | None]:
    local = moment.astimezone(info)
    return local.utcoffset(), local.tzname()


def _change(before: datetime, after: datetime, info: ZoneInfo) -> Change:
    """The first minute after ``before`` that has the clock of ``after``."""
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        before, after = (middle, after) if _clock(middle, info) == _clock(before, info) else (before, middle)
    old, new = before.astimezone(info).utcoffset() or timedelta(), after.astimezone(info)
    return Change(after.replace(tzinfo=None) + old, old, new.utcoffset() or timedelta(), new.tzname() or "")


def _rules(found: list[Change]) -> list[TimezoneStandard | TimezoneDaylight]:
    """Two yearly rules, if that is what these changes are."""
    pairs = {change.alike for change in found}
    if len(pairs) != 2:
        return []
    made = []
    for kind in sorted(pairs, key=lambda each: str(each)):
        same = [change for change in found if change.alike == kind]
        weeks = set.intersection(*(change.weeks for change in same))
        if not weeks or {change.local.year for change in same} != {change.local.year for change in found}:
            return []
        day = f"{min(weeks)}{DAYS[same[0].local.weekday()]}"
        made.append(_part(same[0], {"freq": "yearly", "bymonth": same[0].local.month, "byday": day}))
    return made


def _at_first(zone: str, year: int) -> TimezoneStandard | TimezoneDaylight:
    """What holds before any change: all there is to say of a zone whose clocks do not change."""
    now = datetime(year - 1, 1, 1, tzinfo=ZoneInfo(zone))
    offset = now.utcoffset() or timedelta()
    return _part(Change(now.replace(tzinfo=None), offset, offset, now.tzname() or ""))


def _part(change: Change, rule: dict[str, object] | None = None) -> TimezoneStandard | TimezoneDaylight:
    part = TimezoneDaylight() if change.after > change.before else TimezoneStandard()
    part.add("dtstart", change.local)
    part.add("tzoffsetfrom", change.before)
    part.add("tzoffsetto", change.after)
    part.add("tzname", change.name)
    if rule:
        part.add("rrule", rule)
    return part
