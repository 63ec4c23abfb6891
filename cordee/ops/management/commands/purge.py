"""``manage.py purge``: destroys the keys of the circles whose charter's date has passed. Prints counts only."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.circles.models import Circle
from cordee.ops import clock
from cordee.ops.readiness import lost_keys, said_plainly, wrapping_id
from cordee.room import actions


class Command(BaseCommand):
    help = str(gettext_lazy("Efface les textes des cercles dont la date est passée : leur clé est détruite."))
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--lost",
            metavar="k1",
            help=_("effacer aussi les cercles que cette clé du trousseau, perdue pour toujours, scellait"),
        )
        parser.add_argument("--trust-clock", action="store_true", help=_("l’horloge est juste, bien qu’elle ait sauté"))

    def handle(self, *args: Any, **options: Any) -> None:
        with said_plainly():
            clock.require_believable(options["trust_clock"])
            erased = actions.erase_due() + (erase_lost(options["lost"]) if options["lost"] else 0)
            kept = Circle.objects.filter(wrapped_key__isnull=False).count()
        counts = {"erased": erased, "kept": kept}
        self.stdout.write(_("Cercles effacés : %(erased)d · cercles lisibles : %(kept)d") % counts)


def erase_lost(name: str) -> int:
    """Erase the circles that this key of the ring wrapped and that nothing here opens any more; how many."""
    sealed = Circle.objects.filter(wrapped_key__isnull=False)
    lost = [c for c in sealed if wrapping_id(c.wrapped_key) == name and lost_keys([c.wrapped_key])]
    for circle in lost:
        actions.erase(circle)
    if lost:
        actions.empty_journal()
    return len(lost)
