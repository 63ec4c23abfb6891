"""What a page whose stream is held back asks for instead: the same view, to the same seat, and nothing twice."""

import re
from time import time

import pytest
from django.test import Client

from cordee.room import stream
from cordee.web.release import release
from tests.characters import circle, play
from tests.room.rooms import ORIGIN, House, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return settle(play(circle(("claire", "karim", "nadia")), through="suggestions"))


def now(house: House, client: Client, seen: str = ""):
    return client.get(f"{house.address}maintenant", {"vu": seen})


def test_it_is_what_a_new_stream_of_the_same_seat_begins_with(house):
    for seat in ("claire", "karim", "fanny"):
        answer = now(house, house.browser(seat))
        first = "".join(stream.changes(None, house.view(seat), "fr"))
        assert answer.json()["html"] == first and first
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("seat", ["claire", "karim", "fanny", "screen"])
def test_a_page_names_what_it_shows_as_its_stream_does(house, seat):
    path = f"/ecran/{house.id}/" if seat == "screen" else house.address
    page = house.browser(seat).get(path).content.decode()
    named = re.search(r'data-shown="(\w{16})"', page)
    assert named and named[1] == stream.tag(stream.whole(house.view(seat), "fr"))
    assert house.browser(seat).get(f"{path}maintenant").json()["tag"] == named[1]


def test_it_tells_the_clock_and_the_release(house):
    told = now(house, house.browser("karim")).json()
    assert abs(told["now"] - time()) < 10
    assert told["release"] == release()


def test_what_was_seen_is_not_sent_again_and_what_changed_is(house):
    karim, claire = house.browser("karim"), house.browser("claire")
    first = now(house, karim).json()
    again = now(house, karim, first["tag"]).json()
    assert again["html"] == "" and again["tag"] == first["tag"]
    assert house.act(claire, do="write", kind="note", id="note-of-claire-1", body_text="Pour moi").status_code == 302
    assert now(house, karim, first["tag"]).json()["html"] == "", "a note of Claire’s changes nothing for Karim"
    assert now(house, claire, first["tag"]).json()["html"]


def test_the_shared_screen_has_its_own(house):
    screen = house.browser("screen")
    told = screen.get(f"/ecran/{house.id}/maintenant")
    assert told.json()["html"] == "".join(stream.changes(None, house.view("screen"), "fr"))
    assert screen.get(f"{house.address}maintenant").status_code == 404
    assert house.browser("karim").get(f"/ecran/{house.id}/maintenant").status_code == 404


def test_a_stranger_learns_nothing_and_a_revoked_seat_is_shown_nothing(house):
    assert now(house, Client(**ORIGIN)).status_code == 404
    karim = house.browser("karim")
    fanny = house.browser("fanny")
    assert house.act(fanny, do="revoke", target="karim").status_code == 302
    refused = now(house, karim)
    assert refused.status_code == 403 and refused.json() == {}
    assert house.view("karim") is None
