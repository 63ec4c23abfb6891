"""The pages of one's own in Chromium: nothing typed is lost, axe finds nothing, and no complaint in the console."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import services
from tests.browser.people import Person
from tests.browser.test_axe import accuse, violations_everywhere
from tests.conftest import Template

FURNISH = "from tests.home.town import main; main()"
SHOTS = os.environ.get("CORDEE_SHOTS", "")  # a folder to put pictures in


@pytest.fixture(scope="module")
def served(template: Template) -> Iterator[tuple[services.Server, dict[str, Any]]]:
    with template.server() as server:
        own = [sys.executable, str(services.ROOT / "manage.py"), "shell", "-v0", "-c", FURNISH]
        told = subprocess.run(own, env=server.env, cwd=services.ROOT, capture_output=True, text=True, check=True)
        yield server, json.loads(told.stdout.splitlines()[-1])


@pytest.fixture
def somebody(served, phone):
    """somebody("claire", "/accueil/"): a telephone on which she is signed in."""
    server, told = served

    def of(who: str, path: str) -> Person:
        context: BrowserContext = phone()
        context.add_cookies([{"name": "session", "value": told["sessions"][who], "url": server.url}])
        return Person(context, who, f"{server.url}{path}")

    return of


@pytest.fixture
def draft_path(served) -> str:
    return f"/situations/{served[1]['ids']['situation']}/"


def text(page: Page):
    return page.get_by_label("Racontez en une dizaine de lignes")


def kept(page: Page) -> None:
    expect(page.get_by_role("status")).to_have_text("Enregistré.")


def test_what_is_typed_is_on_the_server_within_seconds_and_after_a_reload(somebody, draft_path):
    claire = somebody("claire", draft_path)
    text(claire.page).fill("Tapé puis rechargé.")
    kept(claire.page)
    claire.page.reload()
    expect(text(claire.page)).to_have_value("Tapé puis rechargé.")
    assert claire.complaints == []


def test_a_page_closed_at_once_loses_nothing(somebody, draft_path):
    claire = somebody("claire", draft_path)
    text(claire.page).fill("Fermé aussitôt.")
    claire.page.reload()
    expect(text(claire.page)).to_have_value("Fermé aussitôt.")


def test_what_is_typed_offline_waits_on_the_device_and_leaves_when_the_line_is_back(somebody, draft_path):
    claire = somebody("claire", draft_path)
    claire.context.set_offline(True)
    text(claire.page).fill("Tapé dans le train.")
    expect(claire.page.get_by_role("status")).to_contain_text("Gardé sur cet appareil")
    claire.context.set_offline(False)
    kept(claire.page)
    other = somebody("claire", draft_path)
    expect(text(other.page)).to_have_value("Tapé dans le train.")


def test_what_was_typed_offline_before_the_tab_died_is_found_again(served, somebody, draft_path):
    claire = somebody("claire", draft_path)
    claire.context.set_offline(True)
    text(claire.page).fill("Tapé, onglet fermé.")
    claire.page.close()
    claire.context.set_offline(False)
    page = claire.open(f"{served[0].url}{draft_path}")
    expect(text(page)).to_have_value("Tapé, onglet fermé.")
    # Sent now, or by the dying tab once the network was back: then the page has had it from the server.
    expect(page.get_by_role("status")).to_contain_text("Enregistré")


def test_of_two_devices_both_versions_are_there(somebody, draft_path):
    desk, phone = somebody("claire", draft_path), somebody("claire", draft_path)
    text(desk.page).fill("Écrit au bureau.")
    kept(desk.page)
    text(phone.page).fill("Écrit sur le téléphone.")
    expect(phone.page.get_by_role("status")).to_contain_text("Une autre version existe")
    phone.page.reload()
    expect(text(phone.page)).to_have_value("Écrit sur le téléphone.")
    expect(phone.page.get_by_text("Écrit au bureau.")).to_be_visible()
    phone.page.get_by_role("button", name="Reprendre celle-ci").first.click()
    expect(text(phone.page)).to_have_value("Écrit au bureau.")


def test_it_works_without_javascript(served, browser, draft_path):
    server, told = served
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    context.add_cookies([{"name": "session", "value": told["sessions"]["claire"], "url": server.url}])
    page = context.new_page()
    page.goto(f"{server.url}{draft_path}")
    text(page).fill("Sans script.")
    page.get_by_role("button", name="Enregistrer").click()
    expect(text(page)).to_have_value("Sans script.")
    context.close()


def paths(ids: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Name -> (who, path) of each page."""
    return {
        "home": ("claire", "/accueil/"),
        "home of nobody's circle": ("thomas", "/accueil/"),
        "home of who leads": ("fanny", "/accueil/"),
        "home of who organises": ("rose", "/accueil/"),
        "situation": ("claire", f"/situations/{ids['situation']}/"),
        "situations": ("claire", f"/cercles/{ids['circle']}/situations/"),
        "a commitment": ("claire", "/engagements/c-3-karim/"),
        "my data": ("claire", "/compte/mes-donnees/"),
        "erasing my data": ("fanny", "/compte/mes-donnees/effacer/"),
        "erased": ("claire", "/compte/efface/"),
        "register": ("operator", "/compte/registre/"),
    }


def test_axe_finds_nothing_on_any_page(served, somebody):
    found, complaints = [], []
    for name, (who, path) in paths(served[1]["ids"]).items():
        person = somebody(who, path)
        found += violations_everywhere(person.page, name) + too_wide(person.page, name)
        complaints += person.complaints
        if SHOTS:
            shoot(person.page, name)
    accuse(found)
    assert complaints == []


def too_wide(page: Page, name: str) -> list[str]:
    """What sticks out of a phone's screen."""
    page.set_viewport_size({"width": 390, "height": 844})
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [f"{name} is {wide} pixels wide"] if wide > 390 else []


def shoot(page: Page, name: str) -> None:
    for width, scheme in ((390, "light"), (390, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=Path(SHOTS) / f"{name.replace(' ', '-')}-{width}-{scheme}.png", full_page=True)
