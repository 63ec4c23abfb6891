"""The pages of circles in a real browser, without JavaScript: composed, signed, a place taken; axe finds nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_axe import accuse, violations_everywhere


@pytest.fixture(scope="module")
def scene(own_server) -> dict[str, Any]:
    made = own_server.manage("shell", "-v0", "-c", "from tests.circles.scene import main; main()")
    return json.loads(made.strip().splitlines()[-1]) | {"url": own_server.url}


def opened(browser, scene: dict[str, Any], who: str, path: str, **options: Any) -> Page:
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844}, **options)
    context.add_cookies([{"name": "session", "value": scene["sessions"][who], "url": scene["url"]}])
    page = context.new_page()
    page.goto(scene["url"] + path.format(**scene))
    return page


PAGES = {
    "my circles": ("claire", "/cercles/"),
    "circles of the space": ("rose", "/espaces/{space}/cercles/"),
    "none found": ("rose", "/espaces/{space}/cercles/?q=introuvable"),
    "numbers": ("rose", "/espaces/{space}/cercles/en-nombres/"),
    "new circle": ("rose", "/espaces/{space}/cercles/nouveau/"),
    "a member's circle": ("claire", "/cercles/{circle}/"),
    "a facilitator's circle": ("fanny", "/cercles/{circle}/"),
    "an ended circle": ("claire", "/cercles/{ended}/"),
    "composition": ("rose", "/cercles/{circle}/membres/?q=a"),
    "change": ("fanny", "/cercles/{circle}/modifier/"),
    "end": ("rose", "/cercles/{circle}/clore/"),
    "leave": ("claire", "/cercles/{circle}/quitter/"),
    "an offered place": ("helene", "/cercles/{circle}/place/"),
    "a changed charter": ("claire", "/cercles/{circle}/charte/"),
    "the charter of who left": ("thomas", "/cercles/{circle}/charte/"),
    "a former charter": ("fanny", "/cercles/{circle}/charte/1/"),
    "a new charter": ("fanny", "/cercles/{circle}/charte/modifier/"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_used_by_everyone_and_nothing_is_cut(name, browser, scene):
    who, path = PAGES[name]
    page = opened(browser, scene, who, path)
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    found = violations_everywhere(page, name)
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
    page.context.close()
    accuse(found)


@pytest.fixture
def rose(browser, scene) -> Iterator[Page]:
    page = opened(browser, scene, "rose", "/espaces/{space}/cercles/", java_script_enabled=False)
    yield page
    page.context.close()


def test_a_circle_is_made_composed_and_its_charter_signed_without_javascript(rose, browser, scene):
    rose.get_by_role("link", name="Créer un cercle").click()
    rose.get_by_label("Nom du cercle").fill("Les tisserands")
    rose.get_by_label("Animateur·rice").fill("Personne")
    rose.get_by_role("button", name="Créer le cercle").click()
    expect(rose.get_by_role("alert")).to_contain_text("n’est pas dans les personnes de l’espace")
    expect(rose.get_by_label("Nom du cercle")).to_have_value("Les tisserands")
    rose.get_by_label("Animateur·rice").fill("Fanny")
    rose.get_by_role("button", name="Créer le cercle").click()
    expect(rose.get_by_role("heading", level=1)).to_have_text("Composer le cercle")
    for name in ("Claire", "Karim"):
        rose.get_by_label("Nom, site, équipe…").fill(name)
        rose.get_by_role("button", name="Chercher").click()
        rose.get_by_role("button", name=f"Ajouter {name}").click()
    expect(rose.get_by_text("Karim est responsable hiérarchique de Claire.")).to_be_visible()
    number = rose.url.split("/")[4]
    claire = opened(browser, scene, "claire", f"/cercles/{number}/", java_script_enabled=False)
    claire.get_by_role("link", name="Lire et signer la charte").click()
    claire.get_by_role("button", name="Je signe cette charte").click()
    expect(claire.get_by_text("Vous avez signé cette version")).to_be_visible()
    expect(claire.get_by_role("heading", name="Signatures : 1 sur 3")).to_be_visible()
    claire.context.close()


def test_an_offered_place_is_taken_without_javascript(browser, scene):
    helene = opened(browser, scene, "helene", "/cercles/", java_script_enabled=False)
    helene.get_by_role("link", name="Répondre").click()
    helene.get_by_role("button", name="Prendre cette place").click()
    expect(helene.get_by_role("heading", level=1)).to_have_text("Les éclaireurs")
    expect(helene.get_by_role("listitem").filter(has_text="Hélène").first).to_be_visible()
    helene.context.close()


def test_a_charter_is_printed_without_what_surrounds_it(browser, scene):
    page = opened(browser, scene, "fanny", "/cercles/{circle}/charte/")
    page.emulate_media(media="print")
    expect(page.locator(".charter")).to_be_visible()
    for hidden in (".no-print", "form", ".site-header nav", ".site-footer"):
        for each in page.locator(hidden).all():
            expect(each).to_be_hidden()
    expect(page.get_by_role("heading", name="Signatures")).to_be_visible()
    page.context.close()
