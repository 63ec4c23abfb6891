"""``manage.py group < texts``: the themes that a room would propose for these texts, one text a line."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_lazy

from cordee.engine.grouping import group
from cordee.followup import vectors


class Command(BaseCommand):
    help = str(gettext_lazy("Propose des thèmes pour des textes (un par ligne, sur l’entrée standard)."))
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        texts = [line.strip() for line in sys.stdin if line.strip()]
        themes = group({str(number): text for number, text in enumerate(texts)}, vectors.pairs(texts))
        for theme in themes:
            self.stdout.write(f"{theme.label} ({len(theme.ids)})")
            for id_ in theme.ids:
                self.stdout.write(f"  {texts[int(id_)]}")
