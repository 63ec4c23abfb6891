"""A list of people as a spreadsheet writes it (CSV) → rows, and its faults line by line. Touches no table."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

LARGEST = 5 * 1024 * 1024  # bytes
MOST_ROWS = 20_000
# field: (its heading in the model file, other headings that mean it, most characters)
COLUMNS: Mapping[str, tuple[str, tuple[str, ...], int]] = {
    "name": (gettext_noop("Nom"), ("nomcomplet", "nomdefamille", "nometprenom", "prenometnom", "name"), 120),
    "first_name": (gettext_noop("Prénom"), ("firstname",), 60),
    "email": (
        gettext_noop("Adresse e-mail"),
        ("email", "mail", "courriel", "adressemail", "adresse", "adresseelectronique", "emailaddress"),
        254,
    ),
    "organisation": (gettext_noop("Organisation"), ("entreprise", "societe", "structure", "organization"), 120),
    "site": (gettext_noop("Site"), ("lieu", "ville", "etablissement"), 120),
    "branch": (gettext_noop("Branche"), ("branchedactivite", "activite", "branch"), 120),
    "team": (gettext_noop("Équipe"), ("service", "team"), 120),
    "level": (gettext_noop("Niveau"), ("echelon", "grade", "level"), 60),
    "manager": (
        gettext_noop("Responsable"),
        ("manager", "emailduresponsable", "adresseduresponsable", "emaildumanager", "superieur", "n1"),
        254,
    ),
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run (OWASP, CSV injection)


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the list; ``values``: what the file says of them, by field of Person."""

    line: int
    email: str
    values: Mapping[str, str]
    manager: str = ""  # an address


@dataclass(frozen=True, slots=True)
class Fault:
    line: int  # of the file, from 1; 0: the file as a whole
    says: str  # what was expected


@dataclass(slots=True)
class Reading:
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # headings that mean nothing here


def read(content: bytes) -> Reading:
    """Every row of this file, and every fault of it."""
    reading = Reading()
    if len(content) > LARGEST:
        return _refused(_("Ce fichier dépasse 5 Mo. Coupez la liste en plusieurs fichiers."))
    text = _decoded(content)
    if text is None:
        return _refused(_("Ce n’est pas un fichier CSV. Dans Excel : Enregistrer sous, « CSV UTF-8 »."))
    if not text.strip():
        return _refused(_("Cette liste est vide : une ligne de titres, puis une personne par ligne."))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        columns = _columns(next(lines, []), reading)
        if columns and not reading.faults:
            for line, cells in _records(lines):
                _take(reading, line, cells, columns)
    except csv.Error:
        says = _("Ligne illisible : un guillemet ouvert n’est peut-être pas refermé.")
        reading.faults.append(Fault(lines.line_num, says))
    if not reading.rows and not reading.faults:
        return _refused(_("Cette liste est vide : une ligne de titres, puis une personne par ligne."))
    return reading


def _refused(says: str) -> Reading:
    return Reading(faults=[Fault(0, says)])


def _decoded(content: bytes) -> str | None:
    if content[:4] == b"PK\x03\x04" or b"\0" in content[:4096]:  # a workbook, or UTF-16
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return None


def _delimiter(text: str) -> str:
    heading = text.lstrip().partition("\n")[0]
    return max(";,\t", key=heading.count)


def _records(lines: Any) -> Iterator[tuple[int, list[str]]]:
    before = lines.line_num
    for cells in lines:
        if any(cell.strip() for cell in cells):
            yield before + 1, cells
        before = lines.line_num


def plain(heading: str) -> str:
    """A heading without accents, case, blanks or signs."""
    letters = unicodedata.normalize("NFKD", heading).casefold()
    return re.sub(r"[^a-z0-9]", "", letters)


def _columns(headings: list[str], reading: Reading) -> list[str | None]:
    """The field of each column; ``None`` for one that is unknown."""
    known = {plain(title): name for name, (title, _, _) in COLUMNS.items()}
    known |= {other: name for name, (_, others, _) in COLUMNS.items() for other in others}
    columns = [known.get(plain(heading)) for heading in headings]
    reading.unknown = [
        heading.strip() for heading, name in zip(headings, columns, strict=True) if heading.strip() and name is None
    ]
    named = [name for name in columns if name]
    for name, (title, _others, _most) in COLUMNS.items():
        if named.count(name) > 1:
            reading.faults.append(Fault(1, _("Deux colonnes veulent dire « %(title)s ».") % {"title": _(title)}))
        if name in {"name", "email"} and name not in named:
            says = _("Il manque la colonne « %(title)s ». La première ligne porte les titres.")
            reading.faults.append(Fault(1, says % {"title": _(title)}))
    return columns


def _take(reading: Reading, line: int, cells: list[str], columns: list[str | None]) -> None:
    if any(cell.strip() for cell in cells[len(columns) :]):
        says = _("%(found)d colonnes, %(expected)d attendues : un séparateur de trop ?")
        reading.faults.append(Fault(line, says % {"found": len(cells), "expected": len(columns)}))
        return
    if len(reading.rows) >= MOST_ROWS:
        if len(reading.rows) == MOST_ROWS and not any(fault.line == 0 for fault in reading.faults):
            reading.faults.append(Fault(0, _("Plus de 20 000 personnes. Coupez la liste en plusieurs fichiers.")))
        return
    values = {name: tidy(cell) for name, cell in zip(columns, cells, strict=False) if name}
    faults = list(_faults(values))
    reading.faults += [Fault(line, says) for says in faults]
    if faults:
        return
    first_name = values.pop("first_name", "")
    values["name"] = " ".join(part for part in (first_name, values["name"]) if part)[:120]
    email, manager = values.pop("email").lower(), values.pop("manager", "").lower()
    reading.rows.append(Row(line, email, {name: value for name, value in values.items() if value}, manager))


def _faults(values: Mapping[str, str]) -> Iterator[str]:
    for name, (title, _others, most) in COLUMNS.items():
        value = values.get(name, "")
        if len(value) > most:
            yield _("« %(title)s » a plus de %(most)d caractères.") % {"title": _(title), "most": most}
        elif name in {"email", "manager"} and value and not _is_address(value):
            says = _("« %(value)s » n’est pas une adresse e-mail, attendue dans « %(title)s ».")
            yield says % {"value": value[:60], "title": _(title)}
        elif name in {"name", "email"} and not value:
            yield _("« %(title)s » est vide.") % {"title": _(title)}


def _is_address(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def tidy(cell: str) -> str:
    """A cell on one line, without signs that cannot be seen, nor what protects one from a spreadsheet."""
    cell = cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
    cell = "".join(" " if ch.isspace() else ch for ch in cell if ch.isspace() or ch.isprintable())
    return " ".join(cell.split())


def cell(value: str) -> str:
    """A value for a spreadsheet, which must never run it; :func:`tidy` gives it back."""
    return f"'{value}" if value.startswith(FORMULA) else value


def written(rows: Iterator[list[str]]) -> str:
    """A file that a French spreadsheet opens as it is."""
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([cell(value) for value in row] for row in rows)
    return "\ufeff" + out.getvalue()
