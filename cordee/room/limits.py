"""How often one may try: counters in Django's cache, by what is tried and by whom."""

from django.core.cache import cache
from django.http import HttpRequest

# what: (how often, in how many seconds)
LIMITS = {
    "code": (20, 300),  # wrong room codes, by address
    "code-all": (600, 300),  # wrong room codes, by everybody: 49 bits would last for ages, but a wave is shown the door
    "join": (60, 300),  # seats taken, by address: a whole circle may share one
    "new": (30, 3600),  # rooms opened, by address
}


def caller(request: HttpRequest) -> str:
    return request.META.get("REMOTE_ADDR", "") or "unknown"


def spent(what: str, who: str) -> bool:
    most, _ = LIMITS[what]
    return int(cache.get(f"limit:{what}:{who}", 0)) >= most


def count(what: str, who: str) -> None:
    _, seconds = LIMITS[what]
    name = f"limit:{what}:{who}"
    if not cache.add(name, 1, seconds):
        try:
            cache.incr(name)
        except ValueError:  # it ended in between
            cache.add(name, 1, seconds)
