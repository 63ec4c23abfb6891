"""``manage.py doctor``: what is wrong with this installation and what to do. Exits with 1 when something is."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.ops import examination


class Command(BaseCommand):
    help = str(gettext_lazy("Dit ce qui ne va pas dans cette installation, et quoi faire."))
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help=_("pour une supervision"))

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(examination.examine())
        wrong = examination.wrong(findings)
        if options["json"]:
            told = {"wrong": wrong, "findings": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            self.stdout.write(examination.as_text(findings, self.style))
        if wrong:
            raise SystemExit(1)
