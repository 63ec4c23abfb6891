"""Database connections that outlive a fault: one that failed is let go, and the next use opens another."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

STATEMENT = (
    8  # seconds a statement of a server may take: its wish is told so before the page gives up (writer.PATIENCE)
)
_serving = False


class Busy(OperationalError):
    """The database cannot take this now: too many wait for it, or for too long. Try again in a moment."""


def let_go() -> None:
    """After the database failed this thread: the next use opens another connection.

    One that was opened while the database was read-only stays so for ever, says that it is well, and Django forgets
    that it failed as soon as it has rolled back.
    """
    if not connection.in_atomic_block:
        connection.close()


def serving() -> None:
    """From here on this process serves people: no statement of its PostgreSQL connections may last.

    A command line (a migration, a backup) takes the time that it needs.
    """
    global _serving
    _serving = True


@receiver(connection_created)
def nothing_lasts(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _serving and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = '{STATEMENT}s'")


@receiver(connection_created)
def only_while_it_may_not_write(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """A SQLite connection that may not write is closed after its use, so that the file is found again once it may.

    The connections of a process share SQLite's index of the log (``-shm``): while one of them holds it opened for
    reading, no other can write. Files that SQLite made beside a read-only one have its rights: they are given its new.
    """
    if connection.vendor != "sqlite":
        return
    file = Path(str(connection.settings_dict["NAME"]))
    beside = [other for other in map(file.with_name, (f"{file.name}-wal", f"{file.name}-shm")) if other.exists()]
    if not file.exists() or all(os.access(each, os.W_OK) for each in (file, *beside)):
        return
    connection.close_at = 0.0  # Django closes it at the end of what it was opened for
    if os.access(file, os.W_OK):
        for each in beside:
            with suppress(OSError):  # somebody else's: the operator's affair
                each.chmod(file.stat().st_mode & 0o777)
