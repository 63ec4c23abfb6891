"""Quiet hours, once a day, and what is not wished."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cordee.mail import letters, wishes
from cordee.mail.models import Letter, Wish
from cordee.mail.postman import round_
from tests.mail.every import EVERY, KARIM, MEETING
from tests.mail.test_letters import Words

ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca",
         "America/St_Johns", "Pacific/Chatham", "UTC", "America/Sao_Paulo", "Africa/Cairo"]  # fmt: skip
moments = st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)).map(lambda at: at.replace(tzinfo=UTC, microsecond=0))
hours = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def quiet(at: datetime, zone: ZoneInfo, start: time, end: time) -> bool:
    """Said otherwise than in the code: minutes since quiet hours began are fewer than they last."""
    clock = at.astimezone(zone)
    minutes = lambda of: of.hour * 60 + of.minute  # noqa: E731
    return (minutes(clock) - minutes(start)) % 1440 < (minutes(end) - minutes(start)) % 1440


@settings(deadline=None)
@given(moments, st.sampled_from(ZONES), hours, hours)
@example(datetime(2030, 3, 31, 0, 45, tzinfo=UTC), "Europe/Paris", time(1), time(2, 30))  # an hour that is not
@example(datetime(2030, 10, 27, 0, 40, tzinfo=UTC), "Europe/Paris", time(1), time(2, 30))  # the hour that is twice
@example(datetime(2030, 10, 27, 1, 10, tzinfo=UTC), "Europe/Paris", time(1), time(2, 30))
@example(datetime(2011, 12, 30, 9, 0, tzinfo=UTC), "Pacific/Apia", time(20), time(7))  # a day that was not
def test_quiet_hours_end_when_they_should_wherever_and_whenever(now, name, start, end):
    zone = ZoneInfo(name)
    until = wishes.quiet_end(now, zone, start, end)
    assert (until is not None) == quiet(now, zone, start, end)
    if until is not None:
        assert now < until <= now + timedelta(hours=49 if name == "Pacific/Apia" else 25)
        assert not quiet(until, zone, start, end)
        step = now  # and not one minute of what is before was free, but for clocks that go over the end twice
        while (step := step + timedelta(minutes=7)) < until - timedelta(minutes=121):
            assert quiet(step, zone, start, end)


@settings(deadline=None)
@given(moments, st.sampled_from(ZONES), hours)
def test_the_hour_of_the_digest_comes_once_a_day(now, name, wanted):
    zone = ZoneInfo(name)
    first = wishes.next_at(now, zone, wanted)
    assert now < first <= now + timedelta(hours=49 if name == "Pacific/Apia" else 26)
    local = first.astimezone(zone)
    shown = local.replace(tzinfo=None) - datetime.combine(local.date(), wanted)
    assert timedelta() <= shown <= timedelta(hours=1)


def at(monkeypatch, moment: datetime) -> None:
    monkeypatch.setattr(timezone, "now", lambda: moment)


NOON = datetime(2030, 1, 7, 11, tzinfo=UTC)  # 12:00 in Paris
MORNING = datetime(2030, 1, 8, 6, 30, tzinfo=UTC)  # 7:30 there

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(monkeypatch) -> None:
    at(monkeypatch, NOON)


def wish(**said: object) -> Wish:
    return Wish.objects.create(address="karim@example.org", **said)


def test_nobody_is_written_to_at_night_unless_they_wish(box, monkeypatch):
    at(monkeypatch, NOON + timedelta(hours=9))
    EVERY["prepare"]("k", KARIM)
    EVERY["prepare"]("c", replace(KARIM, address="claire@example.org", time_zone="America/New_York"))
    assert round_() == {"sent": 1, "later": 1} and box.reached == ["claire@example.org"]
    assert Letter.objects.get(key="k").due_at == datetime(2030, 1, 8, 6, tzinfo=UTC)
    wish(quiet_from=None, quiet_until=None)
    Letter.objects.filter(key="k").update(due_at=timezone.now())
    assert round_() == {"sent": 1}


def test_a_code_comes_at_night(box, monkeypatch):
    at(monkeypatch, NOON + timedelta(hours=14))
    letters.sign_in_code(KARIM, "K7Q-42M")
    assert round_() == {"sent": 1}


def test_what_would_come_too_late_comes_at_once(box, monkeypatch):
    at(monkeypatch, MEETING["starts_at"] - timedelta(hours=10))
    letters.prepare("k", KARIM, circle="Lac", number=3, starts_at=MEETING["starts_at"] - timedelta(hours=5), url="/")
    assert round_() == {"sent": 1}


def test_what_is_not_wished_does_not_leave_and_is_not_shown_as_dead(box):
    from cordee.mail import queries

    wish(without=["prepare", "convocation"])
    EVERY["prepare"]("k", replace(KARIM, address="Karim@Example.org"))
    assert round_() == {"unwanted": 1} and not box.taken and not queries.dead().exists()
    EVERY["charter_to_sign"]("c", KARIM)
    assert round_() == {"sent": 1}


@pytest.mark.parametrize("kind", ["convocation", "meeting_changed", "meeting_cancelled", "sign_in_code"])
def test_what_is_necessary_comes_at_once_whatever_is_wished(box, kind):
    wish(digest=True, without=sorted(wishes.OPTIONAL))
    EVERY[kind]("k", KARIM)
    assert round_() == {"sent": 1}


def test_once_a_day_all_that_was_held_comes_as_one(box, monkeypatch):
    wish(digest=True)
    kinds = ["prepare", "charter_to_sign", "commitment_due"]
    for kind in kinds:
        EVERY[kind](kind, KARIM)
    assert round_() == {"held": 3} and not box.taken
    at(monkeypatch, MORNING - timedelta(minutes=1))
    assert round_() == {}
    at(monkeypatch, MORNING)
    assert round_() == {"sent": 1}
    assert round_() == {} and len(box.taken) == 1
    (letter,) = box.letters
    text, html = (letter.get_body((form,)).get_content() for form in ("plain", "html"))
    assert letter["Subject"] == "3 lettres de vos cercles" and letter["List-Unsubscribe"]
    for held in Letter.objects.filter(kind__in=kinds):
        assert held.sent_at and held.inside and held.inside.kind == "digest"
        assert held.subject in text
        for _label, url in held.gist["links"]:
            assert url in text and url in Words(html).links
    assert not letter.get_content_type().startswith("text/calendar")


def test_one_alone_comes_as_it_is(box, monkeypatch):
    wish(digest=True)
    EVERY["prepare"]("k", KARIM)
    round_()
    at(monkeypatch, MORNING)
    assert round_() == {"sent": 1}
    assert box.letters[0]["Subject"].startswith("Une situation")


def test_who_no_longer_wishes_it_gets_each_letter(box, monkeypatch):
    held = wish(digest=True)
    for kind in ("prepare", "charter_to_sign"):
        EVERY[kind](kind, KARIM)
    round_()
    held.digest = False
    held.without = ["prepare"]
    held.save()
    at(monkeypatch, MORNING)
    assert round_() == {"sent": 1, "unwanted": 1}


def test_two_at_once_make_one(box, monkeypatch):
    from cordee.mail import digest

    wish(digest=True)
    for kind in ("prepare", "charter_to_sign"):
        EVERY[kind](kind, KARIM)
    round_()
    at(monkeypatch, MORNING)
    held = list(Letter.objects.filter(held=True))
    assert digest._one(held, MORNING) is True
    assert digest._one(held, MORNING) is False
    assert Letter.objects.filter(kind="digest").count() == 1


def test_the_digest_waits_for_the_end_of_later_quiet_hours(box, monkeypatch):
    wish(digest=True, quiet_until=time(9))
    for kind in ("prepare", "charter_to_sign"):
        EVERY[kind](kind, KARIM)
    round_()
    at(monkeypatch, MORNING)
    round_()
    assert not box.taken
    at(monkeypatch, MORNING + timedelta(minutes=90))
    round_()
    assert len(box.taken) == 1
