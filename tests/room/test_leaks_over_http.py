"""What each character can fetch from a real room holds no word that the method's table does not give them."""

import logging

import pytest
from django.test import Client

from cordee.circles import crypto
from cordee.circles.models import Circle
from cordee.engine.policy import SCREEN
from cordee.engine.reading import builtin
from cordee.engine.view import view_for
from cordee.room import access, actions, store, stream
from cordee.room.models import Session
from tests.leaks import SEATS, Oracle, canaries, play_with_canaries
from tests.room.rooms import House

MOMENTS = 12  # how many prefixes of the log are looked at by everyone


@pytest.fixture(scope="module")
def session() -> tuple[list, Oracle]:
    return play_with_canaries()


def empty_room() -> House:
    circle = Circle.objects.create(wrapped_key=crypto.new_wrapped_key())
    room = Session(id=access.new_token()[:12], circle=circle, protocol=builtin("mentor"))
    actions._new_links(room, Session.save)
    return House(room.pk)


def fetched(house: House, client: Client, seat: str) -> dict[str, str]:
    """Every page of the room that this browser can ask for, by address; the first message of its stream with them."""
    address = f"/ecran/{house.id}/" if seat == SCREEN else house.address
    pages = {
        path: client.get(path).content.decode() for path in (address, f"{address}maintenant", f"{house.address}bilan/")
    }
    for name in ("client", "client-1", "client-2", "circle", "mine"):
        path = f"{house.address}bilan/{name}.md"
        pages[path] = client.get(path).content.decode()
    view = view_for(house.state, seat)
    if view is not None:
        pages["stream"] = "".join(stream.changes(None, view, "fr"))
    return pages


def browser_of(house: House, seat: str) -> Client:
    client = Client()
    if seat in house.tokens:
        client.get(f"/place/{house.tokens[seat]}/")
    return client


def leaks(house: House, oracle: Oracle, prefix: int) -> tuple[list[str], int]:
    """What reached whom and should not have; how many absences were checked."""
    found, checked = [], 0
    for seat in (*SEATS, SCREEN, "rose"):
        hidden = oracle.hidden(seat, prefix)
        for path, page in fetched(house, browser_of(house, seat), seat).items():
            checked += len(hidden)
            found += [f"{prefix}: {seat} reads {word} at {path}" for word in canaries(page) & hidden]
    return found, checked


@pytest.mark.django_db
def test_nobody_can_fetch_a_word_that_the_table_does_not_give_them(session, caplog):
    caplog.set_level(logging.DEBUG, logger="cordee")
    events, oracle = session
    house = empty_room()
    found, checked, written = [], 0, 0
    for moment in range(1, MOMENTS + 1):
        prefix = len(events) * moment // MOMENTS
        store.append(house.id, events[written:prefix])
        written = prefix
        for seat in house.state.seats:
            if seat not in house.tokens:
                house.link(seat)
        house.tokens.setdefault(SCREEN, actions.links(store.load(house.id))["screen"])
        more, count = leaks(house, oracle, prefix)
        found, checked = found + more, checked + count
    assert found == []
    assert checked > 50_000
    assert not canaries(caplog.text) & oracle.everything(len(events))


@pytest.mark.django_db
def test_the_check_notices_a_policy_that_lets_everything_through(session, monkeypatch):
    events, oracle = session
    house = empty_room()
    prefix = len(events) // 2
    store.append(house.id, events[:prefix])
    for seat in house.state.seats:
        house.link(seat)
    house.tokens[SCREEN] = actions.links(store.load(house.id))["screen"]
    monkeypatch.setattr("cordee.engine.eye.sees", lambda *_: True)
    monkeypatch.setattr("cordee.engine.eye.sees_mark", lambda *_: True)
    found, _ = leaks(house, oracle, prefix)
    assert found


@pytest.mark.django_db
def test_a_failing_page_shows_and_logs_no_word_of_the_room(session, monkeypatch, caplog):
    events, oracle = session
    house = empty_room()
    store.append(house.id, events[: len(events) // 2])
    seat = next(iter(house.state.seats))
    house.link(seat)
    words = oracle.everything(len(events) // 2)

    def broken(view, *_):
        raise ValueError(repr(view))

    monkeypatch.setattr("cordee.room.views.stage.parts.page", broken)
    client = browser_of(house, seat)
    client.raise_request_exception = False
    page = client.get(house.address)
    assert page.status_code == 500
    assert not canaries(page.content.decode()) & words
    from config.logs import Discreet

    lines = "\n".join(Discreet("{message}", style="{").format(record) for record in caplog.records)
    assert "ValueError" in lines
    assert not canaries(lines) & words
    for record in caplog.records:
        record.exc_text = None
    plain = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert canaries(plain) & words, "a plain log would have shown some"
