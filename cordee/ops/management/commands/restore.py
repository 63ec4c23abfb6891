"""``manage.py restore FILE``: put an archive of ``manage.py backup`` back, all or nothing, in either database.

Everything that can be wrong is looked for before a row is touched: the archive's sums, the release, the key ring, the
secret key, a server that is not empty. What was erased since stays erased, as far as this server can know.
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.circles import crypto
from cordee.circles.models import Circle
from cordee.ops import archive, clock, examination
from cordee.ops.readiness import lost_keys, ring_ids, said_plainly, unreadable
from cordee.room import access, actions, store
from cordee.room.models import Session

Known = dict[tuple[int, datetime], tuple[bool, date]]  # a circle: whether its key was destroyed, and when it will be


class Command(BaseCommand):
    help = str(gettext_lazy("Remet une archive en place, d’un seul coup, dans un serveur vide et arrêté."))
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar=_("FICHIER"), help=_("une archive de manage.py backup"))
        parser.add_argument(
            "--replace", action="store_true", help=_("effacer d’abord tout ce que ce serveur garde à présent")
        )
        parser.add_argument(
            "--anyway", action="store_true", help=_("restaurer même si les secrets présents n’ouvrent pas tout")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with said_plainly(), archive.opened(options["file"]) as (opened, manifest):
                self.tell(manifest)
                require_migrated()
                archive.check_parts(opened, manifest)
                archive.check_fits(manifest)
                require_room(options["replace"])
                problems = list(locked(opened, manifest))
                if problems and not options["anyway"]:
                    problems.append(_("Rien n’a été touché. Pour restaurer quand même : --anyway."))
                    raise CommandError("\n".join(problems))
                put_back(opened)
                self.finish()
        except archive.Unusable as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(
                _("%(file)s ne se lit pas (%(why)s).")
                % {"file": options["file"], "why": error.strerror or type(error).__name__}
            ) from error
        self.conclude()

    def tell(self, manifest: archive.Manifest) -> None:
        told = {"made_at": manifest.made_at, "release": manifest.release, "rows": manifest.rows}
        self.stdout.write(_("Archive du %(made_at)s (version %(release)s), lignes : %(rows)d") % told)

    def finish(self) -> None:
        store.forget()
        access.forget()
        clock.require_believable(trusted=True)  # who restores is there, and still has the archive
        erased = actions.erase_due()
        self.stdout.write(_("Restauré. Cercles effacés depuis, effacés à nouveau : %(erased)d") % {"erased": erased})
        read, closed = fold_everything()
        self.stdout.write(
            _("Salles relues mot par mot : %(read)d · illisibles : %(closed)d") % {"read": read, "closed": closed}
        )
        if closed:
            self.stderr.write(_("Des salles ne se lisent pas : voyez ci-dessous ce que dit l’examen."))

    def conclude(self) -> None:
        """What ``manage.py doctor`` says of the server as it is now; leaves with 1 if something is wrong."""
        self.stdout.write(_("Si un serveur tournait pendant ce temps, redémarrez-le : il a l’ancien état en mémoire."))
        findings = list(examination.examine())
        self.stdout.write(examination.as_text(findings, self.style))
        if examination.wrong(findings):
            raise SystemExit(1)


# ---------------------------------------------------------------- before


def require_migrated() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError(_("La base n’est pas prête : lancez d’abord manage.py migrate."))


def require_room(replace: bool) -> None:
    """Raises ``CommandError`` when this server keeps something and was not told to let it go."""
    kept = sum(model._base_manager.count() for model in archive.tables())
    if kept and not replace:
        raise CommandError(
            _("Ce serveur n’est pas vide (lignes : %(kept)d) : sauvegardez-le, puis restaurez avec --replace.")
            % {"kept": kept}
        )


def locked(opened: ZipFile, manifest: archive.Manifest) -> Iterator[str]:
    """What the secrets at hand would not open: one sentence each."""
    try:
        ring = ring_ids()
    except ImproperlyConfigured as error:
        yield str(error)
        return
    rows = archive.rows_of(opened, Circle)
    lost = lost_keys(row["wrapped_key"] for row in rows if row["wrapped_key"] is not None)
    for name, count in sorted(lost.items()):
        yield unreadable(name, count, ring)
    if manifest.secret != archive.secret_mark():
        yield _("CORDEE_SECRET_KEY n’est pas celle de l’archive : aucun lien ni aucun code n’ouvrirait. Remettez-la.")


# ---------------------------------------------------------------- the act


def put_back(opened: ZipFile) -> None:
    """All rows in one transaction; what this server knows to be erased, or due earlier, stays so."""
    with transaction.atomic():
        known = erasures()
        archive.empty_tables()
        archive.fill_tables(opened)
        honour(known)


def erasures() -> Known:
    rows = Circle.objects.values_list("pk", "created_at", "wrapped_key", "erase_on")
    return {(pk, made): (wrapped is None, due) for pk, made, wrapped, due in rows.iterator()}


def honour(known: Known) -> None:
    """A backup never brings back what was erased after it, nor puts an erasure off."""
    for (pk, made), (destroyed, due) in known.items():
        same = Circle.objects.filter(pk=pk, created_at=made)
        same.filter(erase_on__gt=due).update(erase_on=due)
        if destroyed:
            for circle in same:
                actions.erase(circle)


# ---------------------------------------------------------------- after


def fold_everything() -> tuple[int, int]:
    """Open every text of every room that has its key: how many rooms were read, and how many could not be."""
    read = closed = 0
    for room in list(Session.objects.order_by("pk").values_list("pk", flat=True)):
        try:
            store.load(room)
            read += 1
        except crypto.Unreadable:
            closed += 1
        store.forget(room)
    return read, closed
