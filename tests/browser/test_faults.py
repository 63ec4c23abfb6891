"""The browser's side of faults, in real Chromium: words leave once and in order, and the page becomes current again."""

import json
import socket
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Error, expect

from tests.browser.over_http import LiveRoom
from tests.browser.people import Person, until
from tests.browser.test_never_lose_a_word import QUESTION, seated, types
from tests.faults.nodes import Wire

SECOND = "Et si rien ne changeait ?"
LATER = 30_000  # milliseconds, on a busy machine


@pytest.fixture
def karim(room, phone) -> Person:
    return seated(phone(), room, "karim")


def waiting(person: Person, text: str):
    return person.page.locator("#outbox .waiting", has_text=text)


def hope(person: Person) -> None:
    """What the browser says when a network is back: whatever waits is tried at once."""
    person.page.evaluate("dispatchEvent(new Event('online'))")


def words_of(request) -> str:
    return parse_qs(request.post_data or "").get("body.text", [""])[0]


# ---------------------------------------------------------------- what is sent


def test_a_tab_killed_between_the_sending_and_the_answer_has_sent_once(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")
    taken = []
    karim.page.route("**/contributions", lambda route: taken.append(route.fetch().status))  # and no answer comes
    types(karim, QUESTION)
    karim.send("question")
    expect(nadia.card(QUESTION)).to_have_count(1)
    with suppress(Error):
        karim.page.goto("chrome://crash", timeout=3_000)
    karim.page.close()
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
    types(karim, QUESTION)
    karim.send("question")
    until(karim.page, "Object.keys(localStorage).some(key => key.includes(':outbox:'))")
    with suppress(Error):
        karim.page.goto("chrome://crash", timeout=3_000)
    karim.page.close()
    karim.open(room.places["karim"])
    expect(nadia.card(QUESTION)).to_have_count(1, timeout=LATER)
    expect(karim.box("question")).to_have_value("")


def test_what_is_sent_while_older_words_wait_leaves_after_them(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")
    karim.page.route("**/contributions", lambda route: route.abort())
    for text in (QUESTION, SECOND):
        types(karim, text)
        karim.send("question")
        expect(waiting(karim, text)).to_contain_text("En attente d’envoi")
    karim.page.unroute("**/contributions")
    left = []
    karim.page.on("request", lambda request: left.append(words_of(request)) if request.method == "POST" else None)
    hope(karim)
    expect(nadia.card(SECOND)).to_have_count(1, timeout=LATER)
    expect(nadia.card(QUESTION)).to_have_count(1)
    assert [text for text in left if text] == [QUESTION, SECOND]
    expect(karim.page.locator("#outbox .waiting")).to_have_count(0)


def test_an_answer_that_does_not_come_is_said_after_five_seconds(karim: Person):
    held = []
    karim.page.route("**/contributions", lambda route: held.append(route))
    types(karim, QUESTION)
    karim.send("question")
    expect(waiting(karim, QUESTION)).to_contain_text("En attente d’envoi", timeout=LATER)
    expect(karim.box("question")).to_have_value("")


def test_words_over_which_the_server_stumbles_let_the_next_pass_and_say_so(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")

    def answer(route) -> None:
        if words_of(route.request) == QUESTION:
            route.fulfill(status=500)
        else:
            route.continue_()

    karim.page.route("**/contributions", answer)
    types(karim, QUESTION)
    with karim.page.expect_response("**/contributions"):
        karim.send("question")
    for _ in range(4):
        with karim.page.expect_response("**/contributions", timeout=LATER):
            hope(karim)
    expect(waiting(karim, QUESTION)).to_contain_text("ne prend pas ces mots", timeout=LATER)
    karim.write("question", SECOND)
    expect(nadia.card(SECOND)).to_have_count(1, timeout=LATER)
    karim.page.unroute("**/contributions")
    hope(karim)
    expect(nadia.card(QUESTION)).to_have_count(1, timeout=LATER)


def test_words_that_waited_and_are_then_refused_are_back_in_their_field(room: LiveRoom, karim: Person):
    karim.page.route("**/contributions", lambda route: route.abort())
    types(karim, QUESTION)
    karim.send("question")
    expect(waiting(karim, QUESTION)).to_have_count(1)
    room.pass_floor()
    karim.page.unroute("**/contributions")
    hope(karim)
    expect(karim.box("question")).to_have_value(QUESTION, timeout=LATER)
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
    expect(nadia.card(QUESTION)).to_have_count(1, timeout=LATER)


# ---------------------------------------------------------------- what is being typed


def test_a_draft_that_could_not_be_saved_is_saved_later(room: LiveRoom, karim: Person, desktop):
    karim.page.route("**/brouillon", lambda route: route.fulfill(status=503), times=1)
    with karim.page.expect_response(lambda one: one.url.endswith("/brouillon") and one.ok, timeout=LATER):
        types(karim, QUESTION)
    expect(seated(desktop(), room, "karim").box("question")).to_have_value(QUESTION)


def test_an_older_draft_that_arrives_late_does_not_hide_the_newer_one(room: LiveRoom, karim: Person, desktop):
    held = []
    karim.page.route("**/brouillon", lambda route: held.append(route))
    types(karim, "Depuis quand, sur le téléphone ?")
    until_held(karim, held)
    laptop = seated(desktop(), room, "karim")
    with laptop.page.expect_response(lambda one: one.url.endswith("/brouillon") and one.ok):
        types(laptop, SECOND)
    with karim.page.expect_response("**/brouillon"):
        held[0].continue_()
    laptop.page.reload()
    expect(laptop.box("question")).to_have_value(SECOND)
    karim.page.unroute("**/brouillon")
    karim.page.reload()
    expect(karim.box("question")).to_have_value(SECOND)


def until_held(person: Person, held: list, most: int = 300) -> None:
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
    karim.page.reload()
    expect(karim.box("question")).to_have_value(QUESTION)


# ---------------------------------------------------------------- the line


class Holding(Wire):
    """A proxy that keeps the answer of every stream to itself beyond its first ``passes`` bytes."""

    passes = 0
    lets = threading.Event()  # set: it is mended, for connections to come

    def _carry(self, source: socket.socket, target: socket.socket, mute: list) -> None:
        asks = source.getsockname()[1] == self.port  # this side comes from the browser
        with suppress(OSError):
            while data := source.recv(65536):
                if asks and b"/stream HTTP" in data and not self.lets.is_set():
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
        address = urlsplit(room.places["karim"])._replace(netloc=f"127.0.0.1:{proxy.port}").geturl()
        karim = Person(phone(), "Karim", address)
        types(karim, "Une autre")
        expect(karim.page.locator("#line")).to_have_text("Connexion lente", timeout=60_000)
        asked: list[str] = []
        karim.page.on("request", lambda one: asked.append(one.url) if "/maintenant" in one.url else None)
        room.write("karim", "question", QUESTION)
        expect(karim.card(QUESTION)).to_have_count(1, timeout=LATER)
        expect(karim.box("question")).to_have_value("Une autre")
        assert asked
        if not passes:
            return  # a request that was never answered is asked again only when htmx gives it up, after a minute
        proxy.lets.set()
        karim.page.evaluate("dispatchEvent(new Event('online'))")
        expect(karim.page.locator("#line")).to_be_hidden(timeout=LATER)
        asked.clear()
        karim.page.wait_for_timeout(5_000)
        assert not asked, "it asks while the stream speaks"
        expect(karim.card(QUESTION)).to_have_count(1)


def test_a_laptop_that_slept_for_an_hour_is_current_within_seconds(room: LiveRoom, own_server, desktop):
    with Wire(own_server.port) as wire:
        address = urlsplit(room.places["karim"])._replace(netloc=f"127.0.0.1:{wire.port}").geturl()
        karim = Person(desktop(), "Karim")
        karim.page.clock.install()
        karim.page.goto(address)
        karim.is_live()
        types(karim, "Ce que je")
        wire.dumb.set()  # what is open dies without a word
        room.write("karim", "question", QUESTION)
        karim.page.wait_for_timeout(1_000)
        expect(karim.card(QUESTION)).to_have_count(0)
        wire.dumb.clear()
        karim.page.clock.fast_forward(3_600_000)
        expect(karim.card(QUESTION)).to_have_count(1, timeout=LATER)
        expect(karim.box("question")).to_have_value("Ce que je")
        expect(karim.page.locator("#line")).to_be_hidden()


def test_a_page_frozen_by_the_browser_is_current_when_it_is_thawed(room: LiveRoom, karim: Person):
    types(karim, "Ce que je")
    cdp = karim.context.new_cdp_session(karim.page)
    cdp.send("Page.setWebLifecycleState", {"state": "frozen"})
    room.write("karim", "question", QUESTION)
    cdp.send("Page.setWebLifecycleState", {"state": "active"})
    expect(karim.card(QUESTION)).to_have_count(1, timeout=LATER)
    expect(karim.box("question")).to_have_value("Ce que je")


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
    server.restart()
    return new


def test_a_server_upgraded_under_open_pages(fragile_room: LiveRoom, fresh_server, phone, desktop):
    karim, nadia = seated(phone(), fragile_room, "karim"), seated(desktop(), fragile_room, "nadia")
    types(karim, QUESTION[:20])
    former = karim.page.evaluate("document.body.dataset.release")
    new = upgraded(fresh_server)
    expect(nadia.page.locator("body")).not_to_have_attribute("data-release", former, timeout=60_000)
    assert nadia.page.locator(f"script[src*='{new}']").count() == 1
    # Who is writing is asked, and what is written stays; the page of the former release still works.
    expect(karim.page.locator("#newer")).to_be_visible(timeout=60_000)
    types(karim, QUESTION[20:])
    expect(karim.box("question")).to_have_value(QUESTION)
    karim.send("question")
    expect(nadia.card(QUESTION)).to_have_count(1, timeout=LATER)
    assert karim.page.evaluate("document.body.dataset.release") == former
    types(karim, SECOND)
    karim.page.get_by_role("button", name="Recharger").click()
    expect(karim.page.locator("body")).not_to_have_attribute("data-release", former, timeout=LATER)
    expect(karim.box("question")).to_have_value(SECOND)
    expect(karim.page.locator("#newer")).to_be_hidden()
