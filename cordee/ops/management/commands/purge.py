"""``manage.py purge``: destroys the keys of the circles whose charter's date has passed. Prints counts only."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.circles.models import Circle
from cordee.ops.readiness import said_plainly
from cordee.room import actions


class Command(BaseCommand):
    help = str(gettext_lazy("Efface les textes des cercles dont la date est passée : leur clé est détruite."))
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with said_plainly():
            erased = actions.erase_due()
            kept = Circle.objects.filter(wrapped_key__isnull=False).count()
        counts = {"erased": erased, "kept": kept}
        self.stdout.write(_("Cercles effacés : %(erased)d · cercles lisibles : %(kept)d") % counts)
