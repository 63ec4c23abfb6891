"""Database connections that outlive a fault: one that failed is let go, and the next use opens another."""

from django.db import OperationalError, connection


class Busy(OperationalError):
    """The database cannot take this now: too many wait for it, or for too long. Try again in a moment."""


def let_go() -> None:
    """After the database failed this thread: the next use opens another connection.

    One that was opened while the database was read-only stays so for ever, says that it is well, and Django forgets
    that it failed as soon as it has rolled back.
    """
    if not connection.in_atomic_block:
        connection.close()
