"""What the search of learnings posts."""

from collections.abc import Mapping
from datetime import date

from cordee.followup.queries.learnings import Wish

LONGEST_QUERY = 400  # characters


def wish_of(posted: Mapping[str, str]) -> Wish:
    """What the search asks for; a kind, a circle or a date that is none is left out."""
    given = {name: posted.get(name, "").strip()[:LONGEST_QUERY] for name in ("text", "theme", "value")}
    kind, circle = posted.get("kind", ""), posted.get("circle", "")
    known_circle = circle if circle.isdecimal() and len(circle) < 10 else ""
    known = kind if kind in {"mine", "alone", "circles", "published"} else ""
    since, until = (_day(posted.get(name, "")) for name in ("since", "until"))
    return Wish(**given, kind=known, circle=known_circle, since=since, until=until)


def _day(text: str) -> date | None:
    """``None`` for what is no date, or of a year that no learning can be of."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 9000 else None
