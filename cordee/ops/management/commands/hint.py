"""`manage.py hint`: facilitators try their own questions, one a line on standard input."""

import io
import sys
from typing import Any

from django.core.management.base import BaseCommand

from cordee.engine.hint import hint


class Command(BaseCommand):
    """Prints `ok`, `closed`, `leading` or `advice`, a tab, and the question as it was read; skips blank lines."""

    help = "Reads one question a line and prints ok, closed, leading or advice, a tab, and the question. No database."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        # A file saved on Windows or a broken byte must not stop a facilitator, whatever the terminal's locale says.
        lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", errors="replace", newline="\n")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)
        try:
            for line in lines:
                question = line.rstrip("\r\n")
                if question.strip():
                    self.stdout.write(f"{hint(question).kind}\t{question}")
        except BrokenPipeError:
            sys.stderr.close()  # the reader (`head`) has seen enough
        finally:
            lines.detach()
