"""The days on which circles meet."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.easter import easter as theirs
from django.utils.translation import override

from cordee.circles.dates import AFTERNOON, MORNING, easter, every, half_days, holidays, remark

PARIS = ZoneInfo("Europe/Paris")


def test_easter_is_the_one_of_another_implementation_for_six_centuries():
    assert all(easter(year) == theirs(year) for year in range(1583, 2200))


def test_the_eleven_holidays_of_a_year():
    named = {f"{day:%d/%m}": name for day, name in sorted(holidays(2027).items())}
    assert named == {
        "01/01": "jour de l’an", "29/03": "lundi de Pâques", "01/05": "fête du Travail", "06/05": "Ascension",
        "08/05": "8 mai", "17/05": "lundi de Pentecôte", "14/07": "14 juillet", "15/08": "Assomption",
        "01/11": "Toussaint", "11/11": "11 novembre", "25/12": "Noël",
    }  # fmt: skip


def test_two_holidays_may_fall_on_one_day():
    assert len(holidays(2008)) == 10 and date(2008, 5, 1) in holidays(2008)  # Ascension and the first of May


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2027, 5, 6), "férié (Ascension)"),
        (date(2027, 1, 9), "un samedi"),
        (date(2027, 1, 10), "un dimanche"),
        (date(2027, 5, 1), "férié (fête du Travail)"),  # also a Saturday
        (date(2027, 1, 12), ""),
    ],
)
def test_a_day_on_which_few_would_come_is_pointed_out(day, said):
    with override("fr"):
        assert remark(day) == said


def test_every_so_many_weeks():
    assert every(date(2027, 1, 12), 4, 3) == [date(2027, 1, 12), date(2027, 2, 9), date(2027, 3, 9)]
    assert all(day.weekday() == 1 for day in every(date(2027, 1, 12), 3, 20))


@pytest.mark.parametrize(
    ("start", "end", "halves"),
    [
        ("9:00", "12:30", [MORNING]),
        ("9:00", "13:30", [MORNING]),
        ("14:00", "17:30", [AFTERNOON]),
        ("12:00", "15:00", [AFTERNOON]),
        ("18:00", "20:00", [AFTERNOON]),
        ("9:00", "17:00", [MORNING, AFTERNOON]),
        ("11:30", "14:30", [MORNING, AFTERNOON]),
        ("11:30", "14:00", [MORNING]),
    ],
)
def test_a_meeting_that_crosses_lunch_is_two_half_days(start, end, halves):
    moments = [datetime(2027, 7, 6, *map(int, at.split(":")), tzinfo=PARIS).astimezone(UTC) for at in (start, end)]
    assert half_days(*moments, "Europe/Paris") == [(date(2027, 7, 6), half) for half in halves]


def test_half_days_are_those_of_the_circle_s_clock():
    start = datetime(2027, 1, 12, 14, tzinfo=UTC)
    assert half_days(start, start + timedelta(hours=3), "Europe/Paris") == [(date(2027, 1, 12), AFTERNOON)]
    assert half_days(start, start + timedelta(hours=3), "America/Montreal") == [(date(2027, 1, 12), MORNING)]


def test_two_days_are_four_half_days():
    start, end = datetime(2027, 1, 12, 9, tzinfo=PARIS), datetime(2027, 1, 13, 17, tzinfo=PARIS)
    days = [date(2027, 1, 12), date(2027, 1, 13)]
    assert half_days(start, end, "Europe/Paris") == [(day, half) for day in days for half in (MORNING, AFTERNOON)]
    assert len(half_days(start, datetime(2027, 1, 13, tzinfo=PARIS), "Europe/Paris")) == 2  # ends at midnight
