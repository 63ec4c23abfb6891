"""Each letter, in both languages: what it says, and that its text and its HTML say the same."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.db import transaction

from cordee.mail import letters
from cordee.mail.models import Letter
from tests.mail.every import CIRCLE, EVERY, KARIM, MEETING
from tests.web.test_translations import FRENCH

pytestmark = pytest.mark.django_db
BOTH = [(kind, language) for kind in EVERY for language in ("fr", "en")]


class Words(HTMLParser):
    """What an HTML letter says, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.links, self.tags, self._silent = "", [], set(), False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self._silent = tag in {"style", "title"}
        self.links += [value for name, value in attributes if name == "href"]
        self.text += " "

    def handle_endtag(self, tag):
        self._silent = False
        self.text += " "

    def handle_data(self, data):
        self.text += "" if self._silent else data


def written(kind: str, language: str = "fr", **reader: str) -> Letter:
    EVERY[kind](f"{kind}:{language}", replace(KARIM, language=language, **reader))
    return Letter.objects.latest("pk")


@pytest.mark.parametrize(("kind", "language"), BOTH)
def test_text_and_html_say_the_same_and_lead_to_the_same_places(kind, language):
    letter = written(kind, language)
    html = Words(letter.html)
    links = re.findall(r"https?://\S+", letter.text)
    assert set(links) == set(html.links)
    words = re.sub(r"https?://\S+|\W+", " ", letter.text).split()
    assert words and not [word for word in words if word not in html.text]
    assert [part for part in letter.gist["paragraphs"] if part in letter.text] == letter.gist["paragraphs"] != []


@pytest.mark.parametrize(("kind", "language"), BOTH)
def test_each_is_in_the_language_of_its_reader(kind, language):
    letter = written(kind, language)
    said = f"{letter.subject} {letter.text}".replace(CIRCLE, "").replace("Salle des Cèdres", "").lower()
    said = re.sub(r"https?://\S+", "", said)
    assert bool(FRENCH.search(said)) == (language == "fr")


@pytest.mark.parametrize("kind", EVERY)
def test_nothing_of_a_letter_is_fetched_from_anywhere(kind):
    letter = written(kind)
    assert not Words(letter.html).tags & {"img", "script", "link", "iframe", "object", "form", "video", "audio"}
    assert not re.search(r"url\(|@import|src=|\son\w+=", letter.html)


@pytest.mark.parametrize("kind", sorted(set(EVERY) - {"sign_in_code"}))
def test_a_key_is_posted_once(kind):
    assert EVERY[kind]("same", KARIM) is True
    assert EVERY[kind]("same", KARIM) is False
    assert Letter.objects.count() == 1


def test_it_is_in_the_transaction_of_who_posts_it():
    with pytest.raises(RuntimeError), transaction.atomic():
        EVERY["prepare"]("lost", KARIM)
        raise RuntimeError
    assert not Letter.objects.exists()


@pytest.mark.parametrize(
    ("time_zone", "when"),
    [("Europe/Paris", "de 09:30 à 12:30 (heure de Paris)"),
     ("America/New_York", "de 03:30 à 06:30 (heure de New York)"),
     ("Nowhere/Land", "de 09:30 à 12:30 (heure de Paris)"), ("../etc/passwd", "de 09:30 à 12:30 (heure de Paris)")],
)  # fmt: skip
def test_times_are_those_of_the_reader(time_zone, when):
    assert when in written("convocation", time_zone=time_zone).text


def test_a_meeting_over_two_days_says_both():
    ends = MEETING["ends_at"].replace(day=6)
    letters.convocation("two days", KARIM, **{**MEETING, "ends_at": ends})
    assert "du mardi 5 mars 2030, 09:30, au mercredi 6 mars 2030, 12:30" in Letter.objects.get().text


def test_hostile_names_stay_names():
    hostile = "Lac\r\nBcc: all@example.org\n\n<script>alert(1)</script>\u202egpj.exe\x00"
    letters.circle_invitation("x", replace(KARIM, name=hostile), circle=hostile, inviter=hostile, url="/cercles/1/")
    letter = Letter.objects.get()
    assert letter.subject.isprintable() and "\u202e" not in letter.text + letter.html
    assert "\nBcc" not in letter.text and "<script>" not in letter.html and "&lt;script&gt;" in letter.html


def test_a_place_is_not_made_a_link():
    letters.convocation("x", KARIM, **{**MEETING, "place": "www.example.com"})
    assert "www.example.com" not in " ".join(Words(Letter.objects.get().html).links)
