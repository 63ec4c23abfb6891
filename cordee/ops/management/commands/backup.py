"""``manage.py backup [FILE]``: an archive of one moment of the server, which goes on meanwhile. No word is in clear."""

import os
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.ops import archive, recurring
from cordee.ops.readiness import said_plainly

NAME = "cordee-%Y-%m-%d-%H%M%S.zip"
OURS = "cordee-????-??-??-??????.zip"


class Command(BaseCommand):
    help = str(gettext_lazy("Fait une archive de tout ce que garde ce serveur, sans l’arrêter."))
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            nargs="?",
            type=Path,
            metavar=_("FICHIER"),
            help=_("le fichier à écrire, ou un dossier où il sera nommé d’après la date (CORDEE_VAR/backups)"),
        )
        parser.add_argument(
            "--with-keys",
            type=Path,
            metavar=_("FICHIER"),
            help=_("écrire aussi les deux secrets dans cet autre fichier, à garder ailleurs que l’archive"),
        )
        parser.add_argument(
            "--keep", type=int, metavar=_("JOURS"), help=_("ôter ensuite du dossier les archives plus vieilles")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = where(options["file"])
        if (keep := options["keep"]) is not None and keep < 1:
            raise CommandError(_("--keep attend un nombre de jours, par exemple --keep 30."))
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if options["with_keys"]:
                write_secrets(options["with_keys"])
            with said_plainly():
                manifest = archive.write(path)
        except archive.Unusable as error:
            raise CommandError(str(error)) from error
        except FileExistsError as error:
            raise CommandError(
                _("%(file)s existe déjà : donnez un autre nom, ou ôtez-le.") % {"file": error.filename or error}
            ) from error
        except OSError as error:
            raise CommandError(
                _("L’archive n’a pas pu être écrite (%(why)s) : voyez le disque et les droits de %(folder)s.")
                % {"why": error.strerror or type(error).__name__, "folder": path.parent}
            ) from error
        recurring.done(recurring.BACKUP)
        counts = {"file": path, "rows": manifest.rows, "size": path.stat().st_size // 1024 + 1}
        self.stdout.write(_("%(file)s · lignes : %(rows)d · %(size)d Ko · relue et entière") % counts)
        self.tell_keys(manifest, options["with_keys"])
        if keep:
            self.stdout.write(_("Archives ôtées : %(gone)d") % {"gone": remove_old(path.parent, keep, path)})

    def tell_keys(self, manifest: archive.Manifest, secrets: Path | None) -> None:
        if secrets:
            self.stdout.write(
                _("Les deux secrets sont dans %(file)s : mettez-les à l’abri, loin de l’archive.") % {"file": secrets}
            )
        elif manifest.keys:
            self.stdout.write(
                _("Pour la lire il faudra CORDEE_SECRET_KEY et, du trousseau, %(keys)s : ils n’y sont pas.")
                % {"keys": " ".join(f"« {name} »" for name in sorted(manifest.keys))}
            )


def where(given: Path | None) -> Path:
    """The file to write: as given, or named by the date in the folder that is given, or in the data folder."""
    folder = given or Path(settings.VAR_DIR) / "backups"
    if given is not None and not given.is_dir():
        return given
    return folder / datetime.now(UTC).strftime(NAME)


def write_secrets(path: Path) -> None:
    """Both secrets, as variables of an environment, in a new file that only its owner reads."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"CORDEE_SECRET_KEY='{settings.SECRET_KEY}'\nCORDEE_KEY_RING='{settings.KEY_RING}'\n")


def remove_old(folder: Path, days: int, but: Path) -> int:
    """Remove the archives of that folder that this command named, once they are that old; how many."""
    limit = (datetime.now(UTC) - timedelta(days=days)).strftime(NAME)
    old = [file for file in folder.glob(OURS) if file.name < limit and file != but]
    for file in old:
        file.unlink()
    return len(old)
