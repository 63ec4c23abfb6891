"""A card → HTML. Its template is drawn once for each shape of card; what somebody wrote is then put into its places.

Most cards differ by their words alone, and drawing one takes fifty times as long as filling one. Only what the template
shows as it is, escaped, may be a place; `tests/room/test_cards.py` draws cards of all sorts both ways and compares.
"""

import re
from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from secrets import token_hex
from typing import Any

from django.template.loader import get_template
from django.utils.html import escape
from django.utils.translation import override

from cordee.engine.seen import Card

# What the template shows otherwise than as it was typed: a tag's label, a date. The same for many cards.
NOT_PLACES = ("nature", "urgency", "date")
OWN = ("id", "author", "author_seat", "text")  # what tells apart two cards of one shape
_shape = attrgetter(*(field.name for field in fields(Card) if field.name not in OWN))
_secret = token_hex(8)  # nobody can write what stands for a place
_PLACE = re.compile(f"z{_secret}z(\\d+)z")

Key = tuple[tuple[Any, ...], bool, tuple[tuple[str, str], ...]]


def card(one: Card, language: str, recalled: bool) -> str:
    """The HTML of this card in this language; ``recalled``: in a list of earlier learnings."""
    shown = tuple((name, value if name in NOT_PLACES else "") for name, value in one.text)
    literals, places = _drawn((_shape(one), bool(one.author), shown), language, recalled)
    words = [escape(word) for word in (one.id, one.author, *(value for _, value in one.text))]
    return "".join(literal + words[place] for literal, place in zip(literals, places, strict=False)) + literals[-1]


def forget() -> None:
    """Let go of every shape: those with marks hold names and themes."""
    _drawn.cache_clear()


@lru_cache(maxsize=2048)
def _drawn(key: Key, language: str, recalled: bool) -> tuple[list[str], list[int]]:
    """What stands between the places, one more than there are places; and which word each place takes."""
    shape, has_author, shown = key
    text = tuple((name, value or _place(number)) for number, (name, value) in enumerate(shown, start=2))
    author = _place(1) if has_author else ""
    blank = Card(id=_place(0), author=author, author_seat="", text=text, **dict(_named(shape)))
    found = _PLACE.split(draw(blank, language, recalled))
    return found[::2], [int(place) for place in found[1::2]]


def draw(one: Card, language: str, recalled: bool) -> str:
    """The same from the template itself."""
    with override(language):
        return get_template("room/parts/card.html").render({"card": one, "recalled": recalled}).strip()


def _place(number: int) -> str:
    return f"z{_secret}z{number}z"


def _named(shape: tuple[Any, ...]) -> Iterable[tuple[str, Any]]:
    names = (field.name for field in fields(Card) if field.name not in OWN)
    return zip(names, shape, strict=True)
