"""What is refused at the door is one line of the security log, which holds no word, no link, no code and no address."""

import json
import logging

import pytest
from django.test import Client, RequestFactory

from config.logs import Discreet, OneObject
from cordee.live.asgi import Request
from cordee.room import actions, limits, store, stream
from cordee.web import incidents
from tests.room.rooms import ORIGIN, House, join, open_room

ELSEWHERE = {"HTTP_ORIGIN": "https://evil.example", "HTTP_HOST": "testserver", "REMOTE_ADDR": "192.0.2.77"}
HERE = {**ORIGIN, "REMOTE_ADDR": "192.0.2.77"}
TOKEN = "jeton-prive-qui-n-ouvre-rien-0000"
CODE = "ABCDEFGHJK"

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(caplog):
    """The facts of each line of the security log so far."""
    incidents.forget()
    caplog.set_level(logging.WARNING, logger="cordee.security")
    yield lambda: [record.facts for record in caplog.records if record.name == "cordee.security"]
    incidents.forget()


@pytest.fixture
def house() -> House:
    return open_room()[0]


def revoked(house: House) -> Client:
    karim = join(house, "Karim")
    client = Client(**HERE)
    client.get(f"/place/{house.tokens[karim]}/")
    fanny = house.state.facilitator()
    assert house.act(house.browser(fanny), do="revoke", target=karim).status_code == 302
    return client


def events(facts: list[dict[str, str]]) -> list[str]:
    return [fact["event"] for fact in facts]


def test_a_wrong_code_and_a_wrong_link_are_told_by_whom(said):
    Client(**HERE).get(f"/s/{CODE}/")
    Client(**HERE).get(f"/place/{TOKEN}/")
    assert events(said()) == ["code_wrong", "link_unknown"]
    assert {fact["who"] for fact in said()} == {incidents.mark("192.0.2.77")}


def test_a_stranger_at_a_room_is_told_with_the_room(said, house):
    for path in ("", "maintenant", "bilan/"):
        assert Client(**HERE).get(house.address + path).status_code == 404
    assert said() == [{"event": "stranger", "who": incidents.mark("192.0.2.77"), "room": house.id}]


async def test_so_are_strangers_who_ask_for_a_stream_or_act_by_the_script(said):
    request = Request(where=("salle", "aaaaaaaaaaaa"), cookies={}, language="fr")
    assert await stream.open_stream(request) is None
    assert said() == [{"event": "stranger", "room": "aaaaaaaaaaaa"}]
    incidents.forget()
    assert (await actions.receive(Request(("bbbbbbbbbbbb", "contributions"), {}, "fr"))).status == 404
    assert said()[1:] == [{"event": "stranger", "room": "bbbbbbbbbbbb"}]


def test_a_revoked_seat_that_comes_back_is_told(said, house):
    client = revoked(house)
    incidents.forget()
    assert client.get(house.address).status_code == 403
    assert said() == [{"event": "revoked", "who": incidents.mark("192.0.2.77"), "room": house.id}]
    incidents.forget()
    assert client.get(f"{house.address}maintenant").status_code == 403
    assert events(said()) == ["revoked", "revoked"]


def test_what_another_site_sends_is_told(said, house):
    for path, form in (("contributions", {"do": "pause"}), ("brouillon", {"kind": "note"}), ("code", {})):
        incidents.forget()
        client = house.browser(house.state.facilitator())
        client.post(house.address + path, form, **ELSEWHERE)
    assert events(said()) == ["other_site"] * 3
    assert {fact["room"] for fact in said()} == {house.id}
    actions.refused("origin", "fr")
    assert said()[3:] == [{"event": "other_site"}]
    actions.refused("too_large", "fr")
    assert len(said()) == 4


def test_who_tries_too_often_is_told(said, monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "code", (1, 300))
    for _ in range(3):
        Client(**HERE).get(f"/s/{CODE}/")
    assert events(said()) == ["code_wrong", "too_often"]


def test_the_right_ways_in_are_nobodys_business(said, house):
    karim = join(house, "Karim")
    client = house.browser(karim)
    assert client.get(house.address).status_code == 200
    house.act(client, do="write", kind="situation", id="situation-1", body_title="Comment le dire ?")
    assert said() == []


def test_a_flood_is_said_once_a_minute_and_costs_bounded_memory(said, monkeypatch):
    request = RequestFactory().get("/")
    for _ in range(1000):
        incidents.noticed("stranger", request, "aaaaaaaaaaaa")
    assert len(said()) == 1
    monkeypatch.setattr(incidents, "MOST_SAID", 10)
    for number in range(1000):
        incidents.noticed("stranger", request, f"room-{number:07}")
    assert len(incidents._said) <= 10
    later = incidents.monotonic() + incidents.AGAIN
    monkeypatch.setattr(incidents, "monotonic", lambda: later)
    before = len(said())
    incidents.noticed("stranger", request, "room-0000999")
    assert len(said()) == before + 1


@pytest.mark.parametrize("formatter", [OneObject(), Discreet("{levelname} {name} {message}", style="{")])
def test_no_line_holds_a_link_a_code_an_address_a_name_or_a_word(said, caplog, house, formatter):
    token = house.tokens[house.state.facilitator()]
    Client(**HERE).get(f"/s/{CODE}/")
    for path in (f"/place/{TOKEN}/", f"/salle/{TOKEN}/", f"/salle/{CODE}/", f"/salle/{token}/", house.address):
        Client(**HERE).get(path)
    house.act(house.browser(house.state.facilitator()), do="write", kind="note", id="n-1", body_text="Un mot secret")
    house.browser(house.state.facilitator()).post(f"{house.address}contributions", {"do": "mot secret"}, **ELSEWHERE)
    assert len(said()) >= 5
    lines = "\n".join(formatter.format(record) for record in caplog.records if record.name == "cordee.security")
    for secret in (TOKEN, CODE, token, "192.0.2", "Fanny", "secret"):
        assert secret not in lines, secret
    assert house.id in lines
    if isinstance(formatter, OneObject):
        told = [json.loads(line) for line in lines.splitlines()]
        assert {line["logger"] for line in told} == {"cordee.security"}
        assert {"time", "level", "event", "who", "room"} <= told[-1].keys()


def test_every_event_is_told_by_the_code_and_explained_to_the_operator():
    from tests.security.test_asvs_document import ROOT, document, section

    paths = [*(ROOT / "cordee/room").rglob("*.py"), *(ROOT / "cordee/accounts").rglob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in paths)
    for event in incidents.EVENTS:
        assert f'noticed("{event}"' in code, event
        assert f"`{event}`" in section(document(), 9), event
    assert store.topic("x") == "room:x"  # a room's id is what an operator may see
