"""What in a text could still tell who speaks of whom: addresses, numbers, names of people and of organisations.

It warns, and its author decides: no rule knows every name. It would rather warn once too often.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cordee.engine.recall import plain

SHORTEST_NAME = 3  # letters; a name of two is too often a word
PATTERNS = {  # kind -> what it looks like; what an earlier one found is not found again
    "mail": re.compile(r"[\w.+-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+", re.IGNORECASE),
    "link": re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+\.(?:fr|com|org|net|eu|io)\b", re.IGNORECASE),
    "phone": re.compile(r"(?:\+\d{2}|\b0)(?:[\s.-]?\d){8,10}\b"),
    "account": re.compile(r"(?<!\w)@\w{2,}"),
    "title": re.compile(r"\b(?:M\.|MM\.|Mme|Mmes|Mlle|Monsieur|Madame|Dr|Docteur|Me)\s+\w[\w’'-]*"),
    "firm": re.compile(r"\b[\w&’'-]+\s(?:SAS|SARL|SASU|SA|SCOP|GmbH|Ltd|Inc)\b"),
    "number": re.compile(r"\b\d[\d\s.,/]*\d\b|\b\d{2,}\b"),
    "acronym": re.compile(r"\b[A-ZÉÈÀÇ]{2,}[0-9]*\b"),
    "capital": re.compile(r"(?<=[\w,;:’'»)] )(?:[A-ZÉÈÀÂÎÔÛÇ][\w’-]*[a-zéèêàâîôûç][\w’-]*)(?: [A-ZÉÈÀ][\w’-]+)*"),
}
COMMON = frozenset(("RH", "DRH", "CSE", "PDF", "OK", "CDI", "CDD", "RTT", "SMS", "PC", "MENTOR", "TTC", "HT"))


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that could tell who, or where. ``start`` and ``end`` are places in the text."""

    kind: str  # a key of PATTERNS, or person, organisation: known to the circle
    text: str
    start: int
    end: int


def traces(text: str, people: Iterable[str] = (), organisations: Iterable[str] = ()) -> list[Trace]:
    """What to look at again before this text leaves the circle, in its order; each place once.

    ``people`` and ``organisations`` are names that the circle knows: they are found whatever their case and accents.
    """
    taken: list[Trace] = []
    for trace in (*_known(text, "person", people), *_known(text, "organisation", organisations), *_looking_like(text)):
        taken += _apart(trace, taken)
    return sorted(taken, key=lambda trace: trace.start)


def _apart(trace: Trace, taken: Sequence[Trace]) -> list[Trace]:
    """The trace; of one that is partly taken, those of its words that are not: a surname beside a known first name."""
    words = [
        Trace(trace.kind, found[0], trace.start + found.start(), trace.start + found.end())
        for found in re.finditer(r"[\w’'-]+", trace.text)
    ]
    for some in ([trace], words if trace.kind == "capital" else []):
        if free := [one for one in some if all(one.end <= o.start or one.start >= o.end for o in taken)]:
            return free
    return []


def _known(text: str, kind: str, names: Iterable[str]) -> Iterator[Trace]:
    """The names, or any part of a name that is long enough to be one, as words of the text."""
    parts = {part for name in names for part in (plain(name), *plain(name).split()) if len(part) >= SHORTEST_NAME}
    for part in sorted(parts, key=lambda part: (-len(part), part)):
        length = len(part.split())
        for found in re.finditer(r"[\w’'-]+" + r"\s+[\w’'-]+" * (length - 1), text):
            if plain(found[0].strip("’'-")) == part:
                yield Trace(kind, found[0], *found.span())


def _looking_like(text: str) -> Iterator[Trace]:
    for kind, pattern in PATTERNS.items():
        for found in pattern.finditer(text):
            if found[0] not in COMMON:
                yield Trace(kind, found[0], *found.span())
