"""HTML drawn once for all that differs by its words alone: it is drawn with blanks, which are then filled.

Drawing a template takes ten to fifty times as long as filling what it drew. A blank stands where a template shows a
word as it is, escaped: what a template asks of a word besides (is there one, is it the same as another) holds of its
blank. What is kept of a drawing has no word in it that went into a blank.
"""

import re
from collections.abc import Sequence
from html import escape
from secrets import token_hex

from cordee.web.templatetags.cordee import Blank, initials, short

Drawn = tuple[list[str], list[int]]  # the HTML, every other piece of it a blank; which word each blank takes

_secret = token_hex(8)  # nobody can write what stands for a word
_BLANK = re.compile(f"z{_secret}z(\\d+)z")


def blank(number: int) -> str:
    """What stands for the word of this number."""
    return _FIRST[number] if number < len(_FIRST) else f"z{_secret}z{number}z"


_FIRST = tuple(f"z{_secret}z{number}z" for number in range(256))


def cut(html: str) -> Drawn:
    pieces = _BLANK.split(html)
    return pieces, list(map(int, pieces[1::2]))


def filled(drawn: Drawn, words: Sequence[str]) -> str:
    """``words``: escaped, in the order of their numbers."""
    pieces, places = drawn
    whole = pieces.copy()
    whole[1::2] = [words[place] for place in places]
    return "".join(whole)


class Blanks:
    """Gives each word its blank, the same to the same word, and remembers what goes in."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._of: dict[str, str] = {}
        self._names: dict[str, Blank] = {}

    def word(self, value: str) -> str:
        """The blank of this word; of no word, none."""
        if not value:
            return value
        if value not in self._of:
            self._of[value] = self._next(value)
        return self._of[value]

    def name(self, value: str) -> str:
        """The same for a name of which a template also shows the initials, and what fits of it."""
        if not value:
            return value
        if value not in self._names:
            made = Blank(self._next(value))
            made.initials, made.short = self._next(initials(value)), self._next(short(value))
            self._names[value] = made
        return self._names[value]

    def pairs(self, them: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Of ids and names."""
        return tuple((self.word(id_), self.word(name)) for id_, name in them)

    def _next(self, value: str) -> str:
        self._words.append(value)
        return blank(len(self._words) - 1)

    def escaped(self) -> list[str]:
        return list(map(escape, self._words))
