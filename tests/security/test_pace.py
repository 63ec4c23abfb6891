"""A seat that goes faster than anybody could mean to is asked to wait; nobody else is."""

import pytest

from cordee.live.asgi import Request
from cordee.room import access, actions, limits
from tests.room.rooms import House, join, open_room

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """Three at once, then one every ten seconds; and a clock that is moved by hand."""
    for what in limits.PACES:
        monkeypatch.setitem(limits.PACES, what, (3, 10))
    clock = [1000.0]
    monkeypatch.setattr(limits, "monotonic", lambda: clock[0])
    limits._paced.clear()
    yield clock
    limits._paced.clear()


@pytest.fixture
def house() -> House:
    return open_room()[0]


def note(number: int) -> dict[str, str]:
    return {"do": "write", "kind": "note", "id": f"note-number-{number}", "body_text": f"Mot {number}"}


def test_who_goes_too_fast_waits_and_the_others_do_not(house, little):
    karim, nadia = house.browser(join(house, "Karim")), house.browser(join(house, "Nadia"))
    assert [house.act(karim, **note(n)).status_code for n in range(5)] == [302, 302, 302, 409, 409]
    assert house.act(nadia, **note(9)).status_code == 302
    little[0] += 10
    assert [house.act(karim, **note(n)).status_code for n in (3, 4)] == [302, 409]
    refused = house.act(karim, **note(4))
    assert "Trop d’essais" in refused.content.decode() and "Mot 4" in refused.content.decode()
    little[0] += 3600  # no more than so many at once, however long one was silent
    assert [house.act(karim, **note(n)).status_code for n in range(4, 8)] == [302, 302, 302, 409]


def test_drafts_and_hints_have_a_pace_of_their_own(house):
    karim = house.browser(join(house, "Karim"))
    for path, form, done in (
        ("brouillon", {"kind": "note", "body.text": "x"}, 204),
        ("indice", {"text": "Et si tu lui parlais ?"}, 200),
    ):
        answers = [karim.post(house.address + path, form).status_code for _ in range(4)]
        assert answers == [done, done, done, 429]
    assert house.act(karim, **note(1)).status_code == 302


@pytest.mark.django_db(transaction=True)
async def test_the_script_is_told_429_and_keeps_its_words(house_of_karim):
    house, token = house_of_karim
    request = Request((house.id, "contributions"), {"place": token}, "fr", (("do", "nothing"),))
    assert [(await actions.receive(request)).status for _ in range(4)] == [409, 409, 409, 429]
    assert "Attendez" in (await actions.receive(request)).data["sentence"]


@pytest.fixture
def house_of_karim(transactional_db):
    house = open_room()[0]
    return house, house.tokens[join(house, "Karim")]


def test_what_is_remembered_of_seats_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "MOST_PACED", 10)
    for number in range(100):
        assert not limits.too_fast("contributions", access.Key("room", f"seat-{number}"))
    assert len(limits._paced) <= 10


def test_nobody_at_a_keyboard_comes_near_it():
    """An hour and a half of an act every four seconds, and of a draft every second."""
    limits.PACES.update(contributions=(1000, 2), brouillon=(600, 1))  # as they are; given back by the fixture
    key = access.Key("room", "karim")
    for what, every in (("contributions", 4), ("brouillon", 1)):
        clock = [0.0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(limits, "monotonic", lambda clock=clock: clock[0])
            for _ in range(5400 // every):
                clock[0] += every
                assert not limits.too_fast(what, key)
