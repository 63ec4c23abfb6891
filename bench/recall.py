"""How well recall ranks and groups, on question-and-answer files in SQuAD's form, which are not part of this project.

    python -m bench.recall FILE.json…            # nDCG@10 of four tasks made of each file, then grouping
    python -m bench.recall FILE.json… --size N   # also the time of a query among N published texts

questions: each question must find its paragraph. halves: the first half of a paragraph must find the second. siblings:
a paragraph must find the others of its article. Grouping: 20 to 60 questions of 3 to 7 articles, mixed, are to be
sorted by article again (adjusted Rand index, Hubert & Arabie 1985; error in the number of themes).
"""

import argparse
import json
import math
import random
import re
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import comb
from pathlib import Path

import django

django.setup()

from cordee.engine.grouping import group  # noqa: E402
from cordee.engine.recall import Index, best, raised  # noqa: E402
from cordee.followup import vectors  # noqa: E402
from cordee.followup.ranking import ranked  # noqa: E402
from cordee.followup.shelf import Shelf  # noqa: E402

TOP = 10
SESSIONS = 80
Task = tuple[
    list[str], list[str], list[set[int]], bool
]  # queries, corpus, what each must find, whether it is itself in


def tasks(articles: list[dict]) -> Iterator[tuple[str, Task]]:
    paragraphs = [(a["title"], p) for a in articles for p in a["paragraphs"]]
    corpus = [p["context"] for _, p in paragraphs]
    asked = [(q["question"], {i}) for i, (_, p) in enumerate(paragraphs) for q in p["qas"]]
    yield "questions", ([q for q, _ in asked], corpus, [found for _, found in asked], False)
    split = [re.split(r"(?<=[.!?])\s+", text) for text in corpus]
    split = [one for one in split if len(one) > 1]
    halves = [(" ".join(s[: len(s) // 2]), " ".join(s[len(s) // 2 :])) for s in split]
    yield "halves", ([a for a, _ in halves], [b for _, b in halves], [{i} for i in range(len(halves))], False)
    by_title = defaultdict(set)
    for i, (title, _) in enumerate(paragraphs):
        by_title[title].add(i)
    own = [(i, by_title[title] - {i}) for i, (title, _) in enumerate(paragraphs) if len(by_title[title]) > 1]
    if len(own) > len(corpus) / 2:
        yield "siblings", ([corpus[i] for i, _ in own], corpus, [rest for _, rest in own], True)


def ndcg(found: Sequence[int], wanted: set[int]) -> float:
    gain = sum(1 / math.log2(rank + 2) for rank, i in enumerate(found[:TOP]) if i in wanted)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(TOP, len(wanted))))


def quality(task: Task, by_meaning: bool) -> float:
    queries, corpus, wanted, itself = task
    shelf, texts = Shelf(":memory:"), {str(i): text for i, text in enumerate(corpus)}
    shelf.put(texts.items())
    scores = []
    for query, rest in zip(queries, wanted, strict=True):
        ids = [int(i) for i in ranked(shelf, query, TOP + 1, texts if by_meaning else {})]
        scores.append(ndcg([i for i in ids if not itself or corpus[i] != query], rest))
    return statistics.mean(scores)


def raised_at_random(task: Task) -> tuple[float, float]:
    """nDCG@10 without, and with what helped again raised, where one text in five did, by chance alone."""
    queries, corpus, wanted, itself = task
    index, chance = Index({str(i): text for i, text in enumerate(corpus)}), random.Random(5)
    helped = {str(i): chance.randint(1, 9) for i in range(len(corpus)) if chance.random() < 0.2}
    without, with_ = [], []
    for query, rest in zip(queries, wanted, strict=True):
        scores = index.scores(query)
        for how, kept in ((without, scores), (with_, raised(scores, helped))):
            ids = map(int, best(kept, TOP + 1))
            how.append(ndcg([i for i in ids if not itself or corpus[i] != query], rest))
    return statistics.mean(without), statistics.mean(with_)


def rand_index(found: Sequence[int], true: Sequence[int]) -> float:
    both = sum(comb(n, 2) for n in Counter(zip(found, true, strict=True)).values())
    a, b = (sum(comb(n, 2) for n in Counter(one).values()) for one in (found, true))
    expected, most = a * b / comb(len(true), 2), (a + b) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def sessions(articles: list[dict], chance: random.Random) -> Iterator[list[tuple[str, int]]]:
    """Questions with the number of their theme, or of their article where the file has no themes."""
    pools: defaultdict[str, list[str]] = defaultdict(list)
    for article in articles:
        pools[str(article.get("theme") or article["title"])] += [
            q["question"] for p in article["paragraphs"] for q in p["qas"]
        ]
    large = [pool for pool in pools.values() if len(pool) > 6]
    for _ in range(SESSIONS):
        count, size = chance.randint(3, 7), chance.randint(20, 60)
        chosen = chance.sample(large, min(count, len(large)))
        mixed = [(q, n) for n, pool in enumerate(chosen) for q in chance.sample(pool, min(len(pool), size // count))]
        chance.shuffle(mixed)
        yield mixed


def grouping(articles: list[dict], by_meaning: bool) -> tuple[float, float, float]:
    """(adjusted Rand index, error in the number of themes, milliseconds of processor), means."""
    rows = []
    for session in sessions(articles, random.Random(3)):
        texts = {str(i): text for i, (text, _) in enumerate(session)}
        near = vectors.pairs(list(texts.values())) if by_meaning else []
        began = time.process_time()
        themes = group(texts, near)
        took = (time.process_time() - began) * 1000
        number = {id_: n for n, theme in enumerate(themes) for id_ in theme.ids}
        true = [n for _, n in session]
        rows.append((rand_index([number[i] for i in texts], true), abs(len(themes) - len(set(true))), took))
    ari, error, took = (statistics.mean(column) for column in zip(*rows, strict=True))
    return ari, error, took


def made_up(articles: list[dict], chance: random.Random) -> Iterator[str]:
    """Texts of the length of a learning, of the files' own words in about their own proportions."""
    said = [s for a in articles for p in a["paragraphs"] for s in re.split(r"(?<=[.!?])\s+", p["context"])]
    said = [s for s in said if 20 < len(s) < 400]
    words = [word for sentence in said for word in sentence.split()]
    while True:
        text = " ".join(chance.sample(said, chance.randint(1, 2)))
        yield " ".join(w if chance.random() > 0.25 else chance.choice(words) for w in text.split())


def speed(articles: list[dict], size: int) -> None:
    texts = made_up(articles, random.Random(1))
    shelf = Shelf(":memory:")
    began = time.process_time()
    for first in range(0, size, 5000):
        shelf.put((str(first + i), next(texts)) for i in range(min(5000, size - first)))
    print(f"{size} texts put in {time.process_time() - began:.0f} s of processor")
    for name, sentences in (("a learning", 1), ("a situation", 4)):
        took = []
        for _ in range(100):
            query = " ".join(next(texts) for _ in range(sentences))
            began, processor = time.perf_counter(), time.process_time()
            shelf.find(query, 5)
            took.append(((time.perf_counter() - began) * 1000, (time.process_time() - processor) * 1000))
        clock, used = (sorted(column) for column in zip(*took, strict=True))
        print(f"{name}: p50 {clock[50]:.0f} ms, p95 {clock[95]:.0f}; processor p50 {used[50]:.0f}, p95 {used[95]:.0f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("files", nargs="+", type=Path)
    options.add_argument("--size", type=int, default=0)
    chosen = options.parse_args()
    everything = []
    for path in chosen.files:
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        everything += articles
        for name, task in tasks(articles):
            without, with_ = raised_at_random(task)
            print(f"{path.stem}, {name}: {without:.3f}, and {with_:.3f} where one text in five helped, by chance")
        for by_meaning in (False, True) if vectors.available() else (False,):
            how = "words and meaning" if by_meaning else "words"
            for name, task in tasks(articles):
                print(f"{path.stem}, {name} ({len(task[0])} in {len(task[1])}), {how}: {quality(task, by_meaning):.3f}")
            ari, error, took = grouping(articles, by_meaning)
            print(f"{path.stem}, grouping, {how}: ARI {ari:.2f}, error {error:.1f}, {took:.0f} ms")
    if chosen.size:
        speed(everything, chosen.size)


if __name__ == "__main__":
    main()
