"""What somebody has typed is theirs: no reload, cut, crash or refusal takes it away, and nothing is sent twice."""

import pytest
from playwright.sync_api import expect

from cordee.engine import commands as c
from tests.browser.over_http import LiveRoom
from tests.browser.people import Person, nobody_complains, pass_time_until, stop_time, until

QUESTION = "Qu’est-ce qui te retient aujourd’hui, vraiment ?"
CUT = "Connexion perdue"


@pytest.fixture
def karim(room, phone) -> Person:
    return seated(phone(), room, "karim")


def seated(context, room: LiveRoom, name: str) -> Person:
    person = Person(context, name.capitalize(), room.places[name])
    if context.browser and person.page.locator("html.scripted").count():
        person.is_live()
    return person


def types(person: Person, text: str, kind: str = "question") -> None:
    """Key by key, and not yet sent."""
    person.box(kind).press_sequentially(text)


def kept_by_the_server(person: Person, text: str, kind: str = "question") -> None:
    """Types, and waits until the server has the draft."""
    with person.page.expect_response(lambda answer: answer.url.endswith("/brouillon") and answer.ok):
        types(person, text, kind)


def the_server_gets_no_draft(person: Person) -> None:
    """Neither while its page is open nor as it is left: what comes back was kept by the device alone."""
    person.page.route("**/brouillon", lambda route: route.abort())
    person.page.evaluate("navigator.sendBeacon = () => true")


# ---------------------------------------------------------------- drafts


def test_what_is_typed_is_there_after_a_reload_though_the_server_has_none_of_it(karim: Person):
    the_server_gets_no_draft(karim)
    types(karim, QUESTION)
    karim.page.goto(karim.page.url)  # a reload by the browser keeps what is in the fields by itself
    expect(karim.box("question")).to_have_value(QUESTION)


def test_what_is_typed_on_the_phone_is_there_on_the_laptop(room: LiveRoom, karim: Person, desktop):
    kept_by_the_server(karim, QUESTION)
    laptop = seated(desktop(), room, "karim")
    expect(laptop.box("question")).to_have_value(QUESTION)
    laptop.send("question")
    nadia = seated(desktop(), room, "nadia")
    expect(nadia.card(QUESTION)).to_have_count(1)
    nobody_complains(karim, laptop, nadia)


def test_a_draft_that_is_sent_from_both_devices_is_one_card(room: LiveRoom, karim: Person, desktop):
    kept_by_the_server(karim, QUESTION)
    laptop, nadia = Person(desktop(), "Karim"), seated(desktop(), room, "nadia")
    laptop.page.route("**/stream*", lambda route: route.abort())  # its page is as it came
    laptop.page.goto(room.places["karim"])
    for device in (karim, laptop):
        expect(device.box("question")).to_have_value(QUESTION)
        device.send("question")
        expect(device.box("question")).to_have_value("")
        expect(nadia.card(QUESTION)).to_have_count(1)
    types(laptop, QUESTION)  # typed again it is said again
    laptop.send("question")
    expect(nadia.card(QUESTION)).to_have_count(2)
    nobody_complains(karim, nadia)


def test_what_is_typed_is_there_when_the_tab_is_closed_and_opened_again(room: LiveRoom, karim: Person):
    the_server_gets_no_draft(karim)
    types(karim, QUESTION)
    karim.page.close()
    karim.open(room.places["karim"])
    expect(karim.box("question")).to_have_value(QUESTION)


def test_what_is_typed_at_the_last_moment_leaves_with_the_page(room: LiveRoom, karim: Person):
    stop_time(karim)  # no draft is saved by the second of quiet after which it is
    types(karim, QUESTION)
    karim.page.goto("about:blank")
    opened_elsewhere = ""
    for _ in range(600):
        opened_elsewhere = room.page("karim")
        if QUESTION in opened_elsewhere:
            break
        karim.page.wait_for_timeout(50)
    assert QUESTION in opened_elsewhere


def test_a_sent_text_does_not_come_back_as_a_draft(karim: Person):
    kept_by_the_server(karim, QUESTION)
    karim.send("question")
    expect(karim.card(QUESTION)).to_have_count(1)
    expect(karim.box("question")).to_have_value("")
    karim.page.reload()
    expect(karim.card(QUESTION)).to_have_count(1)
    expect(karim.box("question")).to_have_value("")


def test_others_never_touch_the_field_being_typed_in(room: LiveRoom, karim: Person):
    types(karim, "Depuis quand ")
    room.write("karim", "question", "Une autre, d’un autre appareil ?")
    room.pass_floor()
    room.write("nadia", "question", "Qui d’autre le sait ?")
    karim.reads("Une autre, d’un autre appareil ?", "Qui d’autre le sait ?")
    expect(karim.box("question")).to_be_focused()
    types(karim, "y penses-tu ?")
    expect(karim.box("question")).to_have_value("Depuis quand y penses-tu ?")


def test_what_was_being_typed_when_the_step_changed_is_shown_to_its_author(room: LiveRoom, karim: Person, desktop):
    types(karim, QUESTION)
    room.next()
    karim.at("Demande")
    kept = karim.page.locator("#outbox .waiting", has_text=QUESTION)
    expect(kept).to_contain_text("Brouillon gardé")
    kept.get_by_role("button", name="Garder dans mes notes").click()
    expect(kept).to_have_count(0)
    expect(karim.page.locator("#g-note .card", has_text=QUESTION)).to_have_count(1)
    seated(desktop(), room, "nadia").does_not_read(QUESTION)


def test_a_refused_text_stays_in_its_field(room: LiveRoom, karim: Person):
    types(karim, QUESTION)
    # The floor passes while Karim presses: his page does not know it yet.
    karim.page.evaluate("document.getElementById('stage')._htmx.sse.reader.cancel()")
    karim.page.route("**/stream*", lambda route: route.abort())
    room.pass_floor()
    karim.page.evaluate("document.getElementById('f-question').requestSubmit()")
    expect(karim.form("question").locator(".said")).to_contain_text("C’est à Nadia de parler")
    expect(karim.box("question")).to_have_value(QUESTION)
    karim.page.unroute("**/stream*")
    karim.page.reload()
    expect(karim.box("question")).to_have_value(QUESTION)


# ---------------------------------------------------------------- cuts and crashes


def test_what_is_sent_without_a_network_leaves_once_when_it_is_back(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")
    types(karim, QUESTION[:20])
    karim.context.set_offline(True)
    expect(karim.page.locator("#line")).to_contain_text(CUT)
    types(karim, QUESTION[20:])
    karim.send("question")
    waiting = karim.page.locator("#outbox .waiting", has_text=QUESTION)
    expect(waiting).to_contain_text("En attente d’envoi")
    karim.context.set_offline(False)
    expect(nadia.card(QUESTION)).to_have_count(1)
    expect(karim.card(QUESTION)).to_have_count(1)
    expect(waiting).to_have_count(0)
    expect(karim.page.locator("#line")).to_be_hidden()
    nadia.page.reload()
    expect(nadia.card(QUESTION)).to_have_count(1)


def test_what_is_sent_without_a_network_survives_the_closing_of_the_tab(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")
    karim.context.set_offline(True)
    types(karim, QUESTION)
    karim.send("question")
    expect(karim.page.locator("#outbox .waiting", has_text=QUESTION)).to_have_count(1)
    karim.page.close()
    karim.context.set_offline(False)
    karim.open(room.places["karim"])
    expect(nadia.card(QUESTION)).to_have_count(1)
    expect(karim.card(QUESTION)).to_have_count(1)


def test_an_answer_lost_on_the_way_back_does_not_send_twice(room: LiveRoom, karim: Person, desktop):
    nadia = seated(desktop(), room, "nadia")
    lost = []

    def swallow(route) -> None:
        """The server has it; the phone never hears so."""
        lost.append(route.fetch().status)
        route.abort()

    karim.page.route("**/contributions", swallow, times=1)
    karim.write("question", QUESTION)
    expect(nadia.card(QUESTION)).to_have_count(1)
    expect(karim.page.locator("#outbox .waiting")).to_have_count(0)
    assert lost == [204]
    nadia.page.reload()
    expect(nadia.card(QUESTION)).to_have_count(1)


def test_a_server_killed_in_mid_sentence_loses_nothing(fragile_room: LiveRoom, fresh_server, phone, desktop):
    karim, nadia = seated(phone(), fragile_room, "karim"), seated(desktop(), fragile_room, "nadia")
    types(karim, QUESTION[:20])
    for person in (karim, nadia):
        person.page.clock.install()
    fresh_server.kill9()
    expect(karim.page.locator("#line")).to_contain_text(CUT)
    types(karim, QUESTION[20:])
    karim.send("question")
    expect(karim.page.locator("#outbox .waiting", has_text=QUESTION)).to_have_count(1)
    fresh_server.start()
    for person in (karim, nadia):
        pass_time_until(person, lambda who=person: who.card(QUESTION).count() == 1)
    expect(karim.page.locator("#outbox .waiting")).to_have_count(0)
    expect(karim.page.locator("#line")).to_be_hidden()
    karim.page.reload()
    expect(karim.card(QUESTION)).to_have_count(1)


# ---------------------------------------------------------------- a seat taken away


def test_a_revoked_seat_says_so_at_once_and_shows_no_word_of_the_room(room: LiveRoom, karim: Person):
    asked = room.write("karim", "question", QUESTION)
    room.mark("claire", asked, "answered")
    karim.reads(QUESTION, "Comment annoncer une réorganisation")
    types(karim, "Et ensuite ?")
    room.do(c.Revoke(seat="fanny", target="karim"))
    expect(karim.page.locator("#line")).to_contain_text("Votre place a été retirée")
    karim.does_not_read(QUESTION, "Comment annoncer une réorganisation", "Nadia", "Claire")
    karim.page.reload()
    expect(karim.page.get_by_role("heading", level=1)).to_have_text("Cette place n’est plus valable")
    karim.does_not_read(QUESTION, "Nadia")


# ---------------------------------------------------------------- other ways to use a page


def test_a_round_goes_on_without_javascript(room: LiveRoom, phone, desktop):
    karim = seated(phone(java_script_enabled=False), room, "karim")
    fanny = seated(desktop(java_script_enabled=False), room, "fanny")
    karim.write("question", QUESTION)
    expect(karim.card(QUESTION)).to_have_count(1)
    karim.press("J’ai parlé, je passe la parole")
    expect(karim.page.locator("#ring figcaption .floor")).to_have_text("Parole : Nadia")
    fanny.page.reload()
    fanny.reads(QUESTION)
    fanny.page.locator("form.step button").click()
    fanny.at("Demande")
    fanny.page.locator("form.step button").click()
    expect(fanny.page.get_by_role("alert")).to_contain_text("La suite n’ouvre pas")
    karim.page.reload()
    karim.at("Demande")


def test_a_refusal_without_javascript_gives_the_text_back(room: LiveRoom, phone):
    karim = seated(phone(java_script_enabled=False), room, "karim")
    karim.box("question").fill(QUESTION)
    room.pass_floor()
    karim.send("question")
    expect(karim.page.get_by_role("alert")).to_contain_text("C’est à Nadia de parler")
    expect(karim.box("question")).to_have_value(QUESTION)


def test_the_keyboard_alone_writes_and_sends(karim: Person):
    keyboard = karim.page.keyboard
    until_focused(karim, "#f-question-text")
    keyboard.type(QUESTION)
    until_focused(karim, "#f-question .send button")
    outline = karim.page.evaluate(
        "(style => style.outlineStyle + style.boxShadow)(getComputedStyle(document.activeElement))"
    )
    assert outline != "nonenone", "what has the focus does not show it"
    keyboard.press("Enter")
    expect(karim.card(QUESTION)).to_have_count(1)


def until_focused(person: Person, selector: str, most: int = 60) -> None:
    for _ in range(most):
        person.page.keyboard.press("Tab")
        if person.page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached with {most} times Tab")


def test_nothing_moves_for_those_who_asked_for_stillness(room: LiveRoom, phone):
    karim = seated(phone(reduced_motion="reduce"), room, "karim")
    room.write("karim", "question", QUESTION)
    karim.reads(QUESTION)
    until(karim.page, "document.getAnimations().every(each => each.effect.getTiming().duration <= 20)")


def test_a_printed_page_shows_what_was_written(room: LiveRoom, karim: Person):
    room.write("karim", "question", QUESTION)
    karim.reads(QUESTION)
    karim.page.emulate_media(media="print")
    expect(karim.card(QUESTION)).to_be_visible()
    expect(karim.page.locator("#say h1")).to_be_visible()
    karim.page.locator("#strip .where").wait_for()
