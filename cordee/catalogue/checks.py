"""``manage.py check`` tells what is wrong in the catalogue. A page in error stops no command: these are warnings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.utils.translation import gettext as _

from cordee.catalogue import queries
from cordee.catalogue.phrases import advice, message


@register("catalogue")
def check_catalogue(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    folder = Path(settings.CATALOGUE_DIR)
    if not folder.is_dir():
        return [
            Warning(
                _("Le dossier du catalogue n’existe pas : %(folder)s") % {"folder": folder},
                hint=_("Créez-le, ou indiquez le bon dossier dans CORDEE_CATALOGUE."),
                id="catalogue.W001",
            )
        ]
    return [
        Warning(f"{problem.file}:{problem.line} {message(problem)}", hint=advice(problem), id="catalogue.W002")
        for page in queries.pages()
        for problem in page.problems
        if problem.level == "error"
    ]
