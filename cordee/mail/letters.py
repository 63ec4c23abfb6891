"""What letters say, one function each. Never a word of a room: circle names, dates, places and links only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a letter is for."""

    address: str
    name: str
    language: str = "fr"
    time_zone: str = "Europe/Paris"
