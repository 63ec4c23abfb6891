"""Records to take home: as HTML for a page, as Markdown, and as a PDF that opens on a phone.

Each is drawn from one outline of plain strings, so that the three say the same. What people wrote is data in all of
them: escaped in HTML and Markdown, a JSON string for Typst. Nothing is written to disk, nothing is logged.

``python -m cordee.room.documents`` is the child that makes a PDF: an outline as JSON on its standard input, the PDF on
its standard output.
"""

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from pathlib import Path
from threading import BoundedSemaphore
from typing import TypedDict

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from cordee.engine.record import Entry, Line, Record, RecordRound, Section

TEMPLATES = Path(__file__).with_name("documents_templates")
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0  # seconds to wait for a free child, and then for its PDF
CHILDREN = BoundedSemaphore(2)  # a whole group that takes its PDF home at once must not slow the live rooms
CHILD_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")  # no key, no address of a database

# The engine’s French source strings, for the catalogue of translations; lazy, since the child has no settings.
SOURCES = (
    gettext_lazy("Mon bilan de client·e"),
    gettext_lazy("Le bilan du cercle"),
    gettext_lazy("Mes notes et mes contributions"),
    gettext_lazy("Pour vous seul·e : ce bilan contient votre tri, que personne d’autre ne voit."),
    gettext_lazy("Pour les personnes du cercle, et elles seules."),
    gettext_lazy("Pour vous seul·e : vos notes, vos pistes gardées et ce que vous avez écrit."),
)


class DocumentError(Exception):
    """The PDF could not be made. Its message is one sentence for the reader, and holds nothing of the record."""


def markdown(record: Record, tz: tzinfo | None = None) -> str:
    """The record in CommonMark. ``tz`` is where its date is read (the current time zone by default)."""
    return written(outline(record, tz))


def written(told: "Outline") -> str:
    """An outline in CommonMark."""
    return "\n\n".join(_markdown_blocks(told)) + "\n"


def html(record: Record, tz: tzinfo | None = None, level: int = 2) -> SafeString:
    """The record as a section of a page, its title a heading of ``level``."""
    return _html(outline(record, tz), level)


def pdf(record: Record, tz: tzinfo | None = None) -> bytes:
    """The record as a PDF, made here and now: see :func:`pdf_in_child` for the live process."""
    return _compile(outline(record, tz))


def pdf_in_child(record: Record, tz: tzinfo | None = None, patience: float = PATIENCE) -> bytes:
    """The record as a PDF, made by a child process: see :func:`printed`."""
    return printed(outline(record, tz), patience)


def printed(told: "Outline", patience: float = PATIENCE) -> bytes:
    """An outline as a PDF, made by a child process that gives way to the live rooms.

    ``patience`` is in seconds, for a free child and then for its work.
    Raises :class:`DocumentError` when the child fails or is too slow.
    """
    data = json.dumps(told).encode()
    if not CHILDREN.acquire(timeout=patience):
        raise DocumentError(_("Beaucoup de PDF sont en préparation. Réessayez dans une minute."))
    try:
        made = subprocess.run(
            [sys.executable, "-m", "cordee.room.documents"],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # whatever it says may quote a text
            cwd=ROOT,
            env={name: os.environ[name] for name in CHILD_ENVIRONMENT if name in os.environ},
            timeout=patience,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        # The cause is left out: it carries what the child had printed.
        raise DocumentError(_("Le PDF n’a pas pu être fait. Réessayez, ou prenez le Markdown.")) from None
    finally:
        CHILDREN.release()
    return made.stdout


# ---------------------------------------------------------------- the outline: what is said, in the reader's language


class OutlineLine(TypedDict):
    label: str
    text: str


class OutlineEntry(TypedDict):
    lines: list[OutlineLine]
    meta: str


class OutlineSection(TypedDict):
    kind: str
    title: str
    entries: list[OutlineEntry]
    notice: str


class OutlineRound(TypedDict):
    title: str
    situation: str
    sections: list[OutlineSection]


class Outline(TypedDict):
    id: str
    lang: str
    title: str
    subtitle: str
    audience: str
    notices: list[str]
    rounds: list[OutlineRound]


def outline(record: Record, tz: tzinfo | None = None) -> Outline:
    """The record as plain strings: translated, dated, and cleaned of what no document can hold."""
    notices = []
    if record.erased:
        notices.append(_("Les textes de cette séance ont été effacés, comme la charte le prévoit. Leur nombre reste."))
    if not record.rounds:
        notices.append(_("Rien n’a été écrit ici."))
    return {
        "id": record.id,
        "lang": (get_language() or "fr").split("-")[0],
        "title": _(record.title),
        "subtitle": " · ".join(filter(None, (_day(record.began_at, tz), flat(record.protocol)))),
        "audience": _(record.audience),
        "notices": notices,
        "rounds": [_round(r) for r in record.rounds],
    }


def _round(round_: RecordRound) -> OutlineRound:
    title = _("Consultation {number}").format(number=round_.number) if round_.number else _("Reprise")
    if round_.client is not None:
        title = f"{title} · {_person(round_.client)}"
    return {
        "title": title,
        "situation": flat(round_.situation),
        "sections": [_section(s, round_.situation) for s in round_.sections],
    }


def _section(section: Section, heading: str) -> OutlineSection:
    group = flat(section.group)
    if section.rest:
        group = _("sans thème") if section.kind == "learning" else _("sans tri")
    erased = sum(entry.erased for entry in section.entries)
    return {
        "kind": section.kind,
        "title": f"{flat(section.title)} · {group}" if group else flat(section.title),
        "entries": [_entry(e, section.signed, heading) for e in section.entries if not e.erased],
        "notice": ngettext("{count} texte effacé.", "{count} textes effacés.", erased).format(count=erased)
        if erased
        else "",
    }


def _entry(entry: Entry, signed: bool, heading: str) -> OutlineEntry:
    about = [_person(entry.author)] if signed else []
    if entry.scribe is not None:
        about.append(_("noté par {name}").format(name=_person(entry.scribe)))
    for mark in entry.marks:
        about.append(f"{flat(mark.label)} : {flat(mark.value)}" if mark.value else flat(mark.label))
    # The title of the round's own situation stands above it already.
    lines = [_line(line) for line in entry.lines if not (heading and line.field == "title" and line.value == heading)]
    return {"lines": lines, "meta": " · ".join(about)}


def _line(line: Line) -> OutlineLine:
    return {"label": flat(line.label), "text": _date(line.value) if line.date else clean(line.value)}


def _person(name: str) -> str:
    return flat(name) or _("un pair")


def _day(at: float, tz: tzinfo | None) -> str:
    return date_format(datetime.fromtimestamp(at, tz or get_current_timezone()), "DATE_FORMAT") if at else ""


def _date(value: str) -> str:
    try:
        return date_format(date.fromisoformat(value), "DATE_FORMAT")
    except ValueError:
        return clean(value)


def clean(text: str) -> str:
    """The text with one kind of line end, and without control characters and halves of characters."""
    text = re.sub("\r\n|[\r\v\f\x85\u2028\u2029]", "\n", text).replace("\t", " ")
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"}).strip()


def flat(text: str) -> str:
    """A text to set beside others in one line, which it may not turn around."""
    return " ".join(re.split("[ \n]+", re.sub("[\u202a-\u202e\u2066-\u2069]", "", clean(text))))


# ---------------------------------------------------------------- Markdown


def _markdown_blocks(record: Outline) -> Iterable[str]:
    yield f"# {_escape(record['title'])}"
    yield _escape(record["subtitle"])
    yield _escape(record["audience"])
    for notice in record["notices"]:
        yield f"*{_escape(notice)}*"
    for round_ in record["rounds"]:
        yield f"## {_escape(round_['title'])}"
        if round_["situation"]:
            yield f"**{_escape(round_['situation'])}**"
        for section in round_["sections"]:
            yield f"### {_escape(section['title'])}"
            if section["entries"]:
                yield "\n\n".join(_markdown_item(entry) for entry in section["entries"])
            if section["notice"]:
                yield f"*{_escape(section['notice'])}*"


def _markdown_item(entry: OutlineEntry) -> str:
    """An item of a list: its paragraphs and line ends as they were typed, and not one mark that Markdown would read."""
    paragraphs = []
    for line in entry["lines"]:
        typed = [p.split("\n") for p in re.split(r"\n\s*\n", line["text"])]
        parts = [[_escape(row) for row in rows if row.strip()] for rows in typed]
        if line["label"]:
            parts[0].insert(0, f"**{_escape(line['label'])}**")
        paragraphs += ["\\\n".join(rows) for rows in parts if rows]
    if entry["meta"]:
        paragraphs.append(f"— {_escape(entry['meta'])}")
    return "- " + "\n\n".join(paragraphs).replace("\n", "\n  ").replace("\n  \n", "\n\n")


def _escape(text: str) -> str:
    """One line of Markdown that reads as this text, at the start of a line or within one."""
    text = re.sub(r"([\\`*_\[\]<>&~|#$@^{}])", r"\\\1", text.strip())
    text = re.sub(r"^([-+=:])", r"\\\1", text)
    text = re.sub(r"^(\d+)([.)])", r"\1\\\2", text)
    # Addresses that many readers make links of, without any mark.
    return re.sub(r"(?i)\b(www)\.", r"\1\\.", text.replace("://", "\\://"))


# ---------------------------------------------------------------- HTML


def _html(record: Outline, level: int) -> SafeString:
    return format_html(
        '<section class="record" lang="{}" aria-labelledby="record-{}">\n<{} id="record-{}">{}</{}>\n'
        '<p class="record-day">{}</p>\n<p class="record-audience">{}</p>\n{}{}</section>\n',
        record["lang"],
        record["id"],
        _heading(level),
        record["id"],
        record["title"],
        _heading(level),
        record["subtitle"],
        record["audience"],
        format_html_join("", '<p class="record-notice">{}</p>\n', ((n,) for n in record["notices"])),
        _join(_html_round(r, level + 1) for r in record["rounds"]),
    )


def _html_round(round_: OutlineRound, level: int) -> SafeString:
    return format_html(
        '<section class="record-round">\n<{}>{}</{}>\n{}{}</section>\n',
        _heading(level),
        round_["title"],
        _heading(level),
        format_html('<p class="record-situation" dir="auto">{}</p>\n', round_["situation"])
        if round_["situation"]
        else "",
        _join(_html_section(s, level + 1) for s in round_["sections"]),
    )


def _html_section(section: OutlineSection, level: int) -> SafeString:
    return format_html(
        '<section class="record-section" data-kind="{}">\n<{}>{}</{}>\n{}{}</section>\n',
        section["kind"],
        _heading(level),
        section["title"],
        _heading(level),
        _join(_html_entry(e) for e in section["entries"]),
        format_html('<p class="record-notice">{}</p>\n', section["notice"]) if section["notice"] else "",
    )


def _html_entry(entry: OutlineEntry) -> SafeString:
    return format_html(
        '<figure class="record-entry">\n<blockquote>{}</blockquote>\n{}</figure>\n',
        _join(_html_line(line) for line in entry["lines"]),
        format_html("<figcaption>{}</figcaption>\n", entry["meta"]) if entry["meta"] else "",
    )


def _html_line(line: OutlineLine) -> SafeString:
    label = format_html('<p class="record-label">{}</p>', line["label"]) if line["label"] else ""
    text = mark_safe(linebreaks(line["text"], autoescape=True))  # escaped there
    return format_html('{}<div class="record-text" dir="auto">{}</div>', label, text)


def _heading(level: int) -> SafeString:
    return mark_safe(f"h{min(int(level), 6)}")


def _join(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


# ---------------------------------------------------------------- PDF


def _compile(record: Outline) -> bytes:
    import typst  # 30 MB, which the live process never needs

    data = {"record": json.dumps(_breakable(record))}
    source = (TEMPLATES / "record.typ").read_bytes()
    compiler = typst.Compiler(root=TEMPLATES, sys_inputs=data)
    try:
        made = compiler.compile(source, format="pdf", pdf_standards="ua-1")
    except typst.TypstError:
        # PDF/UA wants a glyph for every character, and no font at hand has this emoji or this script.
        made = compiler.compile(source, format="pdf")
    if not isinstance(made, bytes):
        raise TypeError("one PDF was expected")
    return made


def _breakable(value: object) -> object:
    """The same outline, with places where a very long word (an address) may be cut to stay on the page."""
    if isinstance(value, str):
        return re.sub(r"[^\s\u200b]{20}(?=\S{8})", "\\g<0>\u200b", value)
    if isinstance(value, list):
        return [_breakable(item) for item in value]
    if isinstance(value, dict):
        return {key: _breakable(item) for key, item in value.items()}
    return value


def main() -> int:
    """The child: no settings, no database; it gives way to the live process, and says nothing of what it reads."""
    os.nice(10)
    try:
        sys.stdout.buffer.write(_compile(json.load(sys.stdin.buffer)))
        return 0
    except Exception as error:  # a traceback would quote the texts
        print(type(error).__name__, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
