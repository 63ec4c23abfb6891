"""The picture of giving and receiving: people around a ring, and an arc from who helped to who was helped. Pure.

Every arc is as thick as the others, and people stand in the order in which they came: nothing here is a measure.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, pi, sin

WIDTH, HEIGHT = 400, 360  # of the drawing, in its own units
ACROSS, DOWN = 135, 140  # from the middle to a person
LETTER, PADDING, LONGEST = 8.4, 24, 12  # a name's width a letter, and what surrounds it
BOW = 0.22  # how far an arc bends away from the straight line, as a part of its length


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
    places: Sequence[Place]
    arcs: Sequence[Arc]


def drawn(names: Sequence[str], clients: Collection[int], helped: Collection[tuple[int, int]]) -> Ring:
    """``clients`` and ``helped`` (who, whom) are numbers of ``names``, which stand clockwise from the top."""
    spots = [_spot(number, len(names)) for number in range(len(names))]
    places = [_place(spots[number], _short(name, names), number in clients) for number, name in enumerate(names)]
    return Ring(places, [_arc(spots[one], spots[other]) for one, other in sorted(helped)])


def _spot(number: int, all_: int) -> tuple[float, float]:
    angle = 2 * pi * number / max(all_, 1) - pi / 2
    return WIDTH / 2 + ACROSS * cos(angle), HEIGHT / 2 + DOWN * sin(angle)


def _short(name: str, names: Sequence[str]) -> str:
    """The first name; with a letter of the last where another has the same."""
    first, *rest = name.split() or [name]
    same = sum((other.split() or [other])[0] == first for other in names) > 1
    short = f"{first} {rest[-1][0]}." if same and rest else first
    return short if len(short) <= LONGEST else f"{short[: LONGEST - 1]}…"


def _place(spot: tuple[float, float], name: str, client: bool) -> Place:
    x, y = spot
    width = len(name) * LETTER + PADDING
    return Place(_n(x), _n(y), _n(x - width / 2), _n(y - 17), _n(width), name, client)


def _arc(start: tuple[float, float], end: tuple[float, float]) -> Arc:
    """A curve that bends to one side, so that helping each other is two of them."""
    (x, y), (to_x, to_y) = start, end
    across, down = to_x - x, to_y - y
    by_x, by_y = (x + to_x) / 2 - down * BOW, (y + to_y) / 2 + across * BOW
    at_x, at_y = (x + 2 * by_x + to_x) / 4, (y + 2 * by_y + to_y) / 4
    assert hypot(across, down) > 0  # nobody helps themselves
    return Arc(
        f"M{_n(x)} {_n(y)}Q{_n(by_x)} {_n(by_y)} {_n(to_x)} {_n(to_y)}",
        f"{_n(at_x)} {_n(at_y)}",
        _n(degrees(atan2(down, across))),
    )


def _n(number: float) -> str:
    """As SVG writes it, whatever the reader's language."""
    return f"{number:.1f}"
