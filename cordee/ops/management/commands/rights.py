"""``manage.py rights``: write docs/droits.md from the table of abilities. A test holds the page to the table."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from cordee.accounts.rules import abilities

PAGE = Path(settings.BASE_DIR) / "docs" / "droits.md"
AREAS = {
    "account": "Son compte",
    "server": "Le serveur",
    "space": "Un espace et ses personnes",
    "circle": "Un cercle",
    "followup": "Ce que l’on garde",
}
WHO = {
    "anybody": "tout le monde",
    "signed_in": "qui est connecté·e",
    "operator": "administrateur·rice technique",
    "person": "qui est de l’espace",
    "organiser": "organisateur·rice",
    "sponsor": "commanditaire",
    "self": "la personne elle-même",
    "companion": "qui est d’un cercle avec elle",
    "member": "participant·e du cercle",
    "facilitator": "animateur·rice du cercle",
    "waiting": "en attente d’une place",
    "former": "qui a quitté le cercle",
    "author": "qui l’a écrit, ou promis",
}
HEAD = """# Qui peut quoi

Hors d’une salle, les droits sont les lignes d’une table, [abilities.toml](../cordee/accounts/abilities.toml), lue par
les pages, les gabarits et ce document. Ce qu’aucune ligne ne donne, personne ne le peut, pas même qui administre le
serveur ; à qui ne peut pas, l’adresse répond 404, comme si elle n’existait pas. Dans une salle, c’est la méthode qui
dit ([mentor.toml](../cordee/engine/protocols/mentor.toml)). Un espace ne voit rien d’un autre. L’organisateur·rice d’un
cercle ne lit jamais sa salle, ni rien de ce que scelle sa clé.

Cette page est écrite par `manage.py rights` ; ne la changez pas à la main.
"""


def written() -> str:
    """What docs/droits.md must hold."""
    lines = [HEAD]
    area = ""
    for ability in abilities().values():
        if ability.area != area:
            area = ability.area
            lines.append(f"\n## {AREAS[area]}\n\n| ce que l’on peut | qui | nom |\n|---|---|---|\n")
        who = ", ".join(WHO[name] for name in WHO if name in ability.who)
        lines.append(f"| {ability.says} | {who} | `{ability.id}` |\n")
    return "".join(lines)


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        PAGE.write_text(written(), encoding="utf-8")
