"""axe finds nothing to reproach, on any page and at any step, for anybody, light or dark, on a phone or a desktop."""

from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page

from cordee.engine import commands as c
from tests.browser.over_http import LiveRoom
from tests.browser.people import Person
from tests.characters import ACTS, next_round, play

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = {"type": "rule", "values": ["color-contrast"]}
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
EYES = ("claire", "karim", "fanny", "screen")
SILENT = {"ressentis": "feeling", "suggestions": "suggestion", "ouvertures": "learning"}


def violations(page: Page, contrast: bool | None = None) -> list[str]:
    """What axe holds against the page as it is now: one sentence for each rule and element.

    ``contrast``: that of colours alone, or everything but that, which takes more than half of axe's time.
    """
    if not page.evaluate("typeof window.axe !== 'undefined'"):
        page.evaluate(AXE)  # by the debugger, which our Content-Security-Policy does not bind
    wish = {"runOnly": COLOURS if contrast else {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    if contrast is False:
        wish["rules"] = {"color-contrast": {"enabled": False}}
    found = page.evaluate(
        "wish => axe.run(document, wish).then(({ violations }) =>"
        " violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html} ${node.failureSummary}`)))",
        wish,
    )
    return [" ".join(each.split())[:600] for each in found]


def violations_everywhere(page: Page, where: str) -> list[str]:
    """390 and 1280 pixels wide, light and dark. Colours alone change in the dark, and none with the width."""
    found = []
    for size, scheme, contrast in ((PHONE, "light", None), (DESKTOP, "light", False), (DESKTOP, "dark", True)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{where}, {size['width']}, {scheme}: {each}" for each in violations(page, contrast)]
    return found


def accuse(found: list[str]) -> None:
    assert not found, f"{len(found)} violations\n" + "\n".join(found[:40])


# ---------------------------------------------------------------- the room


@pytest.fixture(scope="module")
def room(own_server) -> Iterator[LiveRoom]:
    room = LiveRoom(own_server.url)
    yield room
    room.close()


@pytest.fixture(scope="module")
def eyes(browser, room) -> Iterator[dict[str, Person]]:
    """Four pages that stay open through the whole round, as people's do."""
    contexts = {seat: browser.new_context(locale="fr-FR", viewport=PHONE) for seat in EYES}
    yield {
        seat: Person(context, seat, room.screen_url if seat == "screen" else room.places[seat])
        for seat, context in contexts.items()
    }
    for context in contexts.values():
        context.close()


def look(room: LiveRoom, eyes: dict[str, Person], moment: str) -> list[str]:
    found = []
    title = room.state.protocol.step(room.step).title
    for seat, person in eyes.items():
        person.at(title)
        # The folded parts are read too.
        person.page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
        found += violations_everywhere(person.page, f"{seat} at {room.step} ({moment})")
    return found


@pytest.mark.parametrize("step", ACTS)
def test_a_step_can_be_used_by_everyone(step: str, room: LiveRoom, eyes: dict[str, Person]):
    arrive(room, step)
    found = []
    if step in SILENT:
        for seat in room.consultants()[:3]:
            room.write(seat, SILENT[step], "Quelques mots.")
        found += look(room, eyes, "in silence")
    elif step in {"choix", "traitement"}:
        found += look(room, eyes, "on arriving")
    play(room, through=step)
    accuse(found + look(room, eyes, "at its end"))


def arrive(room: LiveRoom, step: str) -> None:
    """To the beginning of this step, so that each of these tests can run alone too."""
    if room.step != step:
        if list(ACTS).index(step) > 0 and list(ACTS)[list(ACTS).index(step) - 1] == room.step and done(room):
            room.next()
        else:
            play(room, until=step)


def done(room: LiveRoom) -> bool:
    return bool(room.state.course.client) and not room.view(room.leader).hand.gate


def test_what_is_recalled_hidden_waiting_or_behind_a_sheet_can_be_used_by_everyone(room, eyes):
    if room.step != "renforcement":
        play(room, through="renforcement")
    next_round(room, "karim")
    story = room.write("karim", "story", "Il est arrivé en retard ce matin encore.")
    room.do(c.Hide(seat="fanny", id=story))
    room.do(c.SetDoor(seat="fanny", waiting=True))
    found = look(room, eyes, "second round")
    fanny = eyes["fanny"].page
    fanny.set_viewport_size(PHONE)
    for name, opener in {"hand": ".key.more", "invite": "[popovertarget=invite]", "mine": ".chip.me"}.items():
        fanny.locator(opener).first.click()
        found += [f"sheet {name}: {each}" for each in violations(fanny)]
        fanny.keyboard.press("Escape")
    accuse(found)


def test_a_closed_room_and_its_record_can_be_used_by_everyone(room, eyes):
    if not room.state.course.client:
        play(room)
    room.do(c.SetDoor(seat="fanny", waiting=False))
    room.do(c.Close(seat="fanny", reason="Nous manquons de temps."))
    found = []
    for seat, person in eyes.items():
        person.reads("La séance est terminée")
        found += violations_everywhere(person.page, f"{seat} in a closed room")
    for seat in ("claire", "karim", "fanny"):
        page = eyes[seat].page
        page.goto(f"{room.url}/salle/{room.id}/bilan/")
        found += violations_everywhere(page, f"record of {seat}")
    accuse(found)


# ---------------------------------------------------------------- the pages around


@pytest.mark.parametrize("path", ["/", "/salles/nouvelle/", "/rejoindre/", "/place/inconnue/", "/nulle-part/"])
def test_a_page_can_be_used_by_everyone(path: str, own_server, desktop):
    person = Person(desktop(), path, own_server.url + path)
    accuse(violations_everywhere(person.page, path))


def test_the_catalogue_can_be_used_by_everyone(own_server, desktop):
    page = Person(desktop(), "catalogue", own_server.url).page
    page.get_by_role("navigation").get_by_role("link", name="Ateliers").click()
    found = violations_everywhere(page, "catalogue")
    page.get_by_role("link", name="Pratiquer le co-développement").first.click()
    accuse(found + violations_everywhere(page, "workshop"))


def test_joining_and_its_errors_can_be_used_by_everyone(own_server, desktop):
    room = LiveRoom(own_server.url, members=("claire",))
    page = Person(desktop(), "joining", room.join_url).page
    found = violations_everywhere(page, "join")
    page.get_by_label("Votre prénom").fill("Claire")
    page.get_by_role("button", name="Entrer").click()
    page.get_by_role("alert").wait_for()
    found += violations_everywhere(page, "join, refused")
    page.goto(f"{own_server.url}/rejoindre/")
    page.get_by_label("Code de la salle").fill("ABCDE-23456")
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("alert").wait_for()
    found += violations_everywhere(page, "code, refused")
    room.do(c.SetDoor(seat="fanny", waiting=True))
    page.goto(room.join_url)
    page.get_by_label("Votre prénom").fill("Marc")
    page.get_by_role("button", name="Entrer").click()
    page.locator("[data-waiting]").wait_for()
    found += violations_everywhere(page, "at the door")
    room.close()
    accuse(found)
