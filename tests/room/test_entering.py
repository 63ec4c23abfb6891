"""Entering the room of one's meeting, by HTTP: who may, from where, and on which device."""

import pytest
from django.test import Client

from cordee.circles.actions import members
from cordee.room.models import Session
from tests.room.circles import Lake, address
from tests.room.rooms import ORIGIN

pytestmark = pytest.mark.django_db


def test_a_member_enters_by_the_page_of_the_meeting():
    lake = Lake("karim")
    meeting = lake.meeting()
    karim = lake.browser("karim")
    answer = karim.get(address(meeting))
    assert answer.status_code == 302 and answer["Location"].startswith("/salle/")
    page = karim.get(answer["Location"]).content.decode()
    assert "Karim" in page and "lien privé" not in page
    assert lake.browser("karim").get(address(meeting))["Location"] == answer["Location"]


def test_who_is_not_signed_in_is_asked_to_and_who_is_not_of_the_circle_finds_nothing():
    lake = Lake("karim")
    meeting = lake.meeting()
    assert "/salle/" in Client(**ORIGIN).get(address(meeting))["Location"]  # next=
    lake.person("octave")
    for who in ("octave", "rose"):
        assert lake.browser(who).get(address(meeting)).status_code == 404
    assert not Session.objects.exists()


def test_the_room_opens_once_the_charter_is_signed():
    lake = Lake("karim")
    members.add(lake.circle, lake.person("nadia"))
    meeting = lake.meeting()
    answer = lake.browser("nadia").get(address(meeting))
    assert answer.status_code == 302 and answer["Location"] == f"/cercles/{lake.circle.pk}/charte/"
    assert not Session.objects.exists()
    lake.sign("nadia")
    assert lake.browser("nadia").get(address(meeting))["Location"].startswith("/salle/")


def test_long_before_the_meeting_one_is_asked_before_its_room_opens():
    lake = Lake("karim")
    meeting = lake.meeting(in_hours=24 * 30)
    karim = lake.browser("karim")
    assert karim.get(address(meeting)).status_code == 200 and not Session.objects.exists()
    assert karim.post(address(meeting)).status_code == 302 and Session.objects.count() == 1
    assert lake.browser("fanny").get(address(meeting)).status_code == 302
