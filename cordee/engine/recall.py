"""Which earlier texts resemble this one: BM25 over French stems and over character 4-grams, added. In memory only.

Sources: Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), with k1 = 1.2, b = 0.75;
4-grams as a second field: McNamee & Mayfield, Character N-Gram Tokenization for European Language Text Retrieval
(2004). Figures on public French data: bench/recall.md.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

K1, B = 1.2, 0.75
GRAM = 4  # characters
GRAM_WEIGHT = 0.35  # a 4-gram says less than a word
NEAR_SHARE = 0.4  # what nearness in meaning counts for, where it is known
HELPED = 0.01  # what a text gains of its score by each doubling of the times it helped, up to MOST_HELPED of them
MOST_HELPED = 7
MARK = "#"  # begins a 4-gram, so that both kinds share one index
WORD = re.compile(r"[a-z0-9]+")
LONGEST = 2000  # characters of a text that is remembered: what somebody learnt is no longer
SHORTEST = 3  # letters of a word that is looked at
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
    words: tuple[str, ...]  # the words of the text that made it come up, as it writes them, the rarest first


def plain(text: str) -> str:
    """Lower case, without accents, ligatures or typographic apostrophes."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return "".join(ch for ch in folded if not unicodedata.combining(ch))


def stem(word: str) -> str:
    """The word without its commonest French ending; at least three letters stay."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST:
            return word[: -len(ending)]
    return word


def grams(word: str) -> list[str]:
    """The 4-grams of a word and of its edges: ``dire`` gives ``#^dir``, ``#dire``, ``#ire$``."""
    edged = f"^{word}$"
    return [MARK + edged[i : i + GRAM] for i in range(max(1, len(edged) - GRAM + 1))]


def terms(text: str) -> Mapping[str, int]:
    """How often each stem and each 4-gram is in the text. The latest are remembered, but for long ones: queries."""
    return _remembered(text) if len(text) <= LONGEST else _terms(text)


@lru_cache(maxsize=2048)  # some 50 MB, where each is of 300 characters
def _remembered(text: str) -> Mapping[str, int]:
    return _terms(text)


def _terms(text: str) -> Mapping[str, int]:
    words = [word for word in WORD.findall(plain(text)) if word not in STOP]
    counts = Counter(stem(word) for word in words if len(word) >= SHORTEST)
    for word in words:
        counts.update(grams(word))
    return counts


def forget() -> None:
    """Let go of the texts read so far."""
    _remembered.cache_clear()


def lengths(counts: Mapping[str, int]) -> tuple[int, int]:
    """How many stems and how many 4-grams: each is its own field, with its own length."""
    of_grams = sum(n for term, n in counts.items() if term[0] == MARK)
    return sum(counts.values()) - of_grams, of_grams


@dataclass(frozen=True, slots=True)
class Whole:
    """What ranking must know of all the texts: how many there are, and how many stems and 4-grams on the whole."""

    size: int = 0
    stems: int = 0
    grams: int = 0

    def add(self, counts: Mapping[str, int], sign: int = 1) -> "Whole":
        """The same with this text, or without it (``sign`` -1)."""
        stems, grams_ = lengths(counts)
        return Whole(self.size + sign, self.stems + sign * stems, self.grams + sign * grams_)

    def rarity(self, holders: int) -> float:
        """The weight (idf) of a term that so many texts hold."""
        return math.log(1 + (self.size - holders + 0.5) / (holders + 0.5))

    def damping(self, stems: int, grams_: int) -> tuple[float, float]:
        """What a text of this length owes for it, in stems and in 4-grams."""
        return (
            K1 * (1 - B + B * stems * self.size / max(self.stems, 1)),
            K1 * (1 - B + B * grams_ * self.size / max(self.grams, 1)),
        )


def weight(term: str, wanted: int, rarity: float) -> float:
    """What a term of the query, there so many times, brings at most to a text that holds it."""
    return wanted * rarity * (K1 + 1) * (GRAM_WEIGHT if term[0] == MARK else 1.0)


class Index:
    """Texts that come and go, ranked by resemblance. What it holds is in this process's memory and nowhere else."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._counts: dict[str, Mapping[str, int]] = {}
        self._holders: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._damping: dict[str, tuple[float, float]] = {}  # by text; empty: to be worked out anew
        self.whole = Whole()
        for id_, text in (texts or {}).items():
            self.put(id_, text)

    def __len__(self) -> int:
        return len(self._counts)

    def put(self, id_: str, text: str) -> None:
        """Add this text, or put it in the place of the former one."""
        self.remove(id_)
        counts = self._counts[id_] = terms(text)
        for term, n in counts.items():
            self._holders[term][id_] = n
        self.whole = self.whole.add(counts)
        self._damping.clear()

    def remove(self, id_: str) -> None:
        counts = self._counts.pop(id_, None)
        if counts is None:
            return
        for term in counts:
            del self._holders[term][id_]
            if not self._holders[term]:
                del self._holders[term]
        self.whole = self.whole.add(counts, -1)
        self._damping.clear()

    def scores(self, query: str) -> dict[str, float]:
        """id -> how much that text resembles the query; only those that share a term."""
        if not self._damping:
            self._damping = {id_: self.whole.damping(*lengths(counts)) for id_, counts in self._counts.items()}
        found: defaultdict[str, float] = defaultdict(float)
        for term, n in terms(query).items():
            holders = self._holders.get(term, {})
            most, field = weight(term, n, self.whole.rarity(len(holders))), term[0] == MARK
            for id_, tf in holders.items():
                found[id_] += most * tf / (tf + self._damping[id_][field])
        return found

    def rarity(self, stem_: str) -> float:
        """The weight of this stem among these texts."""
        return self.whole.rarity(len(self._holders.get(stem_, ())))


def recall(query: str, texts: Mapping[str, str], most: int = 5, helped: Mapping[str, int] | None = None) -> list[Match]:
    """The ids of ``texts`` that resemble ``query``, best first, at most ``most``; only those that share a term.

    ``helped``: id -> how often it helped again, where that is known.
    """
    index = Index(texts)
    scores = raised(index.scores(query), helped or {})
    wanted = terms(query)
    return [Match(id_, round(scores[id_], 4), shared(wanted, texts[id_], index.rarity)) for id_ in best(scores, most)]


def raised(scores: Mapping[str, float], helped: Mapping[str, int]) -> dict[str, float]:
    """The same, where what helped again (id -> times) gains a little: resemblance decides, and this between near ones.

    At most 3 %: where texts are raised at random, nDCG@10 loses at most .002 (bench/recall.md).
    """
    gain = {id_: 1 + HELPED * math.log2(1 + min(times, MOST_HELPED)) for id_, times in helped.items() if times > 0}
    return {id_: score * gain.get(id_, 1.0) for id_, score in scores.items()}


def best(scores: Mapping[str, float], most: int) -> Sequence[str]:
    """The ids of the highest scores; of equals, in the order of their ids."""
    return sorted((id_ for id_ in scores if scores[id_] > 0), key=lambda id_: (-scores[id_], id_))[:most]


def blended(scores: Mapping[str, float], near: Mapping[str, float], share: float = NEAR_SHARE) -> dict[str, float]:
    """Scores to which nearness in meaning (cosines, where they are known) has been added, each scaled from 0 to 1.

    Added and not fused by rank: on the data of bench/recall.md it ranks better.
    """
    if not near:
        return dict(scores)
    lexical, meaning = scaled({id_: scores.get(id_, 0.0) for id_ in scores.keys() | near.keys()}), scaled(near)
    return {id_: (1 - share) * lexical[id_] + share * meaning.get(id_, 0.0) for id_ in lexical}


def scaled(values: Mapping[str, float]) -> dict[str, float]:
    """The same from 0 (the least) to 1 (the most)."""
    least, most = min(values.values(), default=0.0), max(values.values(), default=0.0)
    return {id_: (value - least) / ((most - least) or 1.0) for id_, value in values.items()}


def shared(wanted: Iterable[str], text: str, rarity: Callable[[str], float], most: int = 4) -> tuple[str, ...]:
    """The words of ``text`` that share a stem with the query, as the text writes them, the rarest first."""
    stems, found = frozenset(wanted), dict[str, str]()
    for word in re.findall(r"[^\W\d_]{3,}", text):
        key = plain(word)
        if key not in STOP and stem(key) in stems:
            found.setdefault(stem(key), word.lower())
    return tuple(sorted(found.values(), key=lambda word: -rarity(stem(plain(word))))[:most])
