"""A view → named parts of HTML. Equal parts render once, whoever they are for.

Each row of ``PARTS`` says what a part depends on: two views equal in it share the very same HTML.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from cordee.engine.policy import SCREEN
from cordee.engine.seen import Card, Group, View
from cordee.room import cards
from cordee.web.templatetags.cordee import echoes

LISTS = ("groups", "past")
FIELDS = tuple(field.name for field in fields(View))
_values = attrgetter(*FIELDS)
_PIECE = re.compile(r'(<(svg|li|div|figcaption) id="(p-[\w-]+)".*?</\2>)', re.DOTALL)

PARTS: dict[str, Callable[[View], Any]] = {
    "strip": lambda v: v.strip,
    "say": lambda v: (v.instruction, v.aim, v.closed, v.waiting),
    "clock": lambda v: (v.clock, v.closed),
    "ring": lambda v: (v.ring, v.client),
    "request": lambda v: (v.request, v.client),
    "notice": lambda v: (v.skipped, v.waiting, v.closed, v.name if v.waiting else "", v.unled),
    "groups": lambda v: (_outline(v.groups, v.request), v.themes),
    "past": lambda v: _outline(v.past, v.request),
    "forms": lambda v: (
        v.forms,
        v.drawn,
        v.may_draw,
        (v.reveal, v.position) if v.reveal and not v.hand else (),
        v.ring.holder if v.may_pass else None,
        v.hand is not None,
    ),
    "own": lambda v: v.own,
    "hand": lambda v: (v.hand, v.position, v.seat) if v.hand else (),
}


def _outline(groups: tuple[Group, ...], request: str) -> tuple[object, ...]:
    """What a list shows besides its cards."""
    return tuple((g.kind, g.title, g.past, g.recalled, g.heading, bool(g.cards), echoes(g, request)) for g in groups)


def container(group: Group) -> str:
    """The id of the element that holds this group's cards."""
    if group.heading:
        return f"g-{group.kind}-t-{group.heading.key}"
    return f"g-{group.kind}-recalled" if group.recalled else f"g-{group.kind}"


def card_id(card: Card, group: Group) -> str:
    return f"{'r' if group.recalled else 'c'}-{card.id}"


class _Part:
    """Equal to another of the same name, language and dependence: the key under which its HTML is kept."""

    __slots__ = ("key", "view")

    def __init__(self, name: str, language: str, view: View) -> None:
        self.view = view
        self.key = (name, language, view.seat == SCREEN, PARTS[name](view))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Part) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=1024)
def _part(part: _Part) -> str:
    name, language, is_screen, _ = part.key
    with override(language):
        return draw(name, part.view, is_screen)


def draw(name: str, view: View, is_screen: bool, extra: Mapping[str, Any] | None = None) -> str:
    """This part, rendered now, in the current language."""
    context = {"view": view, "is_screen": is_screen, "drafts": {}, **(extra or {})}
    return get_template(f"room/parts/{name}.html").render(context)


def forget() -> None:
    """Let go of every word drawn so far: it is drawn again for who still may see it."""
    _part.cache_clear()
    pieces.cache_clear()
    cards.forget()


def cards_of(group: Group, language: str) -> str:
    return "".join(cards.card(one, language, group.recalled) for one in group.cards)


def part(name: str, view: View, language: str) -> str:
    """The HTML of a part, but for the lists."""
    return _part(_Part(name, language, view))


@lru_cache(maxsize=1024)
def pieces(before: str, html: str) -> tuple[tuple[str, str], ...]:
    """The id and the new HTML of the pieces by which alone these two states of a part differ; none if they differ else.

    A piece is an element of a part's template whose id begins with ``p-``; it holds no other of its own name.
    """
    was, now = _PIECE.split(before), _PIECE.split(html)
    same = len(was) == len(now) and was[::4] == now[::4] and was[3::4] == now[3::4]
    found = zip(was[1::4], now[1::4], now[3::4], strict=True) if same else ()
    return tuple((id_, piece) for old, piece, id_ in found if old != piece)


def groups_of(name: str, view: View) -> tuple[Group, ...]:
    return view.groups if name == "groups" else view.past


def touched(before: View | None, view: View) -> list[str]:
    """The parts that may differ between these two views of one seat."""
    if before is None:
        return list(PARTS)
    values = zip(FIELDS, _values(before), _values(view), strict=True)
    differing = {name for name, was, value in values if was is not value and was != value}
    if differing <= {"version", "groups"}:  # what happens most often, and touches nothing else
        return ["groups"] if "groups" in differing else []
    lists = [name for name in LISTS if name in differing]
    return lists + [n for n in PARTS if n not in lists and PARTS[n](before) != PARTS[n](view)]


def lists(name: str, view: View, language: str, is_screen: bool) -> SafeString:
    """A part that holds lists, with the cards in them."""
    filled = [(g, mark_safe(cards_of(g, language))) for g in groups_of(name, view)]
    with override(language):
        return mark_safe(draw(name, view, is_screen, {"groups": filled}))


def page(view: View, language: str, extra: Mapping[str, Any]) -> dict[str, SafeString]:
    """The parts of a whole page; ``extra`` (drafts, ids for forms) is this reader's alone and is never kept."""
    is_screen = view.seat == SCREEN
    made: dict[str, SafeString] = {}
    for name in PARTS:
        if name in LISTS:
            made[name] = lists(name, view, language, is_screen)
        else:
            with override(language):
                made[name] = mark_safe(draw(name, view, is_screen, extra))
    return made
