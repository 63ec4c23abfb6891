"""Links that open one thing to one person without a session: numbers, and a mark that only this server can make."""

from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

REPLY = "reply"  # meeting, person, sequence
AVAILABILITY = "availability"  # meeting, person
FEED = "feed"  # user, their links_epoch: see cordee/circles/calendar.py


def make(purpose: str, *numbers: int) -> str:
    return "-".join([*map(int_to_base36, numbers), _mark(purpose, numbers)])


def read(purpose: str, token: str) -> tuple[int, ...] | None:
    """The numbers of a token that we made for this purpose; ``None`` for any other."""
    *parts, mark = token.split("-")
    try:
        numbers = tuple(base36_to_int(part) for part in parts)
    except ValueError:
        return None
    return numbers if constant_time_compare(mark, _mark(purpose, numbers)) else None


def _mark(purpose: str, numbers: tuple[int, ...]) -> str:
    said = "-".join(map(str, numbers))
    return salted_hmac(f"cordee.circles.links.{purpose}", said, algorithm="sha256").hexdigest()[:40]
