"""Whom a letter is for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reader:
    """``address`` is where it goes; ``language`` and ``time_zone`` (IANA) are those in which it is written."""

    address: str
    name: str
    language: str = "fr"
    time_zone: str = "Europe/Paris"
