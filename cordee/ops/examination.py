"""What ``manage.py doctor`` looks at: what is wrong with this installation, and what to do.

It reads settings, tables' dates and keys; never a word of a room.
"""

import os
import resource
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import time
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.color import Style
from django.db import DatabaseError, Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, F, Max
from django.http.request import validate_host
from django.utils import timezone
from django.utils.translation import gettext as _

from cordee.circles import crypto
from cordee.circles.models import Circle
from cordee.mail import queries as mail
from cordee.ops import clock as clocks
from cordee.ops import process, recurring
from cordee.ops.readiness import ring_ids, unreadable, wrapping_id
from cordee.room.models import Entry

GOOD, LOOK, WRONG = "good", "look", "wrong"
LEAST_FREE = 200 * 2**20  # bytes
WRITTEN_ON = 1_767_225_600  # 2026-01-01: no clock of a running Cordée says less
DRIFT = 30  # seconds
LATE_DAYS = 2
SHORTEST_SECRET = 32  # characters
LOCAL = {"localhost", "127.0.0.1", "[::1]", "::1"}


LARGEST_WAL = 256 * 2**20  # bytes
FEWEST_FILES = 5_500  # 5,000 open pages hold one each
LONGEST_WAIT = 9000  # milliseconds for a lock: the writer gives up after 10 s
TICK_HOURS = 26
BACKUP_DAYS = 7
LETTER_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """``text`` says what is so and, unless it is good, what to do."""

    level: str
    text: str
    check: str = ""


def wrong(findings: Iterable[Finding]) -> int:
    return sum(finding.level == WRONG for finding in findings)


def as_text(findings: list[Finding], style: Style) -> str:
    signs = {
        GOOD: style.SUCCESS(_("bon     ")),
        LOOK: style.WARNING(_("à voir  ")),
        WRONG: style.ERROR(_("à régler")),
    }
    lines = [f"{signs[finding.level]}  {finding.text}" for finding in findings]
    found = wrong(findings)
    return "\n".join([*lines, _("À régler : %(wrong)d") % {"wrong": found} if found else _("Rien à régler.")])


def examine() -> Iterator[Finding]:
    """Everything, in the order in which it should be mended. What needs a database waits until there is one."""
    first = [folder, descriptors, server, database, integrity]
    within = [log_of_rooms, durability, patience, wal, keys, due, letters, clock]
    after = [work, static, bus, doors]
    found: list[Finding] = []
    for check in first:
        if check is integrity and wrong(found):
            continue
        found = list(check())
        yield from (replace(finding, check=check.__name__) for finding in found)
    for check in after if wrong(found) else [*within, *after]:
        yield from (replace(finding, check=check.__name__) for finding in check())


# ---------------------------------------------------------------- the machine


def folder() -> Iterator[Finding]:
    where = Path(settings.VAR_DIR)
    try:
        with tempfile.NamedTemporaryFile(dir=where):
            pass
    except OSError as error:
        yield Finding(
            WRONG,
            _("Le dossier %(where)s ne peut pas être écrit (%(why)s) : changez ses droits, ou CORDEE_VAR.")
            % {"where": where, "why": error.strerror},
        )
        return
    yield Finding(GOOD, _("Le dossier de données %(where)s peut être écrit.") % {"where": where})
    free = min(shutil.disk_usage(place).free for place in {where, _database_file().parent} if place.is_dir())
    if free < LEAST_FREE:
        yield Finding(
            WRONG,
            _("Il ne reste que %(free)d Mo sur le disque des données : libérez de la place.") % {"free": free // 2**20},
        )
    for secret in ("cordee_secret_key", "cordee_key_ring"):
        file = where / secret
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield Finding(
                WRONG, _("D’autres que vous peuvent lire le secret %(file)s : chmod 600 %(file)s") % {"file": file}
            )


def _database_file() -> Path:
    """The file of SQLite; elsewhere the data folder stands for it."""
    sqlite = connection.vendor == "sqlite"
    name = str(settings.DATABASES["default"].get("NAME") or "") if sqlite else ""
    return Path(name) if os.path.isabs(name) else Path(settings.VAR_DIR) / "database"


def descriptors() -> Iterator[Finding]:
    """The server takes as many as it may (see process.py): it is the upper limit that counts."""
    at_work = process.running()
    most = at_work.files if at_work else resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and most < FEWEST_FILES:
        yield Finding(
            LOOK,
            _("Au plus %(most)d pages ouvertes à la fois : donnez plus de fichiers (LimitNOFILE=65536 sous systemd).")
            % {"most": most},
        )


def server() -> Iterator[Finding]:
    """How the server at work was started."""
    at_work = process.running()
    if at_work and not at_work.door:
        yield Finding(
            WRONG,
            _(
                "Le serveur tourne sans --http cordee.live.door:Door : qui envoie lentement n’est pas lâché. "
                "Relancez-le comme deploy/cordee.service."
            ),
        )
    elif at_work:
        yield Finding(GOOD, _("Le serveur tourne."))


def clock() -> Iterator[Finding]:
    now = time()
    latest = Entry.objects.aggregate(latest=Max("at"))["latest"] or 0
    if now < WRITTEN_ON or latest > now + DRIFT:
        yield Finding(
            WRONG,
            _("L’horloge du serveur retarde (il y est %(now)s) : mettez-la à l’heure (timedatectl set-ntp true).")
            % {"now": f"{timezone.localtime():%Y-%m-%d %H:%M}"},
        )
    elif connection.vendor == "postgresql" and abs(_database_time() - now) > DRIFT:
        yield Finding(
            WRONG,
            _("Les horloges du serveur et de PostgreSQL diffèrent : mettez-les à l’heure (timedatectl set-ntp true)."),
        )
    elif days := clocks.leap():
        yield Finding(WRONG, clocks.leapt(days))
    else:
        yield Finding(GOOD, _("L’horloge est à l’heure."))


def _database_time() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])


# ---------------------------------------------------------------- the database


def database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except Error as error:
        yield Finding(
            WRONG,
            _("La base de données ne répond pas (%(why)s) : vérifiez qu’elle tourne, et DATABASE_URL.")
            % {"why": _first_line(error)},
        )
        return
    if missing:
        yield Finding(
            WRONG,
            _("La base n’est pas à jour, migrations à passer : %(missing)d. Lancez manage.py migrate.")
            % {"missing": missing},
        )
        return
    yield Finding(GOOD, _("La base de données répond et est à jour (%(kind)s).") % {"kind": connection.display_name})


def _first_line(error: Exception) -> str:
    """What the driver says, without the password that some drivers repeat."""
    password = str(settings.DATABASES["default"].get("PASSWORD") or "")
    line = " ".join(str(error).split())[:200]
    return line.replace(password, "…") if password else line


def integrity() -> Iterator[Finding]:
    """Whether the database's own pages are whole."""
    if _damaged():
        yield Finding(
            WRONG,
            _("Le fichier de la base est abîmé : arrêtez le serveur, gardez ce fichier, restaurez une sauvegarde."),
        )
    else:
        yield Finding(GOOD, _("La base de données est entière."))


def _damaged() -> bool:
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SELECT sum(checksum_failures) FROM pg_stat_database")
            return bool(cursor.fetchone()[0])
        try:
            cursor.execute("PRAGMA quick_check(3)")
            return [str(row[0]) for row in cursor.fetchall()] != ["ok"]
        except DatabaseError:  # too damaged to be looked at
            return True


def log_of_rooms() -> Iterator[Finding]:
    """Every room's log is numbered from 1 without a hole."""
    logs = Entry.objects.values("session").annotate(entries=Count("seq"), latest=Max("seq")).order_by()
    torn = logs.exclude(entries=F("latest")).count()
    if torn:
        yield Finding(
            WRONG, _("Salles dont le journal a un trou : %(torn)d. Restaurez une sauvegarde.") % {"torn": torn}
        )


def wal() -> Iterator[Finding]:
    """SQLite's journal, which shrinks when nobody reads for a moment."""
    if connection.vendor != "sqlite":
        return
    try:
        size = Path(f"{_database_file()}-wal").stat().st_size
    except OSError:
        return
    if size > LARGEST_WAL:
        yield Finding(
            LOOK,
            _("Le journal de SQLite (-wal) pèse %(size)d Mo : une lecture dure trop ; redémarrez le serveur.")
            % {"size": size // 2**20},
        )


def durability() -> Iterator[Finding]:
    """Whether what was acknowledged survives a power cut."""
    wanted = (
        {"journal_mode": {"wal"}, "synchronous": {"2", "3"}, "foreign_keys": {"1"}}
        if connection.vendor == "sqlite"
        else {
            "synchronous_commit": {"on", "local", "remote_apply", "remote_write"},
            "fsync": {"on"},
            "full_page_writes": {"on"},
        }
    )
    ask = "PRAGMA" if connection.vendor == "sqlite" else "SHOW"
    with connection.cursor() as cursor:
        for name, values in wanted.items():
            cursor.execute(f"{ask} {name}")
            value = str(cursor.fetchone()[0])
            if value not in values:
                yield Finding(
                    WRONG,
                    _("Réglage de la base : %(name)s = %(value)s, attendu : %(wanted)s. Une coupure perdrait des mots.")
                    % {"name": name, "value": value, "wanted": " / ".join(sorted(values))},
                )


def patience() -> Iterator[Finding]:
    """Whether who waits for a lock gives up before the page does."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'")
        waits = int(cursor.fetchone()[0])  # milliseconds; 0: for ever
    if not 0 < waits <= LONGEST_WAIT:
        yield Finding(
            LOOK,
            _(
                "PostgreSQL attend un verrou sans limite (lock_timeout = %(waits)d ms) : retirez « options » de "
                "DATABASE_URL, ou ajoutez-y -c lock_timeout=5s ; derrière PgBouncer, ALTER ROLE … SET lock_timeout."
            )
            % {"waits": waits},
        )


def keys() -> Iterator[Finding]:
    try:
        ring = ring_ids()
    except ImproperlyConfigured as error:
        yield Finding(WRONG, str(error))
        return
    lost: Counter[str] = Counter()
    total = older = 0
    wrapped_keys = Circle.objects.filter(wrapped_key__isnull=False).values_list("wrapped_key", flat=True)
    for wrapped in wrapped_keys.iterator():
        total += 1
        older += not crypto.wrapped_by_newest(bytes(wrapped or b""))
        try:
            crypto.unwrap(bytes(wrapped or b""))
        except crypto.Unreadable:
            lost[wrapping_id(wrapped)] += 1
    for name, count in sorted(lost.items()):
        yield Finding(WRONG, unreadable(name, count, ring))
    if not lost:
        yield Finding(GOOD, _("Le trousseau ouvre les clés de tous les cercles : %(total)d.") % {"total": total})
    if older > lost.total():
        yield Finding(
            LOOK,
            _("Cercles scellés par une ancienne clé : %(older)d. Lancez manage.py rotate_keys.")
            % {"older": older - lost.total()},
        )


def due() -> Iterator[Finding]:
    """Recurring work that does not recur."""
    limit = timezone.localdate() - timedelta(days=LATE_DAYS)
    late = Circle.objects.filter(erase_on__lt=limit, wrapped_key__isnull=False).count()
    if late:
        yield Finding(
            WRONG,
            _("Cercles qui devraient être effacés : %(late)d. Lancez manage.py tick toutes les heures (cron).")
            % {"late": late},
        )
    else:
        yield Finding(GOOD, _("Aucun effacement en retard."))


def letters() -> Iterator[Finding]:
    """Whether letters leave; addresses are on the operator's page, not here."""
    box = mail.outbox()
    if settings.MAIL["road"] == "none":
        yield Finding(
            LOOK,
            _("Aucune lettre ne part (en attente : %(waiting)d) : donnez CORDEE_MAIL_URL et CORDEE_MAIL_FROM.")
            % {"waiting": box.waiting},
        )
    elif box.late_since and timezone.now() - box.late_since > timedelta(minutes=LETTER_MINUTES):
        yield Finding(
            WRONG,
            _("Des lettres attendent depuis %(minutes)d minutes : %(why)s (%(error)s).")
            % {
                "minutes": (timezone.now() - box.late_since).total_seconds() // 60,
                "why": mail.reason(box.error) if box.error else _("le serveur est arrêté, et tick ne tourne pas"),
                "error": box.error or "–",
            },
        )
    else:
        yield Finding(GOOD, _("Les lettres partent (en attente : %(waiting)d).") % {"waiting": box.waiting})
    if box.dead:
        yield Finding(
            LOOK,
            _("Lettres non parties : %(dead)d. Voyez lesquelles, et pourquoi, sous /courrier/.") % {"dead": box.dead},
        )
    if settings.MAIL["road"] in {"smtp", "file"} and _elsewhere(settings.URL):
        yield Finding(
            WRONG,
            _("Les liens des lettres mènent à %(url)s, qui n’est pas ce site : donnez son adresse par CORDEE_URL.")
            % {"url": settings.URL},
        )


def _elsewhere(url: str) -> bool:
    """Whether this address is not one that this site answers to."""
    parts = urlsplit(url)
    known = settings.ALLOWED_HOSTS
    return (settings.HTTPS and parts.scheme != "https") or not (
        "*" in known or validate_host(parts.hostname or "", known)
    )


def work() -> Iterator[Finding]:
    """The recurring work and the backups, as this machine remembers them."""
    tick, backup = recurring.last_done(recurring.TICK), recurring.last_done(recurring.BACKUP)
    if tick is None:
        yield Finding(LOOK, _("manage.py tick n’a pas encore tourné ici : mettez-le toutes les heures dans cron."))
    elif time() - tick > TICK_HOURS * 3600:
        yield Finding(
            WRONG,
            _("manage.py tick n’a pas tourné depuis %(hours)d heures : voyez cron, rien n’est effacé sans lui.")
            % {"hours": (time() - tick) // 3600},
        )
    else:
        yield Finding(GOOD, _("Le travail récurrent tourne."))
    if backup is None:
        yield Finding(LOOK, _("Aucune sauvegarde faite ici : manage.py backup, toutes les nuits dans cron."))
    elif time() - backup > BACKUP_DAYS * 86400:
        yield Finding(
            LOOK,
            _("La dernière sauvegarde date de %(days)d jours : manage.py backup, toutes les nuits dans cron.")
            % {"days": (time() - backup) // 86400},
        )
    else:
        yield Finding(GOOD, _("La dernière sauvegarde est récente."))


# ---------------------------------------------------------------- the site


def static() -> Iterator[Finding]:
    if settings.DEBUG or "Manifest" not in settings.STORAGES["staticfiles"]["BACKEND"]:
        return
    if (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        yield Finding(GOOD, _("Les fichiers statiques sont en place."))
    else:
        yield Finding(WRONG, _("Les fichiers statiques manquent : lancez manage.py collectstatic --no-input."))


def bus() -> Iterator[Finding]:
    sqlite = connection.vendor == "sqlite"
    if settings.BUS == "local":
        if not sqlite:
            yield Finding(
                LOOK, _("CORDEE_BUS=local : un seul processus à la fois. À plusieurs, mettez notify, ou redis://…")
            )
        return
    if settings.BUS == "notify" and sqlite:
        yield Finding(WRONG, _("CORDEE_BUS=notify demande PostgreSQL : retirez CORDEE_BUS, ou changez DATABASE_URL."))
        return
    try:
        _try_bus()
    except Exception as error:  # each driver has its own errors; the operator needs one sentence
        yield Finding(
            WRONG,
            _("Le bus ne répond pas (%(why)s) : vérifiez CORDEE_BUS.") % {"why": type(error).__name__},
        )
    else:
        yield Finding(GOOD, _("Le bus répond."))


def _try_bus() -> None:
    if settings.BUS == "notify":
        import psycopg

        with psycopg.connect(settings.DATABASE_URL, autocommit=True, connect_timeout=3) as listener:
            listener.execute("LISTEN cordee")
        return
    import redis

    client = redis.Redis.from_url(settings.BUS, socket_connect_timeout=3, socket_timeout=3)
    try:
        client.ping()
    finally:
        client.close()


def doors() -> Iterator[Finding]:
    """What a site that is open to others must have."""
    found = list(_open_doors([host for host in settings.ALLOWED_HOSTS if host not in LOCAL]))
    yield from found or [Finding(GOOD, _("Les réglages du site sont cohérents."))]


def _open_doors(public: list[str]) -> Iterator[Finding]:
    if settings.DEBUG and public:
        yield Finding(WRONG, _("CORDEE_DEBUG=1 montre les erreurs à tous : retirez-le d’un site ouvert."))
    if "*" in public:
        yield Finding(WRONG, _("CORDEE_HOSTS=* accepte tout nom : donnez le nom de votre site."))
    if public and not settings.HTTPS:
        yield Finding(LOOK, _("Sans CORDEE_HTTPS=1, les places voyagent en clair : servez ce site en HTTPS."))
    if settings.HTTPS and not public:
        yield Finding(WRONG, _("CORDEE_HTTPS=1 sans nom de site : donnez-le par CORDEE_HOSTS."))
    if len(settings.SECRET_KEY) < SHORTEST_SECRET:
        yield Finding(WRONG, _("CORDEE_SECRET_KEY est trop courte : mettez-y 50 caractères tirés au hasard."))
    if public and os.geteuid() == 0:
        yield Finding(LOOK, _("Cordée tourne en root : donnez-lui un utilisateur à elle."))
