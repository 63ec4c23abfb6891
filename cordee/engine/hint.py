"""A private hint for the author of a question: is it open, closed, leading, or advice in disguise?

Pure rules, no model and no network. The rules, and what the hint says, are data in `hints.toml`; this file only makes
phone French comparable (case, accents, hyphens, apostrophes), cuts it into sentences and tries the rows in order.
The hint never blocks: `ok` means that nothing is said.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

Kind = Literal["ok", "closed", "leading", "advice"]
STRENGTH: dict[Kind, int] = {kind: strength for strength, kind in enumerate(get_args(Kind))}
READ_AT_MOST = 1_000  # characters, the last ones: people give the context first and ask at the end

_SENTENCE = re.compile(r"(?:[^?!;\n.…]|\.(?=\w)){1,300}[?!;\n.…]*")  # a longer one is cut, so that no text is slow
_QUOTED = re.compile(r"«[^»]*»|“[^”]*”|„[^“”]*[“”]|\"[^\"]*\"")
_LOOSE_SPACE = re.compile(r"(\(\?<[!=][^)]*\))| (?![*+?{])")  # but a look-behind is of fixed width
_PAUSE = re.compile(r"(?:\.\.+|…+)(?= *\w)")
_CLAUSE = re.compile(r"[,:] *")


@dataclass(frozen=True, slots=True)
class Hint:
    """What was recognised: `rule` is a row id of hints.toml and `span` the author's own words ("" when none was)."""

    kind: Kind
    rule: str = ""
    span: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: matches where a clause starts (`start`) or anywhere in it, unless `unless` is found in the sentence."""

    id: str
    kind: Kind
    asking: bool
    start: re.Pattern[str] | None
    anywhere: re.Pattern[str] | None
    unless: re.Pattern[str] | None
    yes: tuple[str, ...]
    no: tuple[str, ...]

    def find(self, sentence: str, starts: list[int]) -> re.Match[str] | None:
        found = None
        if self.start is not None:
            found = next((hit for at in starts if (hit := self.start.match(sentence, at))), None)
        if found is None and self.anywhere is not None:
            found = self.anywhere.search(sentence)
        if found is not None and self.unless is not None and self.unless.search(sentence):
            return None
        return found


class _Folding(dict[int, str]):
    """One character for one character, so that a match in the folded text is a slice of what was written."""

    def __missing__(self, code: int) -> str:
        letter = unicodedata.normalize("NFD", chr(code))[0].lower()
        kept = len(letter) == 1 and (letter.isalnum() or letter in '?!.,;:…\n«»“”„"')
        self[code] = folded = letter if kept else " "
        return folded


# "où" keeps its accent, which alone tells it from "ou"; "œ" stands for one letter, as everything else.
_FOLD = _Folding({ord("ù"): "ù", ord("Ù"): "ù", ord("œ"): "o", ord("Œ"): "o"})


def _compiled(patterns: list[str], words: dict[str, str]) -> re.Pattern[str] | None:
    """The patterns of a row as one expression: `<name>` is an entry of [words], a space is one or more spaces."""
    if not patterns:
        return None
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    while names := set(re.findall(r"<(\w+)>", joined)):
        if missing := names - words.keys():
            raise ValueError(f"hints.toml: no [words] entry called {', '.join(sorted(missing))}")
        joined = re.sub(r"<(\w+)>", lambda name: f"(?:{words[name[1]]})", joined)
    return re.compile(_LOOSE_SPACE.sub(lambda found: found[1] or " +", joined))


def _rule(row: dict[str, Any], words: dict[str, str]) -> Rule:
    if row["kind"] not in STRENGTH:
        raise ValueError(
            f"hints.toml, rule {row['id']}: kind is {row['kind']!r}, expected one of {', '.join(STRENGTH)}"
        )
    start, anywhere, unless = (_compiled(row.get(field, []), words) for field in ("start", "anywhere", "unless"))
    asking = bool(row.get("asking", False))
    return Rule(row["id"], row["kind"], asking, start, anywhere, unless, tuple(row["yes"]), tuple(row.get("no", [])))


# Read when first asked for: compiling the rules takes a tenth of a second, which a server that starts has no use for.
@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("hints.toml").read_text(encoding="utf-8"))


@cache
def rules() -> tuple[Rule, ...]:
    """The rows of hints.toml, in their order."""
    return tuple(_rule(row, _data()["words"]) for row in _data()["rule"])


@cache
def _opener() -> re.Pattern[str] | None:
    return _compiled(_data()["openers"], _data()["words"])


@cache
def _advice() -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """Whatever some row of advice finds where a clause starts, and anywhere."""
    rows = [rule for rule in rules() if rule.kind == "advice"]
    starts = [rule.start.pattern for rule in rows if rule.start]
    return _compiled(starts, {}), _compiled([rule.anywhere.pattern for rule in rows if rule.anywhere], {})


def is_advice(question: str) -> bool:
    """Whether the hint is one of advice. Most often it is not, and that is seen sooner than what it is."""
    start, anywhere = _advice()
    for cut in _sentences(_folded(_written(question))):
        sentence = cut[0]
        if anywhere and anywhere.search(sentence):
            return hint(question).kind == "advice"
        if start and any(start.match(sentence, at) for at in _starts(sentence)):
            return hint(question).kind == "advice"
    return False


def _written(question: str) -> str:
    return unicodedata.normalize("NFC", question[-READ_AT_MOST:]).strip()


def _folded(written: str) -> str:
    folded = _without_quotations(written.translate(_FOLD))
    return _PAUSE.sub(lambda pause: "," + " " * (len(pause[0]) - 1), folded)


def _sentences(folded: str) -> list[re.Match[str]]:
    return [cut for cut in _SENTENCE.finditer(folded) if not cut[0].isspace()]


def hint(question: str) -> Hint:
    """The strongest hint among the sentences of `question`: advice, then leading, then closed, then ok.

    Any string will do; beyond READ_AT_MOST characters only the end is read.
    """
    written = _written(question)
    folded = _folded(written)
    sentences = _sentences(folded)
    somebody_asks = "?" in folded
    best = Hint("ok")
    for cut in sentences:
        asks = "?" in cut[0] if somebody_asks else cut is sentences[-1]
        found = _sentence_hint(cut[0], asks)
        if found is not None and (not best.rule or STRENGTH[found[0].kind] > STRENGTH[best.kind]):
            rule, (begin, end) = found
            best = Hint(rule.kind, rule.id, written[cut.start() + begin : cut.start() + end].strip())
    return best


def said(kind: Kind, language: str = "fr") -> str:
    """The sentence shown to the author for this kind, in "fr" or "en"; "" for ok."""
    spoken: dict[str, str] = _data()["said"].get(kind, {})
    return spoken.get(language, "")


def _without_quotations(text: str) -> str:
    """Blank what somebody else is quoted to have said, unless nothing else was written."""
    blanked = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)
    return blanked if any(map(str.isalnum, blanked)) else re.sub('[«»“”„"]', " ", text)


def _sentence_hint(sentence: str, asks: bool) -> tuple[Rule, tuple[int, int]] | None:
    starts = _starts(sentence)
    for rule in rules():
        if (asks or not rule.asking) and (match := rule.find(sentence, starts)):
            return rule, match.span()
    return None


def _starts(sentence: str) -> list[int]:
    """Where a clause may start: the sentence, each comma or colon, and after every opener ("et", "du coup" …)."""
    clauses = [len(sentence) - len(sentence.lstrip()), *(comma.end() for comma in _CLAUSE.finditer(sentence))]
    starts, opener = [], _opener()
    for at in clauses[:12]:
        starts.append(at)
        while opener is not None and (found := opener.match(sentence, at)) and found.end() > at:
            at = found.end()
            starts.append(at)
    return sorted(set(starts))
