"""``manage.py group < texts``: the themes that a room would propose for these texts, one text a line."""

import sys
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.engine.grouping import group
from cordee.followup import vectors

MOST = 2000  # texts; some minutes


class Command(BaseCommand):
    help = str(gettext_lazy("Propose des thèmes pour des textes (un par ligne, sur l’entrée standard)."))
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        texts = list(islice((text for text in lines(sys.stdin.buffer) if text), MOST + 1))
        if len(texts) > MOST:  # each is compared with each
            raise CommandError(_("Trop de textes : %(most)d au plus à la fois.") % {"most": MOST})
        themes = group({str(number): text for number, text in enumerate(texts)}, vectors.pairs(texts))
        for theme in themes:
            self.stdout.write(f"{theme.label} ({len(theme.ids)})")
            for id_ in theme.ids:
                self.stdout.write(f"  {texts[int(id_)]}")


def lines(file: IO[bytes]) -> Iterator[str]:
    """The text of each line. Raises ``CommandError``, with the line's number, for one that is no UTF-8."""
    for number, line in enumerate(file, 1):
        try:
            yield line.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise CommandError(_("Ligne %(number)d : un texte en UTF-8 est attendu.") % {"number": number}) from None
