"""The three forms of a record say the same, in every script, and no word in them becomes markup."""

import html as entities
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from itertools import pairwise

import pytest
from django.utils.translation import override
from markdown_it import MarkdownIt

from cordee.engine import record as engine_record
from cordee.engine.reading import read
from cordee.engine.record import Record, records_for
from cordee.engine.state import fold
from cordee.room import documents
from tests import pdf
from tests.characters import French, Room, circle, play

HOSTILE = [
    "# Un titre\n## Un autre\n===\n---",
    "Titre\n===\nAutre\n---\n***\n___",
    "[lien](https://exemple.test) ![image](https://exemple.test/i.png) <https://exemple.test> [ref]: https://exemple.test",
    "[ref]: https://exemple.test 'x'\n\n[ref]\n[^1]: note",
    "https://exemple.test www.exemple.test moi@exemple.test",
    "<script>alert(1)</script><img src=x onerror=alert(1)>\n<!-- --><h1>x</h1>",
    "&lt;b&gt; &#60;i&#62; &amp;",
    "```\ncode\n```\n~~~\nx\n~~~\n    quatre espaces\n\tune tabulation",
    "- un\n* deux\n+ trois\n1. quatre\n2) cinq\n> six\n| a | b |\n|---|---|\n| 1 | 2 |",
    '#eval("1+1") #read("/etc/passwd") #panic() ] [ * _ $ x $ @ref `code` \\ #{1+1}',
    '"}, "id": "x" \\u0000 {{ 7*7 }} {% now %} %s {0} {count}',
    "*gras* **fort** _oui_ ~~non~~ \\* `x` \\",
]
FRENCH = "Déjà l’œuvre : 12 € «\u202fcœur\u202f» — l’été… ÉÀÇŒ"
ODD = "🎉 👩‍💻 שלום مرحبا 日本語 \x00\x07\ud800\ufffe\uffff\u202eenvers\r\nligne\u2028fin " + "m" * 400


class Words(French):
    """The characters, all of whose words are these."""

    def __init__(self, text: str) -> None:
        self.text = text

    def body(self, room: Room, seat: str, kind: str) -> dict[str, str]:
        body = super().body(room, seat, kind)
        free = {box.id for box in room.state.protocol.kinds[kind].fields if box.type in {"text", "line"}}
        return {name: self.text if name in free else value for name, value in body.items()}


def played(text: str = "") -> Room:
    """A whole round; ``text`` takes the place of every word, as it would if the log held it."""
    room = play(circle(("claire", "karim", "helene")))
    if not text:
        return room
    words, kinds = Words(text), {}
    events = []
    for event in room.events:
        if type(event).__name__ == "Written":
            kinds[event.id] = event.kind
        if type(event).__name__ in {"Written", "Edited"} and event.kind != "vote":
            event = replace(event, body=words.body(room, event.seat, event.kind))
        elif type(event).__name__ == "Marked" and event.mark in {"theme", "value"}:
            event = replace(event, body={"value": text})
        elif type(event).__name__ == "SeatTaken":
            event = replace(event, body={"name": text})
        events.append(event)
    room.state = fold(read(room.text), events)
    return room


def taken(room: Room, id_: str, seat: str = "claire") -> Record:
    return next(record for record in records_for(room.state, seat) if record.id == id_)


def squeezed(text: str) -> str:
    """Without spaces and soft breaks: what a page's lines cannot change."""
    return re.sub(r"[\s\u200b]", "", text)


# ---------------------------------------------------------------- what is said


def test_the_three_forms_hold_every_word_of_the_record():
    record = taken(played(), "client")
    page, text, printed = documents.html(record), documents.markdown(record), pdf.words(documents.pdf(record))
    values = [
        line["text"]
        for r in documents.outline(record)["rounds"]
        for s in r["sections"]
        for e in s["entries"]
        for line in e["lines"]
    ]
    assert len(values) > 12
    for value in values:
        assert entities.escape(value) in page
        assert value in text
        assert squeezed(value) in squeezed(printed)


def test_the_client_reads_the_piles_of_their_sorting():
    text = documents.markdown(taken(played(), "client"))
    assert "### Pistes · Je garde\n" in text and "### Pistes · J’y réfléchis\n" in text
    assert "Je garde" not in documents.markdown(taken(played(), "circle", "karim"))


def test_the_page_is_made_of_named_parts_and_ordered_headings():
    page = documents.html(taken(played(), "circle"))
    for name in ("record", "record-round", "record-section", "record-entry"):
        assert f'class="{name}"' in page
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 2 and all(b - a <= 1 for a, b in pairwise(levels))
    assert re.findall(r"<h(\d)", documents.html(taken(played(), "circle"), level=1))[0] == "1"


def test_the_date_is_that_of_the_session_where_the_reader_is():
    record = replace(taken(played(), "circle"), began_at=1_767_223_800.0)  # 31 December 2025, 23:30 UTC
    assert "31 décembre 2025 · MENTOR" in documents.markdown(record, UTC)
    assert "1 janvier 2026 · MENTOR" in documents.markdown(record, timezone(timedelta(hours=1)))


def test_the_date_of_a_commitment_is_in_words():
    assert "4 décembre 2026" in documents.markdown(taken(played(), "client"))


def test_a_name_that_is_gone_reads_as_a_peer_and_erased_texts_are_counted():
    room = played()
    events = [replace(event, body=None) if hasattr(event, "body") else event for event in room.events]
    room.state = fold(read(room.text), events)
    record = taken(room, "client")
    said = [documents.markdown(record), documents.html(record), pdf.words(documents.pdf(record))]
    for form in said:
        assert "Consultation 1 · un pair" in form
        assert "2 textes effacés." in form and "1 texte effacé." in form
        assert squeezed("Les textes de cette séance ont été effacés") in squeezed(form)


def test_a_record_without_a_round_says_so():
    record = taken(circle(("claire",)), "mine")
    assert "Rien n’a été écrit ici." in documents.markdown(record)
    assert "Rien n’a été écrit ici." in documents.html(record)
    assert documents.pdf(record).startswith(b"%PDF-")


def test_the_engines_sentences_are_all_in_the_catalogue_of_translations():
    with override(None):
        known = {str(source) for source in documents.SOURCES}
    assert known == {*engine_record.TITLES.values(), *engine_record.AUDIENCES.values()}


# ---------------------------------------------------------------- what nobody can forge


@pytest.mark.parametrize("text", HOSTILE)
def test_a_contribution_forges_nothing_in_markdown(text):
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    plain = structure(reader.parse(documents.markdown(taken(played("Un mot"), "client"))))
    tokens = reader.parse(documents.markdown(taken(played(text), "client")))
    assert structure(tokens) == plain
    inline = {child.type for token in tokens for child in token.children or ()}
    assert inline <= {"text", "text_special", "softbreak", "hardbreak", "strong_open", "strong_close"}


def structure(tokens) -> list[tuple[str, str]]:
    return [(t.type, t.tag) for t in tokens if t.type not in {"inline", "paragraph_open", "paragraph_close"}]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_reads_back_as_what_was_written(text):
    record = taken(played(text), "circle")
    rendered = MarkdownIt("commonmark").render(documents.markdown(record))
    read_back = squeezed(entities.unescape(re.sub(r"</?(p|br|ul|li|strong|h\d)\b[^>]*>", " ", rendered)))
    assert read_back.count(squeezed(text)) >= 4


@pytest.mark.parametrize("text", HOSTILE)
def test_a_contribution_forges_nothing_in_a_page(text):
    plain = re.findall(r"<[^>]*>", documents.html(taken(played("Un mot"), "client")))
    tags = re.findall(r"<[^>]*>", documents.html(taken(played(text), "client")))
    lines = {"<p>", "</p>", "<br>"}  # paragraphs and ends of lines, as they were typed
    assert [t for t in tags if t not in lines] == [t for t in plain if t not in lines]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_contribution_is_never_read_by_typst(text):
    printed = squeezed(pdf.words(documents.pdf(taken(played(text), "client"))))
    assert "root:" not in printed
    for row in text.split("\n"):
        assert squeezed(row) in printed


# ---------------------------------------------------------------- the PDF


def test_the_pdf_prints_french_and_says_what_it_is():
    data = documents.pdf(taken(played(FRENCH), "circle"))
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
    assert b"/StructTreeRoot" in data and b"pdfuaid" in data and b"/Lang" in data
    assert squeezed(FRENCH) in squeezed(pdf.words(data))


def test_odd_characters_and_endless_words_break_no_form():
    record = taken(played(ODD), "client")
    data = documents.pdf(record)
    assert data.startswith(b"%PDF-")
    assert "\x00" not in documents.markdown(record) and "\x00" not in documents.html(record)
    documents.markdown(record).encode()
    documents.html(record).encode()
    assert "m" * 400 in squeezed(pdf.words(data))


def test_a_child_process_makes_the_same_pdf_without_settings():
    record = taken(played(FRENCH), "client")
    assert squeezed(pdf.words(documents.pdf_in_child(record))) == squeezed(pdf.words(documents.pdf(record)))


def test_the_child_gives_way_and_receives_no_secret(monkeypatch):
    seen = {}

    def run(command, **options):
        seen.update(options, command=command)
        return subprocess.CompletedProcess(command, 0, stdout=b"%PDF-")

    monkeypatch.setenv("CORDEE_SECRET_KEY", "secret")
    monkeypatch.setattr(subprocess, "run", run)
    documents.pdf_in_child(taken(played(), "client"))
    assert "Claire" not in " ".join(seen["command"]) and "secret" not in seen["env"].values()
    assert seen["timeout"] > 0 and seen["stderr"] == subprocess.DEVNULL


def test_the_child_lowers_its_own_priority():
    code = (
        "import os, sys; from cordee.room import documents as d; before = os.nice(0); "
        "d._compile = lambda record: str(os.nice(0) - before).encode(); sys.exit(d.main())"
    )
    made = subprocess.run([sys.executable, "-c", code], input=b"{}", capture_output=True, cwd=documents.ROOT)
    assert int(made.stdout) == min(10, 19 - os.nice(0))


def test_a_child_that_fails_says_one_sentence_and_quotes_nothing(monkeypatch):
    monkeypatch.setattr(documents, "outline", lambda record, tz=None: {"title": "Un secret de Claire"})
    with pytest.raises(documents.DocumentError) as raised:
        documents.pdf_in_child(taken(played(), "client"))
    assert str(raised.value).startswith("Le PDF n’a pas pu être fait.")
    assert raised.value.__cause__ is None and raised.value.__suppress_context__
    data = json.dumps({"title": "Un secret de Claire"}).encode()
    child = subprocess.run(
        [sys.executable, "-m", "cordee.room.documents"], input=data, capture_output=True, cwd=documents.ROOT
    )
    assert child.returncode == 1 and child.stdout == b""
    assert b"secret" not in child.stderr


def test_a_child_that_is_too_slow_is_given_up(monkeypatch):
    with pytest.raises(documents.DocumentError):
        documents.pdf_in_child(taken(played(), "client"), patience=0.01)


def test_when_too_many_are_being_made_the_reader_is_told(monkeypatch):
    for _ in range(2):
        assert documents.CHILDREN.acquire(timeout=5)
    try:
        with pytest.raises(documents.DocumentError, match="Réessayez dans une minute"):
            documents.pdf_in_child(taken(played(), "client"), patience=0.01)
    finally:
        documents.CHILDREN.release(2)
