"""A folder of Markdown pages, to workshops. Nothing here raises for a bad page: it gives a problem, with its line."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from cordee.catalogue.duration import read_duration
from cordee.catalogue.front_matter import Field, Head, Unreadable, Value, read_head, written
from cordee.catalogue.prose import read_prose
from cordee.catalogue.tariff import RATES, read_tariff, with_vat
from cordee.catalogue.wording import INVISIBLE, plain, slugify
from cordee.catalogue.workshop import Level, Page, Problem, Workshop

IMAGE_TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
_PAGE_ENDINGS = (".md", ".markdown")
_LARGEST_PAGE = 1_000_000
_YES, _NO = {"true", "yes", "on", "oui", "vrai", "1"}, {"", "false", "no", "off", "non", "faux", "0"}
# What UTF-8 read as Windows-1252 looks like: "Ã©" for "é", "â€™" for an apostrophe.
_MISENCODED = re.compile("Ã[\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œ]|â€[\u0080-\u00bf™œ“”¦˜\u009d]|\ufffd")
_KNOWN = {"category", "title", "goals", "description", "image", "infobox", "draft", "tags", "weight"}
_IN_INFOBOX = ("superheading", "heading", "duration", "public", "prerequisites")
_ALSO_OUTSIDE = ("duration", "public", "prerequisites")

ImageUrl = Callable[[str], str]


def read_catalogue(folder: Path, image_url: ImageUrl = quote) -> tuple[Page, ...]:
    """Every page under the folder, by file name. ``image_url`` gives the address of a file of the folder.

    Raises ``OSError`` when the folder itself cannot be listed.
    """
    paths, problems = _pages_under(folder)
    slugs = _slugs(name for name, _ in paths)
    pages = []
    for name, path in paths:
        slug, twin = slugs[name]
        page = _read_file(path, name, slug, folder, image_url)
        if twin:
            page = _reported(page, Problem(name, 1, "error", "same-slug", {"slug": slug, "other": twin}))
        pages.append(page)
    pages += [Page(problem.file, "", None, (problem,)) for problem in problems]
    return tuple(sorted(pages, key=lambda page: page.file))


def read_page(data: bytes, file: str, slug: str = "", folder: Path | None = None, image_url: ImageUrl = quote) -> Page:
    """The page made of the bytes of a file; ``file`` is its path in the catalogue. Never raises, whatever the bytes."""
    slug = slug or slug_of(file)
    try:
        text, notes = _decoded(data, file)
        head = read_head(text)
    except Unreadable as error:
        return Page(file, slug, None, (Problem(file, error.line, "error", error.code, error.values),))
    author = _Author(file, slug, folder, image_url, head)
    workshop = author.workshop()
    problems = sorted([*notes, *author.problems], key=lambda problem: problem.line)
    return Page(file, slug, workshop, tuple(problems))


def slug_of(file: str) -> str:
    """The part of the address a file gives: its name, or its folder's when the file is an ``index.md``."""
    path = PurePosixPath(file)
    name = path.parent.name if path.stem.lower() == "index" and path.parent.name else path.stem
    return slugify(name) or "atelier-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]


def local_image(address: str, file: str, folder: Path) -> str | None:
    """The path, within the folder, of the image a page names; ``None`` unless it is a file of ours.

    Looked for beside the page, then from the folder; nothing outside the folder is ever an answer.
    """
    name = unquote(address).split("?")[0].split("#")[0]
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|[/\\]{2}", name) or "\\" in name or not name.isprintable():
        return None
    beside = [] if name.startswith("/") else [PurePosixPath(file).parent / name]
    for candidate in [*beside, PurePosixPath(name.lstrip("/"))]:
        if safe_image(folder, str(candidate)) is not None:
            return os.path.normpath(candidate)
    return None


def safe_image(folder: Path, name: str) -> Path | None:
    """The image file of that name, when it is one and really lies in the folder, links followed."""
    parts = PurePosixPath(os.path.normpath(name)).parts if name and "\0" not in name else ()
    if not parts or any(part.startswith((".", "/")) for part in parts):
        return None
    try:
        path, root = folder.joinpath(*parts).resolve(strict=True), folder.resolve(strict=True)
        inside = path.is_relative_to(root) and path.is_file()
    except (OSError, RuntimeError, ValueError):
        return None
    return path if inside and path.suffix.lower() in IMAGE_TYPES else None


def _pages_under(folder: Path) -> tuple[list[tuple[str, Path]], list[Problem]]:
    """The files that look like pages, and a problem for each that can be none. Hidden names are left alone."""
    pages: list[tuple[str, Path]] = []
    problems: list[Problem] = []
    os.listdir(folder)

    def refused(error: OSError) -> None:
        where = _shown(os.path.relpath(error.filename or folder, folder))
        problems.append(Problem(where, 1, "error", "unreadable-file", {"detail": error.strerror or ""}))

    for parent, directories, files in os.walk(folder, onerror=refused):
        directories[:] = [name for name in directories if not name.startswith(".")]
        for directory in directories:
            path = Path(parent, directory)
            name = _shown(path.relative_to(folder).as_posix())
            if path.is_symlink():
                problems.append(Problem(name, 1, "warning", "linked-folder"))
            elif directory.lower().endswith(_PAGE_ENDINGS):
                problems.append(Problem(name, 1, "error", "folder-named-as-page"))
        for file in files:
            if file.lower().endswith(_PAGE_ENDINGS) and not file.startswith("."):
                path = Path(parent, file)
                pages.append((_shown(path.relative_to(folder).as_posix()), path))
    return sorted(pages), problems


def _shown(name: str) -> str:
    """A file name as text, even when its bytes are no UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def _slugs(files: Iterable[str]) -> dict[str, tuple[str, str]]:
    """For each file its own slug, and the file that already has the one its name gives, if any."""
    names = list(files)
    owners: dict[str, str] = {}
    for name in names:
        owners.setdefault(slug_of(name), name)
    slugs: dict[str, tuple[str, str]] = {}
    for name in names:
        slug = natural = slug_of(name)
        number = 1
        while owners.setdefault(slug, name) != name:
            number += 1
            slug = f"{natural}-{number}"
        slugs[name] = (slug, "" if slug == natural else owners[natural])
    return slugs


def _read_file(path: Path, name: str, slug: str, folder: Path, image_url: ImageUrl) -> Page:
    try:
        if path.stat().st_size > _LARGEST_PAGE:
            return _refused(name, slug, "huge-file", size=str(path.stat().st_size))
        if not path.is_file():
            return _refused(name, slug, "not-a-file")
        data = path.read_bytes()
    except (OSError, RuntimeError) as error:
        loop = path.is_symlink() and not path.exists()
        detail = getattr(error, "strerror", None) or str(error)
        return _refused(name, slug, "broken-link" if loop else "unreadable-file", detail=detail)
    if re.fullmatch(r"_index\.(md|markdown)", path.name.lower()):
        return Page(name, slug, None, (Problem(name, 1, "info", "section-page"),))
    return read_page(data, name, slug, folder, image_url)


def _refused(name: str, slug: str, code: str, **values: str) -> Page:
    return Page(name, slug, None, (Problem(name, 1, "error", code, values),))


def _reported(page: Page, problem: Problem) -> Page:
    return Page(page.file, page.slug, page.workshop, (problem, *page.problems))


def _decoded(data: bytes, file: str) -> tuple[str, list[Problem]]:
    """The text of a page with ``\\n`` line ends, and what is odd about it."""
    notes: list[Problem] = []
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("not-utf-8", 1)
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        notes.append(Problem(file, 1, "info", "byte-order-mark"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("not-utf-8", _line(data[: error.start])) from error
    if "\r" in text:
        notes.append(Problem(file, _line(data[: data.index(b"\r")]), "info", "windows-line-ends"))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), 1):
        if misencoded := _MISENCODED.search(line):
            notes.append(Problem(file, number, "warning", "misencoded", {"text": misencoded[0]}))
        if odd := next((char for char in line if char in INVISIBLE), None):
            notes.append(Problem(file, number, "info", "invisible-character", {"character": f"U+{ord(odd):04X}"}))
    return text, notes


def _line(before: bytes) -> int:
    return before.count(b"\n") + 1


class _Author:
    """Reads the keys of one page, and notes for its author what it could not make of them."""

    def __init__(self, file: str, slug: str, folder: Path | None, image_url: ImageUrl, head: Head) -> None:
        self.file, self.slug, self.folder, self.image_url, self.head = file, slug, folder, image_url, head
        self.problems: list[Problem] = []
        self.extra: dict[str, Any] = {}
        self.fields = {name: field for name, field in head.fields.items() if name in _KNOWN}
        for first, line in head.repeated:
            self.note(line, "error", "repeated-key", key=first.name, dropped=str(first.line), value=_short(first.value))
        for name, field in head.fields.items():
            if name not in _KNOWN and name not in _ALSO_OUTSIDE:
                self.extra[field.name] = written(field.value)
        self.infobox = self._infobox()

    def workshop(self) -> Workshop:
        title = self.text("title")
        if not title:
            self.note(self.line("title"), "error", "no-title")
        category = self.text("category")
        if not category:
            self.note(self.line("category"), "info", "no-category")
        description = self.text("description")
        if not description:
            self.note(self.line("description"), "info", "no-description")
        tariff, duration = self.boxed("heading"), self.boxed("duration")
        prices, days = self._prices(tariff), self._days(duration)
        image = self.text("image")
        prose = read_prose(self.head.body, self._image_address)
        for address, line in prose.refused_images:
            self._image_problem(address, self.head.body_line + line)
        return Workshop(
            file=self.file,
            slug=self.slug,
            title=title,
            category=category,
            goals=self.text("goals"),
            description=description,
            image=image,
            image_url=self._head_image(image),
            tariff_label=self.boxed("superheading"),
            tariff=tariff,
            price_ht=prices[0],
            price_ttc=prices[1],
            vat_rate=prices[2],
            duration=duration,
            duration_days=days,
            public=self.boxed("public", ", "),
            prerequisites=self.boxed("prerequisites", ", "),
            draft=self._draft(),
            tags=self._tags(),
            weight=self._weight(),
            extra=self.extra,
            body=prose.body,
            steps=prose.steps,
            after=prose.after,
        )

    def note(self, line: int, level: Level, code: str, **values: str) -> None:
        self.problems.append(Problem(self.file, line, level, code, values))

    def line(self, name: str) -> int:
        return self.fields[name].line if name in self.fields else 1

    def text(self, name: str, joined_by: str = "\n") -> str:
        return self._text_of(self.fields.get(name), name, joined_by)

    def boxed(self, name: str, joined_by: str = "\n") -> str:
        return self._text_of(self.infobox.get(name), f"infobox.{name}", joined_by)

    def _text_of(self, field: Field | None, name: str, joined_by: str) -> str:
        if field is None:
            return ""
        if isinstance(field.value, str):
            return field.value.strip()
        if isinstance(field.value, list) and all(isinstance(item, str) for item in field.value):
            return joined_by.join(str(item).strip() for item in field.value)
        self.extra[name] = written(field.value)
        self.note(field.line, "warning", "not-a-text", key=field.name, value=_short(field.value))
        return ""

    def _infobox(self) -> dict[str, Field]:
        """The keys of the infobox; some pages write the plainest of them outside it, and mean the same."""
        outside = {name: self.head.fields[name] for name in _ALSO_OUTSIDE if name in self.head.fields}
        field = self.fields.get("infobox")
        if field is None or field.value == "":
            return outside
        if not isinstance(field.value, dict):
            self.extra["infobox"] = written(field.value)
            self.note(field.line, "warning", "infobox-without-keys", value=_short(field.value))
            return outside
        for name, inner in field.value.items():
            if name not in _IN_INFOBOX:
                self.extra[f"infobox.{inner.name}"] = written(inner.value)
        for name in sorted(outside.keys() & field.value.keys()):
            self.extra[outside[name].name] = written(outside[name].value)
            kept, dropped = field.value[name], outside[name]
            values = {"key": name, "dropped": str(dropped.line), "value": _short(dropped.value)}
            self.note(kept.line, "error", "repeated-key", **values)
        return {**outside, **{name: inner for name, inner in field.value.items() if name in _IN_INFOBOX}}

    def _prices(self, tariff: str) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        found = read_tariff(tariff)
        if found.code:
            values = {"written": tariff}
            if found.ht is not None:
                values["expected"] = " ; ".join(
                    f"{_plainly(rate)} % → {_money(with_vat(found.ht, rate))} €" for rate in RATES
                )
            self.note(self.infobox["heading"].line, found.level, found.code, **values)
        return found.ht, found.ttc, found.vat_rate

    def _days(self, duration: str) -> Decimal | None:
        found = read_duration(duration)
        if found.code:
            days = _plainly(found.days) if found.days is not None else ""
            self.note(self.infobox["duration"].line, found.level, found.code, written=duration, days=days)
        return found.days

    def _draft(self) -> bool:
        answer = plain(self.text("draft"))
        if answer not in _YES | _NO:
            # In doubt nothing is published: the author will see it here, a visitor would not forget it.
            self.note(self.line("draft"), "error", "unclear-draft", written=self.text("draft"))
        return answer not in _NO

    def _tags(self) -> tuple[str, ...]:
        field = self.fields.get("tags")
        written_tags = self.text("tags").split("\n" if field and isinstance(field.value, list) else ",")
        return tuple(tag.strip() for tag in written_tags if tag.strip())

    def _weight(self) -> int | None:
        weight = self.text("weight")
        if re.fullmatch(r"[+-]?[0-9]{1,9}", weight):
            return int(weight)
        if weight:
            self.extra["weight"] = weight
            self.note(self.line("weight"), "warning", "unclear-weight", written=weight)
        return None

    def _head_image(self, image: str) -> str | None:
        if not image:
            return None
        address = self._image_address(image)
        if address is None:
            self._image_problem(image, self.line("image"))
        return address

    def _image_address(self, address: str) -> str | None:
        path = local_image(address, self.file, self.folder) if self.folder else None
        return self.image_url(path) if path else None

    def _image_problem(self, address: str, line: int) -> None:
        if re.match(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]*:|[/\\]{2})", address):
            self.note(line, "info", "remote-image", address=address[:200])
        else:
            self.note(line, "warning", "missing-image", address=address[:200])


def _short(value: Value) -> str:
    text = " ".join(str(written(value)).split())
    return text if len(text) <= 80 else text[:79] + "…"


def _plainly(number: Decimal) -> str:
    """« 2.5 » as a French reader expects it, « 2,5 », and without idle zeros."""
    return f"{number.normalize():f}".replace(".", ",")


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")
