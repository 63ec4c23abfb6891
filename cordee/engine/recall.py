"""Which earlier texts resemble this one: BM25 over light French stems and character 4-grams, in memory only.

Source: Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), with k1 = 1.2, b = 0.75.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

K1, B = 1.2, 0.75
GRAM_WEIGHT = 0.35  # a 4-gram says less than a word
WORD = re.compile(r"[a-z0-9]{3,}")
ENDINGS = tuple(
    re.findall(
        r"\w+",
        "issements issement ements ement ations ation ateurs ateur atrices atrice ances ance ences ence ites ite iques "
        "ique ables able istes iste euses euse eurs eur ives ive aient ions iez ait ais ent ons ez er ir re ee es e s",
    )
)
STOP = frozenset(
    re.findall(
        r"\w+",
        "alors apres aucun aussi autre avant avec avoir bien cela celle celui ces cet cette ceux chaque chez "
        "comme comment dans depuis des donc dont elle elles encore entre est etait ete etre eux faire fait "
        "faut ils jamais leur leurs lui mais meme mes moi moins mon nos notre nous par parce pas peu peut "
        "plus pour pourquoi quand que quel quelle quels qui quoi sans ses seul sont sous sur tes toi ton tous "
        "tout toute toutes tres trop une vers vos votre vous ont suis sera peux veux dit les",
    )
)


@dataclass(frozen=True, slots=True)
class Match:
    id: str
    score: float
    words: tuple[str, ...]  # the words of the query that made it come up, as the text writes them


def plain(text: str) -> str:
    """Lower case, without accents, ligatures or typographic apostrophes."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return "".join(ch for ch in folded if not unicodedata.combining(ch))


def stem(word: str) -> str:
    """The word without its commonest French ending; at least three letters stay."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=4096)
def terms(text: str) -> Mapping[str, int]:
    words = [word for word in WORD.findall(plain(text)) if word not in STOP]
    counts = Counter(stem(word) for word in words)
    for word in words:
        counts.update(f"#{word[i : i + 4]}" for i in range(len(word) - 3))
    return counts


def forget() -> None:
    """Let go of the texts read so far."""
    terms.cache_clear()


def recall(query: str, texts: Mapping[str, str], most: int = 5) -> list[Match]:
    """The ids of ``texts`` that resemble ``query``, best first, at most ``most``; only those that share a word."""
    wanted = terms(query)
    documents = {id_: terms(text) for id_, text in texts.items()}
    if not wanted or not documents:
        return []
    mean = sum(sum(counts.values()) for counts in documents.values()) / len(documents) or 1.0
    frequency = Counter(term for counts in documents.values() for term in counts if term in wanted)
    scored = ((id_, _score(wanted, counts, frequency, len(documents), mean)) for id_, counts in documents.items())
    best = sorted((item for item in scored if item[1] > 0), key=lambda item: (-item[1], item[0]))[:most]
    return [Match(id_, round(score, 4), _shared(wanted, texts[id_])) for id_, score in best]


def _score(wanted: Mapping[str, int], counts: Mapping[str, int], frequency: Counter[str], n: int, mean: float) -> float:
    length = sum(counts.values()) / mean
    total = 0.0
    for term in wanted:
        if tf := counts.get(term, 0):
            idf = math.log(1 + (n - frequency[term] + 0.5) / (frequency[term] + 0.5))
            weight = GRAM_WEIGHT if term[0] == "#" else 1.0
            total += weight * idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length))
    return total


def _shared(wanted: Mapping[str, int], text: str) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for word in re.findall(r"[^\W\d_]{3,}", text):
        key = plain(word)
        if key not in STOP and stem(key) in wanted:
            found.setdefault(stem(key), word.lower())
    return tuple(found.values())[:4]
