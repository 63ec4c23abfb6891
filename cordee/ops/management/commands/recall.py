"""``manage.py recall --queries Q.jsonl --corpus C.jsonl --top 10``: the ranking of the rooms, on any texts.

A line of either file is ``{"id": "…", "text": "…"}``; a line of the answer ``{"query": "…", "ids": ["…", …]}``.
Nothing is kept of what is read.
"""

import json
from argparse import ArgumentParser, FileType
from collections.abc import Iterator
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.followup import vectors
from cordee.followup.ranking import ranked
from cordee.followup.shelf import Shelf


class Command(BaseCommand):
    help = str(
        gettext_lazy("Classe des textes par ressemblance, comme le fait une salle ; pour mesurer ce classement.")
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queries", required=True, type=FileType("rb"), metavar="Q.jsonl")
        parser.add_argument("--corpus", required=True, type=FileType("rb"), metavar="C.jsonl")
        parser.add_argument("--top", type=at_least_one, default=10, metavar="N")
        parser.add_argument("--lexical", action="store_true", help=_("sans vecteurs, même s’ils sont installés"))

    def handle(self, *args: Any, **options: Any) -> None:
        rows = dict(lines(options["corpus"]))
        corpus, known = {str(id_): text for id_, text in rows.items()}, {str(id_): id_ for id_ in rows}
        shelf = Shelf(":memory:")
        shelf.put(corpus.items())
        by_meaning = vectors.available() and not options["lexical"]
        for id_, text in lines(options["queries"]):
            ids = ranked(shelf, text, options["top"], corpus if by_meaning else {})
            told = {"query": id_, "ids": [known[found] for found in ids]}
            self.stdout.write(json.dumps(told, ensure_ascii=False))


def at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def lines(file: IO[bytes]) -> Iterator[tuple[str | int, str]]:
    """(id, text) of each line that is not blank; the id as it is written. Raises ``CommandError``, with the line's
    number."""
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig"))
            id_, text = row["id"], row["text"]
            if type(id_) not in {str, int} or not isinstance(text, str):
                raise TypeError
            yield id_, text
        except (ValueError, KeyError, TypeError):
            raise CommandError(
                _('%(file)s, ligne %(number)d : une ligne attendue est {"id": "…", "text": "…"}.')
                % {"file": file.name, "number": number}
            ) from None
