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
from django.utils.translation import gettext_lazy, ngettext

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
            lines.append(f"  {level} {_('ligne')} {problem.line} · {message(problem)}")
            lines.append(f"      → {advice(problem)}")
        return "\n".join(lines)


def as_object(page: Page) -> dict[str, Any]:
    """A page for ``--json``: figures as plain texts, ``None`` for what is unknown or empty."""
    workshop = page.workshop
    return {
        "file": page.file,
        "slug": page.slug or None,
        "title": (workshop and workshop.title) or None,
        "category": (workshop and workshop.category) or None,
        "price_ht": _price(workshop and workshop.price_ht),
        "price_ttc": _price(workshop and workshop.price_ttc),
        "vat_rate": _plain(workshop and workshop.vat_rate),
        "duration_days": _plain(workshop and workshop.duration_days),
        "tariff": (workshop and workshop.tariff) or None,
        "duration": (workshop and workshop.duration) or None,
        "public": (workshop and workshop.public) or None,
        "prerequisites": (workshop and workshop.prerequisites) or None,
        "draft": workshop.draft if workshop else None,
        "published": bool(workshop and workshop.published),
        "problems": [
            {"line": p.line, "level": p.level, "code": p.code, "message": message(p), "fix": advice(p)}
            for p in page.problems
        ],
    }


def described(page: Page) -> list[tuple[str, str]]:
    """What the page becomes, as labels and values; a figure that is not known is said not to be."""
    workshop = page.workshop
    if workshop is None:
        return [(_("devient"), _("rien : la page n’est pas publiée"))]
    unknown = _("inconnu")
    prices = [
        f"{_price(workshop.price_ht) or unknown} € HT",
        f"{_price(workshop.price_ttc) or unknown} € TTC",
        _("TVA %(rate)s %%") % {"rate": _plain(workshop.vat_rate) or unknown},
    ]
    days = _plain(workshop.duration_days) or unknown
    rows = [
        (_("titre"), workshop.title),
        (_("adresse"), workshop.slug),
        (_("catégorie"), workshop.category),
        (_("tarif"), workshop.tariff and f"{workshop.tariff}  →  {', '.join(prices)}"),
        (_("durée"), workshop.duration and f"{workshop.duration}  →  {_('%(days)s jour(s)') % {'days': days}}"),
        (_("public"), workshop.public),
        (_("prérequis"), workshop.prerequisites),
        (_("étapes"), " ".join(step.letter for step in workshop.steps)),
        (
            _("publiée"),
            _("oui") if workshop.published else _("non, c’est un brouillon") if workshop.draft else _("non"),
        ),
    ]
    return [(label, " ".join(value.split()) if label != _("tarif") else value) for label, value in rows if value]


def summary(pages: tuple[Page, ...]) -> str:
    published = sum(1 for page in pages if page.workshop and page.workshop.published)
    problems = [problem for page in pages for problem in page.problems]
    errors = sum(1 for problem in problems if problem.level == "error")
    return " · ".join(
        [
            ngettext("%(count)d page", "%(count)d pages", len(pages)) % {"count": len(pages)},
            ngettext("%(count)d publiée", "%(count)d publiées", published) % {"count": published},
            ngettext("%(count)d erreur", "%(count)d erreurs", errors) % {"count": errors},
        ]
    )


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.normalize():f}"


def _price(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
