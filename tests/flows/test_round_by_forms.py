"""A whole round of MENTOR without JavaScript: every act is a plain form found on the page and posted as it is."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from django.test import Client

from tests.characters import SITUATIONS
from tests.room.rooms import ORIGIN

pytestmark = pytest.mark.django_db


@dataclass
class Form:
    """A form of the page: its hidden and filled fields, and its buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: list[list[str]] = field(default_factory=list)  # [label, name, value]
    disabled: bool = False


class Reader(HTMLParser):
    """The forms of a page, as a browser without JavaScript sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.form: Form | None = None
        self.inside = ("", "")
        self.feed(page)

    def handle_starttag(self, tag: str, attributes) -> None:
        own = {name: value or "" for name, value in attributes}
        name = own.get("name", "")
        if tag == "form":
            self.form = Form(own["action"]) if own.get("method") == "post" and "action" in own else None
            self.found += [self.form] if self.form else []
        elif self.form and tag in {"input", "textarea", "select"}:
            self.form.names.add(name)
            if own.get("type") == "hidden":
                self.form.fields[name] = own.get("value", "")
            self.inside = (tag, name)
        elif self.form and tag == "button" and own.get("type") != "button":
            self.form.buttons.append([own.get("aria-label", ""), name, own.get("value", "")])
            self.form.disabled |= "disabled" in own
            self.inside = (tag, name)

    def handle_endtag(self, tag: str) -> None:
        self.form = None if tag == "form" else self.form
        self.inside = ("", "") if tag == self.inside[0] else self.inside

    def handle_data(self, data: str) -> None:
        tag, name = self.inside
        if self.form and tag == "textarea":
            self.form.fields[name] = self.form.fields.get(name, "") + data.strip("\n")
        elif self.form and tag == "button":
            self.form.buttons[-1][0] += " ".join(data.split())


def forms(page: str) -> list[Form]:
    return Reader(page).found


class Person:
    """Somebody with an old browser."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.client = Client(**ORIGIN)
        self.address = ""

    def sit(self, address: str) -> None:
        answer = self.client.post(address, {"name": self.name})
        assert answer.status_code == 302, answer.content.decode()[:2000]
        self.address = answer["Location"]

    @property
    def page(self) -> str:
        answer = self.client.get(self.address)
        assert answer.status_code == 200
        return answer.content.decode()

    def find(self, do: str, label: str = "", **given: str) -> tuple[Form, list[str]]:
        for form in forms(self.page):
            for button in form.buttons:
                asked = form.fields.get("do") or (button[2] if button[1] == "do" else "")
                same = all(form.fields.get(name) == value for name, value in given.items())
                if asked == do and same and label in button[0]:
                    return form, button
        raise AssertionError(f"{self.name} has no form {do} {label} {given}")

    def press(self, do: str, label: str = "", *, typed: dict[str, str] | None = None, **given: str) -> None:
        """Fill in and send the first form of the page that does this, by its button of that label."""
        form, (_, name, value) = self.find(do, label, **given)
        assert not form.disabled, f"{self.name} may not {do} now"
        posted = form.fields | {f"body.{k}": v for k, v in (typed or {}).items()}
        assert set(posted) <= form.names, f"{set(posted) - form.names} is no field of {do}"
        if name:
            posted[name] = value
        answer = self.client.post(self.address + form.action, posted)
        assert answer.status_code == 302, re.findall(r'role="alert">(.*?)</p>', answer.content.decode())

    def write(self, kind: str, **typed: str) -> None:
        self.press("write", kind=kind, typed=typed)

    def can(self, do: str, **given: str) -> bool:
        try:
            return not self.find(do, **given)[0].disabled
        except AssertionError:
            return False


@pytest.fixture
def people() -> dict[str, Person]:
    fanny = Person("Fanny")
    fanny.sit("/salles/nouvelle/")
    code = re.search(r"/s/(\w+)/", fanny.page)[1]
    others = [Person(name) for name in ("Claire", "Karim", "Hélène", "Nadia")]
    for person in others:
        person.sit(f"/s/{code}/")
    return {person.name: person for person in (fanny, *others)}


def speak_in_turn(people: dict[str, Person], who: list[Person], act=None) -> None:
    """Each in turn, as the page gives them the floor."""
    waiting = list(who)
    while waiting:
        now = [person for person in waiting if person.can("pass_floor")]
        assert len(now) == 1, [person.name for person in now]
        if act:
            act(now[0])
        now[0].press("pass_floor")
        waiting.remove(now[0])


def test_a_whole_round_is_played_by_plain_forms(people):
    fanny, claire, karim, helene, nadia = people.values()
    consultants = [karim, helene, nadia]

    # choix
    for person, situation in ((claire, "claire"), (karim, "karim")):
        holder = [p for p in people.values() if p.can("write", kind="situation")]
        while person not in holder:
            fanny.press("pass_floor")
            holder = [p for p in people.values() if p.can("write", kind="situation")]
        body = SITUATIONS[situation]
        person.write("situation", **body)
    assert "Comment annoncer une réorganisation" in nadia.page
    for person in (claire, *consultants):
        assert not re.search(r"\d voix", person.page)
        person.press("write", "Je vote", kind="vote", **{"body.choice": card(person.page, "Comment annoncer")})
    assert "4 voix" in nadia.page
    fanny.press("choose", situation=card(fanny.page, "Comment annoncer"))
    fanny.press("next")

    # récit
    claire.write("story", text="J’ai déjà repoussé l’annonce deux fois.")
    karim.write("note", text="Demander depuis quand.")
    assert "Demander depuis quand." in karim.page
    assert "Demander depuis quand." not in fanny.page
    fanny.press("next")

    # questions
    speak_in_turn(people, consultants, lambda p: p.write("question", text=f"Question de {p.name} ?"))
    claire.press("mark", mark="answered")
    assert "Question de Nadia ?" in claire.page
    fanny.press("next")

    # demande: the gate is shut until the client has validated
    assert "La suite s’ouvre quand « Demande » est validée." in fanny.page
    answer = fanny.client.post(f"{fanny.address}contributions", {"do": "next"})
    assert answer.status_code == 409
    assert "La suite n’ouvre pas" in answer.content.decode()
    claire.write("request", text="Je voudrais que vous m’aidiez à préparer l’annonce.")
    for person in consultants:
        person.press("mark", mark="acknowledged")
    claire.press("mark", mark="validated")
    fanny.press("next")

    # ressentis and suggestions: silent, revealed, in turn
    for kind, words in (("feeling", "Ressenti"), ("suggestion", "Piste")):
        if kind == "suggestion":
            karim.press("draw_card")
        for person in consultants:
            person.write(kind, text=f"{words} de {person.name}.")
        for person in people.values():
            seen = {p.name for p in consultants if f"{words} de {p.name}." in person.page}
            assert seen == ({person.name} if person in consultants else set())
        fanny.press("reveal")
        for person in people.values():
            assert all(f"{words} de {p.name}." in person.page for p in consultants)
        speak_in_turn(people, consultants)
        fanny.press("next")

    # traitement: the sorting is the client's alone
    claire.press("mark", "Je garde", mark="sorted")
    claire.write("takeaway", text="Je retiens de dire ce que j’ignore.")
    claire.write("commitment", **{"if": "Lundi", "then": "je vois chacun", "date": "2026-12-04", "witness": ""})
    assert "je vois chacun" not in karim.page
    claire.press("reveal")
    assert "je vois chacun" in karim.page
    assert 'aria-pressed="true">Je garde' in claire.page
    assert "Je garde" not in karim.page and "Je garde" not in fanny.page
    fanny.press("next")

    # ouvertures: protected
    assert "Étape protégée" in fanny.page
    for person in (claire, *consultants):
        person.write("learning", text=f"Appris par {person.name}.")
    fanny.press("reveal")
    speak_in_turn(people, [claire, *consultants])
    fanny.press("next")

    # renforcement, and the next one begins
    fanny.press("choose", situation=card(fanny.page, "Comment recadrer"))
    fanny.press("next_round")
    assert "consultation 2" in karim.page
    for _ in range(2):
        fanny.press("undo")

    # the end: everyone takes home what is theirs
    fanny.press("close")
    assert "La séance est terminée" in nadia.page
    for person in people.values():
        record = person.client.get(f"{person.address}bilan/")
        assert record.status_code == 200
        text = record.content.decode()
        assert "Piste de Karim." in text
        assert ("Demander depuis quand." in text) == (person is karim)
    assert not [f for f in forms(karim.page) if f.fields.get("do") in {"write", "mark"}]


def card(page: str, words: str) -> str:
    """The id of the card that holds these words."""
    for id_, text in re.findall(r'<article id="c-([^"]+)"(.*?)</article>', page, re.S):
        if words in html.unescape(text):
            return id_
    raise AssertionError(f"no card says {words}")
