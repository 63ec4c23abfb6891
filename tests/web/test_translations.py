"""The catalogues are complete, compiled and up to date; the pages speak the reader's language, French by default."""

import ast
import gettext
import re
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from cordee.ops.management.commands.translations import WORDS, written
from tests.characters import CLIENT, FACILITATOR
from tests.web.pages import played, stage

ROOT = Path(settings.BASE_DIR)
TEMPLATES = [path for path in ROOT.glob("cordee/*/templates/**/*") if path.is_file()]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
LITERAL = re.compile(r"""\{%-?\s*trans(?:late)?\s+(?:"([^"]*)"|'([^']*)')""")
FRENCH = re.compile(r"\b(le|la|les|un|une|des|du|et|pour|avec|sans|dans|est|vous|votre|salle|prénom|séance)\b")


@dataclass
class Entry:
    """One entry of a .po: its flags, its sentence, the forms of its plural, what they become."""

    flags: set[str] = field(default_factory=set)
    context: str = ""
    source: str = ""
    plural: str = ""
    forms: dict[int, str] = field(default_factory=dict)


@cache
def entries(language: str) -> list[Entry]:
    """Every sentence of a catalogue; its header, which has no sentence, is left out."""
    text = (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    found = [_entry(block) for block in re.split(r"\n{2,}", text.strip())]
    return [entry for entry in found if entry.source]


def _entry(block: str) -> Entry:
    entry, words, key = Entry(), dict[str, str](), ""
    for line in block.splitlines():
        if line.startswith("#,"):
            entry.flags |= {flag.strip() for flag in line[2:].split(",")}
        elif not line.startswith("#"):
            if not line.startswith('"'):
                key, _, line = line.partition(" ")
            words[key] = words.get(key, "") + ast.literal_eval(line)
    entry.context, entry.source = words.pop("msgctxt", ""), words.pop("msgid", "")
    entry.plural = words.pop("msgid_plural", "")
    entry.forms = {int(key[7:-1] or 0): text for key, text in words.items()}
    return entry


def compiled(language: str) -> gettext.GNUTranslations:
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def test_every_sentence_has_its_english_with_the_same_placeholders():
    assert len(entries("en")) > 600
    for entry in entries("en"):
        assert entry.forms.keys() == ({0, 1} if entry.plural else {0}), entry.source
        for number, text in entry.forms.items():
            assert text.strip(), f"no English for: {entry.source}"
            source = entry.plural if number else entry.source
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(source)), f"{source} -> {text}"


def test_english_is_typed_as_english():
    for entry in entries("en"):
        for text in entry.forms.values():
            assert not re.search(r"\w'\w|[ \u00a0\u202f][?!;:](?:\s|$)", text), text
            assert not re.search(r"[«»]", text), text


def test_nothing_was_guessed_by_the_tools():
    for language in ("en", "fr"):
        assert not [entry.source for entry in entries(language) if "fuzzy" in entry.flags]


def test_french_is_its_own_source_and_has_its_plurals():
    plurals = [entry for entry in entries("fr") if entry.plural]
    assert plurals
    for entry in plurals:
        assert entry.forms == {0: entry.source, 1: entry.plural}
    assert not [entry.source for entry in entries("fr") if not entry.plural and entry.forms[0]]


def test_both_languages_hold_the_same_sentences():
    french, english = ({(each.context, each.source) for each in entries(language)} for language in ("fr", "en"))
    assert french == english


@pytest.mark.parametrize(("language", "singulars"), [("en", {1}), ("fr", {0, 1})])
def test_the_compiled_catalogues_say_what_the_written_ones_say(language, singulars):
    catalogue = compiled(language)
    for entry in entries(language):
        if entry.plural:
            for count in (0, 1, 2):
                form = entry.forms[0 if count in singulars else 1]
                assert catalogue.ngettext(entry.source, entry.plural, count) == form
        elif entry.context:
            assert catalogue.pgettext(entry.context, entry.source) == (entry.forms[0] or entry.source)
        else:
            assert catalogue.gettext(entry.source) == (entry.forms[0] or entry.source)


def test_the_sentences_of_the_protocols_are_those_of_the_protocols():
    assert WORDS.read_text(encoding="utf-8") == written()


def test_every_sentence_of_a_template_is_in_the_catalogue():
    known = {entry.source.replace("%%", "%") for entry in entries("en")}
    asked = {
        double or single for path in TEMPLATES for double, single in LITERAL.findall(path.read_text(encoding="utf-8"))
    }
    assert len(asked) > 100
    assert not asked - known


def visible(html: str) -> str:
    """What a page says, its list of languages aside."""
    html = re.sub(r'<form[^>]*class="languages".*?</form>', "", html, flags=re.S)
    said = re.findall(r'(?:aria-label|placeholder|title|alt|content)="([^"]*)"', html)
    return unescape(" ".join([*said, re.sub(r"<[^>]+>", " ", html)]))


@pytest.fixture
def join_address(db: None) -> str:
    """Where people come in to a room that Fanny has just opened."""
    client = Client(HTTP_ORIGIN="http://testserver")
    page = client.post("/salles/nouvelle/", {"name": "Fanny"}, follow=True).content.decode()
    found = re.search(r"/s/[A-Z0-9-]+/?", page)
    assert found
    return found[0]


@pytest.mark.parametrize("address", ["/", "/rejoindre/", "/salles/nouvelle/", "a room"])
def test_a_page_is_in_english_for_who_reads_english_and_french_for_all_others(address, join_address):
    address = join_address if address == "a room" else address
    english = Client().get(address, headers={"accept-language": "en"}).content.decode()
    assert '<html lang="en">' in english
    assert not FRENCH.findall(visible(english).lower())
    for headers in ({}, {"accept-language": "ja"}):
        french = Client().get(address, headers=headers).content.decode()
        assert '<html lang="fr">' in french
        assert FRENCH.search(visible(french).lower())


@pytest.mark.parametrize("seat", [FACILITATOR, CLIENT, "karim"])
@pytest.mark.parametrize("step", ["questions", "suggestions", "traitement"])
def test_a_room_in_english_says_none_of_its_sentences_in_french(seat, step):
    sentences = [each.source for each in entries("en") if len(each.source) > 24 and not PLACEHOLDER.search(each.source)]
    room = played(f"entering {step}")
    french = visible(stage(room, seat))
    assert any(text in french for text in sentences)
    said = visible(stage(room, seat, language="en"))
    assert not [text for text in sentences if text in said]
