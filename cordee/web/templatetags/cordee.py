"""What templates need and Django lacks: words of the protocol in the reader's language, and the places of the ring."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from math import cos, hypot, pi, sin
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cordee.engine.protocol import Field
from cordee.engine.seen import Card, Form, Group, Ring, RingSeat
from cordee.engine.signals import SignalView
from cordee.web import words

register = template.Library()
ALONE = re.compile(r"(?<=«) | (?=[:;!?»])")  # French spaces at which no line may break

ROLES = {
    "client": _("client·e"),
    "consultant": _("consultant·e"),
    "facilitator": _("anime"),
    "observer": _("observe"),
    "member": _("participant·e"),
}


@register.filter
def tr(text: str) -> str:
    """A text of the protocol in the reader's language. The empty text stays empty: gettext("") is a file header."""
    return ALONE.sub("\u00a0", gettext(text)) if text else ""


@register.filter
def role(name: str) -> str:
    return str(ROLES.get(name, ""))


@register.filter
def day(iso: str) -> str:
    """``2025-03-14`` as a reader of the page writes it; anything else as it is."""
    try:
        return str(formats.date_format(date.fromisoformat(iso), "DATE_FORMAT"))
    except ValueError:
        return iso


@register.filter
def hour(at: float) -> str:
    """Seconds since the epoch as the time of day that the server's clock shows."""
    return str(formats.time_format(timezone.localtime(datetime.fromtimestamp(at, UTC)), "TIME_FORMAT"))


@register.filter
def split(text: str) -> list[str]:
    return text.split()


register.filter("owner", words.owner)


@register.simple_tag(takes_context=True)
def taken(context: template.Context) -> str:
    return words.told(context["request"])


@register.filter
def sentence(signal: SignalView) -> str:
    """A signal with its blanks filled."""
    return gettext(signal.text).replace("{names}", signal.names).replace("{count}", str(signal.count))


@register.filter
def times(how_often: int) -> str:
    return "—" if not how_often else f"{how_often} ×"


@register.filter
def plain(card: Card) -> bool:
    """Whether the card can be edited in place: one text, which is shown as it was typed."""
    return [name for name, _value in card.text] == ["text"]


@register.filter
def echoes(group: Group, request: str) -> bool:
    """Whether the group says only what the request, always in view, already says."""
    if not request or len(group.cards) != 1:
        return False
    card = group.cards[0]
    return card.get("text") == request and not any(mark.settable or mark.behalf for mark in card.marks)


@register.simple_tag
def written(form: Form, field: Field, drafts: Mapping[str, Mapping[str, Any]] | None) -> dict[str, str]:
    """What a field opens with: ``text`` (a draft, else what was sent before), ``sent``, and the draft's time ``at``.

    ``drafts`` is ``{kind: {field: text, "at": seconds since the epoch}}`` at page load, and empty in the stream.
    """
    sent = dict(form.text).get(field.id, "")
    draft = (drafts or {}).get(form.kind.id) or {}
    if field.id not in draft:
        return {"text": sent, "sent": sent, "at": ""}
    return {"text": str(draft[field.id]), "sent": sent, "at": str(int(float(draft.get("at") or 0)))}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person sits in the drawing, in its own units."""

    seat: RingSeat
    x: int
    y: int
    initials: str
    name: str  # cut to what fits


@dataclass(frozen=True, slots=True)
class Circle:
    places: tuple[Place, ...]
    radius: int
    crowded: bool


WIDTH, MIDDLE, ACROSS, DOWN = 360, 116, 148, 85


@register.simple_tag
def circle(ring: Ring) -> Circle:
    """Everyone around a table of 360 × 246: the client at the top, the facilitator facing them."""
    seats = _around(ring.seats)
    count = max(len(seats), 1)
    radius = min(22, round(170 / count + 2))
    places = []
    for i, seat in enumerate(seats):
        angle = _angle(i / count)
        x = round(WIDTH / 2 + ACROSS * sin(angle))
        y = round(MIDDLE - DOWN * cos(angle))
        places.append(Place(seat, x, y, initials(seat.name), short(seat.name)))
    return Circle(tuple(places), radius, count > 14)


@lru_cache(maxsize=256)
def _angle(share: float) -> float:
    """The angle after this share of the ellipse's outline: equal angles would crowd its sides."""
    steps = 360
    arcs = [hypot(ACROSS * cos(2 * pi * k / steps), DOWN * sin(2 * pi * k / steps)) for k in range(steps)]
    walked, goal = 0.0, share * sum(arcs)
    for k, arc in enumerate(arcs):
        walked += arc
        if walked > goal:
            return 2 * pi * k / steps
    return 2 * pi


def _around(seats: tuple[RingSeat, ...]) -> list[RingSeat]:
    clients = [seat for seat in seats if seat.role == "client"]
    leaders = [seat for seat in seats if seat.role == "facilitator"]
    others = [seat for seat in seats if seat.role not in {"client", "facilitator"}]
    half = (len(others) + 1) // 2 if clients else len(others) // 2
    return [*clients, *others[:half], *leaders, *others[half:]]


class Blank(str):
    """Stands for a name that is put in later, with what then stands for what is made of it (room/blanks.py)."""

    initials: str
    short: str


def initials(name: str) -> str:
    if isinstance(name, Blank):
        return name.initials
    words = name.replace("-", " ").split()
    if len(words) > 1:
        return (words[0][0] + words[-1][0]).upper()
    return name[:2].capitalize()


def short(name: str) -> str:
    """As much of a name as a place of the ring has room for."""
    if isinstance(name, Blank):
        return name.short
    first = name.split()[0] if name else ""
    return first if len(first) <= 10 else first[:9] + "…"
