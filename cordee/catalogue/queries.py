"""The workshops of the catalogue, read when first asked for and again when a file of the folder changes."""

import os
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from cordee.catalogue.wording import plain
from cordee.catalogue.workshop import Page, Workshop

# Name, time of change, size of each file: comparing them costs a hundredth of reading the pages.
_Traces = tuple[tuple[str, int, int, int], ...]
_read: dict[Path, tuple[_Traces, tuple[Page, ...]]] = {}


def pages() -> tuple[Page, ...]:
    """Every page of the catalogue, readable or not, by file name; none when the folder is missing."""
    folder = Path(settings.CATALOGUE_DIR)
    traces = _traces(folder)
    known = _read.get(folder)
    if known is None or known[0] != traces:
        from cordee.catalogue.reading import read_catalogue  # brings Markdown and YAML: no room waits for them

        try:
            known = traces, read_catalogue(folder, image_url)
        except OSError:
            known = traces, ()
        # One assignment: two threads may both read, neither sees a half of it.
        _read[folder] = known
    return known[1]


def workshops() -> list[Workshop]:
    """The published workshops: by category, those with a weight first, then by title."""
    published = [page.workshop for page in pages() if page.workshop and page.workshop.published]
    return sorted(published, key=_order)


def workshop(slug: str) -> Workshop | None:
    """The published workshop at that address."""
    return next((found for found in workshops() if found.slug == slug), None)


def image_url(path: str) -> str:
    return reverse("catalogue:image", args=[path])


def _order(workshop: Workshop) -> tuple[bool, str, bool, int, str]:
    weightless = workshop.weight is None
    # What has no category is shown last, under "Autres".
    return not workshop.category, plain(workshop.category), weightless, workshop.weight or 0, plain(workshop.title)


def _traces(folder: Path) -> _Traces:
    traces = []
    for parent, directories, files in os.walk(folder):
        directories[:] = [name for name in directories if not name.startswith(".")]
        for name in files:
            path = os.path.join(parent, name)
            try:
                stat = os.stat(path)
            except OSError:
                traces.append((path, 0, 0, 0))
            else:
                traces.append((path, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size))
    return tuple(sorted(traces))
