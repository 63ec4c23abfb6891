"""How often one may try: counted in the database, so that all nodes count together and a restart forgets nothing.

Wrong room codes are counted three ways. One caller has 20 tries. When everybody together has had 600, a wave is
passing: then, and only then, whoever stands near somebody who was wrong waits too. Who was not may still come in: a
flood from elsewhere keeps nobody out of their room, and a flood of many addresses has one try each.
"""

import threading
from time import monotonic, time

from django.db import connection
from django.http import HttpRequest

from cordee.live.tally import Tally
from cordee.room import access
from cordee.room.models import Tries
from cordee.web import tries

# what: (how often, in how many seconds)
LIMITS = {
    "code": (20, 300),  # wrong room codes, by address
    "code-all": (600, 300),  # wrong room codes, by everybody: more is a wave
    "code-near": (1, 300),  # wrong room codes during a wave, by neighbourhood
    "join": (60, 300),  # seats taken, by address: a whole circle may share one
    "new": (30, 3600),  # rooms opened, by address
}

reached = Tally(*LIMITS)

# What a seat may do, by the end of the address: so often at once, then once more every so many seconds. Nobody at a
# keyboard comes near it; it bounds what one seat can fill a disk with, and how long others wait behind it.
PACES = {
    "contributions": (1000, 2),
    "brouillon": (600, 1),
    "indice": (600, 1),
}
MOST_PACED = 20_000  # seats remembered by this process
_paced: dict[tuple[str, access.Key], tuple[float, float]] = {}  # what is left to a seat, and when that was so
_lock = threading.Lock()

COUNT = tries.COUNT.format(table="room_tries")
caller, neighbourhood = tries.caller, tries.neighbourhood


def guessing(request: HttpRequest) -> bool:
    """Whether no more room codes are taken from here for now, right or wrong: a guess must tell nothing."""
    if spent("code", caller(request)):
        return True
    return spent("code-near", neighbourhood(request)) and spent("code-all", "*")


def guessed_wrong(request: HttpRequest) -> None:
    count("code", caller(request))
    count("code-near", neighbourhood(request))
    count("code-all", "*")


def too_fast(what: str, key: access.Key) -> bool:
    """Whether this seat does this faster than anybody could mean to; if not, it is counted. By process, in memory."""
    at_once, every = PACES[what]
    now = monotonic()
    with _lock:
        left, at = _paced.get((what, key), (at_once, now))
        left = min(at_once, left + (now - at) / every)
        if left < 1:
            return True
        if len(_paced) >= MOST_PACED:
            _paced.clear()
        _paced[what, key] = left - 1, now
        return False


def spent(what: str, who: str) -> bool:
    most, seconds = LIMITS[what]
    now = time()
    counted = Tries.objects.filter(pk=_name(what, who), until__gt=now, until__lte=now + seconds)
    over = counted.filter(count__gte=most).exists()
    if over:
        reached.add(what)
    return over


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
