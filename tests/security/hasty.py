"""The real application and its door, with so little patience that a test can wait for its end."""

from config.asgi import application
from cordee.live import asgi, door, hub
from cordee.room import limits

door.HEAD_SECONDS = 2.0
door.STALLED_SECONDS = 2.0
asgi.BODY_SECONDS = 1.0
hub.BEAT = 0.5
limits.LIMITS |= {"new": (10_000, 3600), "join": (10_000, 300)}

__all__ = ["application"]
