"""The browser's side of faults, in real Chromium: words leave once and in order, and the page becomes current again."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Error, expect

from tests.browser.over_http import LiveRoom
from tests.browser.people import Person, hold_time, pass_time, pass_time_until, stop_time, until
from tests.browser.test_never_lose_a_word import QUESTION, seated, types
from tests.faults.nodes import Wire

SECOND = "Et si rien ne changeait ?"


@pytest.fixture
def karim(room, phone) -> Person:
    return seated(phone(), room, "karim")


def waiting(person: Person, text: str):
    return person.page.locator("#outbox .waiting", has_text=text)


def hope(person: Person) -> None:
    """What the browser says when a network is back: whatever waits is tried at once."""
    person.page.evaluate("dispatchEvent(new Event('online'))")


def is_cut_off(person: Person) -> None:
    """Nothing comes by their stream any more and their time stands still: hope is what the test gives."""
    stop_time(person)
    person.page.route("**/stream*", lambda route: route.abort())
    person.page.evaluate("document.getElementById('stage')._htmx.sse.reader.cancel()")


def words_of(request) -> str:
    return parse_qs(request.post_data or "").get("body.text", [""])[0]


def crash(person: Person) -> None:
    """Their tab dies at once: nothing of it runs, not even what a page does when it is left."""
    with person.page.expect_event("crash"), suppress(Error):
        person.page.goto("chrome://crash", timeout=200)  # which never answers
    person.page.close()


def types_and_saves(person: Person, text: str) -> None:
    """Types, and does not wait for the second of quiet after which a draft is saved."""
    with person.page.expect_response(lambda one: one.url.endswith("/brouillon") and one.ok):
        types(person, text)
        person.page.clock.fast_forward(1_000)


# ---------------------------------------------------------------- what is sent


def test_a_tab_killed_between_the_sending_and_the_answer_has_sent_once(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")
    taken = []
    karim.page.route("**/contributions", lambda route: taken.append(route.fetch().status))  # and no answer comes
    types(karim, QUESTION)
    karim.send("question")
    expect(nadia.card(QUESTION)).to_have_count(1)
    crash(karim)
    karim.open(room.places["karim"])
    expect(karim.card(QUESTION)).to_have_count(1)
    expect(waiting(karim, QUESTION)).to_have_count(0)
    expect(karim.box("question")).to_have_value("")
    assert taken == [204]
    nadia.page.reload()
    expect(nadia.card(QUESTION)).to_have_count(1)


def test_a_tab_killed_before_anything_has_left_sends_when_it_is_opened_again(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")
    asked = []
    karim.page.route("**/contributions", lambda route: asked.append(route))  # held for ever
    karim.page.clock.install()
    types_and_saves(karim, QUESTION)  # the server's draft is not shown beside the words that wait
    karim.send("question")
    until(karim.page, "Object.keys(localStorage).some(key => key.includes(':outbox:'))")
    crash(karim)
    karim.open(room.places["karim"])
    expect(nadia.card(QUESTION)).to_have_count(1)
    expect(karim.box("question")).to_have_value("")


def test_what_is_sent_while_older_words_wait_leaves_after_them(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")
    left = []

    def answer(route) -> None:
        left.append(words_of(route.request))
        if left[-1] == QUESTION:
            route.abort()
        else:
            route.continue_()

    karim.page.route("**/contributions", answer)
    for text in (QUESTION, SECOND):
        types(karim, text)
        karim.send("question")
        expect(waiting(karim, text)).to_contain_text("En attente d’envoi")
    assert set(left) == {QUESTION}
    karim.page.unroute("**/contributions")
    karim.page.on("request", lambda request: left.append(words_of(request)) if request.method == "POST" else None)
    left.clear()
    hope(karim)
    expect(nadia.card(SECOND)).to_have_count(1)
    expect(nadia.card(QUESTION)).to_have_count(1)
    assert [text for text in left if text] == [QUESTION, SECOND]
    expect(karim.page.locator("#outbox .waiting")).to_have_count(0)


def test_an_answer_that_does_not_come_is_said_after_five_seconds(karim: Person):
    held: list = []
    karim.page.route("**/contributions", lambda route: held.append(route))
    types(karim, QUESTION)
    stop_time(karim)
    karim.send("question")
    until_held(karim, held)
    karim.page.clock.run_for(4_900)
    expect(waiting(karim, QUESTION)).to_have_count(0)
    expect(karim.box("question")).to_have_value(QUESTION)
    karim.page.clock.run_for(200)
    expect(waiting(karim, QUESTION)).to_contain_text("En attente d’envoi")
    expect(karim.box("question")).to_have_value("")


def test_without_a_network_it_is_said_at_once_and_tried_ever_later_and_when_there_is_hope(karim: Person):
    types(karim, QUESTION)
    is_cut_off(karim)
    karim.page.evaluate(
        """() => {
            window.tries = [];
            window.fetch = async (address) => {
                if (address === 'contributions') window.tries.push(Date.now());
                throw new TypeError('no network');
            };
        }"""
    )

    def between_tries() -> list[float]:
        tries = karim.page.evaluate("tries")
        return [(late - early) / 1000 for early, late in pairwise(tries)]

    karim.send("question")
    expect(waiting(karim, QUESTION)).to_contain_text("En attente d’envoi")  # and no time has passed
    karim.page.clock.run_for(35_000)
    assert between_tries() == [2, 4, 8, 10, 10]
    hope(karim)
    until(karim.page, "tries.length === 7")
    karim.page.clock.run_for(6_500)
    assert between_tries()[5:] == [1, 2, 4]


def test_words_over_which_the_server_stumbles_let_the_next_pass_and_say_so(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")

    def answer(route) -> None:
        if words_of(route.request) == QUESTION:
            route.fulfill(status=500)
        else:
            route.continue_()

    def has_failed(times: int) -> None:
        kept = "Object.keys(localStorage).filter(key => key.includes(':outbox:'))"
        until(karim.page, f"{kept}.some(key => JSON.parse(localStorage[key]).failures === {times})")

    karim.page.route("**/contributions", answer)
    types(karim, QUESTION)
    is_cut_off(karim)
    karim.send("question")
    for times in range(1, 5):
        has_failed(times)
        expect(karim.page.locator("#outbox")).not_to_contain_text("ne prend pas ces mots")
        hope(karim)
    expect(waiting(karim, QUESTION)).to_contain_text("ne prend pas ces mots")
    karim.write("question", SECOND)
    expect(nadia.card(SECOND)).to_have_count(1)
    karim.page.unroute("**/contributions")
    hope(karim)
    expect(nadia.card(QUESTION)).to_have_count(1)


def test_words_that_waited_and_are_then_refused_are_back_in_their_field(room: LiveRoom, karim: Person):
    karim.page.route("**/contributions", lambda route: route.abort())
    types(karim, QUESTION)
    karim.send("question")
    expect(waiting(karim, QUESTION)).to_have_count(1)
    room.pass_floor()
    karim.page.unroute("**/contributions")
    hope(karim)
    expect(karim.box("question")).to_have_value(QUESTION)
    expect(karim.form("question").locator(".said")).to_contain_text("C’est à Nadia de parler")
    expect(waiting(karim, QUESTION)).to_have_count(0)
    karim.page.reload()
    expect(karim.box("question")).to_have_value(QUESTION)


def test_somebody_else_who_answers_in_the_servers_place_is_not_believed(room: LiveRoom, karim: Person, desktop):
    """A hotel's door page says 200 to everything."""
    nadia = seated(desktop(), room, "nadia")
    karim.page.route("**/contributions", lambda route: route.fulfill(status=200, body="<h1>Bienvenue</h1>"), times=1)
    types(karim, QUESTION)
    with karim.page.expect_response("**/contributions"):
        karim.send("question")
    hope(karim)
    expect(nadia.card(QUESTION)).to_have_count(1)


# ---------------------------------------------------------------- what is being typed


def test_a_draft_that_could_not_be_saved_is_saved_later(room: LiveRoom, karim: Person, desktop):
    karim.page.route("**/brouillon", lambda route: route.fulfill(status=503), times=1)
    karim.page.clock.install()
    with karim.page.expect_response(lambda one: one.url.endswith("/brouillon") and one.status == 503):
        types(karim, QUESTION)
        karim.page.clock.fast_forward(1_000)
    with karim.page.expect_response(lambda one: one.url.endswith("/brouillon") and one.ok):
        karim.page.clock.fast_forward(2_000)
    expect(seated(desktop(), room, "karim").box("question")).to_have_value(QUESTION)


def test_an_older_draft_that_arrives_late_does_not_hide_the_newer_one(room: LiveRoom, karim: Person, desktop):
    held: list = []
    karim.page.route("**/brouillon", lambda route: held.append(route))
    karim.page.clock.install()
    types(karim, "Depuis quand, sur le téléphone ?")
    karim.page.clock.fast_forward(1_000)
    until_held(karim, held)
    laptop = seated(desktop(), room, "karim")
    laptop.page.clock.install()
    types_and_saves(laptop, SECOND)
    with karim.page.expect_response("**/brouillon"):
        held[0].continue_()
    laptop.page.reload()
    expect(laptop.box("question")).to_have_value(SECOND)
    karim.page.unroute("**/brouillon")
    karim.page.reload()
    expect(karim.box("question")).to_have_value(SECOND)


def until_held(person: Person, held: list, most: int = 600) -> None:
    for _ in range(most):
        if held:
            return
        person.page.wait_for_timeout(50)
    raise AssertionError("nothing was sent")


def test_what_is_typed_before_the_script_has_come_is_kept(room: LiveRoom, phone):
    karim = Person(phone(), "Karim")
    held = []
    karim.page.route("**/room*.js", lambda route: held.append(route))
    karim.page.goto(room.places["karim"], wait_until="commit")
    karim.box("question").fill(QUESTION)
    until_held(karim, held)
    held[0].continue_()
    karim.page.unroute("**/room*.js")
    karim.is_live()
    expect(karim.box("question")).to_have_value(QUESTION)
    karim.page.goto(karim.page.url)  # a reload by the browser keeps what is in the fields by itself
    expect(karim.box("question")).to_have_value(QUESTION)


# ---------------------------------------------------------------- the line


class Holding(Wire):
    """A proxy that keeps the answer of every stream to itself beyond its first ``passes`` bytes."""

    passes = 0
    lets = threading.Event()  # set: it is mended, for connections to come

    def _carry(self, source: socket.socket, target: socket.socket, mute: list) -> None:
        with suppress(OSError):
            asks = source.getsockname()[1] == self.port  # this side comes from the browser
            while data := source.recv(65536):
                if asks and b"/stream" in data.partition(b" HTTP")[0] and not self.lets.is_set():
                    mute[0] = self.passes + 1  # what may still come back, and one
                if not asks and mute[0]:
                    data, mute[0] = data[: mute[0] - 1], max(1, mute[0] - len(data))
                if data:
                    target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("passes", [0, 1_600])
def test_a_proxy_that_holds_the_stream_back_is_gone_around(room: LiveRoom, own_server, phone, passes):
    with Holding(own_server.port) as proxy:
        proxy.passes, proxy.lets = passes, threading.Event()
        karim = Person(phone(), "Karim")
        karim.page.clock.install()
        karim.page.goto(through(proxy, room.places["karim"]))
        asked = asks(karim)
        types(karim, "Une autre")
        pass_time_until(karim, lambda: karim.page.locator("#line").text_content() == "Connexion lente")
        room.write("karim", "question", QUESTION)
        pass_time_until(karim, lambda: karim.card(QUESTION).count() == 1)
        expect(karim.box("question")).to_have_value("Une autre")
        assert min(late - early for early, late in pairwise(asked())) >= 4_000
        if not passes:  # a stream that is never answered is given up, and asked for again
            for _ in range(32):
                pass_time(karim, 2)
                assert karim.page.locator("#line").text_content() == "Connexion lente"
            opened = karim.page.evaluate("opened")
            assert max(late - early for early, late in pairwise(opened)) < 30_000
        proxy.lets.set()
        if passes:
            hope(karim)
        else:
            pass_time_until(karim, lambda: karim.page.evaluate("opened").pop() > opened[-1])
        expect(karim.page.locator("#line")).to_be_hidden()
        before = asked()
        pass_time(karim, 12)
        assert asked() == before, "it asks while the stream speaks"
        expect(karim.card(QUESTION)).to_have_count(1)


def through(wire: Wire, place: str) -> str:
    """The same private link, by that wire."""
    return urlsplit(place)._replace(netloc=f"127.0.0.1:{wire.port}").geturl()


def asks(person: Person) -> Callable[[], list[int]]:
    """When the page asks for the present view, in milliseconds of its clock; ``opened`` in it: for its stream."""
    person.page.evaluate(
        """() => {
            const fetch = window.fetch;
            window.asks = [];
            window.opened = [];
            window.fetch = (address, ...options) => {
                if (/\/stream(\?|$)/.test(address)) window.opened.push(Date.now());
                if (!String(address).startsWith('maintenant')) return fetch(address, ...options);
                window.asks.push(Date.now());
                window.unanswered = true;
                return fetch(address, ...options).finally(() => { window.unanswered = false; });
            };
        }"""
    )
    return lambda: person.page.evaluate("asks")


@pytest.mark.parametrize("state", ["asleep", "frozen"])
def test_a_page_that_was_stopped_for_an_hour_is_current_within_seconds(room: LiveRoom, own_server, desktop, state):
    """A laptop asleep, or a page that the browser froze; the connections died meanwhile, without a word."""
    with Wire(own_server.port) as wire:
        karim = Person(desktop(), "Karim")
        karim.page.clock.install()
        karim.page.goto(through(wire, room.places["karim"]))
        karim.is_live()
        types(karim, "Ce que je")
        browser = karim.context.new_cdp_session(karim.page)
        if state == "frozen":
            browser.send("Page.setWebLifecycleState", {"state": "frozen"})
        wire.dumb.set()
        room.write("karim", "question", QUESTION)
        expect(karim.card(QUESTION)).to_have_count(0)
        wire.dumb.clear()
        if state == "frozen":
            browser.send("Page.setWebLifecycleState", {"state": "active"})
        karim.page.clock.fast_forward(3_600_000)
        expect(karim.card(QUESTION)).to_have_count(1)
        expect(karim.box("question")).to_have_value("Ce que je")
        expect(karim.page.locator("#line")).to_be_hidden()


# ---------------------------------------------------------------- another release


def upgraded(server) -> str:
    """Restarts on another release, whose script has another name; that of the former is gone. The new name's hash."""
    static = Path(server.var) / "static"
    manifest = static / "staticfiles.json"
    known = json.loads(manifest.read_text())
    old = Path(known["paths"]["web/room.js"]).name.split(".")[1]
    new = old[::-1]
    for file in (static / "web").glob(f"room.{old}.js*"):
        file.rename(file.with_name(file.name.replace(old, new)))
    manifest.write_text(manifest.read_text().replace(old, new).replace(known["hash"], known["hash"][::-1]))
    server.kill9()
    server.start()
    return new


def release_of(person: Person) -> str:
    return person.page.evaluate("document.body.dataset.release")


def test_a_server_upgraded_under_open_pages(fragile_room: LiveRoom, fresh_server, phone, desktop):
    karim, nadia = seated(phone(), fragile_room, "karim"), seated(desktop(), fragile_room, "nadia")
    screen = Person(desktop(), "Screen", fragile_room.screen_url)
    types(karim, QUESTION[:20])
    former = release_of(karim)
    for person in (karim, nadia, screen):
        person.page.clock.install()
    new = upgraded(fresh_server)
    for person in (nadia, screen):
        pass_time_until(person, lambda who=person: release_of(who) != former)
        assert person.page.locator(f"script[src*='{new}']").count() == 1
    # Who is writing is asked, and what is written stays; the page of the former release still works.
    pass_time_until(karim, karim.page.locator("#newer").is_visible)
    hold_time(karim)  # a page on which nothing is typed for a moment would be reloaded by itself
    types(karim, QUESTION[20:])
    expect(karim.box("question")).to_have_value(QUESTION)
    karim.send("question")
    for person in (nadia, screen):
        expect(person.card(QUESTION)).to_have_count(1)
    assert release_of(karim) == former
    expect(karim.box("question")).to_have_value("")
    types(karim, SECOND)
    karim.page.get_by_role("button", name="Recharger").click()
    expect(karim.page.locator("body")).not_to_have_attribute("data-release", former)
    expect(karim.box("question")).to_have_value(SECOND)
    expect(karim.page.locator("#newer")).to_be_hidden()


def test_a_page_that_stays_of_another_release_is_reloaded_once(karim: Person):
    """Something on the way keeps the former page: it says so, and does not reload for ever."""
    served = []

    def former(route) -> None:
        answer = route.fetch()
        served.append(answer.text().replace(f'data-release="{release}"', 'data-release="former"'))
        route.fulfill(response=answer, body=served[-1])

    release, stage = release_of(karim), karim.page.url
    karim.page.route(stage, former)
    karim.page.clock.install()
    karim.page.goto(stage)
    pass_time_until(karim, karim.page.locator("#newer").is_visible)
    pass_time(karim, 20)
    assert release_of(karim) == "former"
    assert len(served) == 2
