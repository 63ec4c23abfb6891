"""What the browser side of the room promises: live, never a word lost, each act sent once. In real Chromium."""

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import BrowserContext, Page, expect

QUESTION = "Comment annoncer la fusion à une équipe fatiguée ?"


@pytest.fixture
def room(server, phone):
    """Fanny's page, and how others come in: room.join("Karim")."""
    return Meeting(server.url, phone)


class Meeting:
    def __init__(self, url: str, phone) -> None:
        self.phone = phone
        self.errors: list[str] = []
        self.fanny = self.page(phone())
        self.fanny.goto(url)
        self.fanny.get_by_label("Votre prénom").fill("Fanny")
        self.fanny.get_by_role("button", name="Ouvrir une salle").click()
        expect(self.fanny.locator(".hand")).to_be_attached()
        self.link = self.fanny.locator("#invite .copy a").get_attribute("href")

    def page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if "Content Security" in line.text else None)
        return page

    def join(self, name: str, **options: object) -> Page:
        page = self.page(self.phone(**options))
        page.goto(self.link)
        page.get_by_label("Votre prénom").fill(name)
        page.get_by_role("button", name="Entrer").click()
        expect(page.locator("#stage")).to_be_attached()
        if options.get("java_script_enabled", True):
            # Before its script has come, a page sends plain forms, which leave it.
            expect(page.locator("html.scripted")).to_be_attached(timeout=30_000)
        return page


def field(page: Page):
    return page.get_by_label("Votre situation en une question")


def send(page: Page) -> None:
    page.locator("#f-situation").get_by_role("button", name="Envoyer").click()


def test_what_one_writes_the_others_read_without_reloading(room):
    karim, nadia = room.join("Karim"), room.join("Nadia")
    expect(room.fanny.locator("[data-seat]")).to_have_count(3)
    field(karim).fill(QUESTION)
    send(karim)
    for page in (nadia, room.fanny, karim):
        expect(page.locator("#g-situation .card")).to_have_count(1)
        expect(page.locator("#g-situation")).to_contain_text(QUESTION)
    expect(karim.locator(".seat.me")).to_contain_text("Karim")
    assert room.errors == []


def test_what_the_page_offers_for_a_field_stays_before_what_the_room_has_said_each_once(room):
    karim, helene, nadia = room.join("Karim"), room.join("Hélène"), room.join("Nadia")
    html = '<datalist id="known-value"><option value="Le courage"></option></datalist>'
    html += "".join(
        f'<input list="known-value" value="{said}">' for said in ("La patience", "Le courage", "La patience")
    )
    nadia.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", html)
    for number, page in enumerate((karim, helene), 1):  # each message draws the list anew
        field(page).fill(QUESTION)
        send(page)
        expect(nadia.locator("#g-situation .card")).to_have_count(number)
        expect(nadia.locator("#known-value option")).to_have_count(2)
    offered = nadia.evaluate("[...document.getElementById('known-value').options].map(option => option.value)")
    assert offered == ["Le courage", "La patience"] and room.errors == []


def test_a_refusal_is_said_beside_the_form_and_keeps_the_words(room):
    karim = room.join("Karim")
    field(karim).fill("x" * 400)
    send(karim)
    expect(karim.locator("#f-situation").get_by_role("alert")).to_contain_text("160")
    expect(field(karim)).to_have_value("x" * 400)


def test_a_retired_seat_is_told_and_shows_the_room_no_more(room):
    karim, nadia = room.join("Karim"), room.join("Nadia")
    field(nadia).fill(QUESTION)
    send(nadia)
    expect(karim.locator("#groups")).to_contain_text(QUESTION)
    room.fanny.get_by_role("button", name="Tout ce que je peux faire").click()
    room.fanny.locator(".person", has_text="Karim").locator("summary").click()
    room.fanny.get_by_role("button", name="Retirer de la salle").locator("visible=true").click()
    expect(karim.get_by_role("status").filter(has_text="Votre place a été retirée")).to_be_visible()
    expect(karim.locator("#groups")).not_to_contain_text(QUESTION)


def test_what_is_unfolded_stays_unfolded(room):
    karim, _nadia = room.join("Karim"), room.join("Nadia")
    note = karim.locator("details.aside").first
    note.locator("summary").click()
    pass_on = karim.get_by_role("button", name="J’ai parlé")
    expect(pass_on).to_be_visible()
    room.fanny.get_by_role("button", name="Passer la parole").click()
    expect(pass_on).to_have_count(0)  # the part that holds the note has been morphed
    expect(note.locator("textarea")).to_be_visible()


def test_a_question_that_is_advice_is_said_to_its_author_alone_and_can_be_kept_for_later(room):
    claire, karim = room.join("Claire"), room.join("Karim")
    field(claire).fill(QUESTION)
    send(claire)
    room.fanny.get_by_role("button", name="Choisir").click()
    for step in ("Récit", "Questions"):
        room.fanny.get_by_role("button", name="Suite").click()
        for page in (room.fanny, karim):  # pressed on a page that is still at the step before, it changes nothing
            expect(page.locator(".where strong")).to_have_text(step)
    asked = karim.get_by_label("Ma question")
    asked.fill("Pourquoi ne demandes-tu pas à ton directeur ? À ta place je lui écrirais.")
    kept = karim.get_by_role("button", name="Garder pour les pistes")
    kept.click()
    expect(asked).to_have_value("")
    expect(kept).to_be_hidden()
    expect(karim.locator("#g-seed .card")).to_have_count(1)
    expect(karim.locator("#g-question .card")).to_have_count(0)


def test_words_whose_form_went_with_its_step_are_shown_and_can_be_kept(room):
    claire, karim = room.join("Claire"), room.join("Karim")
    field(claire).fill(QUESTION)
    send(claire)
    expect(karim.locator("#g-situation .card")).to_have_count(1)
    field(karim).fill("Comment lancer le tutorat ?")
    room.fanny.get_by_role("button", name="Choisir").click()
    room.fanny.get_by_role("button", name="Suite").click()
    expect(karim.locator("#outbox")).to_contain_text("Comment lancer le tutorat ?")
    karim.get_by_role("button", name="Garder dans mes notes").click()
    expect(karim.locator("#g-note .card")).to_have_count(1)
    expect(karim.locator("#outbox .waiting")).to_have_count(0)


def test_a_draft_whose_form_was_drawn_anew_before_it_was_sent_is_sent_whole(room):
    """A morph may move the fields into another form: the one that was typed in is empty then."""
    karim = room.join("Karim")
    with karim.expect_request("**/brouillon") as sent:
        field(karim).fill(QUESTION)
        karim.evaluate(
            """() => {
                const old = document.querySelector("form[data-draft=situation]"), fresh = old.cloneNode(false);
                fresh.append(...old.childNodes);
                old.replaceWith(fresh);
            }"""
        )
    assert "fusion" in (sent.value.post_data or "")


def test_a_place_of_the_ring_that_changes_by_itself_is_drawn_where_it_was(room):
    """A piece of a drawing comes alone: it must be a drawing still, in its own place."""
    karim, claire = room.join("Karim"), room.join("Claire")
    place = claire.locator(".seat", has_text="Karim")
    expect(place).to_have_count(1)
    before = place.locator(".disc").bounding_box()
    field(karim).fill(QUESTION)
    send(karim)
    expect(place.locator(".wrote path")).to_be_visible()
    assert place.locator(".disc").bounding_box() == before
    assert claire.evaluate("[...document.querySelectorAll('[data-seat] *')].every((el) => el instanceof SVGElement)")
    expect(claire.locator(".seat.me")).to_contain_text("Claire")


def kept_of_the_room(page: Page) -> list[str]:
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('cordee:'))")


def leave(page: Page) -> None:
    page.locator("button.me").click()
    page.get_by_role("button", name="Quitter la salle sur cet appareil").click()


def test_who_leaves_a_room_leaves_nothing_of_it_on_the_device(room):
    karim = room.join("Karim")
    link, stage = karim.locator("#mine .copy a").get_attribute("href"), karim.url
    with karim.expect_response("**/brouillon"):
        field(karim).fill(QUESTION)
    assert kept_of_the_room(karim)
    leave(karim)
    expect(karim.get_by_role("heading", name="Vous avez quitté la salle")).to_be_visible()
    assert kept_of_the_room(karim) == []
    karim.go_back()
    expect(karim.locator("#stage")).to_have_count(0)
    assert karim.goto(stage).status == 404
    karim.goto(link)
    expect(field(karim)).to_have_value(QUESTION)  # the server had it
    assert room.errors == []


def test_words_that_have_not_left_hold_back_who_leaves(room):
    karim = room.join("Karim")
    karim.context.set_offline(True)
    field(karim).fill(QUESTION)
    send(karim)
    expect(karim.locator("#outbox .waiting")).to_have_count(1)
    leave(karim)
    expect(karim.locator("#mine .said")).to_contain_text("Des mots ne sont pas encore partis")
    assert kept_of_the_room(karim)
    karim.context.set_offline(False)
    expect(room.fanny.locator("#g-situation")).to_contain_text(QUESTION)
    expect(karim.locator("#outbox .waiting")).to_have_count(0)
    karim.get_by_role("button", name="Quitter la salle sur cet appareil").click()
    expect(karim.get_by_role("heading", name="Vous avez quitté la salle")).to_be_visible()
