"""A duration as written, to a number of days. All or nothing: « 1 à 2 jours » stays as written."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from cordee.catalogue.wording import plain
from cordee.catalogue.workshop import Level

# The usual convention of French training providers, and ours when a page counts in hours only.
HOURS_PER_DAY = Decimal(7)

_WORDS = ("un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze")
_QUANTITIES = {word: Decimal(number) for number, word in enumerate(_WORDS, 1)} | {"une": Decimal(1)}
_WORD = "|".join(sorted(_QUANTITIES, key=len, reverse=True))
_MANNER = r"(?:non )?consecutifs?|de formation|en presentiel|en distanciel|en visio|a distance|presentiel|distanciel"
# The term below is written with re.VERBOSE, which ignores plain spaces.
_IN_TERM = _MANNER.replace(" ", r"\ ")
_TERM = re.compile(
    rf"""
    (?:(?P<times>[0-9]{{1,2}})\ ?(?:x|×|fois)\ ?)?
    (?:(?P<number>[0-9]{{1,3}}(?:[.,][0-9]{{1,2}})?)|(?P<word>{_WORD})\ )?
    \ ?(?P<unit>demi[- ]?journees?|journees?|jours?|j|heures?|h)(?![a-z])
    (?:\ ?(?P<minutes>[0-5][0-9])(?![0-9]))?
    (?P<half>\ et\ demie?)?
    (?:\ (?:{_IN_TERM}))*
    """,
    re.VERBOSE,
)
_JOINER = re.compile(r" ?\+ ?| et | puis ")
_EQUIVALENT = re.compile(r"(?P<main>.+?) ?(?:\((?P<bracket>[^()]*)\)|(?:, ?soit |,| soit | ?/ ?| ?= ?)(?P<rest>.+))")
_FRACTIONS = {"1/2": "5", "1/4": "25", "3/4": "75"}


@dataclass(frozen=True)
class Duration:
    """A number of days, ``None`` when unknown; ``code`` names what is to be reported."""

    days: Decimal | None = None
    code: str = ""
    level: Level = "info"


def read_duration(written: str) -> Duration:
    """The days of a duration such as « 2,5 jours », « 2 jours + 1 jour » or « 3 jours (21 h) ». Never raises."""
    text = plain(written).replace("\u2044", "/").rstrip(". ")
    text = re.sub(r"\b([0-9]{1,3}) ?(1/2|1/4|3/4)\b", lambda m: f"{m[1]},{_FRACTIONS[m[2]]}", text)
    text = re.sub(r"\b(1/2|1/4|3/4)\b", lambda m: f"0,{_FRACTIONS[m[1]]}", text)
    text = re.sub(r"\b0,5[ -]?(?=journees?\b)", "0,5 ", text)
    if not text:
        return Duration()
    once = re.sub(r"\b([a-z]{2,})(?: \1\b)+", r"\1", text)
    found = _read(once)
    if once != text and found.days is not None:
        return Duration(found.days, "duration-repeated-word", "warning")
    return found


def _read(text: str) -> Duration:
    whole = _sum(text)
    if whole is not None:
        return _duration(*whole)
    parts = _EQUIVALENT.fullmatch(text)
    main = _sum(parts["main"]) if parts else None
    if parts is None or main is None:
        return Duration(code="duration-unread", level="warning")
    second = (parts["bracket"] if parts["bracket"] is not None else parts["rest"]).strip()
    if re.fullmatch(_MANNER, second):
        return _duration(*main)
    other = _sum(second)
    if other is None:
        return Duration(code="duration-unread", level="warning")
    if main[1]:
        main, other = other, main
    if main[1] or other[0] or not main[0]:
        return Duration(code="duration-unread", level="warning")
    # A day is seven hours here and six there: only what cannot be a day's work is a contradiction.
    if not 4 <= other[1] / main[0] <= 10:
        return Duration(main[0], "duration-inconsistent", "error")
    return Duration(main[0])


def _sum(text: str) -> tuple[Decimal, Decimal] | None:
    """Days and hours of terms joined by « + », « et », « puis »; ``None`` when a part is not understood."""
    days = hours = Decimal(0)
    at = 0
    while term := _TERM.match(text, at):
        quantity, in_hours = _quantity(term)
        if quantity is None:
            return None
        if in_hours:
            hours += quantity
        else:
            days += quantity
        if term.end() == len(text):
            return (days, hours) if days or hours else None
        joiner = _JOINER.match(text, term.end())
        if joiner is None:
            return None
        at = joiner.end()
    return None


def _quantity(term: re.Match[str]) -> tuple[Decimal | None, bool]:
    half_day, in_hours = term["unit"].startswith("demi"), term["unit"].startswith("h")
    if term["number"]:
        quantity = Decimal(term["number"].replace(",", "."))
    elif term["word"]:
        quantity = _QUANTITIES[term["word"]]
    elif half_day:
        quantity = Decimal(1)
    else:
        return None, in_hours
    if (term["minutes"] and not in_hours) or (term["half"] and half_day):
        return None, in_hours
    if term["minutes"]:
        quantity += Decimal(term["minutes"]) / 60
    if term["half"]:
        quantity += Decimal("0.5")
    if half_day:
        quantity /= 2
    return quantity * int(term["times"] or 1), in_hours


def _duration(days: Decimal, hours: Decimal) -> Duration:
    if not hours:
        return Duration(days)
    total = (days + hours / HOURS_PER_DAY).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return Duration(total, "duration-in-hours")
