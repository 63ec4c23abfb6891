"""What a database would refuse for ever is a sentence to its author, not a "try again" that the outbox repeats."""

import json
from dataclasses import fields

import pytest
from django.db import DataError, InterfaceError

from cordee.engine import commands as c
from cordee.engine.refusal import Refused
from cordee.live.asgi import Request
from cordee.room import access, actions, forms, store
from tests.characters import CLIENT, FACILITATOR, circle, play
from tests.room.rooms import House, settle

pytestmark = pytest.mark.django_db
NASTY = ("\0", "a\0b", "\ud800", "x" * 300, "nan", "inf", "-1e400", "9" * 40, "{}", "\u202e", "")


@pytest.fixture
def house() -> House:
    return settle(play(circle(("claire", "karim", "helene")), until="questions"))


@pytest.mark.parametrize("name", sorted(set(c.COMMANDS) - forms.NOT_BY_FORM))
def test_no_field_of_no_form_makes_a_row_that_the_database_refuses(house, name):
    """Each field in turn holds each nasty value, the others a plausible one; PostgreSQL is the stricter."""
    plausible = {"kind": "question", "step": "questions", "minutes": "1", "n": "0", "mark": "answered", "on": "1"}
    plausible |= {"target": "karim", "seen": "", "situation": "", "name": "Nadia", "number": "1"}
    own = [field.name for field in fields(c.COMMANDS[name]) if field.name not in {"seat", "body"}]
    for number, nasty in enumerate(NASTY):
        for which in [*own, "body.text", "body.\0"]:
            posted = {"id": f"question-{number}-{which}"[:24], "body.text": "Depuis quand ?"} | plausible
            for seat in (FACILITATOR, CLIENT, "karim"):
                asked = forms.command(seat, [("do", name), *(posted | {which: nasty}).items()])
                if not isinstance(asked, Refused):
                    assert isinstance(actions.submit(house.id, asked), list | Refused), (which, nasty)


@pytest.mark.parametrize("nasty", NASTY)
def test_no_draft_makes_a_row_that_the_database_refuses(house, nasty):
    for posted in (
        {"kind": nasty, "body.text": "x"},
        {"kind": "note", "body.text": nasty},
        {"kind": "note", nasty: "x"},
    ):
        for at in ("1", nasty):
            asked = forms.typing("karim", [*posted.items(), ("at", at)])
            assert isinstance(actions.submit(house.id, asked), list | Refused)


def test_a_name_that_postgresql_cannot_hold_is_cleaned_or_refused(house):
    for nasty in NASTY:
        opened = actions.join(house.id, f"Nadia{nasty[:20]}")
        assert isinstance(opened, actions.Opened | Refused)


class Broken:
    """A writer that meets this error, for ever."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def submit(self, job):
        raise self.error

    def submit_and_wait(self, job):
        raise self.error


@pytest.fixture
def meets(monkeypatch):
    def meet(error: Exception) -> None:
        monkeypatch.setattr(actions, "writer", Broken(error))
        monkeypatch.setattr(type(actions.hub), "serving", property(lambda hub: True), raising=False)

    async def seat(room, cookies, *, screen):
        return access.Key(room, "karim")

    monkeypatch.setattr(access, "seat_in_soon", seat)
    return meet


REQUEST = Request(("room", "contributions"), {}, "fr", (("do", "write"), ("kind", "note"), ("id", "note-0-00001")))
SURROGATE = UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")


@pytest.mark.parametrize("error", [DataError("zqcanaryqz"), SURROGATE], ids=["data", "surrogate"])
async def test_data_that_the_database_refuses_is_a_409_that_is_not_sent_again(meets, error, caplog):
    meets(error)
    answer = await actions.receive(REQUEST)
    assert (answer.status, answer.data["reason"]) == (409, "unkeepable")
    assert "un signe que le serveur ne sait pas garder" in answer.data["sentence"]
    assert "zqcanaryqz" not in caplog.text + json.dumps(answer.data)


def test_the_plain_form_gives_such_words_back_with_the_same_sentence(house, meets):
    browser = house.browser("karim")
    meets(DataError("zqcanaryqz"))
    page = house.act(browser, do="write", kind="note", id="note-0-00001", body_text="Mot 1.")
    assert page.status_code == 409
    text = page.content.decode()
    assert "un signe que le serveur ne sait pas garder" in text
    assert "Mot 1." in text
    assert "zqcanaryqz" not in text


async def test_a_connection_that_was_closed_under_the_writer_is_a_503_to_be_sent_again(meets):
    meets(InterfaceError("the connection is closed"))
    answer = await actions.receive(REQUEST)
    assert (answer.status, answer.data["reason"]) == (503, "unavailable")
    assert "repartira tout seul" in answer.data["sentence"]


async def test_a_connection_that_was_closed_under_the_reader_of_links_is_a_503_too(monkeypatch):
    async def closed(room, cookies, *, screen):
        raise InterfaceError("the connection is closed")

    monkeypatch.setattr(access, "seat_in_soon", closed)
    answer = await actions.receive(REQUEST)
    assert answer.status == 503
    assert answer.data["sentence"]


def test_a_page_that_meets_a_closed_connection_is_a_503_with_a_sentence(house, monkeypatch):
    browser = house.browser("karim")

    def closed(*_):
        raise InterfaceError("the connection is closed")

    monkeypatch.setattr(store, "load", closed)
    page = browser.get(house.address)
    assert page.status_code == 503
    assert "Il n’arrive pas à lire cette page" in page.content.decode()
