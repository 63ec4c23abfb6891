"""The pages of meetings, on a phone and on a desktop: axe finds nothing, nothing is cut, and one thumb is enough."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.test_axe import DESKTOP, PHONE, accuse, violations_everywhere

SEED = """
import json
from datetime import timedelta
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone
from cordee.circles import crypto, links
from cordee.circles.actions import meetings, polls
from cordee.circles.models import Attendance, Circle, Meeting, Membership, Situation
from cordee.circles.queries.meetings import slots
from tests.people import person, space_of, user

lake = space_of()
circle = Circle.objects.create(
    space=lake, name="Les Aravis", place="Salle du Lac, 3 quai des Cordiers, Annecy", quorum=4,
    video_link="https://visio.example.org/les-aravis", wrapped_key=crypto.new_wrapped_key(),
)
people = {}
for who in ("claire", "karim", "helene", "thomas", "nadia", "julien", "fanny"):
    people[who] = person(lake, who)
    role = "facilitator" if who == "fanny" else "member"
    Membership.objects.create(circle=circle, person=people[who], role=role, joined_at=timezone.now())
person(lake, "rose", roles=["organiser"])
day = (timezone.now() + timedelta(days=12)).replace(hour=8, minute=0, second=0, microsecond=0)
past = timezone.now() - timedelta(days=30)
over = meetings.plan(circle, [(past, past + timedelta(hours=3))])[0]
for who, minutes in (("claire", 175), ("karim", 160), ("fanny", 180)):
    Attendance.objects.create(meeting=over, person=people[who], arrived_at=past, minutes=minutes)
weeks = [day + timedelta(weeks=4 * i) for i in (0, 1)]
first, second = meetings.plan(circle, [(start, start + timedelta(hours=3, minutes=30)) for start in weeks])
for who, answer in (("claire", "coming"), ("karim", "absent"), ("helene", "absent"), ("thomas", "absent")):
    meetings.reply(first, people[who], answer, "un rendez-vous" if who == "karim" else "")
meetings.cancel(second)
now = timezone.now()
soon = meetings.plan(circle, [(now + timedelta(minutes=5), now + timedelta(hours=3))], rounds=2)[0]
Situation.objects.create(id="s1", circle=circle, person=people["claire"], meeting=soon, state="brought")
Situation.objects.create(id="s2", circle=circle, person=people["karim"], reserve=True)
poll = polls.poll(circle, [(day + timedelta(days=i), day + timedelta(days=i, hours=2)) for i in (1, 2, 7, 9)])
for who, said in (("claire", "yes no if_needed yes"), ("karim", "yes yes no no"), ("thomas", "if_needed no yes yes")):
    polls.answer(poll, people[who], dict(zip([each.pk for each in slots(poll)], said.split())))
Store = import_module(settings.SESSION_ENGINE).SessionStore
sessions = {}
for who in ("karim", "fanny", "rose"):
    store, account = Store(), user(who)
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(account.pk), settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = account.get_session_auth_hash()
    store.create()
    sessions[who] = store.session_key
print("SEED" + json.dumps({
    "circle": circle.pk, "over": over.pk, "first": first.pk, "second": second.pk, "soon": soon.pk, "poll": poll.pk,
    "sessions": sessions, "reply": links.make(links.REPLY, first.pk, people["nadia"].pk, 0),
    "available": links.make(links.AVAILABILITY, poll.pk, people["nadia"].pk),
}))
"""


@dataclass(frozen=True)
class Town:
    url: str
    known: dict[str, Any]

    def page(self, new: Callable[..., Any], who: str) -> Page:
        context = new()
        if who in self.known["sessions"]:
            context.add_cookies([{"name": "session", "value": self.known["sessions"][who], "url": self.url}])
        opened = context.new_page()
        assert isinstance(opened, Page)
        return opened


@pytest.fixture(scope="module")
def town(own_server) -> Iterator[Town]:
    said = own_server.manage("shell", "-c", SEED)
    yield Town(own_server.url, json.loads(said.partition("SEED")[2]))


PAGES = {
    "list": ("rose", "cercles/{circle}/seances/"),
    "plan": ("fanny", "cercles/{circle}/seances/planifier/"),
    "propose": ("fanny", "cercles/{circle}/seances/disponibilites/"),
    "in-doubt": ("fanny", "seances/{first}/"),
    "absent": ("karim", "seances/{first}/"),
    "cancelled": ("karim", "seances/{second}/"),
    "door": ("karim", "seances/{soon}/"),
    "over": ("karim", "seances/{over}/"),
    "move": ("fanny", "seances/{first}/changer/"),
    "cancel": ("fanny", "seances/{first}/annuler/"),
    "thumb": ("karim", "seances/{poll}/disponibilites/"),
    "table": ("fanny", "seances/{poll}/disponibilites/"),
    "link": ("nobody", "seances/reponse/{reply}/"),
    "one-button": ("nobody", "seances/reponse/{reply}/?r=coming"),
    "poll-link": ("nobody", "seances/disponibilites/{available}/"),
    "agenda": ("karim", "agenda/"),
}


def look(page: Page, name: str) -> list[str]:
    """What axe finds, and what is wider than the screen; the folded parts are opened."""
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    found = violations_everywhere(page, name)
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found.append(f"{name} is {wide} px wider than a screen of {size['width']}")
        if folder := os.environ.get("CORDEE_SHOTS"):
            page.emulate_media(color_scheme="dark" if "door" in name else "light")
            page.screenshot(path=str(Path(folder) / f"{name}-{size['width']}.png"), full_page=True)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_is_cut(desktop, town, name):
    who, path = PAGES[name]
    page = town.page(desktop, who)
    page.goto(f"{town.url}/{path.format(**town.known)}")
    accuse(look(page, name))


def test_a_cycle_is_planned_on_a_phone_without_a_script(phone, town):
    context = phone(java_script_enabled=False)
    context.add_cookies([{"name": "session", "value": town.known["sessions"]["fanny"], "url": town.url}])
    page = context.new_page()
    page.goto(f"{town.url}/cercles/{town.known['circle']}/seances/planifier/")
    page.get_by_label("Première séance").fill("2028-04-27")
    page.get_by_label("Nombre de séances").fill("3")
    assert not page.get_by_label("Dates", exact=True).is_visible()  # what is not asked is not shown
    page.get_by_role("button", name="Voir les dates").click()
    assert page.get_by_text("Férié").count() == 1  # the 25th of May 2028 is Ascension Day
    if folder := os.environ.get("CORDEE_SHOTS"):
        page.screenshot(path=str(Path(folder) / "preview-390.png"), full_page=True)
    page.get_by_role("button", name="Confirmer ces séances").click()
    page.get_by_text("3 séances sont prévues").wait_for()


def test_availability_is_answered_with_one_thumb(phone, town):
    page = town.page(phone, "nobody")
    page.goto(f"{town.url}/seances/disponibilites/{town.known['available']}/")
    boxes = [each.bounding_box() for each in page.locator(".thumb").all()]
    assert len(boxes) == 12 and all(box["height"] >= 44 and box["width"] >= 44 for box in boxes)
    for slot in page.locator(".slot").all():
        slot.locator(".thumb.yes").tap()
    page.get_by_role("button", name="Envoyer mes disponibilités").click()
    page.get_by_text("C’est noté").wait_for()
    assert page.locator(".thumb input:checked").count() == 4


def test_one_comes_with_one_touch(phone, town):
    page = town.page(phone, "karim")
    page.goto(f"{town.url}/seances/{town.known['soon']}/")
    page.get_by_role("button", name="Je viens").tap()
    page.get_by_role("heading", name="Vous venez").wait_for()
