"""A view → named parts of HTML. Equal parts render once, whoever they are for.

Each row of ``PARTS`` says what a part depends on: two views equal in it share the very same HTML. Parts that differ by
people's names and words alone are drawn from their template once (see blanks.py).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from html import escape
from itertools import compress
from operator import attrgetter, is_not
from typing import Any

from django.template.loader import get_template
from django.templatetags.l10n import unlocalize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from cordee.engine.policy import SCREEN
from cordee.engine.seen import Card, Form, Group, RingSeat, View
from cordee.engine.signals import SignalView
from cordee.room import cards
from cordee.room.blanks import Blanks, Drawn, blank, cut, filled
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
    "groups": lambda v: (_outline(v.groups, v.request), v.themes, v.offered),
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

    def __init__(self, name: str, language: str, view: Any) -> None:
        self.view = view
        self.key = (name, language, view.seat == SCREEN, PARTS[name](view))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Part) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=1024)
def _part(part: _Part) -> str:
    name, language, is_screen, _ = part.key
    if name not in BLANKED:
        with override(language):
            return draw(name, part.view, is_screen)
    blanks = Blanks()
    blanked = _Blanked(part.view, BLANKED[name](part.view, blanks))
    return filled(_shape(_Part(name, language, blanked)), blanks.escaped())


@lru_cache(maxsize=1024)
def _shape(part: _Part) -> Drawn:
    """A part drawn with blanks, for all that differ by what goes into them; the frame of a list, for any cards."""
    name, language, is_screen, _ = part.key
    extra = (
        {"groups": [(g, mark_safe(blank(i))) for i, g in enumerate(groups_of(name, part.view))]}
        if name in LISTS
        else {}
    )
    with override(language):
        drawn = cut(draw(name, part.view, is_screen, extra))
    del part.view  # its words are not those of who is shown it next
    return drawn


class _Blanked:
    """A view with blanks in some of its fields."""

    def __init__(self, view: View, blanked: Mapping[str, Any]) -> None:
        self.__dict__.update(blanked, _view=view)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)


def _ring(view: View, blanks: Blanks) -> dict[str, Any]:
    seats = tuple(replace(seat, id=blanks.word(seat.id), name=blanks.name(seat.name)) for seat in view.ring.seats)
    ring = replace(view.ring, seats=seats, floor=blanks.word(view.ring.floor), holder=blanks.word(view.ring.holder))
    return {"ring": ring, "client": blanks.word(view.client)}


def _forms(view: View, blanks: Blanks) -> dict[str, Any]:
    holder = replace(view.ring, seats=(), holder=blanks.word(view.ring.holder))
    return {"forms": tuple(_form(form, blanks) for form in view.forms), "ring": holder}


def _form(form: Form, blanks: Blanks) -> Form:
    typed = {box.id for box in form.kind.fields if box.type in {"line", "text", "seat"}}
    return replace(
        form,
        behalf=blanks.pairs(form.behalf),
        waits_for=blanks.word(form.waits_for),
        edits=blanks.word(form.edits),
        text=tuple((name, blanks.word(value) if name in typed else value) for name, value in form.text),
        choices=blanks.pairs(form.choices),
    )


def _hand(view: View, blanks: Blanks) -> dict[str, Any]:
    hand, word = view.hand, blanks.word
    if hand is None:
        return {}
    changes: dict[str, Any] = {
        "reveal_for": word(hand.reveal_for),
        "ring": blanks.pairs(hand.ring),
        "holder": word(hand.holder),
        "undo": word(str(hand.undo)) if hand.undo else 0,
        "signals": tuple(_signal(signal, blanks) for signal in hand.signals),
        "waiting": blanks.pairs(hand.waiting),
        "seats": tuple(_person(seat, blanks) for seat in hand.seats),
        "next_client": word(hand.next_client),
        "ledger": tuple((word(name), often) for name, often in hand.ledger),
        "hidden": tuple((word(id_), label, word(author)) for id_, label, author in hand.hidden),
    }
    return {"hand": replace(hand, **changes), "seat": word(view.seat)}


def _signal(signal: SignalView, blanks: Blanks) -> SignalView:
    since: Any = blanks.word(unlocalize(signal.since)) if signal.since else signal.since
    return replace(signal, names=blanks.word(signal.names), since=since)


def _person(seat: RingSeat, blanks: Blanks) -> RingSeat:
    """Of a seat of the ring, what the facilitator's list of people shows."""
    id_, name = blanks.word(seat.id), blanks.word(seat.name)
    return replace(seat, id=id_, name=name, floor=False, spoken=False, wrote=False)


# The parts that show names and words, and what they show with blanks in their stead.
BLANKED: dict[str, Callable[[View, Blanks], dict[str, Any]]] = {"ring": _ring, "forms": _forms, "hand": _hand}


def draw(name: str, view: View, is_screen: bool, extra: Mapping[str, Any] | None = None) -> str:
    """This part, rendered now, in the current language."""
    context = {"view": view, "is_screen": is_screen, "drafts": {}, **(extra or {})}
    return get_template(f"room/parts/{name}.html").render(context)


def forget() -> None:
    """Let go of every word drawn so far: it is drawn again for who still may see it."""
    _part.cache_clear()
    _shape.cache_clear()
    pieces.cache_clear()
    more.cache_clear()
    cards.forget()


def cards_of(group: Group, language: str) -> str:
    return "".join(cards.card(one, language, group.recalled) for one in group.cards)


@lru_cache(maxsize=512)
def more(new: tuple[Card, ...], box: str, language: str, recalled: bool) -> str:
    """The swap that puts these cards after those of a list; most seats of a room are sent the same."""
    html = "".join(cards.card(one, language, recalled) for one in new)
    return swap(f"#{box}", "beforeend", html)


def swap(target: str, how: str, html: str) -> str:
    return f'<hx-partial hx-target="{escape(target)}" hx-swap="{how}">{html}</hx-partial>'


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
    was, now = _values(before), _values(view)
    others = compress(
        zip(FIELDS, was, now, strict=True), map(is_not, was, now)
    )  # most fields are the very same objects
    differing = {name for name, former, value in others if former != value}
    if differing <= {"version", "groups"}:  # what happens most often, and touches nothing else
        return ["groups"] if "groups" in differing else []
    lists = [name for name in LISTS if name in differing]
    return lists + [n for n in PARTS if n not in lists and PARTS[n](before) != PARTS[n](view)]


def lists(name: str, view: View, language: str) -> SafeString:
    """A part that holds lists, with the cards in them."""
    boxes = [cards_of(group, language) for group in groups_of(name, view)]
    return mark_safe(filled(_shape(_Part(name, language, view)), boxes))


def page(view: View, language: str, extra: Mapping[str, Any]) -> dict[str, SafeString]:
    """The parts of a whole page; ``extra`` (drafts, ids for forms) is this reader's alone and is never kept."""
    is_screen = view.seat == SCREEN
    made: dict[str, SafeString] = {}
    for name in PARTS:
        if name in LISTS:
            made[name] = lists(name, view, language)
        else:
            with override(language):
                made[name] = mark_safe(draw(name, view, is_screen, extra))
    return made
