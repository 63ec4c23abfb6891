"""What is not needed any more goes by itself, and the register says so without a name."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cordee.accounts.models import Person, User
from cordee.circles import crypto
from cordee.circles.models import Meeting, Membership, Reply, Slot
from cordee.circles.queries.meetings import about
from cordee.home import retention
from cordee.home.models import Erasure
from tests.home.played import canary, play_in
from tests.home.remains import found
from tests.home.town import Town
from tests.people import address, user
from tests.room.clean import clean_memory  # noqa: F401

pytestmark = pytest.mark.django_db
NAME = "Karim Zqnameqz"


@pytest.fixture
def town() -> Town:
    town = Town()
    Person.objects.filter(pk=town.people["karim"].pk).update(name=NAME)
    town.room = play_in(town)
    return town


def months_ago(months: float):
    return timezone.now() - months * retention.MONTH


def left(town: Town, who: str, months: float) -> None:
    Person.objects.filter(pk=town.people[who].pk).update(left_at=months_ago(months))
    Membership.objects.filter(person=town.people[who]).update(left_at=months_ago(months))


def test_who_left_long_ago_loses_their_name_and_what_was_theirs_alone(town):
    left(town, "karim", 25)
    User.objects.filter(email=address("karim")).update(last_login=months_ago(25))
    assert retention.run() == 2  # the person, then the account that is of no space any more
    assert found(NAME, address("karim"), canary("karim", "note"), canary("karim", "draft")) == []
    assert found(canary("karim", "edited"))  # what the circle has read
    assert sorted(Erasure.objects.values_list("kind", flat=True)) == ["left", "unused"]
    assert retention.run() == 0


def test_who_left_of_late_or_is_here_stays(town):
    left(town, "karim", 23)
    assert retention.run() == 0
    assert found(NAME)


def test_how_long_is_the_operator_s_choice(town, settings):
    settings.KEEP_MONTHS = 6
    left(town, "karim", 7)
    assert retention.run() == 1


def test_an_account_that_is_used_or_of_a_space_or_the_operator_s_stays(town):
    User.objects.update(last_login=months_ago(30), created_at=months_ago(40))
    lone = user("marc")
    User.objects.filter(pk=lone.pk).update(last_login=months_ago(1), created_at=months_ago(40))
    assert retention.run() == 0
    User.objects.filter(pk=lone.pk).update(last_login=None)
    assert retention.run() == 1
    assert not User.objects.filter(pk=lone.pk).exists()


@pytest.mark.parametrize(("days", "stays"), [(29, True), (31, False)])
def test_the_reason_of_an_absence_goes_a_month_after_the_meeting(town, days, stays):
    meeting, karim = town.meetings[0], town.people["karim"]
    sealed = crypto.seal(town.circle.key() or b"", {"reason": "zqreasonqz"}, about(meeting.pk, karim.pk))
    Reply.objects.create(meeting=meeting, person=karim, answer="absent", sealed_reason=sealed)
    Slot.objects.create(meeting=meeting, starts_at=timezone.now(), ends_at=timezone.now() + timedelta(hours=1))
    end = timezone.now() - timedelta(days=days)
    Meeting.objects.filter(pk=meeting.pk).update(starts_at=end - timedelta(hours=2), ends_at=end)
    retention.run()
    assert bool(found("zqreasonqz")) is stays
    assert Slot.objects.filter(meeting=meeting).exists() is stays
    assert Reply.objects.get().answer == "absent"
