"""In a real browser with a virtual key: come in by the code, add a key, leave, come in by the key; axe on each page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import CDPSession, Page

from tests.accounts.conftest import CODE
from tests.browser.people import Person
from tests.browser.test_axe import accuse, violations_everywhere
from tests.conftest import Template

SETUP = """
from tests.people import person, space_of
lake = space_of()
rose = person(lake, "rose", roles=("organiser", "sponsor"), site="Annecy")
rose.user.is_operator = True
rose.user.save()
for who in ("karim", "claire", "fanny"):
    person(lake, who, site="Annecy", branch="Production", level="Cadre", manager=rose)
"""
LETTER = "from cordee.mail.models import Letter; print(Letter.objects.order_by('pk').last().text)"


@pytest.fixture(scope="module")
def served(template: Template) -> Iterator:
    with template.server() as server:
        server.manage("shell", "-v0", "-c", SETUP)
        yield server


@pytest.fixture
def rose(served, desktop) -> Person:
    """Rose's browser, at a name: a passkey is bound to one."""
    return Person(desktop(), "rose", site(served) + "/compte/connexion/")


def site(served) -> str:
    return served.url.replace("127.0.0.1", "localhost")


def with_a_key(page: Page) -> CDPSession:
    """Give this browser an authenticator that knows its owner's finger."""
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    line.send("WebAuthn.addVirtualAuthenticator", {"options": kind})
    return line


def come_in(page: Page, served) -> None:
    page.get_by_label("Votre adresse e-mail").fill("rose@example.org")
    page.get_by_role("button", name="Recevoir un code").click()
    page.get_by_label("Code reçu").fill(CODE.search(served.manage("shell", "-v0", "-c", LETTER))[1])  # type: ignore[index]
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("link", name="Mon compte : Rose").wait_for()


def path(page: Page) -> str:
    return re.sub(r"^https?://[^/]+", "", page.url)


def test_by_the_code_then_by_a_key(rose, served):
    page = rose.page
    with_a_key(page)
    found = violations_everywhere(page, "sign in")
    come_in(page, served)
    page.goto(site(served) + "/compte/cles/nouvelle/")
    found += violations_everywhere(page, "new key")
    page.get_by_label("Un nom pour la reconnaître").fill("Mon téléphone")
    page.get_by_role("button", name="Créer la clé").click()
    page.wait_for_url("**/compte/cles/")
    assert page.get_by_label("Nom de la clé").input_value() == "Mon téléphone"
    found += violations_everywhere(page, "keys")
    page.get_by_role("link", name="Mon compte : Rose").click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.get_by_role("link", name="Se connecter").click()
    page.get_by_role("button", name="Entrer avec une clé d’accès").click()
    page.get_by_role("link", name="Mon compte : Rose").wait_for()
    page.goto(site(served) + "/compte/confirmer/")
    found += violations_everywhere(page, "confirm")
    page.get_by_role("button", name="Entrer avec une clé d’accès").click()
    page.wait_for_url("**/compte/cles/")
    assert rose.complaints == []  # the Content-Security-Policy refused nothing
    accuse(found)


def test_who_has_no_key_is_told_so_and_may_ask_for_a_code(rose, served):
    page = rose.page
    page.evaluate("() => { navigator.credentials.get = () => Promise.reject(new Error('nothing here')); }")
    page.get_by_role("button", name="Entrer avec une clé d’accès").click()
    page.get_by_text("La clé d’accès n’a pas répondu").wait_for()
    assert path(page) == "/compte/connexion/"


def test_at_an_address_without_a_name_no_key_is_offered(served, phone):
    page = Person(phone(), "rose", served.url + "/compte/connexion/").page
    page.get_by_role("button", name="Recevoir un code").wait_for()
    assert not page.get_by_role("button", name="Entrer avec une clé d’accès").is_visible()


def test_every_page_of_a_space_can_be_used_by_everyone(rose, served):
    page = rose.page
    here = site(served)
    found = []
    page.get_by_label("Votre adresse e-mail").fill("rose@")
    page.locator("form").first.evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="Recevoir un code").click()
    page.get_by_role("alert").first.wait_for()
    found += violations_everywhere(page, "no address")
    come_in(page, served)
    for where in ("/compte/", "/compte/appareils/", "/espaces/", "/espaces/nouveau/", "/espaces/1/", "/espaces/1/nom/",
                  "/espaces/1/personnes/", "/espaces/1/personnes/nouvelle/", "/personnes/2/", "/personnes/2/depart/",
                  "/espaces/1/personnes/liste/", "/espaces/1/valeurs/", "/espaces/1/valeurs/changer/"):  # fmt: skip
        page.goto(here + where)
        assert page.get_by_role("heading", level=1).count() == 1, where
        found += violations_everywhere(page, where)
        for size in (390, 1280):
            page.set_viewport_size({"width": size, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{where} is cut at {size}"
    for name, text in {"good": "Nom;Mail\nNadia;nadia@example.org\n", "bad": "Nom;Mail\nNadia;nadia\n"}.items():
        page.goto(f"{here}/espaces/1/personnes/liste/")
        page.get_by_label("Fichier").set_input_files(
            {"name": "liste.csv", "mimeType": "text/csv", "buffer": text.encode()}
        )
        page.get_by_role("button", name="Voir ce qui changerait").click()
        page.get_by_role("heading", name="Ce que la liste changerait").wait_for()
        found += violations_everywhere(page, f"{name} list")
    accuse(found)
