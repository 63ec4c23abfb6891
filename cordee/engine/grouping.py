"""Themes proposed for a few dozen short texts, each named in the group's own words. Proposals, never imposed.

The texts are the points of a graph whose edges join each to those it resembles most; the themes are its communities,
those of greatest modularity. How many there are is found, not given.

Source: Blondel, Guillaume, Lambiotte & Lefebvre, Fast unfolding of communities in large networks (2008).
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cordee.engine.recall import GRAM_WEIGHT, MARK, STOP, plain, stem, terms

NEIGHBOURS = 7  # of each text
LEAST_TIE = 0.02  # what resembles less is not tied: a text that resembles nothing stays on its own (bench/recall.md)
LABEL = 3  # words at most

Graph = list[dict[int, float]]  # point -> its neighbours and how strongly each is tied to it


@dataclass(frozen=True, slots=True)
class Theme:
    """Texts that go together: their ids, in the order given, and a name made of their words."""

    label: str
    ids: tuple[str, ...]


def group(texts: Mapping[str, str], near: Sequence[Sequence[float]] = ()) -> list[Theme]:
    """The themes of these texts (id -> text), the largest first; each text is in one of them.

    ``near``: how near each pair is in meaning (cosines, in the order of ``texts``), where that is known.
    """
    ids = list(texts)
    similar = similarities(list(texts.values()))
    spaces = communities(neighbours(mixed(similar, near) if near else similar))
    members: defaultdict[int, list[str]] = defaultdict(list)
    for id_, space in zip(ids, spaces, strict=True):
        members[space].append(id_)
    sets = sorted(members.values(), key=lambda one: (-len(one), ids.index(one[0])))
    labels = name([[texts[id_] for id_ in one] for one in sets])
    return [Theme(label, tuple(one)) for label, one in zip(labels, sets, strict=True)]


def similarities(texts: Sequence[str]) -> list[list[float]]:
    """How much each pair of texts resembles (cosine of their weighted terms, 0 to 1); 0 on the diagonal."""
    counts = [terms(text) for text in texts]
    holders = Counter(term for one in counts for term in one)
    vectors = [_unit({t: _weight(t, n, holders[t], len(texts)) for t, n in one.items()}) for one in counts]
    return [
        [0.0 if i == j else sum(w * other[t] for t, w in one.items() if t in other) for j, other in enumerate(vectors)]
        for i, one in enumerate(vectors)
    ]


def mixed(similar: Sequence[Sequence[float]], near: Sequence[Sequence[float]]) -> list[list[float]]:
    """Half by words, half by meaning, each on the scale of its greatest."""
    words = max((w for row in similar for w in row), default=0.0) or 1.0
    meaning = max((w for i, row in enumerate(near) for j, w in enumerate(row) if i != j), default=0.0) or 1.0
    return [
        [0.0 if i == j else w / words + max(0.0, near[i][j]) / meaning for j, w in enumerate(row)]
        for i, row in enumerate(similar)
    ]


def _weight(term: str, n: int, holders: int, size: int) -> float:
    rarity = math.log((1 + size) / (1 + holders)) + 0.1
    return (1 + math.log(n)) * rarity * (GRAM_WEIGHT if term[0] == MARK else 1.0)


def _unit(vector: dict[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(w * w for w in vector.values())) or 1.0
    return {term: w / length for term, w in vector.items()}


def neighbours(similar: Sequence[Sequence[float]]) -> Graph:
    """The graph in which each text is tied to the ones it resembles most, and they to it."""
    graph: Graph = [{} for _ in similar]
    for i, row in enumerate(similar):
        for j in sorted((j for j, w in enumerate(row) if w > LEAST_TIE), key=lambda j: -row[j])[:NEIGHBOURS]:
            graph[i][j] = graph[j][i] = row[j]
    return graph


# ---------------------------------------------------------------- communities


def communities(graph: Graph) -> list[int]:
    """The community of each point, such that modularity is great: points move, communities merge, until none gains."""
    spaces = list(range(len(graph)))
    while True:
        found = _move(graph)
        kept = sorted(set(found))
        number = {space: i for i, space in enumerate(kept)}
        spaces = [number[found[space]] for space in spaces]
        if len(kept) == len(graph):
            return spaces
        graph = _merge(graph, [number[space] for space in found], len(kept))


def _move(graph: Graph) -> list[int]:
    """Each point goes to the neighbouring community where modularity gains most, until none moves."""
    degree = [sum(ties.values()) for ties in graph]
    total = sum(degree) or 1.0
    spaces, weight = list(range(len(graph))), list(degree)
    moved = True
    while moved:
        moved = False
        for i, ties in enumerate(graph):
            here = spaces[i]
            weight[here] -= degree[i]
            towards: defaultdict[int, float] = defaultdict(float)
            for j, w in ties.items():
                if j != i:
                    towards[spaces[j]] += w
            gain = {space: w - degree[i] * weight[space] / total for space, w in towards.items()}
            best = max(gain, key=lambda space: (gain[space], -space), default=here)
            if best != here and gain[best] > gain.get(here, -degree[i] * weight[here] / total) + 1e-12:
                spaces[i], moved = best, True
            weight[spaces[i]] += degree[i]
    return spaces


def _merge(graph: Graph, spaces: Sequence[int], size: int) -> Graph:
    """The graph of the communities: each is one point, tied to itself by what ties its points together."""
    merged: list[defaultdict[int, float]] = [defaultdict(float) for _ in range(size)]
    for i, ties in enumerate(graph):
        for j, w in ties.items():
            merged[spaces[i]][spaces[j]] += w
    return [dict(ties) for ties in merged]


# ---------------------------------------------------------------- names


def name(sets: Sequence[Sequence[str]]) -> list[str]:
    """For each set of texts, the words that are its own rather than the others', as they are most often written."""
    counts = [Counter(key for text in texts for key in {stem(w) for w in _words(text)}) for texts in sets]
    everywhere = Counter(key for count in counts for key in count.elements())
    written: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for texts in sets:
        for text in texts:
            for word in re.findall(r"[^\W\d_]{3,}", text):
                written[stem(plain(word))][word.lower()] += 1
    labels = []
    for count in counts:
        own = sorted(count, key=lambda key: (-count[key] * count[key] / everywhere[key], key))
        shared = [key for key in own if count[key] > 1] or own
        labels.append(" · ".join(written[key].most_common(1)[0][0] for key in shared[:LABEL]))
    return labels


def _words(text: str) -> list[str]:
    return [plain(w) for w in re.findall(r"[^\W\d_]{3,}", text) if len(w) > 3 and plain(w) not in STOP]
