"""A card → HTML. Its template is drawn once for each shape of card; what somebody wrote is then put into its places.

Most cards differ by their words alone, and drawing one takes fifty times as long as filling one. Only what the template
shows as it is, escaped, may be a place; `tests/room/test_cards.py` draws cards of all sorts both ways and compares.
"""

from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache
from html import escape
from operator import attrgetter
from typing import Any

from django.template.loader import get_template
from django.utils.translation import override

from cordee.engine.seen import Card
from cordee.room.blanks import Drawn, blank, cut, filled

# What the template shows otherwise than as it was typed: a tag's label, a date. The same for many cards.
NOT_PLACES = ("nature", "urgency", "date")
OWN = ("id", "author", "author_seat", "text")  # what tells apart two cards of one shape
_shape = attrgetter(*(field.name for field in fields(Card) if field.name not in OWN))

Key = tuple[tuple[Any, ...], bool, tuple[tuple[str, str], ...]]


def card(one: Card, language: str, recalled: bool) -> str:
    """The HTML of this card in this language; ``recalled``: in a list of earlier learnings."""
    shown = tuple((name, value if name in NOT_PLACES else "") for name, value in one.text)
    drawn = _drawn((_shape(one), bool(one.author), shown), language, recalled)
    return filled(drawn, [escape(word) for word in (one.id, one.author, *(value for _, value in one.text))])


def forget() -> None:
    """Let go of every shape: those with marks hold names and themes."""
    _drawn.cache_clear()


@lru_cache(maxsize=2048)
def _drawn(key: Key, language: str, recalled: bool) -> Drawn:
    shape, has_author, shown = key
    text = tuple((name, value or blank(number)) for number, (name, value) in enumerate(shown, start=2))
    author = blank(1) if has_author else ""
    one = Card(id=blank(0), author=author, author_seat="", text=text, **dict(_named(shape)))
    return cut(draw(one, language, recalled))


def draw(one: Card, language: str, recalled: bool) -> str:
    """The same from the template itself."""
    with override(language):
        return get_template("room/parts/card.html").render({"card": one, "recalled": recalled}).strip()


def _named(shape: tuple[Any, ...]) -> Iterable[tuple[str, Any]]:
    names = (field.name for field in fields(Card) if field.name not in OWN)
    return zip(names, shape, strict=True)
