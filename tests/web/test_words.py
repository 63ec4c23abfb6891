"""Every long text that is typed outside the room is kept until the server took it; what it took is told once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django import forms
from django.apps import apps
from django.test import Client

from cordee.accounts.models import Space
from cordee.web import words
from tests.people import person, signed_in, space_of, user

ROOT = Path(words.__file__).parents[1]
POSTED = re.compile(r"<form\b(?P<attributes>(?:{[{%].*?[%}]}|[^>])*)>(?P<inside>.*?)</form>", re.DOTALL)
FIELD = re.compile(r"field=\w+\.(\w+)")
NOT_KEPT = {
    "web/503.html": "it gives back what was posted, and what its form kept is still on the device",
}


def templates() -> Iterator[tuple[str, str]]:
    """Name and source of each, with what it includes without a name of its own put in; the room's are the room's."""
    for app in apps.get_app_configs():
        folder = Path(app.path) / "templates"
        if app.name.startswith("cordee.") and app.name != "cordee.room":
            for path in sorted(folder.rglob("*.html")):
                yield str(path.relative_to(folder)), path.read_text()


def long_fields() -> set[str]:
    """The names of the fields that any form draws as a box of several lines."""
    found = set[str]()
    every = [forms.BaseForm]
    while every:
        each = every.pop()
        every += each.__subclasses__()
        if each.__module__.startswith("cordee."):
            found |= {name for name, field in each.base_fields.items() if isinstance(field.widget, forms.Textarea)}
    return found


def test_each_form_with_a_long_text_keeps_it_or_says_why_not():
    long, seen = long_fields(), set[str]()
    assert {"purpose", "names", "days", "scope", "word"} <= long
    lost = []
    for name, source in templates():
        for form in POSTED.finditer(source):
            inside, attributes = form["inside"], form["attributes"]
            drawn = set(FIELD.findall(inside)) & long or "<textarea" in inside or "circles/parts/fields.html" in inside
            if 'method="post"' not in attributes or not drawn:
                continue
            seen.add(name)
            if "data-words=" not in attributes and name not in NOT_KEPT:
                lost.append(name)
    assert not lost, f"{lost}: give the form data-words, or say in NOT_KEPT why its words may be lost"
    assert seen >= NOT_KEPT.keys(), "an exception that is none any more"
    assert len(seen) >= 12


# ---------------------------------------------------------------- what was taken


@pytest.fixture
def rose(db: None) -> Client:
    person(space_of(), "rose", roles=("organiser",))
    return signed_in("rose")


def values() -> str:
    return f"/espaces/{Space.objects.get().pk}/valeurs/changer/"


def told(client: Client, path: str = "/cercles/") -> str:
    found = re.search('data-taken="([^"]*)"', client.get(path).content.decode())
    assert found, "the page has no script that keeps"
    return found[1]


def test_the_next_page_says_once_what_was_taken(rose):
    assert rose.post(values(), {"names": "Courage", "kept": 'values-1 "><b>'}).status_code == 302
    assert told(rose) == "values-1 b"
    assert told(rose) == ""


def test_what_is_refused_or_sent_by_nobody_is_not_taken(rose):
    assert rose.post(values(), {"names": "Courage\nCourage", "kept": "values-1"}).status_code == 400
    assert told(rose) == ""
    nobody = Client()
    sent = nobody.post(
        values(), {"names": "Courage", "kept": "values-1"}, headers={"Referer": "http://testserver/a/?b"}
    )
    assert sent.headers["Location"] == "/compte/connexion/?next=/a/"
    assert words.TAKEN not in nobody.session


def test_what_is_kept_is_under_a_name_of_its_owner_that_says_nothing_of_them(rose):
    karim = user("karim")
    assert words.owner(user("rose")) in rose.get("/cercles/").content.decode()
    assert words.owner(user("rose")) != words.owner(karim)
    assert re.fullmatch("[0-9a-f]{20}", words.owner(karim))
