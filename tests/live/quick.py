"""The real application, with less patience and larger limits, so that many tests can meet it one after the other."""

from config.asgi import application
from cordee.live import asgi, hub
from cordee.room import limits, stream

hub.BEAT = 0.4
stream.GRACE = 0.6
asgi.BODY_SECONDS = 0.4
limits.LIMITS |= {"new": (10_000, 3600), "join": (10_000, 300)}

__all__ = ["application"]
