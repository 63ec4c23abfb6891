"""When something breaks, neither the page nor the log repeats what somebody wrote."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from django.test import Client

from config.logs import Discreet
from cordee.room import actions, render
from tests.characters import circle, play
from tests.room.rooms import ORIGIN, House, settle

pytestmark = pytest.mark.django_db
CANARY = "zqcanaryqz"


@pytest.fixture
def house() -> House:
    room = play(circle(("claire", "karim")), through="choix")
    room.write("claire", "situation", {"title": f"Comment {CANARY} ?"})
    return settle(room)


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the operator would read: everything, as the console's own formatter writes it."""
    root = logging.getLogger()
    written = StringIO()
    handler = logging.StreamHandler(written)
    (handler.formatter,) = (h.formatter for h in root.handlers if isinstance(h.formatter, Discreet))
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)


def browser(house: House) -> Client:
    client = house.browser("karim")
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("where", ["draw", "page", "lists"])
def test_a_page_that_breaks_says_sorry_and_no_word_of_the_room(house, monkeypatch, log, where):
    client = browser(house)
    assert CANARY in client.get(house.address).content.decode()

    def fails(*args, **kwargs):
        raise ValueError(f"cannot draw {CANARY}")

    monkeypatch.setattr(render, where, fails)
    answer = client.get(house.address)
    told = log.getvalue()
    assert answer.status_code == 500
    assert CANARY not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
    assert "ValueError" in told and "in fails" in told  # where it broke is told
    assert CANARY not in told
    assert house.tokens["karim"] not in told


def test_a_form_that_breaks_says_no_word_of_it_either(house, monkeypatch, log):
    def fails(room, command):
        raise RuntimeError(f"could not write {command}")

    client = browser(house)
    monkeypatch.setattr(actions, "submit", fails)
    answer = house.act(client, do="write", kind="note", id="", body_text=CANARY)
    assert answer.status_code == 500
    assert CANARY not in answer.content.decode()
    told = log.getvalue()
    assert "RuntimeError" in told
    assert CANARY not in told


def test_a_lost_private_link_is_not_repeated_in_the_log(house, log):
    Client(**ORIGIN).get("/place/zqforgedqz/")
    Client(**ORIGIN).get("/s/ZQFORGEDQZ/")
    told = log.getvalue().lower()
    assert "not found" in told
    assert "zqforgedqz" not in told
