"""The picture of giving and receiving: people around a ring, and an arc from who helped to who was helped. Pure.

Every arc is as thick as the others, and people stand in the order in which they came: nothing here is a measure.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import atan2, copysign, cos, degrees, hypot, pi, sin

WIDTH, ACROSS = 400, 135  # of the drawing, in its own units; from the middle to a person
DOWN, APART, EDGE = 140, 38, 40  # the same downwards, or more, so that two names are so far apart; beyond
WIDER = 0.7  # how far people near the top and the bottom move to the sides: 1 for not at all
LETTER, PADDING = 8.4, 24  # a name's width a letter, and what surrounds it
LONGEST, SHORTER, MANY = 12, 9, 8  # letters of a name; where there are more people than many
TALL = 34  # of what surrounds a name
BOW = 0.22  # how far an arc bends away from the straight line, as a part of its length
MORE, TRIES = 6, 60  # further inwards at each try
CLEAR, TIP = 3, 9  # around other people; around its arrow
POINTS = 24  # of an arc that are looked at

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands. ``x`` and ``y`` are of the middle, ``left`` and ``width`` of what surrounds the name."""

    x: str
    y: str
    left: str
    top: str
    width: str
    name: str
    client: bool  # has been client


@dataclass(frozen=True, slots=True)
class Arc:
    """``path`` goes from who helped to who was helped; ``at`` and ``turned`` put a small arrow on it."""

    path: str
    at: str
    turned: str


@dataclass(frozen=True, slots=True)
class Ring:
    height: int
    places: Sequence[Place]
    arcs: Sequence[Arc]


@dataclass(frozen=True, slots=True)
class _Box:
    middle: Spot
    width: float

    def holds(self, spot: Spot, around: float) -> bool:
        (x, y), (here_x, here_y) = self.middle, spot
        return abs(x - here_x) < self.width / 2 + around and abs(y - here_y) < TALL / 2 + around


def drawn(names: Sequence[str], clients: Collection[int], helped: Collection[tuple[int, int]]) -> Ring:
    """``clients`` and ``helped`` (who, whom) are numbers of ``names``, which stand clockwise from the top."""
    down = _down(len(names))
    shown = [_short(name, names) for name in names]
    boxes = [_Box(_spot(n, len(names), down), len(name) * LETTER + PADDING) for n, name in enumerate(shown)]
    places = [_place(box, name, n in clients) for n, (box, name) in enumerate(zip(boxes, shown, strict=True))]
    return Ring(round(2 * (down + EDGE)), places, [_arc(boxes, one, other) for one, other in sorted(helped)])


def _down(all_: int) -> float:
    """So far that who is at the top is wholly above their neighbours."""
    return max(DOWN, APART / (1 - cos(2 * pi / all_))) if all_ > 4 else DOWN


def _spot(number: int, all_: int, down: float) -> Spot:
    angle = 2 * pi * number / max(all_, 1) - pi / 2
    aside = copysign(abs(cos(angle)) ** WIDER, cos(angle))
    return WIDTH / 2 + ACROSS * aside, EDGE + down + down * sin(angle)


def _short(name: str, names: Sequence[str]) -> str:
    """The first name; with a letter of the last where another has the same."""
    first, *rest = name.split() or [name]
    same = sum((other.split() or [other])[0] == first for other in names) > 1
    short = f"{first} {rest[-1][0]}." if same and rest else first
    most = LONGEST if len(names) <= MANY else SHORTER
    return short if len(short) <= most else f"{short[: most - 1]}…"


def _place(box: _Box, name: str, client: bool) -> Place:
    x, y = box.middle
    return Place(_n(x), _n(y), _n(x - box.width / 2), _n(y - TALL / 2), _n(box.width), name, client)


def _arc(boxes: Sequence[_Box], one: int, other: int) -> Arc:
    """A curve that passes behind nobody else. Helping each other is two of them: one bends more to the middle."""
    assert one != other  # nobody helps themselves
    (x, y), (to_x, to_y) = start, end = boxes[one].middle, boxes[other].middle
    low, high = min(one, other), max(one, other)
    twice = 2 * BOW * hypot(to_x - x, to_y - y)
    by = _clear(boxes, low, high, -twice / 2)
    by = by if one == low else _clear(boxes, low, high, by + twice)
    bend = _bend(boxes, low, high, by)
    return Arc(
        f"M{_said(start)}Q{_said(bend)} {_said(end)}",
        _said(_at(start, bend, end, 0.5)),
        _n(degrees(atan2(to_y - y, to_x - x))),
    )


def _clear(boxes: Sequence[_Box], one: int, other: int, least: float) -> float:
    """How far towards the middle of the ring an arc bends, at least so much, to show its arrow and to pass behind
    nobody else; so much, where none can."""
    others = [box for number, box in enumerate(boxes) if number not in {one, other}]
    start, end = boxes[one].middle, boxes[other].middle
    for tries in range(TRIES):
        bend = _bend(boxes, one, other, least + tries * MORE)
        way = [_at(start, bend, end, point / POINTS) for point in range(1, POINTS)]
        hidden = any(box.holds(way[POINTS // 2 - 1], TIP) for box in boxes)
        if not hidden and not any(box.holds(spot, CLEAR) for box in others for spot in way):
            return least + tries * MORE
    return least


def _bend(boxes: Sequence[_Box], one: int, other: int, by: float) -> Spot:
    """What an arc bends to: ``by`` from between these two, towards the middle of the ring."""
    (x, y), (to_x, to_y) = boxes[one].middle, boxes[other].middle
    by *= 1 if other - one <= len(boxes) / 2 else -1  # they stand clockwise
    part = by / hypot(to_x - x, to_y - y)
    return (x + to_x) / 2 - (to_y - y) * part, (y + to_y) / 2 + (to_x - x) * part


def _at(start: Spot, bend: Spot, end: Spot, part: float) -> Spot:
    """Of the way from the start (0) to the end (1)."""
    before, between, after = (1 - part) ** 2, 2 * part * (1 - part), part**2
    return (
        before * start[0] + between * bend[0] + after * end[0],
        before * start[1] + between * bend[1] + after * end[1],
    )


def _said(spot: Spot) -> str:
    return " ".join(map(_n, spot))


def _n(number: float) -> str:
    """As SVG writes it, whatever the reader's language."""
    return f"{number:.1f}"
