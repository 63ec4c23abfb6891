"""The real application, which breaks whenever it meets certain words, with an error that quotes all it knows."""

from django.db import DatabaseError

from config.asgi import application
from cordee.circles import crypto
from cordee.room import documents, render, store
from cordee.room.limits import LIMITS
from tests.security.quoting import breaking

LIMITS |= {"new": (10_000, 3600), "join": (10_000, 300)}
breaking("zqdecide", store, "decide")
breaking("zqwrite", store, "apply", DatabaseError)
breaking("zqseal", crypto, "seal")
breaking("zqrender", render, "draw")
breaking("zqcard", render, "cards_of", MemoryError)
breaking("zqdocument", documents, "outline", RecursionError)

__all__ = ["application"]
