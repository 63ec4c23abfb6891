"""Texts as people type them, brought to a form that rules can match. What is displayed never goes through here."""

import re
import unicodedata

INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_INVISIBLE = dict.fromkeys(map(ord, INVISIBLE))
# Spaced out first: NFKD would turn "2½" into "21⁄2".
_WITHOUT_ACCENT = str.maketrans({"½": " 1/2 ", "¼": " 1/4 ", "¾": " 3/4 ", "œ": "oe", "æ": "ae", "ß": "ss", "ø": "o"})


def plain(text: str) -> str:
    """Lower case, without accents nor invisible characters, every space an ordinary single one."""
    visible = text.translate(_INVISIBLE).lower().translate(_WITHOUT_ACCENT)
    folded = "".join(char for char in unicodedata.normalize("NFKD", visible) if not unicodedata.combining(char))
    return re.sub(r"\s+", " ", folded).strip()


def slugify(name: str) -> str:
    """The part of an address made from a file name; empty when the name holds no Latin letter nor digit."""
    return re.sub(r"[^a-z0-9]+", "-", plain(name)).strip("-")
