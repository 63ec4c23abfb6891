"""How often one may try: counted in the database, so that all nodes count together and a restart forgets nothing."""

from time import time

from django.db import connection
from django.http import HttpRequest

from cordee.room import access
from cordee.room.models import Tries

# what: (how often, in how many seconds)
LIMITS = {
    "code": (20, 300),  # wrong room codes, by address
    "code-all": (600, 300),  # wrong room codes, by everybody: 49 bits would last for ages, but a wave is shown the door
    "join": (60, 300),  # seats taken, by address: a whole circle may share one
    "new": (30, 3600),  # rooms opened, by address
}

# A window that ends later than one that begins now was opened by a clock that has been put back since: it is over.
COUNT = """
    INSERT INTO room_tries (name, count, until) VALUES (%(name)s, 1, %(end)s)
    ON CONFLICT (name) DO UPDATE SET
        count = CASE WHEN room_tries.until > %(now)s AND room_tries.until <= %(end)s THEN room_tries.count + 1
                     ELSE 1 END,
        until = CASE WHEN room_tries.until > %(now)s AND room_tries.until <= %(end)s THEN room_tries.until
                     ELSE excluded.until END
"""


def caller(request: HttpRequest) -> str:
    return request.META.get("REMOTE_ADDR", "") or "unknown"


def spent(what: str, who: str) -> bool:
    most, seconds = LIMITS[what]
    now = time()
    return Tries.objects.filter(pk=_name(what, who), count__gte=most, until__gt=now, until__lte=now + seconds).exists()


def count(what: str, who: str) -> None:
    _, seconds = LIMITS[what]
    now = time()
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"name": _name(what, who), "now": now, "end": now + seconds})


def forget_old() -> int:
    """Throw away the counters whose window is over; how many."""
    now = time()
    longest = max(seconds for _, seconds in LIMITS.values())
    return Tries.objects.exclude(until__gt=now, until__lte=now + longest).delete()[0]


def _name(what: str, who: str) -> str:
    """An address is somebody's: its keyed digest is enough to count by."""
    return access.digest(f"limit:{what}:{who}")
