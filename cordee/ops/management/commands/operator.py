"""``manage.py operator EMAIL``: name who operates the server; their account is made if there is none."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.accounts.actions import account_of
from cordee.ops.readiness import said_plainly


class Command(BaseCommand):
    help = str(gettext_lazy("Nomme qui administre ce serveur : crée des espaces, voit ce que la technique demande."))
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", metavar="EMAIL", help=_("son adresse : un code y sera envoyé pour se connecter"))
        parser.add_argument("--not", action="store_true", dest="no_more", help=_("ne l’est plus"))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["address"])
        except ValidationError as error:
            says = _("« %(address)s » n’est pas une adresse e-mail. Exemple : prenom.nom@exemple.fr")
            raise CommandError(says % {"address": options["address"]}) from error
        with said_plainly():
            user = account_of(options["address"])
            user.is_operator = not options["no_more"]
            user.save(update_fields=["is_operator"])
        said = _("%(address)s administre ce serveur.")
        if options["no_more"]:
            said = _("%(address)s n’administre plus ce serveur.")
        self.stdout.write(said % {"address": user.email})
