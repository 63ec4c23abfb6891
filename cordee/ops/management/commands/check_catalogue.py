"""``manage.py check_catalogue DIR [--json]``: tells an author what their pages become."""

import json
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.catalogue.phrases import LEVELS, advice, message
from cordee.catalogue.reading import read_catalogue
from cordee.catalogue.workshop import Page


class Command(BaseCommand):
    help = str(gettext_lazy("Dit ce que deviennent les pages d’un catalogue, et ce qui y pose problème."))
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", metavar="DIR", help=_("le dossier des pages (sinon, celui du site)"))
        parser.add_argument("--json", action="store_true", help=_("une liste d’objets, pour un autre programme"))

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["folder"] or settings.CATALOGUE_DIR)
        if not folder.is_dir():
            raise CommandError(_("« %(folder)s » n’est pas un dossier, ou n’existe pas.") % {"folder": folder})
        try:
            pages = read_catalogue(folder, quote)
        except OSError as error:
            raise CommandError(
                _("Le dossier « %(folder)s » ne peut pas être lu : %(reason)s.")
                % {"folder": folder, "reason": error.strerror}
            ) from error
        if options["json"]:
            self.stdout.write(json.dumps([as_object(page) for page in pages], ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n\n".join([*map(self.as_text, pages), summary(pages)]))
        if any(problem.level == "error" for page in pages for problem in page.problems):
            raise SystemExit(1)

    def as_text(self, page: Page) -> str:
        paint = {"error": self.style.ERROR, "warning": self.style.WARNING, "info": self.style.NOTICE}
        lines = [self.style.MIGRATE_HEADING(page.file)]
        lines += [f"  {label:<14} {value}" for label, value in described(page)]
        for problem in page.problems:
            level = paint[problem.level](str(LEVELS[problem.level]))
            where = _("ligne")
            lines.append(f"  {level} {where} {problem.line} · {message(problem)}")
            lines.append(f"      → {advice(problem)}")
        return "\n".join(lines)


def as_object(page: Page) -> dict[str, Any]:
    """A page for ``--json``: figures as plain texts, ``None`` for what is unknown or empty."""
    found = page.workshop
    return {
        "file": page.file,
        "slug": page.slug or None,
        "title": (found.title or None) if found else None,
        "category": (found.category or None) if found else None,
        "price_ht": _price(found.price_ht) if found else None,
        "price_ttc": _price(found.price_ttc) if found else None,
        "vat_rate": _plain(found.vat_rate) if found else None,
        "duration_days": _plain(found.duration_days) if found else None,
        "tariff": (found.tariff or None) if found else None,
        "duration": (found.duration or None) if found else None,
        "public": (found.public or None) if found else None,
        "prerequisites": (found.prerequisites or None) if found else None,
        "draft": found.draft if found else None,
        "published": bool(found and found.published),
        "problems": [
            {"line": p.line, "level": p.level, "code": p.code, "message": message(p), "fix": advice(p)}
            for p in page.problems
        ],
    }


def described(page: Page) -> list[tuple[str, str]]:
    """What the page becomes, as labels and values; « ? » stands for a figure that is not known."""
    workshop = page.workshop
    if workshop is None:
        return [(_("devient"), _("rien : la page n’est pas publiée"))]
    figures = {
        "ht": _french(_price(workshop.price_ht)),
        "ttc": _french(_price(workshop.price_ttc)),
        "rate": _french(_plain(workshop.vat_rate)),
        "days": _french(_plain(workshop.duration_days)),
    }
    prices = _("%(ht)s € HT, %(ttc)s € TTC, TVA %(rate)s %%") % figures
    days = _("%(days)s jour(s)") % figures
    rows = [
        (_("titre"), workshop.title),
        (_("adresse"), workshop.slug),
        (_("catégorie"), workshop.category),
        (_("tarif"), workshop.tariff and f"{workshop.tariff} → {prices}"),
        (_("durée"), workshop.duration and f"{workshop.duration} → {days}"),
        (_("public"), workshop.public),
        (_("prérequis"), workshop.prerequisites),
        (_("étapes"), " ".join(step.letter for step in workshop.steps)),
        (_("publiée"), _("oui") if workshop.published else _("brouillon") if workshop.draft else _("non")),
    ]
    return [(label, " ".join(value.split())) for label, value in rows if value]


def summary(pages: tuple[Page, ...]) -> str:
    published = sum(1 for page in pages if page.workshop and page.workshop.published)
    errors = sum(1 for page in pages for problem in page.problems if problem.level == "error")
    counts = {"pages": len(pages), "published": published, "errors": errors}
    return _("Pages : %(pages)d · publiées : %(published)d · erreurs : %(errors)d") % counts


def _french(figure: str | None) -> str:
    return "?" if figure is None else figure.replace(".", ",")


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.normalize():f}"


def _price(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
