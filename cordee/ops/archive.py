"""An archive of all that the server keeps: one moment of the database, in one zip that either database can take back.

    manifest.json            what this is, of which release, and the rows, bytes and SHA-256 of each part
    circles.circle.jsonl     one part a table: a line with the columns' names, then one line (a JSON list) a row
    room.session.jsonl …

Texts stay sealed as they are in the tables (bytes are in base64), and no key is inside that is not itself wrapped by
the key ring, which must be kept elsewhere. Why not the databases' own formats: docs/adr/0009-one-archive.md
"""

import hashlib
import json
import os
import zipfile
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from cordee.accounts.models import Tries as TriesToSignIn
from cordee.accounts.models import Upload
from cordee.circles.models import Circle
from cordee.ops.readiness import wrapping_id
from cordee.room.models import Tries
from cordee.web.release import version

FORMAT = 1
MANIFEST = "manifest.json"
AT_ONCE = 1000  # rows
# How people sign in is kept by allauth. Sessions are not archived: who had signed in signs in again.
SIGN_IN = ("account.EmailAddress", "socialaccount.SocialAccount", "mfa.Authenticator")
LARGEST_MANIFEST = 2**20  # bytes


class Unusable(Exception):
    """This archive cannot be restored here. The message is a sentence for the operator, without a word of a room."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table: ``rows`` and ``bytes`` as they are once decompressed."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    format: int
    release: str
    made_at: str  # ISO 8601, UTC
    database: str  # where it came from: "sqlite" or "postgresql"
    migrations: tuple[str, ...]  # "app.name", of the apps that have tables here
    keys: dict[str, int]  # id of the key ring's key -> circles that it wraps
    secret: str  # tells whether another CORDEE_SECRET_KEY is in force; nothing can be computed from it
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


# ---------------------------------------------------------------- what is kept


@cache
def tables() -> tuple[type[models.Model], ...]:
    """Every table of ours that is worth keeping, those that others refer to first."""
    # How often something was tried in the last hour, a list not yet confirmed: old by the time anything is restored.
    apart = {Tries, TriesToSignIn, Upload}
    ours = [m for app in apps.get_app_configs() if app.name.startswith("cordee.") for m in app.get_models()]
    ours += [apps.get_model(name) for name in SIGN_IN]
    ours = [m for m in ours if m not in apart]
    found: list[type[models.Model]] = []
    while ours:
        ready = [m for m in ours if _refers_to(m) - {m} <= set(found)]
        found += ready
        ours = [m for m in ours if m not in ready]
    return tuple(found)


def _refers_to(model: type[models.Model]) -> set[Any]:
    return {field.related_model for field in model._meta.concrete_fields if field.is_relation}


def part_name(model: type[models.Model]) -> str:
    return f"{model._meta.label_lower}.jsonl"


def migrations() -> tuple[str, ...]:
    """The migrations that made these tables what they are."""
    labels = {model._meta.app_label for model in tables()}
    applied = MigrationRecorder(connection).applied_migrations()
    return tuple(sorted(f"{app}.{name}" for app, name in applied if app in labels))


def secret_mark() -> str:
    return salted_hmac("cordee.ops.archive", "which secret key", algorithm="sha256").hexdigest()[:16]


# ---------------------------------------------------------------- writing


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read inside is as of one moment; no writer waits for it, and it waits for none."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield
            return
        # Django's own transactions begin IMMEDIATE here (see config/env.py), which would shut writers out.
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def write(path: Path) -> Manifest:
    """Make the archive; it has its name only once it is whole and on the disk. Raises ``OSError``."""
    if path.exists():
        raise FileExistsError(path)
    partial = path.with_name(f"{path.name}.part")
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive, one_moment():
                manifest = _fill(archive)
            file.flush()
            os.fsync(file.fileno())
        with opened(partial) as (archive, found):  # a backup that cannot be read is none
            check_parts(archive, found)
        os.link(partial, path)  # unlike a renaming, never over what came in between
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return manifest


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fill(archive: zipfile.ZipFile) -> Manifest:
    parts = tuple(_write_part(archive, model) for model in tables())
    wrapped = Circle.objects.filter(wrapped_key__isnull=False).values_list("wrapped_key", flat=True)
    manifest = Manifest(
        format=FORMAT,
        release=version(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        database=connection.vendor,
        migrations=migrations(),
        keys=dict(Counter(wrapping_id(key) for key in wrapped.iterator())),
        secret=secret_mark(),
        parts=parts,
    )
    archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
    return manifest


def _write_part(archive: zipfile.ZipFile, model: type[models.Model]) -> Part:
    columns = [field.attname for field in model._meta.concrete_fields]
    stored = model._base_manager.order_by("pk").values_list(*columns)
    digest, size, count = hashlib.sha256(), 0, 0
    with archive.open(part_name(model), "w", force_zip64=True) as part:
        for row in _with_heading(columns, stored.iterator(chunk_size=AT_ONCE)):
            line = json.dumps(row, default=_plain, separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            size, count = size + len(line), count + 1
            part.write(line)
    return Part(part_name(model), count - 1, size, digest.hexdigest())


def _with_heading(columns: list[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    yield columns
    yield from rows


def _plain(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return b64encode(bytes(value)).decode()
    if isinstance(value, date):  # and datetime, whose microseconds it keeps
        return value.isoformat()
    raise TypeError(f"An archive has no form for a {type(value).__name__}: give it one in cordee/ops/archive.py.")


# ---------------------------------------------------------------- reading


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """The archive and its manifest. Raises :class:`Unusable`, ``OSError``."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive, _manifest(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Unusable(_("Cette archive est tronquée ou abîmée : prenez-en une autre.")) from error


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        with archive.open(MANIFEST) as file:
            told = json.loads(file.read(LARGEST_MANIFEST))
    except (KeyError, ValueError) as error:
        raise Unusable(_("Ce fichier n’est pas une archive de Cordée (il n’a pas de manifeste).")) from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise Unusable(
            _("Cette version ne connaît pas le format de l’archive : installez celle qui l’a faite (%(release)s).")
            % {"release": str(told.get("release", "?"))[:20] if isinstance(told, dict) else "?"}
        )
    try:
        parts = tuple(Part(**part) for part in told["parts"])
        return Manifest(**{**told, "parts": parts, "migrations": tuple(told["migrations"])})
    except (KeyError, TypeError) as error:
        raise Unusable(_("Le manifeste de cette archive n’est pas complet : prenez-en une autre.")) from error


def check_parts(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Every part is there, whole, and as it was written. Raises :class:`Unusable`."""
    for part in manifest.parts:
        digest, size, lines = hashlib.sha256(), 0, 0
        with _open_part(archive, part.name) as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
                size, lines = size + len(chunk), lines + chunk.count(b"\n")
        if (digest.hexdigest(), size, lines - 1) != (part.sha256, part.bytes, part.rows):
            raise Unusable(
                _("La partie %(name)s de l’archive n’est pas ce qui a été sauvegardé : prenez une autre archive.")
                % {"name": part.name}
            )


def check_fits(manifest: Manifest) -> None:
    """The archive is of the same tables as this database. Raises :class:`Unusable`."""
    if set(manifest.migrations) != set(migrations()) or {p.name for p in manifest.parts} != set(
        map(part_name, tables())
    ):
        raise Unusable(
            _(
                "Cette archive vient d’une autre version (%(release)s) : installez celle-là, lancez manage.py migrate, "
                "restaurez, puis mettez à jour."
            )
            % {"release": manifest.release}
        )


def _open_part(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    try:
        return archive.open(name)
    except KeyError as error:
        raise Unusable(_("Il manque à l’archive la partie %(name)s : prenez-en une autre.") % {"name": name}) from error


def rows_of(archive: zipfile.ZipFile, model: type[models.Model]) -> Iterator[dict[str, Any]]:
    """The rows of a table as Python values, by column."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    with _open_part(archive, part_name(model)) as part:
        try:
            columns = [fields[name] for name in json.loads(next(part))]
            for line in part:
                values = json.loads(line)
                yield {f.attname: f.to_python(v) for f, v in zip(columns, values, strict=True)}
        except (ValueError, KeyError, StopIteration, ValidationError) as error:
            raise Unusable(
                _("La partie %(name)s de l’archive ne se lit pas : prenez-en une autre.") % {"name": part_name(model)}
            ) from error


def fill_tables(archive: zipfile.ZipFile) -> None:
    """Put every row back as it was, in the caller's transaction; the tables are empty."""
    with connection.cursor() as cursor:
        for model in tables():
            fields = model._meta.concrete_fields
            names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
            places = ", ".join(["%s"] * len(fields))
            insert = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) VALUES ({places})"
            rows = rows_of(archive, model)
            while batch := list(islice(rows, AT_ONCE)):
                values = [[f.get_db_prep_save(row[f.attname], connection) for f in fields] for row in batch]
                cursor.executemany(insert, values)
        # What is written from now on is numbered after what came back.
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables())):
            cursor.execute(statement)


def empty_tables() -> None:
    with connection.cursor() as cursor:
        for model in reversed(tables()):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")
