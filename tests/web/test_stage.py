"""Every page of a round, for everyone: complete, clean, and made of forms that the engine understands."""

import re
from collections.abc import Iterator
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from django.template.loader import render_to_string
from django.test import RequestFactory

from cordee.engine import commands as c
from cordee.engine.commands import COMMANDS
from cordee.room.forms import NOT_BY_FORM
from tests.characters import CLIENT, FACILITATOR, MEMBERS, Room, circle, opening, play
from tests.web.pages import all_stages, played, stage

ROOT = Path(settings.BASE_DIR)
TEMPLATES = [*ROOT.glob("cordee/web/templates/**/*.html"), *ROOT.glob("cordee/room/templates/**/*.html")]
QUIET_PAGES = ["web/home.html", "400.html", "403.html", "403_csrf.html", "404.html", "500.html"] + [
    f"room/{name}.html" for name in ("join", "code", "new", "lost", "record")
]
NOT_FIELDS = {"do", "csrfmiddlewaretoken"}


class Page(HTMLParser):
    """What a page is made of: its elements, its ids, and the fields of its forms."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.forms: list[dict[str, list[str]]] = []
        self.attributes: list[dict[str, str]] = []
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag == "form":
            self.inside = True
            self.forms.append({})
            self.attributes.append(attributes)
        elif self.inside and "name" in attributes:
            self.forms[-1].setdefault(attributes["name"], []).append(attributes.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False

    def acts(self) -> Iterator[tuple[str, dict[str, list[str]]]]:
        """(command, fields) of every form that posts an act."""
        for attributes, form in zip(self.attributes, self.forms, strict=True):
            if "data-act" in attributes:
                assert attributes["action"] == "contributions"
                assert attributes["method"] == "post"
                for name in form["do"]:
                    yield name, form


@pytest.fixture(scope="module")
def stages() -> list[tuple[str, str, str]]:
    """Rendered so that an undefined variable shows."""
    engine = engines["django"].engine
    before, engine.string_if_invalid = engine.string_if_invalid, "!!undefined %s!!"
    try:
        return list(all_stages())
    finally:
        engine.string_if_invalid = before


def test_no_page_uses_an_undefined_variable(stages):
    for moment, seat, html in stages:
        found = re.findall(r"!!undefined .*?!!", html)
        assert not found, f"{seat}, {moment}: {set(found)}"


def test_no_page_needs_an_exception_to_the_content_security_policy(stages):
    for moment, seat, html in stages:
        for tag, attributes in Page(html).elements:
            assert tag != "style", f"{seat}, {moment}: a <style>"
            assert tag != "script" or "src" in attributes, f"{seat}, {moment}: an inline script"
            bad = [name for name in attributes if name == "style" or name.startswith("on")]
            assert not bad, f"{seat}, {moment}: <{tag} {bad}>"


def test_every_id_is_unique_and_every_label_names_a_field(stages):
    for moment, seat, html in stages:
        page = Page(html)
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids)), f"{seat}, {moment}: {sorted({i for i in ids if ids.count(i) > 1})}"
        labels = {attributes["for"] for tag, attributes in page.elements if tag == "label" and "for" in attributes}
        assert labels <= set(ids), f"{seat}, {moment}: {labels - set(ids)}"
        targets = {attributes["popovertarget"] for _, attributes in page.elements if "popovertarget" in attributes}
        assert targets <= set(ids), f"{seat}, {moment}: {targets - set(ids)}"


def test_every_form_asks_for_a_command_that_exists_with_fields_it_has(stages):
    for moment, seat, html in stages:
        for name, form in Page(html).acts():
            assert name in COMMANDS, f"{seat}, {moment}: do={name}"
            known = {field.name for field in fields(COMMANDS[name])} - {"seat"}
            given = {field.split(".")[0] for field in form} - NOT_FIELDS
            # Several buttons of one form may ask for several commands: what one does not know is left aside.
            assert given <= known or len(form["do"]) > 1, f"{seat}, {moment}: {name} has no {given - known}"


def test_a_form_of_contribution_has_the_boxes_of_its_kind(stages):
    kinds = circle().state.protocol.kinds
    for moment, seat, html in stages:
        for name, form in Page(html).acts():
            if name == "write":
                boxes = {box.id for box in kinds[form["kind"][0]].fields}
                given = {field[5:] for field in form if field.startswith("body.")}
                assert given == boxes, f"{seat}, {moment}: {form['kind']}"


def test_the_shared_screen_has_nothing_to_press(stages):
    for moment, seat, html in stages:
        if seat == "screen":
            pressed = [tag for tag, _ in Page(html).elements if tag in {"form", "button", "textarea", "input"}]
            assert not pressed, f"{moment}: {pressed}"


def test_who_waits_at_the_door_reads_nothing_of_the_room(stages):
    html = next(html for moment, seat, html in stages if (moment, seat) == ("door", "octave"))
    assert "à la porte" in html
    assert not [name for name in ("Claire", "Karim", "Matériaux") if name in html]


def test_the_facilitator_alone_has_a_hand_and_the_invitation(stages):
    for moment, seat, html in stages:
        assert ('class="hand"' in html) == (seat == FACILITATOR), f"{seat}, {moment}"
        assert ("KLMN-PQRS" in html) == (seat == FACILITATOR), f"{seat}, {moment}"


def test_a_draft_comes_back_in_its_field_and_what_was_typed_is_escaped():
    room = play(circle(), until="questions")
    html = stage(room, "karim", {"question": {"text": "Et <b>toi</b> ?"}})
    assert re.search(r'name="body\.text"[^>]*data-draft-at[^>]*>\nEt &lt;b&gt;toi&lt;/b&gt; \?</textarea>', html)
    assert "<b>toi</b>" not in html


def test_a_moving_command_says_where_it_was_pressed():
    room = played("entering questions")
    acts = list(Page(stage(room, FACILITATOR)).acts())
    for name in ("next", "back", "extend", "go_to", "close"):
        assert all(form["seen"] == [room.view(FACILITATOR).position] for act, form in acts if act == name), name
    passing = [form for name, form in acts if name == "pass_floor"]
    assert [form["seen"] for form in passing] == [[room.view(FACILITATOR).ring.holder]]


def test_the_facilitator_reveals_in_the_name_of_a_client_without_a_screen():
    room = played("entering traitement")
    room.do(c.Leave(seat=CLIENT))
    room.do(c.Hold(seat=FACILITATOR, target=CLIENT))
    room.do(c.Return(seat=FACILITATOR, target=CLIENT))
    reveals = [form for name, form in Page(stage(room, FACILITATOR)).acts() if name == "reveal"]
    assert [form["behalf"] for form in reveals] == [[CLIENT]]


def test_sorting_is_offered_to_the_client_only():
    room = played("entering traitement")
    offered = {
        seat: any(form.get("mark") == ["sorted"] for _, form in Page(stage(room, seat)).acts())
        for seat in (CLIENT, "karim", FACILITATOR)
    }
    assert offered == {CLIENT: True, "karim": False, FACILITATOR: False}


def test_what_may_be_done_with_a_proposed_theme_is_offered_to_who_may():
    room = played("themes ouvertures")
    for seat, may in ((FACILITATOR, True), ("karim", True), (CLIENT, True), ("screen", False)):
        html = stage(room, seat)
        offered = {name for name, _ in Page(html).acts()}
        assert ({"give_theme", "decline_theme", "ask_themes"} <= offered) == may, seat
        assert "thème proposé" in html.lower() and "Oser demander" in html
    room = played("themes suggestions")
    assert "Thème proposé" in stage(room, FACILITATOR) and "thème proposé" in stage(room, "screen")
    for seat in (CLIENT, "karim"):
        assert "ask_themes" not in stage(room, seat) and "thème proposé" not in stage(room, seat)
        assert "give_theme" not in stage(room, seat)
    assert {"give_theme", "decline_theme"} <= {name for name, _ in Page(stage(room, FACILITATOR)).acts()}


def test_the_values_of_the_space_are_listed_once_for_all_the_fields_that_take_one():
    room = opening(Room(), values=("Le courage", "L’écoute <b>"))
    room.seat(FACILITATOR, role="facilitator", appointed=True)
    room.seat(*MEMBERS, appointed=True)
    play(room, through="ouvertures")
    html = stage(room, "karim")
    assert html.count('id="known-value"') == 1 < html.count('list="known-value"')
    assert '<option value="Le courage">' in html and "L’écoute &lt;b&gt;" in html
    assert "known-value" not in stage(room, "screen")


def test_a_theme_is_shown_as_it_was_written():
    room = played("themes ouvertures")
    learnt = room.shown("learning")[0].id
    room.mark("karim", learnt, "theme", "Retirer <b>")  # also a word of ours, which would be translated
    html = stage(room, "karim", language="en")
    assert "<h2>Retirer &lt;b&gt;</h2>" in html and "<b>" not in html.split("Retirer")[1][:20]


@pytest.mark.parametrize("name", QUIET_PAGES)
def test_the_quiet_pages_render_without_a_context_of_their_own(name):
    html = render_to_string(name, {}, RequestFactory().get("/"))
    page = Page(html)
    assert [tag for tag, _ in page.elements].count("h1") == 1
    assert not [attributes for _, attributes in page.elements if "style" in attributes]


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "500.html"])
def test_an_error_page_renders_without_a_request(name):
    assert "<h1>" in render_to_string(name)


def test_the_room_refuses_no_act_that_a_page_offers(stages):
    offered = {name for _, _, html in stages for name, _ in Page(html).acts()}
    assert not offered & NOT_BY_FORM


def test_every_sentence_of_a_template_goes_through_gettext():
    loose = {}
    for path in TEMPLATES:
        if path.name in {"413.html", "500.html"}:
            continue  # static, in both languages, so that they show when nothing else works
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"{% block body %}.*?{% endblock %}", " ", text)  # attributes of <body>
        text = re.sub(r"{% (blocktranslate|comment).*?{% end\1 %}", " ", text, flags=re.S)
        text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", text, flags=re.S)
        attributes = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*\w[^"]*)"', text)
        words = re.sub(r"<[^>]*>", " ", text)
        found = [*re.findall(r"[^\W\d_]{2,}", words), *attributes]
        found = [word for word in found if word not in {"Cordée", "min", "OK"}]
        if found:
            loose[path.name] = found
    assert not loose


def test_what_we_send_stays_light():
    import gzip

    ours = [*ROOT.glob("cordee/web/static/web/*.css"), *ROOT.glob("cordee/web/static/web/*.js")]
    assert len(ours) >= 6
    assert sum(len(gzip.compress(path.read_bytes())) for path in ours) < 31_000
