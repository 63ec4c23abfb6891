"""Coming in: by a code nobody can guess, through a door that may be kept, on any device by one's own link."""

import re

import pytest
from django.conf import settings
from django.test import Client

from cordee.circles.models import Circle
from cordee.engine import commands as c
from cordee.engine.policy import SCREEN
from cordee.engine.rules.people import MOST_SEATS
from cordee.room import access, actions, limits, store
from cordee.room.models import Seat, Session
from tests.room.rooms import ORIGIN, House, join, open_room

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return open_room()[0]


def code_of(house: House) -> str:
    return actions.links(store.load(house.id))["code"]


def leader(house: House) -> str:
    return house.state.facilitator()


def come(house: House, name: str, **extra: str):
    client = Client(**ORIGIN)
    return client, client.post(f"/s/{code_of(house)}/", {"name": name}, **extra)


# ---------------------------------------------------------------- the code


def test_there_are_enough_codes_that_nobody_guesses_one():
    assert len(access.ALPHABET) == len(set(access.ALPHABET))
    assert not set("01OILU") & set(access.ALPHABET)
    codes = len(access.ALPHABET) ** access.CODE_LENGTH
    assert codes >= 5e14
    # A thousand rooms open, for a year; 20,000 neighbourhoods that have their one try each in a wave that never ends.
    most, seconds = limits.LIMITS["code-all"]
    near, near_seconds = limits.LIMITS["code-near"]
    tries = most / seconds + 20_000 * near / near_seconds
    assert 1000 * tries * 365 * 86400 / codes < 0.005


def test_codes_and_links_are_drawn_anew_each_time():
    houses = [open_room(f"Fanny {n}")[0] for n in range(5)]
    assert len({code_of(h) for h in houses}) == 5
    assert all(len(code_of(h)) == access.CODE_LENGTH and set(code_of(h)) <= set(access.ALPHABET) for h in houses)
    assert all(len(token) >= 32 for h in houses for token in h.tokens.values())


@pytest.mark.parametrize(
    "typed", ["{}", "{lower}", " {} ", "{half}-{rest}", "{half} {rest}", "{spaced}", "{half}–{rest}."]
)
def test_a_code_is_found_however_it_is_typed(house, typed):
    code = code_of(house)
    given = typed.format(code, lower=code.lower(), half=code[:5], rest=code[5:], spaced=" ".join(code))
    answer = Client(**ORIGIN).post("/rejoindre/", {"code": given})
    assert answer.status_code == 302
    assert answer["Location"] == f"/s/{code}/"
    assert Client().get(f"/s/{given.strip()}/").status_code == 200


@pytest.mark.parametrize("typed", ["ABCDEFGHJK", "A", "0" * 10, "É" * 10, "A" * 5000, "<script>", "\x00", "' OR 1=1"])
def test_a_wrong_code_is_a_sentence_and_nothing_else(house, typed):
    answer = Client(**ORIGIN).post("/rejoindre/", {"code": typed})
    assert answer.status_code == 404
    assert "Aucune salle n’a ce code" in answer.content.decode()
    assert "<script>" not in answer.content.decode().split("<form", 1)[1]


def test_after_too_many_wrong_codes_an_address_waits_and_others_do_not(house):
    most, _ = limits.LIMITS["code"]
    tired = Client(**ORIGIN, REMOTE_ADDR="192.0.2.1")
    for _ in range(most):
        assert tired.get("/s/ABCDEFGHJK/").status_code == 404
    assert tired.get("/s/ABCDEFGHJK/").status_code == 429
    assert tired.get(f"/s/{code_of(house)}/").status_code == 429  # even the right one: guessing tells nothing
    answer = tired.post("/rejoindre/", {"code": code_of(house)})
    assert answer.status_code == 429
    assert "Trop d’essais" in answer.content.decode()
    assert Client(**ORIGIN, REMOTE_ADDR="192.0.2.2").get(f"/s/{code_of(house)}/").status_code == 200


def test_right_codes_are_not_counted(house):
    for _ in range(limits.LIMITS["code"][0] + 5):
        assert Client().get(f"/s/{code_of(house)}/").status_code == 200


def test_opening_rooms_and_taking_seats_is_limited_by_address(house, monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "new", (2, 3600))
    monkeypatch.setitem(limits.LIMITS, "join", (2, 300))
    client = Client(**ORIGIN)
    assert [client.post("/salles/nouvelle/", {"name": "Fanny"}).status_code for _ in range(3)] == [302, 302, 429]
    assert [come(house, name)[1].status_code for name in ("Karim", "Claire", "Marc")] == [302, 302, 429]
    assert come(house, "Marc", REMOTE_ADDR="192.0.2.7")[1].status_code == 302


def test_a_limit_ends_with_its_time(monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "code", (1, 0.01))
    limits.count("code", "x")
    import time

    time.sleep(0.03)
    assert not limits.spent("code", "x")


def test_a_renewed_code_shuts_the_former_one_and_those_seated_stay(house):
    client, _ = come(house, "Karim")
    fanny = house.browser(leader(house))
    before, screen = code_of(house), actions.links(store.load(house.id))["screen"]
    shared = Client()
    assert shared.get(f"/place/{screen}/", follow=True).status_code == 200
    assert fanny.post(f"{house.address}code").status_code == 302
    assert code_of(house) != before
    assert Client().get(f"/s/{before}/").status_code == 404
    assert Client().get(f"/s/{code_of(house)}/").status_code == 200
    assert client.get(house.address).status_code == 200
    assert Client().get(f"/place/{screen}/").status_code == 404
    assert shared.get(f"/ecran/{house.id}/").status_code == 404


def test_a_link_made_void_by_another_process_shuts_here_within_seconds(house, monkeypatch):
    karim = join(house, "Karim")
    client = house.browser(karim)
    Seat.objects.filter(seat=karim).delete()
    assert access.KEY_SECONDS <= 15
    monkeypatch.setattr(access, "monotonic", lambda now=access.monotonic: now() + access.KEY_SECONDS)
    assert client.get(house.address).status_code == 404


def test_only_the_facilitator_renews_the_code(house):
    karim = house.browser(join(house, "Karim"))
    before = code_of(house)
    assert karim.post(f"{house.address}code").status_code == 409
    assert Client(**ORIGIN).post(f"{house.address}code").status_code == 404
    fanny = house.browser(leader(house))
    fanny.defaults["HTTP_ORIGIN"] = "https://elsewhere.example"
    assert fanny.post(f"{house.address}code").status_code == 409
    assert code_of(house) == before


# ---------------------------------------------------------------- the door


def test_who_waits_at_the_door_sees_nothing_until_admitted(house):
    fanny = leader(house)
    karim = join(house, "Karim")
    actions.submit(
        house.id, c.Write(seat=karim, id="situation-1", kind="situation", body={"title": "Comment zqsecretqz ?"})
    )
    actions.submit(house.id, c.SetDoor(seat=fanny, waiting=True))
    client, answer = come(house, "Claire")
    assert answer.status_code == 302
    page = client.get(house.address).content.decode()
    assert "vous êtes à la porte" in page
    for word in ("zqsecretqz", "Karim", "Fanny", code_of(house)):
        assert word not in page
    assert house.act(client, do="write", id="", kind="situation", body_title="Moi aussi ?").status_code == 409
    assert client.post(f"{house.address}brouillon", {"kind": "note", "body.text": "x"}).status_code == 409
    assert client.get(f"{house.address}bilan/").status_code == 404
    assert "Claire attend à la porte" in house.browser(fanny).get(house.address).content.decode()
    waiting = next(s.id for s in house.state.seats.values() if s.waiting)
    assert house.act(house.browser(fanny), do="admit", target=waiting).status_code == 302
    assert "zqsecretqz" in client.get(house.address).content.decode()


def test_who_is_refused_at_the_door_never_comes_in(house):
    fanny = leader(house)
    actions.submit(house.id, c.SetDoor(seat=fanny, waiting=True))
    client, _ = come(house, "Claire")
    waiting = next(s.id for s in house.state.seats.values() if s.waiting)
    actions.submit(house.id, c.Revoke(seat=fanny, target=waiting))
    answer = client.get(house.address)
    assert answer.status_code == 403
    assert "Fanny" not in answer.content.decode()
    assert house.act(client, do="pause").status_code == 403


# ---------------------------------------------------------------- a seat's own link


def test_a_link_opens_the_same_seat_on_another_device_and_the_cookie_goes_to_this_room_alone(house):
    karim = join(house, "Karim")
    phone, laptop = house.browser(karim), house.browser(karim)
    for device in (phone, laptop):
        assert f'data-me="{karim}"' in device.get(house.address).content.decode()
    cookie = phone.cookies[access.COOKIE]
    assert cookie["path"] == house.address
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert bool(cookie["secure"]) == settings.HTTPS
    assert house.tokens[karim] in phone.get(house.address).content.decode()  # to go on elsewhere


def test_a_cookie_is_secure_under_https(house, settings):
    settings.HTTPS = True
    browser = house.browser(leader(house))
    cookie = browser.cookies[f"__Host-place-{house.id}"]
    assert cookie["secure"] and cookie["httponly"] and cookie["path"] == "/" and not cookie["domain"]
    assert f'data-me="{leader(house)}"' in browser.get(house.address).content.decode()


def test_under_https_a_seat_opens_its_own_room_alone_and_no_screen(house, settings):
    settings.HTTPS = True
    other, seat = open_room()
    browser = house.browser(leader(house))
    token = other.tokens[seat]
    for name in (f"__Host-place-{house.id}", f"__Host-ecran-{other.id}", "place", f"place-{other.id}"):
        browser.cookies[name] = token
    assert browser.get(house.address).status_code == 404  # the other room's token under this room's name
    assert browser.get(f"/ecran/{other.id}/").status_code == 404
    assert browser.get(other.address).status_code == 404  # names that another site of the domain could plant
    browser.cookies[f"__Host-place-{other.id}"] = token
    assert browser.get(other.address).status_code == 200


def test_under_https_a_browser_keeps_its_latest_seats_only(house, settings):
    settings.HTTPS = True
    client = Client(**ORIGIN)
    for n in range(access.MOST_COOKIES + 3):
        client.cookies[f"__Host-place-old{n:02}"] = "x"
    client.cookies["__Host-csrftoken"] = "kept"
    answer = client.get(f"/place/{house.tokens[leader(house)]}/")
    gone = {name for name, cookie in answer.cookies.items() if cookie["max-age"] == 0}
    assert gone == {f"__Host-place-old{n:02}" for n in range(4)}
    assert all(answer.cookies[name]["secure"] and answer.cookies[name]["path"] == "/" for name in gone)


def test_a_revoked_seat_sees_and_does_nothing_on_any_device(house):
    karim = join(house, "Karim")
    device = house.browser(karim)
    actions.submit(house.id, c.Revoke(seat=leader(house), target=karim))
    for client in (device, house.browser(karim)):
        answer = client.get(house.address)
        assert answer.status_code == 403
        assert "Fanny" not in answer.content.decode()
        assert house.act(client, do="leave").status_code == 403
        assert client.post(f"{house.address}brouillon", {"kind": "note", "body.text": "x"}).status_code == 409
        assert client.get(f"{house.address}bilan/").status_code == 404


@pytest.mark.parametrize("token", ["", "x", "A" * 32, "A" * 101, "é", "../../etc", "\x00", "' OR 1=1 --"])
def test_a_forged_token_opens_nothing(house, token):
    client = Client(**ORIGIN)
    client.cookies[access.COOKIE] = token
    for address in (house.address, f"{house.address}maintenant", f"{house.address}bilan/", f"/ecran/{house.id}/"):
        assert client.get(address).status_code == 404
    for address in ("contributions", "brouillon", "indice", "code"):
        assert client.post(house.address + address, {"do": "pause"}).status_code == 404
    if token and "/" not in token:
        assert client.get(f"/place/{token}/").status_code == 404


def test_what_is_stored_of_a_link_opens_nothing(house):
    for row in Seat.objects.all():
        assert Client().get(f"/place/{row.digest}/").status_code == 404
    assert Client().get(f"/s/{Session.objects.get(pk=house.id).code_digest}/").status_code == 404


def test_a_link_of_another_room_opens_nothing_here(house):
    other, seat = open_room()
    client = Client(**ORIGIN)
    client.cookies[access.COOKIE] = other.tokens[seat]
    assert client.get(house.address).status_code == 404
    assert house.act(client, do="pause").status_code == 404
    assert client.get(other.address).status_code == 200
    nowhere, here = Client().get("/salle/nowhere/"), Client().get(house.address)
    assert nowhere.status_code == here.status_code == 404
    pages = [re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode()) for page in (nowhere, here)]
    assert pages[0].replace("nowhere", house.id) == pages[1]  # whether the room exists is not told


def test_the_shared_screen_reads_and_does_nothing_and_a_seat_opens_no_screen(house):
    house.tokens[SCREEN] = actions.links(store.load(house.id))["screen"]
    screen, fanny = house.browser(SCREEN), house.browser(leader(house))
    assert screen.get(f"/ecran/{house.id}/").status_code == 200
    for client, address in ((screen, house.address), (fanny, f"/ecran/{house.id}/")):
        client.cookies[access.COOKIE]["path"] = "/"
        assert client.get(address).status_code == 404
    assert house.act(screen, do="pause").status_code == 404
    assert house.state.course.paused_at is None


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("Fanny", 409, "Quelqu’un s’appelle déjà Fanny"),
        ("  fANNY ", 409, "Quelqu’un s’appelle déjà"),
        ("F\u200banny", 409, "Quelqu’un s’appelle déjà"),
        ("x" * 61, 409, "trop long"),
        ("\u200b\u200d", 409, "Il manque votre prénom"),
        ("\x00\x01", 409, "Il manque votre prénom"),
        ("", 200, "Votre prénom"),
        ("   ", 200, "Votre prénom"),
    ],
)
def test_a_name_that_cannot_be_is_told_and_kept_in_its_field(house, name, status, said):
    seats = Seat.objects.count()
    _, answer = come(house, name)
    assert answer.status_code == status
    page = answer.content.decode()
    assert said in page
    assert Seat.objects.count() == seats  # no link without a seat
    assert len(house.state.seats) == 1
    if len(name) > 60:
        assert f'value="{name}"' in page


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<b>Zoé</b>", "&lt;b&gt;Zoé&lt;/b&gt;"),
        ('"><img src=x>', "&quot;&gt;&lt;img src=x&gt;"),
        ("Jean\u202ePaul", "JeanPaul"),
        ("Ka\x00rim", "Karim"),
        ("Hélène 🧗", "Hélène 🧗"),
        ("{{ view.seat }}", "{{ view.seat }}"),
        ("  Anne   Marie ", "Anne Marie"),
    ],
)
def test_any_name_is_shown_as_text(house, name, shown):
    client, answer = come(house, name)
    assert answer.status_code == 302
    page = client.get(house.address).content.decode()
    assert shown in page
    assert "<b>Zoé" not in page and "<img src" not in page
    assert "\u202e" not in page and "\x00" not in page


def test_who_already_sits_here_goes_back_to_the_same_seat(house):
    client, _ = come(house, "Karim")
    seats = len(house.state.seats)
    page = client.get(f"/s/{code_of(house)}/", follow=True)
    assert page.status_code == 200
    assert len(house.state.seats) == seats


def test_a_full_room_says_so(house):
    for n in range(MOST_SEATS - 1):
        join(house, f"Person {n}")
    _, answer = come(house, "Late")
    assert answer.status_code == 409
    assert "La salle est pleine" in answer.content.decode()


def test_a_closed_room_takes_nobody(house):
    actions.submit(house.id, c.Close(seat=leader(house), reason="Fin."))
    _, answer = come(house, "Late")
    assert answer.status_code == 409


def test_an_observer_comes_as_such_and_no_other_role_is_given(house):
    for name, role, observer in (("Rose", "observer", True), ("Octave", "facilitator", False)):
        client = Client(**ORIGIN)
        client.post(f"/s/{code_of(house)}/", {"name": name, "role": role})
        seat = next(s for s in house.state.seats.values() if s.name == name)
        assert (seat.observer, seat.facilitator) == (observer, False)


def test_opening_a_room_under_an_impossible_name_leaves_nothing_behind():
    answer = Client(**ORIGIN).post("/salles/nouvelle/", {"name": "x" * 61})
    assert answer.status_code == 409
    assert (Session.objects.count(), Seat.objects.count(), Circle.objects.count()) == (0, 0, 0)


def test_no_page_of_a_room_may_be_kept_or_indexed(house):
    client = house.browser(leader(house))
    page = client.get(house.address)
    assert "no-store" in page["Cache-Control"]
    assert 'content="noindex"' in page.content.decode()
    assert "no-store" in Client().get(f"/s/{code_of(house)}/")["Cache-Control"]
    assert page["Referrer-Policy"] == "same-origin"
    assert re.search("frame-ancestors 'none'", page["Content-Security-Policy"])
