"""Each thing that doctor can say is seen here, said of the thing broken on purpose."""

import ast
import os
import re
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import time
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from cordee.circles.models import Circle
from cordee.mail import outbox
from cordee.mail.models import Letter
from cordee.mail.reader import Reader
from cordee.ops import clock, examination, process, recurring
from cordee.room import actions
from cordee.room.models import Entry
from tests.conftest import on_postgres
from tests.ops.test_demo import doctor, healthy  # noqa: F401
from tests.ops.test_keys import NEW, OLD
from tests.room.clean import clean_memory  # noqa: F401

pytestmark = pytest.mark.django_db


class Hands:
    """What a breaking hand needs."""

    def __init__(self, var: Path, settings, monkeypatch) -> None:
        self.var, self.settings, self.patch = var, settings, monkeypatch

    def done(self, what: str, days_ago: float | None) -> None:
        file = self.var / "done" / what
        file.unlink(missing_ok=True)
        if days_ago is not None:
            file.touch()
            os.utime(file, (time() - days_ago * 86_400,) * 2)

    def set(self, **changed: object) -> None:
        for name, value in changed.items():
            setattr(self.settings, name, value)


@pytest.fixture
def hands(healthy, settings, monkeypatch) -> Hands:  # noqa: F811
    (healthy / "done").mkdir()
    ready = Hands(healthy, settings, monkeypatch)
    ready.done(recurring.TICK, 0)
    ready.done(recurring.BACKUP, 0)
    ready.set(MAIL={"road": "file", "folder": str(healthy / "letters")}, URL="http://localhost:8000")
    ready.set(KEY_RING=OLD, BUS="notify" if on_postgres() else "local")
    actions.open_room("Fanny")
    return ready


def readable_secret(h: Hands) -> None:
    (h.var / "cordee_key_ring").write_text("x")
    (h.var / "cordee_key_ring").chmod(0o644)


def no_room_left(h: Hands) -> None:
    h.patch.setattr(examination.shutil, "disk_usage", lambda place: SimpleNamespace(free=2**20))


def few_files(h: Hands) -> None:
    h.patch.setattr(examination.resource, "getrlimit", lambda what: (256, 1024))


def without_the_door(h: Hands) -> None:
    h.patch.setattr(process, "DOOR", "cordee.live.no_such_door")
    process.begin()


def ahead(h: Hands) -> None:
    Entry.objects.update(at=time() + 3600)


def other_clock(h: Hands) -> None:
    h.patch.setattr(examination, "_database_time", lambda: time() + 120)


def leapt(h: Hands) -> None:
    Entry.objects.update(at=time() - 40 * 86_400)
    h.done(recurring.TICK, 40)
    h.done(recurring.CLOCK, None)


def database_away(h: Hands) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused")

    h.patch.setattr(connection, "ensure_connection", refuse)


def unmigrated(h: Hands) -> None:
    h.patch.setattr(examination.MigrationExecutor, "migration_plan", lambda self, targets: [("one", False)])


def hole(h: Hands) -> None:
    Entry.objects.filter(seq=1).update(seq=3)


def heavy_journal(h: Hands) -> None:
    h.patch.setattr(examination, "_database_file", lambda: h.var / "database")
    h.patch.setattr(examination, "LARGEST_WAL", 0)
    (h.var / "database-wal").write_bytes(b"x")


def patient_for_ever(h: Hands) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")


def relaxed(h: Hands) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off" if on_postgres() else "PRAGMA foreign_keys")


def older_key(h: Hands) -> None:
    h.set(KEY_RING=f"{NEW},{OLD}")


def late(h: Hands) -> None:
    Circle.objects.update(erase_on=timezone.localdate() - timedelta(days=4))


def public(h: Hands, **more: object) -> None:
    h.set(ALLOWED_HOSTS=["cordee.example.org"], **more)


def as_root(h: Hands) -> None:
    public(h, HTTPS=True)
    h.patch.setattr(examination.os, "geteuid", lambda: 0)


def letter(**state: object) -> None:
    outbox.post("k", "prepare", Reader("karim@example.org", "Karim"), "s", "t")
    Letter.objects.update(**state)


def hours_ago(hours: float) -> object:
    return timezone.now() - timedelta(hours=hours)


SQLITE, POSTGRES = "sqlite", "postgresql"
BREAKS: list[tuple[str, Callable[[Hands], object], str]] = [
    ("Le dossier %(where)s ne peut pas être écrit", lambda h: h.set(VAR_DIR=Path("/nowhere/at/all")), ""),
    ("Il ne reste que %(free)d Mo", no_room_left, ""),
    ("D’autres que vous peuvent lire le secret", readable_secret, ""),
    ("Au plus %(most)d pages ouvertes", few_files, ""),
    ("Le serveur tourne sans --http cordee.live.door:Door", without_the_door, ""),
    ("L’horloge du serveur retarde", ahead, ""),
    ("Les horloges du serveur et de PostgreSQL diffèrent", other_clock, POSTGRES),
    ("L’horloge a avancé de %(days)d jours", leapt, ""),
    ("La base de données ne répond pas", database_away, ""),
    ("La base n’est pas à jour", unmigrated, ""),
    ("Salles dont le journal a un trou", hole, ""),
    ("Le journal de SQLite (-wal) pèse", heavy_journal, SQLITE),
    ("PostgreSQL attend un verrou sans limite", patient_for_ever, POSTGRES),
    ("Cercles scellés par une ancienne clé", older_key, ""),
    ("Cercles qui devraient être effacés", late, ""),
    ("Aucune lettre ne part", lambda h: h.set(MAIL={"road": "none"}), ""),
    ("Des lettres attendent depuis", lambda h: letter(due_at=hours_ago(2), error="TimeoutError"), ""),
    ("le serveur est arrêté, et tick", lambda h: letter(due_at=hours_ago(2)), ""),
    ("Lettres non parties", lambda h: letter(dead_at=hours_ago(2), error="expired"), ""),
    ("Les liens des lettres mènent à", lambda h: h.set(URL="https://elsewhere.example.org"), ""),
    ("manage.py tick n’a pas encore tourné", lambda h: h.done(recurring.TICK, None), ""),
    ("manage.py tick n’a pas tourné depuis", lambda h: h.done(recurring.TICK, 2), ""),
    ("Aucune sauvegarde faite ici", lambda h: h.done(recurring.BACKUP, None), ""),
    ("La dernière sauvegarde date de", lambda h: h.done(recurring.BACKUP, 9), ""),
    ("Les fichiers statiques manquent", lambda h: h.set(STATIC_ROOT=Path("/nowhere")), ""),
    ("CORDEE_BUS=local : un seul processus", lambda h: h.set(BUS="local"), POSTGRES),
    ("CORDEE_BUS=notify demande PostgreSQL", lambda h: h.set(BUS="notify"), SQLITE),
    ("Le bus ne répond pas", lambda h: h.set(BUS="redis://127.0.0.1:1/0"), ""),
    ("CORDEE_DEBUG=1 montre les erreurs", lambda h: public(h, DEBUG=True), ""),
    ("CORDEE_HOSTS=*", lambda h: h.set(ALLOWED_HOSTS=["*"]), ""),
    ("Sans CORDEE_HTTPS=1", public, ""),
    ("CORDEE_HTTPS=1 sans nom de site", lambda h: h.set(HTTPS=True), ""),
    ("CORDEE_SECRET_KEY est trop courte", lambda h: h.set(SECRET_KEY="court"), ""),
    ("Cordée tourne en root", as_root, ""),
]
# Seen elsewhere: on a real file, or on any database of the tests, which would not survive a power cut.
ELSEWHERE = ["Le fichier de la base est abîmé", "Réglage de la base"]


@pytest.mark.parametrize(("sentence", "hurt", "only"), BREAKS, ids=[row[0][:40] for row in BREAKS])
def test_what_is_broken_is_said_and_was_not_said_before(hands: Hands, sentence: str, hurt, only: str) -> None:
    if only and only != connection.vendor:
        pytest.skip(f"said of {only} alone")
    wanted = re.compile(re.sub(r"%\\\(\w+\\\)[ds]", ".+", re.escape(sentence)))
    assert not wanted.search(doctor()[1])
    hurt(hands)
    said = [line for line in doctor()[1].splitlines() if wanted.search(line)]
    assert len(said) == 1 and not said[0].startswith("bon"), said


def sentences() -> list[str]:
    """What the examination may say that is not good news."""
    found = []
    for node in ast.walk(ast.parse(Path(examination.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
            if getattr(node.args[0], "id", "") not in {"WRONG", "LOOK"}:
                continue
            calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "_"]
            found += [ast.literal_eval(call.args[0]) for call in calls]
    return found


def test_every_sentence_of_the_examination_is_broken_for_here() -> None:
    known = [row[0] for row in BREAKS] + ELSEWHERE
    assert len(sentences()) > 25
    assert [text for text in sentences() if not text.startswith(tuple(known))] == []


def test_a_damaged_file_is_told(fresh_server) -> None:
    if on_postgres():
        pytest.skip("PostgreSQL counts its own damages")
    fresh_server.manage("demo")
    fresh_server.stop()
    fresh_server.manage("shell", "-c", "from django.db import connection as c; c.cursor().execute('VACUUM')")
    file = fresh_server.var / "cordee.sqlite3"
    for rest in ("-wal", "-shm"):
        Path(f"{file}{rest}").unlink(missing_ok=True)
    whole = bytearray(file.read_bytes())
    whole[-4096:] = b"\xff" * 4096
    file.write_bytes(whole)
    with pytest.raises(subprocess.CalledProcessError) as told:
        fresh_server.manage("doctor")
    assert "Le fichier de la base est abîmé" in told.value.stdout


def test_the_real_server_takes_all_the_files_it_may_and_says_how_it_was_started(fresh_server) -> None:
    limits = Path(f"/proc/{fresh_server.process.pid}/limits").read_text()
    soft, hard = re.search(r"Max open files\s+(\d+)\s+(\d+)", limits).groups()
    assert soft == hard
    assert "sans --http" not in said_by(fresh_server)
    fresh_server.stop()
    at = fresh_server.command.index("--http")
    del fresh_server.command[at : at + 2]
    fresh_server.start()
    assert "Le serveur tourne sans --http cordee.live.door:Door" in said_by(fresh_server)
    assert "Started without --http" in fresh_server.log
    fresh_server.stop()
    assert "sans --http" not in said_by(fresh_server)


def said_by(server) -> str:
    try:
        return server.manage("doctor")
    except subprocess.CalledProcessError as found:
        return str(found.stdout)


def test_the_leap_of_doctor_is_that_of_the_erasing_commands() -> None:
    assert "jours" in clock.leapt(40) and "--trust-clock" in clock.leapt(40)
