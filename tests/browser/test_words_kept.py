"""What is typed outside the room is kept by this device for its author alone, until the server has taken it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import Person, until
from tests.browser.test_axe import PHONE, accuse, violations_everywhere

BACK = "Ce que vous aviez écrit est revenu"
OLD = """() => {
    for (const [key, draft] of Object.entries(localStorage))
        localStorage[key] = JSON.stringify({ ...JSON.parse(draft), at: Date.now() - 7.1 * 86400e3 });
}"""
WORDS = "Demander d’abord, zqtypedqz"


@pytest.fixture(scope="module")
def world(own_server) -> dict[str, Any]:
    made = own_server.manage("shell", "-v0", "-c", "from tests.followup.world import main; main()")
    return json.loads(made.strip().splitlines()[-1]) | {"url": own_server.url}


@dataclass
class Device:
    """A telephone, and who is signed in on it."""

    person: Person
    world: dict[str, Any]

    @property
    def page(self) -> Page:
        return self.person.page

    def sign_in(self, who: str) -> None:
        """Nobody, for ""."""
        self.person.context.clear_cookies(name="session")
        if not who:
            return
        cookie = {"name": "session", "value": self.world["sessions"][who], "url": self.world["url"]}
        self.person.context.add_cookies([cookie])

    def at(self, path: str) -> Page:
        self.page.goto(self.world["url"] + self.world["paths"].get(path, path))
        return self.page

    def close_and_open(self, path: str) -> Page:
        self.page.close()
        self.person.open()
        return self.at(path)

    def kept(self) -> str:
        """All that the device holds, of whomever."""
        return self.page.evaluate("JSON.stringify(localStorage)")


@pytest.fixture
def device(browser, world) -> Iterator[Device]:
    context = browser.new_context(locale="fr-FR", viewport=PHONE)
    yield Device(Person(context, "Claire"), world)
    context.close()


def button(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name, exact=True).click()


def published(page: Page) -> None:
    button("Relire avant de publier")(page)
    page.get_by_label("J’ai relu").check()
    button("Publier sans mon nom")(page)


def leads_on(name: str) -> Callable[[Page], None]:
    """To another page, which is there once this returns."""

    def press(page: Page) -> None:
        with page.expect_navigation():
            button(name)(page)

    return press


def unable(page: Page) -> None:
    if page.get_by_role("heading", name="Venez-vous").count():
        leads_on("Je ne peux pas venir")(page)


def plan(page: Page) -> None:
    page.get_by_label("À des dates que je donne").check()
    page.locator("[name=days]").fill("12/01/2031\n13/01/2031")
    page.locator("[name=at]").fill("09:00")


def planned(page: Page) -> None:
    button("Voir les dates")(page)
    button("Confirmer ces séances")(page)


def circle(page: Page) -> None:
    page.locator("[name=name]").fill("Les passantes")
    page.locator("[name=facilitators]").fill("Fanny")


def nothing(page: Page) -> None: ...


# where, the field, what leads to it, what else is filled, what sends it
FORMS = [
    ("claire", "commitment", "gave", nothing, nothing, button("Enregistrer")),
    ("claire", "success", "word", nothing, nothing, button("Enregistrer")),
    ("claire", "/apprentissages/", "text", nothing, nothing, button("Garder pour moi")),
    ("claire", "publish", "text", nothing, nothing, published),
    ("claire", "meeting", "reason", unable, nothing, button("Garder")),
    ("", "tap unsaid", "learnt", leads_on("Répondre : tenu"), nothing, button("Ajouter ces mots")),
    ("rose", "values", "names", nothing, nothing, button("Enregistrer")),
    ("rose", "new circle", "purpose", nothing, circle, button("Créer le cercle")),
    ("fanny", "charter", "text", nothing, nothing, button("Proposer cette version")),
    ("fanny", "plan", "video_link", nothing, plan, planned),
]


def field(page: Page, name: str) -> Locator:
    return page.locator(f"form[data-words] [name={name}]")


def test_every_form_gives_back_what_was_typed_in_a_closed_tab_and_forgets_it_once_taken(device):
    for who, path, name, reach, fill, send in FORMS:
        words = "https://example.org/zqtypedqz" if name == "video_link" else WORDS
        device.sign_in(who)
        reach(device.at(path))
        open_folds(device.page)
        fill(device.page)
        field(device.page, name).fill(words)
        page = device.close_and_open(path)
        reach(page)
        expect(field(page, name), path).to_have_value(words)
        expect(field(page, name), path).to_be_visible()
        expect(page.locator("form[data-words] [role=status]").first).to_contain_text(BACK)
        send(page)
        until(page, "localStorage.length === 0")
    assert device.person.complaints == []


def typed(device: Device, path: str, name: str, words: str) -> Page:
    page = device.at(path)
    open_folds(page)
    field(page, name).fill(words)
    return page


def test_what_is_refused_or_met_by_an_expired_sign_in_is_kept(device):
    device.sign_in("claire")
    page = typed(device, "success", "did", " ")
    field(page, "word").fill("Merci, Karim.")
    button("Enregistrer")(page)
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(field(device.close_and_open("success"), "word")).to_have_value("Merci, Karim.")
    device.sign_in("")
    button("Enregistrer")(device.page)
    expect(device.page.get_by_role("heading", name="Se connecter")).to_be_visible()
    assert "Merci, Karim." in device.kept()
    device.sign_in("claire")
    expect(field(device.close_and_open("success"), "word")).to_have_value("Merci, Karim.")


def test_what_the_server_was_given_since_is_shown_beneath_and_words_can_be_dropped_by_keyboard(device):
    device.sign_in("fanny")
    page = typed(device, "change", "purpose", "Tapé ici")
    given = page.evaluate("Object.fromEntries(new FormData(document.querySelector('form[data-words]')))")
    given["purpose"] = "Écrit d’un autre appareil"
    assert page.context.request.post(page.url, form=given, headers={"Origin": device.world["url"]}).ok
    page = device.close_and_open("change")
    expect(field(page, "purpose")).to_have_value("Tapé ici")
    expect(page.locator(".returned details")).to_contain_text("Écrit d’un autre appareil")
    accuse(violations_everywhere(page, "words that are back"))
    page.get_by_role("button", name="L’oublier").press("Enter")
    expect(field(page, "purpose")).to_be_focused()
    expect(field(page, "purpose")).to_have_value("Écrit d’un autre appareil")
    expect(page.get_by_role("status").first).to_have_text("C’est oublié.")
    until(device.page, "localStorage.length === 0")


def test_words_go_with_what_they_were_of_and_with_age(device):
    device.sign_in("claire")
    typed(device, "success", "did", "Retiré avant d’être dit.")
    button("Retirer ma réussite")(device.page)
    expect(device.page.get_by_role("heading", name="Mon engagement")).to_be_visible()
    until(device.page, "localStorage.length === 0")
    typed(device, "commitment", "gave", "Trop ancien.")
    device.page.evaluate(OLD)
    expect(field(device.close_and_open("commitment"), "gave")).not_to_have_value("Trop ancien.")
    until(device.page, "localStorage.length === 0")


def test_words_are_given_back_to_nobody_else_and_signing_out_leaves_none(device):
    """The last test: Claire’s session ends with it."""
    device.sign_in("claire")
    typed(device, "/apprentissages/", "text", WORDS)
    device.sign_in("karim")
    open_folds(device.at("/apprentissages/"))
    expect(field(device.page, "text")).to_have_value("")
    expect(page_status(device.page)).to_have_count(0)
    assert WORDS in device.kept()
    device.sign_in("claire")
    page = device.at("/compte/")
    button("Se déconnecter")(page)
    expect(page.get_by_role("link", name="Se connecter")).to_be_visible()
    until(device.page, "localStorage.length === 0")


def open_folds(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")


def page_status(page: Page) -> Locator:
    return page.get_by_text(BACK)
