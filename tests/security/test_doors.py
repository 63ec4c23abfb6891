"""Every address of the server, asked by everybody: what each is answered is written in a table, or the test fails."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from cordee.engine import commands as c
from tests.browser.over_http import LiveRoom
from tests.characters import COMMITMENT, SAID, SITUATIONS, play
from tests.circles.test_abilities import TABLE as GUARDED
from tests.conftest import Template
from tests.live.people import Person

# nobody: no cookie. octave: leads another room, and shows his cookie of it here. rose: waits at the door. marc: was
# removed. screen: the shared screen's link. claire is the client, karim a consultant, fanny leads.
WHO = ("nobody", "octave", "rose", "marc", "screen", "claire", "karim", "fanny")
OUTSIDE = ("nobody", "octave", "rose", "marc")

ALL_200, ALL_302, ALL_404, ALL_405 = ([status] * len(WHO) for status in (200, 302, 404, 405))
#             nobody octave rose marc screen claire karim fanny
SEATED_POST = [404, 404, 409, 403, 404, 409, 409, 409]
TABLE: dict[str, tuple[list[int], list[int]]] = {  # route: (GET by each, POST by each)
    "": (ALL_200, ALL_405),
    ".well-known/security.txt": (ALL_404, ALL_405),  # nobody is named in the tests' settings
    "setlang/": (ALL_302, ALL_302),
    "compte/connexion/": (ALL_200, [400] * len(WHO)),
    "compte/connexion/code/": (ALL_302, ALL_302),
    "compte/connexion/cle/": (ALL_405, [403] * len(WHO)),
    "compte/connexion/cle/options/": (ALL_200, ALL_405),
    "compte/connexion/organisation/": (ALL_405, ALL_404),  # no provider is named in the tests' settings
    "compte/connexion/organisation/retour/": (ALL_404, ALL_405),
    "ateliers/": (ALL_200, ALL_405),
    "ateliers/images/<path:path>": (ALL_404, ALL_405),
    "ateliers/<slug:slug>/": (ALL_404, ALL_405),
    "salles/nouvelle/": (ALL_200, ALL_200),
    "rejoindre/": (ALL_200, ALL_302),
    "s/<str:code>/": (ALL_200, ALL_200),
    "place/<str:token>/": ([404, 302, 302, 302, 302, 302, 302, 302], ALL_405),
    "salle/<str:room>/": ([404, 404, 200, 403, 404, 200, 200, 200], ALL_405),
    "salle/<str:room>/contributions": (ALL_405, SEATED_POST),
    "salle/<str:room>/maintenant": ([404, 404, 200, 403, 404, 200, 200, 200], ALL_405),
    "salle/<str:room>/brouillon": (ALL_405, [404, 404, 409, 409, 404, 409, 409, 409]),
    "salle/<str:room>/indice": (ALL_405, [404, 404, 200, 200, 404, 200, 200, 200]),
    "salle/<str:room>/sortir": (ALL_405, [404, 404, 200, 200, 404, 200, 200, 200]),
    "salle/<str:room>/rattacher/": ([404, 404, 404, 404, 404, 200, 200, 200], ALL_404),  # nobody is signed in here
    "salle/<str:room>/bilan/": ([404, 404, 404, 404, 404, 200, 200, 200], ALL_405),
    r"^salle/(?P<room>[\w-]+)/bilan/(?P<name>[\w-]+)\.(?P<kind>pdf|md)$": (
        [404, 404, 404, 404, 404, 200, 200, 200],
        ALL_405,
    ),
    "ecran/<str:room>/": ([404, 404, 404, 404, 200, 404, 404, 404], ALL_405),
    "ecran/<str:room>/maintenant": ([404, 404, 404, 404, 200, 404, 404, 404], ALL_405),
    # By the links of letters, and by calendars: theirs alone, and of no room.
    "seances/reponse/<str:token>/": (ALL_404, ALL_404),
    "seances/disponibilites/<str:token>/": (ALL_404, ALL_404),
    "agenda/<str:token>.ics": (ALL_404, ALL_405),
    "engagements/<str:commitment>/reponse/<str:token>/": (ALL_404, ALL_404),  # a letter's link: see tests/followup
    "compte/efface/": (ALL_200, ALL_405),
    # Who holds the link of a letter may; nobody does here. The demo's mailbox is in the demo alone.
    "courrier/stop/<str:token>/": (ALL_404, ALL_404),
    "courrier/reprendre/<str:token>/": (ALL_405, ALL_404),
    "courrier/boite/": (ALL_404, ALL_405),
    "courrier/boite/<int:letter>/": (ALL_404, ALL_405),
    "courrier/boite/<int:letter>/html/": (ALL_404, ALL_405),
    "courrier/boite/<int:letter>/invite.ics": (ALL_404, ALL_405),
    # Outside Django: the live line, the script's way of acting, and who watches over the server.
    "live salle/stream": ([404, 404, 200, 200, 404, 200, 200, 200], ALL_404),  # to marc: "bye", and no more
    "live ecran/stream": ([404, 404, 404, 404, 200, 404, 404, 404], ALL_404),
    "live contributions": (ALL_405, [404, 404, 409, 409, 404, 409, 409, 409]),
    "live brouillon": (ALL_405, [404, 404, 409, 409, 404, 409, 409, 409]),
    "healthz": (ALL_200, ALL_404),
    "readyz": (ALL_200, ALL_404),
    "metrics": (ALL_404, ALL_404),  # measured only where the operator has set a token
    # Last: it makes a new code, and the shared screen's link void.
    "salle/<str:room>/code": (ALL_405, [404, 404, 409, 403, 404, 409, 409, 302]),
}


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every pattern of the site, as it is written."""
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLPattern):
            yield before + str(one.pattern)
        else:
            yield from routes(one, before + str(one.pattern))


def test_every_address_is_in_the_table_and_the_table_has_no_other():
    outside = {route for route in TABLE if route.startswith("live ")} | {"healthz", "readyz", "metrics"}
    found = list(routes())
    assert len(found) == len(set(found)) > 15
    assert not set(TABLE) & set(GUARDED)  # those that abilities.toml guards are walked in tests/circles
    assert set(found) == set(TABLE) - outside | set(GUARDED)


def test_the_table_says_what_each_gets():
    assert all(len(row) == len(WHO) for rows in TABLE.values() for row in rows)


class Town:
    """The room, and the cookie that each character shows there."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.room = LiveRoom(server.url, members=("claire", "karim", "marc"))
        self.room.do(c.Revoke(seat="fanny", target="marc"))
        play(self.room, through="ouvertures")
        self.code = self.room.join_url.rstrip("/").rpartition("/")[2]
        self.room.do(c.SetDoor(seat="fanny", waiting=True))
        rose = Person(server, f"/s/{self.code}/", "Rose")
        octave = Person(server, "/salles/nouvelle/", "Octave")
        self.octaves_room = octave.path
        self.tokens = {"nobody": "", "octave": octave.token, "rose": rose.token}
        self.tokens["screen"] = self.room.screen_url.rstrip("/").rpartition("/")[2]
        for seat in ("marc", "claire", "karim", "fanny"):
            self.tokens[seat] = self.room.places[seat].rstrip("/").rpartition("/")[2]
        for person in (rose, octave):
            person.http.close()
        said = [text for texts in SAID.values() for text in texts] + list(COMMITMENT.values())
        said += [text for one in SITUATIONS.values() for text in one.values() if len(text) > 20]
        page = "".join(self.room.page(seat) for seat in ("claire", "karim", "fanny"))
        self.words = {text for text in said if text in page} | {"Claire", "Karim"}
        assert len(self.words) > 10

    def path(self, route: str, who: str) -> str:
        named = {"room": self.room.id, "code": self.code, "token": self.tokens[who] or "nothing", "slug": "aucun",
                 "path": "aucune.png", "name": "circle", "kind": "md", "commitment": "aucun",
                 "letter": "1"}  # fmt: skip
        if route.startswith("live "):
            end = route.partition(" ")[2]
            return f"/ecran/{self.room.id}/stream" if end.startswith("ecran") else (
                f"/salle/{self.room.id}/{end.rpartition('/')[2]}")  # fmt: skip
        if route.startswith("^"):
            route = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<str:\1>", route).strip("^$").replace("\\", "")
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: named[found[1]], route)

    def ask(self, method: str, route: str, who: str) -> tuple[int, str]:
        """The status, and all that comes with it (of a stream, what comes first)."""
        cookie = f"place={self.tokens[who]}; csrftoken={'a' * 32}" if self.tokens[who] else f"csrftoken={'a' * 32}"
        headers = {"Cookie": cookie, "Origin": self.server.url}
        if route.startswith("live "):
            headers["X-Cordee"] = "1"
        form = {"csrfmiddlewaretoken": "a" * 32, "do": "nothing", "kind": "", "text": "Et si ?", "name": " ",
                "language": "fr", "code": self.code}  # fmt: skip
        data = form if method == "POST" else None
        with httpx.stream(
            method, f"{self.server.url}{self.path(route, who)}", data=data, headers=headers, timeout=60
        ) as answer:
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                received = ""
                for chunk in answer.iter_text():
                    received += chunk
                    if received.count("\n\n") >= 2:
                        break
                return answer.status_code, received + str(answer.headers)
            return answer.status_code, answer.read().decode("utf-8", "replace") + str(answer.headers)


@pytest.fixture(scope="module")
def town(template: Template) -> Iterator[Town]:
    with template.server() as server:
        made = Town(server)
        yield made
        made.room.close()


@pytest.mark.parametrize("route", TABLE)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_is_answered_what_the_table_says_and_no_word_that_is_not_theirs(town, route, method):
    expected = TABLE[route][0 if method == "GET" else 1]
    answers = {who: town.ask(method, route, who) for who in WHO}
    assert [status for status, _ in answers.values()] == expected
    for who in OUTSIDE:
        body = answers[who][1]
        assert {word for word in town.words if word in body} == set(), who
        for other in (*WHO[:1], *set(WHO) - {who, "nobody"}):
            assert not town.tokens[other] or town.tokens[other] not in body, f"{who} is given the link of {other}"


def test_those_inside_do_read_some_of_these_words(town):
    """What the check above would see."""
    for who in ("claire", "karim", "fanny"):
        assert {word for word in town.words if word in town.ask("GET", "salle/<str:room>/maintenant", who)[1]}


def test_nothing_of_all_this_was_an_error(town):
    assert "ERROR" not in town.server.log


@pytest.mark.parametrize(
    "path",
    ["admin/", "admin/login/", "api/", "debug/", "__debug__/", ".env", ".git/config", "server-status",
     "static/", "media/", "salle/", "ecran/", "place/", "s/", "var/", "wp-login.php",
     "salle/{room}", "salle/{room}/entries", "salle/{room}/events", "salle/{room}.json", "ecran/{room}/bilan/",
     "ecran/{room}/contributions", "ecran/{room}/code", "salle/{room}/bilan/circle.json"],
)  # fmt: skip
def test_addresses_that_others_have_are_not_ours(town, path):
    for who in ("nobody", "karim"):
        cookie = {"Cookie": f"place={town.tokens[who]}"}
        answer = httpx.get(f"{town.server.url}/{path.replace('{room}', town.room.id)}", headers=cookie, timeout=60)
        assert answer.status_code in {404, 301}, answer.status_code
        assert not [word for word in town.words if word in answer.text]
