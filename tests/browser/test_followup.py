"""What is kept, in Chromium: nothing is cut, axe finds nothing, and the keyboard is enough for what a page is for.

One browser for each person, which walks from page to page: opening browsers is what costs.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import Person
from tests.browser.test_axe import PHONE, accuse, violations_everywhere


@pytest.fixture(scope="module")
def world(own_server) -> dict[str, Any]:
    made = own_server.manage("shell", "-v0", "-c", "from tests.followup.world import main; main()")
    return json.loads(made.strip().splitlines()[-1]) | {"url": own_server.url}


@pytest.fixture(scope="module")
def claire(browser, world) -> Iterator[Person]:
    context = browser.new_context(locale="fr-FR", viewport=PHONE)
    context.add_cookies([{"name": "session", "value": world["sessions"]["claire"], "url": world["url"]}])
    yield Person(context, "Claire", world["url"])
    context.close()


def at(claire: Person, world: dict[str, Any], path: str) -> Page:
    claire.page.set_viewport_size(PHONE)
    claire.page.goto(world["url"] + world["paths"].get(path, path))
    return claire.page


PAGES = ("/engagements/", "commitment", "tap", "success", "successes", "balance", "closing", "book")
PAGES += ("/apprentissages/", "recalled", "publish", "published")


def test_axe_finds_nothing_and_no_page_is_wider_than_its_screen(claire, world):
    found = []
    for name in PAGES:
        page = at(claire, world, name)
        page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
        found += too_wide(page, name) + violations_everywhere(page, name)
    assert claire.complaints == []
    accuse(found)


def too_wide(page: Page, name: str) -> list[str]:
    found = []
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"{name} is {wide} pixels wide on a screen of {width}")
    return found


# ---------------------------------------------------------------- by keyboard alone


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until this has the focus, and shows it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            assert wanted.evaluate("each => getComputedStyle(each).outlineStyle !== 'none' || each.type === 'radio'")
            return
    raise AssertionError(f"Tab never comes to {wanted}")


def press(page: Page, name: str) -> None:
    tab_to(page, page.get_by_role("button", name=name))
    page.keyboard.press("Enter")


def test_where_one_stands_is_said_by_keyboard(claire, world):
    page = at(claire, world, "commitment")
    tab_to(page, page.get_by_label("tenu"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_label("Ce que cela a donné"))
    page.keyboard.press("Control+A")
    page.keyboard.type("Il a écouté.")
    press(page, "Enregistrer")
    expect(page.get_by_label("Ce que cela a donné")).to_have_value("Il a écouté.")
    expect(page.get_by_label("tenu")).to_be_checked()


def test_a_letter_is_answered_by_keyboard(claire, world):
    page = at(claire, world, "tap")
    press(page, "Répondre : tenu")
    expect(page.get_by_role("heading", level=1)).to_have_text("C’est noté : tenu.")


def test_a_success_is_told_anew_by_keyboard_and_printed_without_what_surrounds_it(claire, world):
    page = at(claire, world, "success")
    tab_to(page, page.get_by_label("Ce que j’ai fait"))
    page.keyboard.press("Control+A")
    page.keyboard.type("J’ai demandé d’abord.")
    press(page, "Enregistrer")
    expect(page.locator(".successes")).to_contain_text("J’ai demandé d’abord.")
    page.emulate_media(media="print")
    expect(page.locator(".successes")).to_be_visible()
    for hidden in (".no-print", ".site-header nav", ".site-footer"):
        for each in page.locator(hidden).all():
            expect(each).to_be_hidden()
    page.emulate_media(media="screen")


def test_the_bilan_is_printed_and_ones_book_taken_by_keyboard(claire, world):
    page = at(claire, world, "closing")
    page.emulate_media(media="print")
    for hidden in (".no-print", ".site-header nav", ".site-footer"):
        for each in page.locator(hidden).all():
            expect(each).to_be_hidden()
    page.emulate_media(media="screen")
    tab_to(page, page.get_by_role("link", name="Emporter mon carnet"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="Mon carnet en Markdown"))
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert "zqkeptthenqz" in taken.value.path().read_text()


def test_the_picture_of_giving_is_hidden_from_all_by_keyboard(claire, world):
    page = at(claire, world, "balance")
    expect(page.locator("figure.giving")).to_be_visible()
    press(page, "Ne plus le montrer")
    expect(page.locator("figure.giving")).to_have_count(0)


@pytest.mark.parametrize(("path", "field"), [("/apprentissages/", "#text"), ("published", "#q")])
def test_one_searches_by_keyboard(claire, world, path, field):
    page = at(claire, world, path)
    tab_to(page, page.locator(field))
    page.keyboard.type("annoncer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator(".learnt .words").first).to_be_visible()
    assert "annoncer" not in page.url
    accuse(violations_everywhere(page, f"what {path} finds"))


def test_one_says_by_keyboard_that_a_learning_helps(claire, world):
    page = at(claire, world, "recalled")
    first = page.get_by_role("button", name="Cela m’aide").first
    tab_to(page, first)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Vous avez dit que cela vous aide.")).to_be_visible()


def test_one_publishes_and_withdraws_by_keyboard(claire, world):
    page = at(claire, world, "publish")
    tab_to(page, page.locator("#text"))
    page.keyboard.press("Control+A")
    page.keyboard.type("Dire tôt ce que je sais à Karim")
    press(page, "Relire avant de publier")
    expect(page.locator("mark")).to_have_text("Karim")
    accuse(violations_everywhere(page, "reading again before publishing") + too_wide(page, "reading again"))
    tab_to(page, page.get_by_label("J’ai relu"))
    page.keyboard.press("Space")
    press(page, "Publier sans mon nom")
    expect(page.get_by_text("Dire tôt ce que je sais à Karim")).to_be_visible()
    press(page, "Retirer")
    expect(page.get_by_role("button", name="Retirer")).to_have_count(0)
