"""Two meetings of a circle in real browsers: one's place on two devices, the opening, a pause, the board; axe looks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from tests import services
from tests.browser.people import Person
from tests.browser.test_axe import accuse, violations, violations_everywhere
from tests.conftest import LONG, Template

BUILD = """
import json
from datetime import timedelta
from django.utils import timezone
from cordee.followup.actions import successes
from cordee.followup.models import Commitment
from tests.people import signed_in
from tests.room.circles import Lake
from tests.room.test_harvest import WHO, close, whole
lake = Lake(*WHO)
close(whole(lake))
promise = Commitment.objects.get()
lines = {"situation": "Attendre.", "did": "Les voir.", "gave": "Ils savaient.", "word": "pour ta question"}
successes.tell(promise, promise.circle.key(), lines, lake.people["karim"])
second, later = lake.meeting(), lake.meeting(in_hours=24 * 30)
cookies = {who: signed_in(who).cookies["session"].value for who in ("fanny", "rose", *WHO)}
print(json.dumps({"meeting": second.pk, "later": later.pk, "space": lake.space.pk, "cookies": cookies}))
"""


@dataclass
class Town:
    server: services.Server
    made: dict[str, Any]

    def cookie(self, who: str) -> list[dict[str, str]]:
        return [{"name": "session", "value": self.made["cookies"][who], "url": self.server.url}]

    def at(self, context, who: str, path: str) -> Person:
        context.add_cookies(self.cookie(who))
        return Person(context, who.capitalize(), f"{self.server.url}{path}")

    def enter(self, context, who: str) -> Person:
        person = self.at(context, who, f"/seances/{self.made['meeting']}/salle/")
        person.is_live()
        return person


@pytest.fixture(scope="module")
def town(template: Template) -> Iterator[Town]:
    with template.server() as server:
        made = json.loads(server.manage("shell", "-v", "0", "-c", BUILD).splitlines()[-1])
        yield Town(server, made)


def test_a_meeting_from_its_page_to_its_pause(town: Town, phone, desktop):
    karim = town.enter(phone(), "karim")
    expect(karim.page.get_by_text("Personne n’anime encore.")).to_be_visible()
    found = violations_everywhere(karim.page, "karim, nobody leads")
    fanny, claire = town.enter(desktop(), "fanny"), town.enter(phone(), "claire")
    expect(karim.page.get_by_text("Personne n’anime encore.")).to_have_count(0)
    again = town.enter(desktop(), "karim")

    def me(person: Person) -> str | None:
        return person.page.locator("body").get_attribute("data-me")

    assert me(again) == me(karim) != me(claire)
    expect(fanny.page.locator(".ring li")).to_have_count(3)

    card = claire.page.locator(".card.k-carried")
    card.get_by_role("button", name="Tenu").click()
    gave, learnt = card.get_by_label("Ce que cela a donné"), card.get_by_label("Ce que j’ai appris")
    gave.fill("Trois personnes sur cinq m’ont remerciée.")
    learnt.fill("On m’attendait.")
    expect(claire.page.locator(".clock.turn .left")).to_contain_text("Claire : ")
    claire.page.reload()
    expect(gave).to_have_value("Trois personnes sur cinq m’ont remerciée.")
    card.locator(".m-gave").get_by_role("button", name="OK").click()
    expect(learnt).to_have_value("On m’attendait.")
    card.locator(".m-learnt").get_by_role("button", name="OK").click()
    expect(learnt).to_have_value("On m’attendait.")
    for person in (karim, again, fanny):
        expect(person.page.locator(".card.k-carried")).to_contain_text("Trois personnes sur cinq")
        expect(person.page.locator(".card.k-carried")).to_contain_text("Tenu")
        expect(person.page.locator(".card.k-carried")).to_contain_text("On m’attendait.")
        expect(person.page.locator(".card.k-success")).to_contain_text("Merci à Karim : pour ta question")
    for person in (claire, karim, fanny):
        found += violations_everywhere(person.page, f"{person.name} at the opening")

    fanny.page.set_viewport_size({"width": 1280, "height": 800})
    fanny.page.get_by_role("button", name="10 min", exact=True).click()
    for person in (karim, again, claire, fanny):
        expect(person.page.locator(".clock:not(.turn) .left")).to_contain_text("Pause, reprise à")
    found += violations(karim.page)
    assert [each for person in (karim, again, claire, fanny) for each in person.complaints] == []
    accuse(found)


def test_the_pages_around_it_can_be_used_by_everyone(town: Town, phone, desktop):
    helene = town.at(phone(), "helene", f"/seances/{town.made['later']}/salle/")
    expect(helene.page.get_by_role("button", name="Ouvrir la salle maintenant")).to_be_visible()
    found = violations_everywhere(helene.page, "long before")
    inside = town.enter(phone(), "helene")
    inside.page.goto(f"{inside.page.url}bilan/")
    found += violations(inside.page)
    rose = town.at(desktop(), "rose", f"/tableau/{town.made['space']}/")
    expect(rose.page.locator(".board-room")).to_have_count(2)
    found += violations_everywhere(rose.page, "the board")
    assert helene.complaints == rose.complaints == []
    accuse(found)


def test_the_board_follows_by_itself(town: Town, desktop):
    rose = town.at(desktop(), "rose", f"/tableau/{town.made['space']}/")
    fanny = town.enter(desktop(), "fanny")
    with rose.page.expect_response(lambda answer: "/tableau/" in answer.url, timeout=2 * LONG):
        fanny.page.wait_for_timeout(10)
    expect(rose.page.locator(".board-room.is-paused, .board-room.is-going")).to_have_count(1)
    assert rose.complaints == []


def test_a_guest_takes_their_seat_into_their_account(town: Town, phone):
    octave = phone()
    guest = Person(octave, "Octave", f"{town.server.url}/salles/nouvelle/")
    guest.page.get_by_label("Votre prénom").fill("Octave")
    guest.page.locator("main button.primary").click()
    guest.is_live()
    guest.page.locator(".chip.me").click()
    guest.page.get_by_role("link", name="Rattacher cette place à mon compte").click()
    found = violations_everywhere(guest.page, "claim, not signed in")
    octave.add_cookies(town.cookie("karim"))
    guest.page.reload()
    found += violations_everywhere(guest.page, "claim")
    guest.page.get_by_role("button", name="Rattacher cette place").click()
    expect(guest.page.get_by_role("heading", name="Cette place est à vous")).to_be_visible()
    found += violations_everywhere(guest.page, "claimed")
    guest.page.get_by_role("link", name="Revenir à la salle").click()
    guest.is_live()
    guest.page.locator(".chip.me").click()
    expect(guest.page.get_by_text("rattachée à votre compte")).to_be_visible()
    assert guest.complaints == []
    accuse(found)
