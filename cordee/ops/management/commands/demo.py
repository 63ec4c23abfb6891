"""``manage.py demo``: makes the demo if it is not there, and says where to go. Prints links, never a text of a room."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from time import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.ops.demo.building import CIRCLE, Demo, ensure, token
from cordee.ops.demo.scene import seat_of
from cordee.ops.readiness import said_plainly
from cordee.room import actions, store

STALE_HOURS = 3  # after which the clock of the round under way makes little sense


class Command(BaseCommand):
    help = str(
        gettext_lazy("Prépare la démonstration si elle n’y est pas, et dit où aller. La relancer ne change rien.")
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        address = os.environ.get("CORDEE_URL", "http://127.0.0.1:8000")
        which = _("l’adresse du site (%(default)s)")  # argparse puts the default in
        parser.add_argument("--base-url", default=address, metavar="URL", help=which)
        parser.add_argument(
            "--reset", action="store_true", help=_("la rejouer : les anciens liens n’ouvrent plus rien")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        base = options["base_url"].rstrip("/")
        if not base.startswith(("http://", "https://")):
            raise CommandError(_("--base-url attend une adresse complète, par exemple http://127.0.0.1:8000."))
        with said_plainly():
            demo = ensure(time(), anew=options["reset"])
            rows = list(where_to_go(demo, base))
        width = max(len(label) for label, _value in rows) + 2
        self.stdout.write(_("Démonstration (%(circle)s)") % {"circle": CIRCLE})
        for label, value in rows:
            self.stdout.write(f"  {label:<{width}}{value}")
        if timezone.now() - demo.began_at > timedelta(hours=STALE_HOURS):
            since = date_format(timezone.localtime(demo.began_at), "j F Y, H:i")
            self.stdout.write(_("Elle date du %(since)s ; pour la rejouer : manage.py demo --reset") % {"since": since})


def where_to_go(demo: Demo, base: str) -> Iterator[tuple[str, str]]:
    """(label, address or code), in the order of a visit."""
    links = actions.links(store.load(demo.halfway))

    def place(of: str) -> str:
        return base + reverse("room:place", args=[of])

    yield _("Accueil"), base + reverse("home")
    yield _("En cours : Fanny, qui anime"), place(token(demo.halfway, seat_of("fanny")))
    yield _("En cours : Claire, cliente"), place(token(demo.halfway, seat_of("claire")))
    yield _("En cours : Karim, consultant"), place(token(demo.halfway, seat_of("karim")))
    yield _("En cours : l’écran partagé"), place(links["screen"])
    yield _("En cours : le code de la salle"), actions.shown_code(links["code"])
    yield _("Séance passée, close (Hélène)"), place(token(demo.earlier, seat_of("helene")))
    if settings.MAIL["road"] == "demo":
        yield _("Boîte aux lettres de tous"), base + reverse("mail:mailbox")
