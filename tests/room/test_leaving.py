"""A browser gives its seat up; the seat, its words and the person's other devices stay."""

import pytest
from django.test import Client

from cordee.room import access
from tests.room.rooms import ORIGIN, House, join, open_room

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return open_room()[0]


def test_who_leaves_has_no_seat_in_this_browser_any_more_and_keeps_it_elsewhere(house):
    karim = join(house, "Karim")
    phone, laptop = house.browser(karim), house.browser(karim)
    answer = phone.post(f"{house.address}sortir")
    assert answer.status_code == 200 and "Vous avez quitté la salle" in answer.content.decode()
    assert phone.get(house.address).status_code == 404
    assert phone.post(f"{house.address}sortir").status_code == 404
    assert laptop.get(house.address).status_code == 200
    assert phone.get(f"/place/{house.tokens[karim]}/").status_code == 302
    assert phone.get(house.address).status_code == 200


def test_leaving_one_room_leaves_the_others(house):
    other = open_room("Hélène")[0]
    browser = house.browser(join(house, "Karim"))
    there = join(other, "Karim")
    browser.get(f"/place/{other.tokens[there]}/")
    browser.post(f"{house.address}sortir")
    assert browser.get(house.address).status_code == 404
    assert browser.get(other.address).status_code == 200


def test_another_site_makes_nobody_leave(house):
    browser = house.browser(join(house, "Karim"))
    for origin in ("https://evil.example", "null"):
        assert browser.post(f"{house.address}sortir", HTTP_ORIGIN=origin).status_code == 409
    assert browser.get(house.address).status_code == 200


def test_a_stranger_has_nothing_to_leave(house):
    assert Client(**ORIGIN).post(f"{house.address}sortir").status_code == 404


@pytest.mark.parametrize("https", [False, True])
def test_the_cookie_is_taken_back_as_it_was_given(house, settings, https):
    settings.HTTPS = https
    karim = join(house, "Karim")
    origin = {**ORIGIN, "HTTP_ORIGIN": "https://testserver" if https else "http://testserver"}
    browser = Client(**origin)
    given = browser.get(f"/place/{house.tokens[karim]}/", secure=https).cookies[access.cookie_of(house.id)]
    answer = browser.post(f"{house.address}sortir", secure=https)
    taken = answer.cookies[access.cookie_of(house.id)]
    assert taken.value == "" and taken["max-age"] == 0
    assert [taken[name] for name in ("path", "secure", "httponly", "samesite", "domain")] == [
        given[name] for name in ("path", "secure", "httponly", "samesite", "domain")
    ]
