"""What the search of learnings posts."""

from collections.abc import Mapping

from cordee.followup.queries.learnings import Wish

LONGEST_QUERY = 400  # characters


def wish_of(posted: Mapping[str, str]) -> Wish:
    """What the search asks for; a kind or a circle that is none is left out."""
    given = {name: posted.get(name, "").strip()[:LONGEST_QUERY] for name in ("text", "theme", "value")}
    kind, circle = posted.get("kind", ""), posted.get("circle", "")
    known = kind if kind in {"mine", "alone", "circles", "published"} else ""
    return Wish(**given, kind=known, circle=circle if circle.isdecimal() and len(circle) < 10 else "")
