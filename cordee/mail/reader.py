"""Whom a letter is for, and where this site is for them."""

from dataclasses import dataclass
from urllib.parse import urljoin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Reader:
    """``address`` is where it goes; ``language`` and ``time_zone`` (IANA) are those in which it is written."""

    address: str
    name: str
    language: str = "fr"
    time_zone: str = "Europe/Paris"


def zone(name: str) -> ZoneInfo:
    """That time zone, or the server's if there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(settings.TIME_ZONE)


def absolute(url: str) -> str:
    """The address of a path of this site, as one to be followed from a letter."""
    return urljoin(f"{settings.URL}/", url)
