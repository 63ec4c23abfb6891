"""A clock that leaps ahead erases nothing by itself: it is told, and a person says whether it is right."""

import os
from datetime import timedelta
from pathlib import Path
from time import time

import pytest
from django.core.management import CommandError
from django.utils import timezone

from cordee.circles.models import Circle
from cordee.ops import clock, recurring
from cordee.room import access, actions, store
from cordee.room.models import Draft, Entry
from tests.ops.test_demo import doctor, healthy, manage  # noqa: F401
from tests.room.clean import clean_memory  # noqa: F401

DAY = 86_400
pytestmark = pytest.mark.django_db


def last_tick(what: Path, ago: float) -> None:
    (what / "done").mkdir(exist_ok=True)
    file = what / "done" / recurring.TICK
    file.touch()
    os.utime(file, (time() - ago, time() - ago))


@pytest.fixture
def leapt(healthy) -> actions.Opened:  # noqa: F811
    """A room played a year ago as this clock has it: kept for thirty days, with a draft; then the last tick."""
    opened = actions.open_room("Fanny")
    actions.save_draft(access.Key(opened.room, opened.seat), "note", {"text": "Un brouillon."})
    Entry.objects.update(at=time() - 366 * DAY)
    Draft.objects.update(saved_at=timezone.now() - timedelta(days=366))
    Circle.objects.update(erase_on=timezone.localdate() - timedelta(days=336))
    last_tick(healthy, 366 * DAY - 3600)
    store.forget()
    return opened


def kept() -> tuple[int, int]:
    return Circle.objects.filter(wrapped_key__isnull=False).count(), Draft.objects.count()


@pytest.mark.parametrize("command", ["tick", "purge"])
def test_a_year_s_leap_erases_nothing_and_is_said(leapt, command: str) -> None:
    for _ in range(2):  # having refused once is no proof
        with pytest.raises(CommandError, match=r"avancé de 36\d jours.*--trust-clock"):
            manage(command)
    assert kept() == (1, 1)
    code, printed = doctor()
    assert code == 1 and "L’horloge a avancé de 36" in printed


@pytest.mark.parametrize("command", ["tick", "purge"])
def test_what_is_written_after_the_leap_is_no_proof_of_it(leapt, command: str) -> None:
    actions.open_room("Claire")
    with pytest.raises(CommandError, match="avancé"):
        manage(command)
    assert kept() == (2, 1)


def test_a_person_who_trusts_the_clock_is_believed_from_then_on(leapt) -> None:
    assert "Cercles effacés : 1" in manage("tick", "--trust-clock")
    assert kept() == (0, 0)
    assert "Cercles effacés : 0" in manage("tick")
    assert "avancé" not in doctor()[1]


def test_a_clock_put_right_again_is_believed_at_once(leapt, healthy) -> None:  # noqa: F811
    with pytest.raises(CommandError):
        manage("tick")
    last_tick(healthy, 3600)
    Entry.objects.update(at=time() + 365 * DAY)  # what was written under the wrong clock
    assert clock.leap() == 0


@pytest.mark.parametrize(
    ("tick_days_ago", "written_days_ago", "days"),
    [
        (1 / 24, [400], 0),  # nobody writes for a year, and the work goes on every hour
        (20, [19, 14, 9, 4], 0),  # the timer was broken, and rooms were played
        (20, [19, 2], 17),
        (3, [], 0),  # a long week-end off
        (30, [], 30),
        (None, [1], 0),
        (None, [30], 30),
        (None, [], 0),
    ],
)
def test_a_leap_is_a_step_of_more_than_a_week(healthy, tick_days_ago, written_days_ago, days) -> None:  # noqa: F811
    opened = actions.open_room("Fanny")
    Entry.objects.all().delete()
    store.forget()
    for n, ago in enumerate(written_days_ago, 1):
        at = time() - ago * DAY
        Entry.objects.create(session_id=opened.room, seq=n, kind="Reopened", at=at, seat="", plain={})
    if tick_days_ago is not None:
        last_tick(healthy, tick_days_ago * DAY)
    assert clock.leap() in {days, days + 1 if days else 0}
