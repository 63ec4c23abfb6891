"""Database connections that outlive a fault: one that failed is let go, and the next use opens another."""

from typing import Any

from django.db import OperationalError, close_old_connections, connections


class Busy(OperationalError):
    """The database cannot take this now: too many wait for it, or for too long. Try again in a moment."""


def renew(**signal: Any) -> None:
    """Before this thread uses the database. Also a receiver of Django's ``request_started``.

    A connection opened while the database was read-only stays so for ever, and says that it is well: whatever failed
    is opened again.
    """
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred and not connection.in_atomic_block:
            connection.close()
    close_old_connections()
