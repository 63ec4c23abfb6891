"""Room codes guessed at speed: who guesses is stopped, from however many addresses; who has the code comes in."""

import re

import httpx
import pytest
from django.test import Client, RequestFactory
from uvicorn.middleware.proxy_headers import _TrustedHosts

from cordee.room import actions, limits, store
from tests import services
from tests.conftest import Template
from tests.live.people import Person
from tests.room.rooms import ORIGIN, House, join, open_room

WRONG = "/s/ABCDEFGHJK/"
MOST, _ = limits.LIMITS["code"]


@pytest.fixture
def house(db) -> House:
    return open_room()[0]


def code_of(house: House) -> str:
    return actions.links(store.load(house.id))["code"]


def asks(address: str, path: str = WRONG) -> int:
    """The status that this address is answered."""
    return Client(REMOTE_ADDR=address).get(path).status_code


def flood(monkeypatch: pytest.MonkeyPatch, wrong: int = 5) -> None:
    """So many wrong codes from a botnet, which is more than all together are let make."""
    monkeypatch.setitem(limits.LIMITS, "code-all", (wrong, 300))
    for n in range(wrong):
        assert asks(f"203.0.{n}.1") == 404


# ---------------------------------------------------------------- one who guesses


@pytest.mark.django_db
def test_one_who_takes_another_address_of_the_same_ipv6_line_for_each_guess_is_still_one():
    found = [asks(f"2001:db8:0:7:{n:x}::{n:x}") for n in range(1, MOST + 2)]
    assert found == [404] * MOST + [429]
    assert asks("2001:db8:0:8::1") == 404  # the next line is somebody else


@pytest.mark.django_db
def test_ipv4_seen_through_ipv6_is_counted_by_ipv4_address_and_not_all_as_one():
    assert [asks("::ffff:192.0.2.1") for _ in range(MOST)] == [404] * MOST
    assert asks("192.0.2.1") == asks("::ffff:192.0.2.1") == 429
    assert asks("::ffff:192.0.2.2") == 404


@pytest.mark.parametrize(
    ("address", "caller", "near"),
    [
        ("192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("::ffff:192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("", "unknown", "unknown"),
        ("192.0.2.1:8000", "192.0.2.1:8000", "192.0.2.1:8000"),
        ("not an address \x00", "not an address \x00", "not an address \x00"),
    ],
)
def test_whose_tries_count_together(address, caller, near):
    request = RequestFactory(REMOTE_ADDR=address).get("/")
    assert (limits.caller(request), limits.neighbourhood(request)) == (caller, near)


@pytest.mark.django_db
@pytest.mark.parametrize("garbage", ["", "unix:", "<script>", "é", "1.2.3.4.5", "_hidden"])
def test_whatever_a_proxy_says_of_the_address_is_answered(garbage):
    assert [asks(garbage) for _ in range(MOST + 1)][-1] == 429


@pytest.mark.parametrize("by", ["get", "post"])
def test_typing_and_following_are_counted_together_and_the_right_code_is_refused_too(house, by):
    guesser = Client(**ORIGIN)
    for _ in range(MOST // 2):
        assert guesser.get(WRONG).status_code == 404
        assert guesser.post("/rejoindre/", {"code": "ABCDEFGHJK"}).status_code == 404
    right = f"/s/{code_of(house)}/"
    answer = guesser.get(right) if by == "get" else guesser.post(right, {"name": "Octave"})
    assert answer.status_code == 429
    assert [seat.name for seat in house.state.seats.values()] == ["Fanny"]


# ---------------------------------------------------------------- many who guess, and those who do not


def test_a_wave_of_guesses_keeps_out_nobody_who_has_the_code_or_a_link(house, monkeypatch):
    claire = join(house, "Claire")
    flood(monkeypatch)
    karim = Client(**ORIGIN, REMOTE_ADDR="198.51.100.20")
    assert karim.get(f"/s/{code_of(house)}/").status_code == 200
    assert karim.post(f"/s/{code_of(house)}/", {"name": "Karim"}).status_code == 302
    assert karim.get(house.address).status_code == 200
    near_the_flood = Client(**ORIGIN, REMOTE_ADDR="203.0.0.1")
    assert near_the_flood.get(f"/place/{house.tokens[claire]}/").status_code == 302
    assert near_the_flood.get(house.address).status_code == 200


def test_in_a_wave_each_neighbourhood_has_one_try(house, monkeypatch):
    flood(monkeypatch)
    assert asks("203.0.1.1") == asks("203.0.1.200") == 429
    assert asks("203.0.1.200", f"/s/{code_of(house)}/") == 429
    assert [asks(f"2001:db8:1:{n:x}::1") for n in range(4)] == [404, 429, 429, 429]
    assert asks("2001:db8:2::1") == 404


def test_without_a_wave_the_neighbours_of_one_who_mistypes_are_left_alone(house):
    assert asks("192.0.2.1") == 404
    assert asks("192.0.2.2") == 404
    assert asks("192.0.2.2", f"/s/{code_of(house)}/") == 200


def test_who_mistyped_in_a_wave_waits_no_longer_than_its_window(house, monkeypatch):
    flood(monkeypatch)
    assert asks("198.51.100.20") == 404
    assert asks("198.51.100.20", f"/s/{code_of(house)}/") == 429
    longest = max(limits.LIMITS[name][1] for name in ("code", "code-near"))
    assert longest <= 300
    monkeypatch.setattr(limits, "time", lambda now=limits.time: now() + longest)
    assert asks("198.51.100.20", f"/s/{code_of(house)}/") == 200


# ---------------------------------------------------------------- addresses that are only said


@pytest.fixture(scope="module")
def behind_proxy(template: Template):
    """The real server, which believes a proxy on this machine: what it does by default."""
    with template.server() as server:
        yield server


def test_what_a_visitor_wrote_before_the_proxy_added_their_address_is_not_believed(behind_proxy):
    """A proxy that appends: the last address is the one it saw."""
    with httpx.Client(base_url=behind_proxy.url, timeout=30) as client:
        found = [
            client.get(WRONG, headers={"X-Forwarded-For": f"198.51.100.{n}, 2001:db8:9:9::{n:x}"}).status_code
            for n in range(1, MOST + 2)
        ]
        assert found == [404] * MOST + [429]
        assert client.get(WRONG, headers={"X-Forwarded-For": "198.51.100.1"}).status_code == 404


def test_the_image_believes_no_address_that_a_visitor_wrote_whatever_proxy_stands_before_it():
    image = (services.ROOT / "deploy" / "Dockerfile").read_text()
    believed = re.search(r"--forwarded-allow-ips='?([^\s'\"]+)", image)[1]
    of = _TrustedHosts(believed).get_trusted_client_address
    assert of("192.0.2.1, 198.51.100.7, 172.18.0.2")[0] == "198.51.100.7"
    assert "172.18.0.2" in _TrustedHosts(believed) and "198.51.100.7" not in _TrustedHosts(believed)


def test_other_headers_of_proxies_change_nothing(behind_proxy):
    with httpx.Client(base_url=behind_proxy.url, timeout=30) as client:
        names = ("X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP", "X_Forwarded_For")
        found = [
            client.get(WRONG, headers=dict.fromkeys(names, f"198.51.100.{n}")).status_code for n in range(MOST + 1)
        ]
        assert found[0] == 404 and found[-1] == 429
    fanny = Person(behind_proxy, "/salles/nouvelle/", "Fanny")
    assert fanny.http.get(fanny.path).status_code == 200
    fanny.http.close()
