from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordee.catalogue.duration import read_duration


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("4 jours", "4"),
        ("2,5 jours ", "2.5"),
        ("2.5 jours", "2.5"),
        ("2\u00a0jours", "2"),
        ("1 jour", "1"),
        ("2j", "2"),
        ("deux jours", "2"),
        ("Une journée", "1"),
        ("½ journée", "0.5"),
        ("1/2 journée", "0.5"),
        ("2½ jours", "2.5"),
        ("demi-journée", "0.5"),
        ("une demi-journée", "0.5"),
        ("3 demi-journées", "1.5"),
        ("1 jour et demi", "1.5"),
        ("2 jours + 1 jour", "3"),
        ("2 jours + 1 jour à distance", "3"),
        ("1 journée et une demi-journée", "1.5"),
        ("2 x 1 jour", "2"),
        ("3 jours (21 heures)", "3"),
        ("2 jours (12 h)", "2"),
        ("21 h, soit 3 jours", "3"),
        ("2 jours (présentiel)", "2"),
        ("2 jours consécutifs", "2"),
    ],
)
def test_a_duration_becomes_days_and_reports_nothing(written, days):
    found = read_duration(written)

    assert (found.days, found.code) == (Decimal(days), "")


@pytest.mark.parametrize(
    ("written", "days"),
    [("14 heures", "2"), ("14h", "2"), ("7 h", "1"), ("3h30", "0.5"), ("2 x 3,5 heures", "1"), ("2 h", "0.29")],
)
def test_hours_count_for_seven_a_day_and_the_convention_is_said(written, days):
    found = read_duration(written)

    assert (found.days, found.code) == (Decimal(days), "duration-in-hours")


def test_a_repeated_word_is_understood_and_reported():
    found = read_duration("2 jours jours")

    assert (found.days, found.code, found.level) == (Decimal(2), "duration-repeated-word", "warning")


@pytest.mark.parametrize(
    "written",
    [
        "1 à 2 jours",
        "2-3 jours",
        "2 ou 3 jours",
        "environ 2 jours",
        "6 mois",
        "jours",
        "2 jours + 1",
        "à la carte",
        "4",
    ],
)
def test_a_duration_that_is_not_understood_is_not_guessed(written):
    found = read_duration(written)

    assert (found.days, found.code, found.level) == (None, "duration-unread", "warning")


def test_days_and_hours_that_cannot_be_the_same_duration_are_an_error():
    assert read_duration("2 jours (3 h)").code == "duration-inconsistent"
    assert read_duration("2 jours (3 h)").days == 2


def test_no_duration_is_no_problem():
    assert read_duration("  ") == read_duration("")
    assert read_duration("").code == ""


@settings(deadline=None)
@given(st.text() | st.text(alphabet="0123456789 jourshdemi½/+,()x"))
def test_no_text_makes_reading_a_duration_fail(written):
    days = read_duration(written).days

    assert days is None or days >= 0
