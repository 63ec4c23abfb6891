"""Texts shown to a whole space, found by resemblance: an index in a file of its own, for as many as there are.

Only what its author has published is in it: no text of a circle ever is. The file can be thrown away and made again.
It is the same beside SQLite and beside PostgreSQL, so that both give the same answers. Finding has two steps: the
rarest terms of the query bring the candidates, out of SQLite's full-text index (FTS5); then each candidate gets the
very score that :mod:`cordee.engine.recall` would give it. In how many texts a term is, is counted as they come and go:
asking FTS5's own vocabulary for it took three quarters of the time of a search.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cordee.engine.recall import MARK, Whole, best, lengths, terms, weight

LOOKED_AT = 15_000  # places in the lists of terms that a query may read, beyond its few rarest terms
FEWEST = 12  # of the query's terms, however common
CANDIDATES = 120
ONE = "SELECT place.id, terms, stems, grams FROM place JOIN shelf ON shelf.rowid = number WHERE number = ?"
HELD = "INSERT INTO held VALUES (?, ?) ON CONFLICT (term) DO UPDATE SET texts = texts + excluded.texts"
SCHEMA = """
    CREATE VIRTUAL TABLE IF NOT EXISTS shelf
        USING fts5(id UNINDEXED, terms, detail=none, tokenize="ascii tokenchars '#^$'");
    CREATE TABLE IF NOT EXISTS held (term TEXT PRIMARY KEY, texts INTEGER) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS place (number INTEGER PRIMARY KEY, id TEXT UNIQUE, stems INTEGER, grams INTEGER);
    CREATE TABLE IF NOT EXISTS whole (
        only INTEGER PRIMARY KEY, size INTEGER, stems INTEGER, grams INTEGER, taken INTEGER
    );
    INSERT OR IGNORE INTO whole VALUES (1, 0, 0, 0, 0);
"""


class Shelf:
    """The index at this path; ``:memory:`` for one that ends with this object. One thread at a time."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA secure_delete=ON")  # what is withdrawn is overwritten
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master")}
        if "whole" not in tables:
            self._db.executescript(SCHEMA)  # only then: it waits for who writes
        elif "held" not in tables:
            self._db.close()
            raise sqlite3.DatabaseError("a shelf of an earlier version: to be made anew")

    def close(self) -> None:
        self._db.close()

    def __len__(self) -> int:
        return self._whole().size

    # ------------------------------------------------------------ what is on it

    def put(self, texts: Iterable[tuple[str, str]]) -> None:
        """Add these (id, text), or put each in the place of the former one; all or none."""
        with self._at_once():
            whole, held = self._whole(), Counter[str]()
            for id_, text in texts:
                whole = self._take_away(whole, id_, held)
                counts = terms(text)
                whole = whole.add(counts)
                held.update(counts.keys())
                number = self._db.execute("INSERT INTO shelf (id, terms) VALUES (?, ?)", (id_, _line(counts))).lastrowid
                self._db.execute("INSERT INTO place VALUES (?, ?, ?, ?)", (number, id_, *lengths(counts)))
            self._set(whole, held)

    def remove(self, ids: Iterable[str]) -> None:
        """Take these away; nothing of them stays in the file. All or none."""
        with self._at_once():
            whole, held = self._whole(), Counter[str]()
            for id_ in ids:
                whole = self._take_away(whole, id_, held)
            self._set(whole, held)

    def forget(self) -> None:
        """Write the file anew, so that no page of it holds what was taken away; for ``tick``, it takes a while."""
        taken = self._taken()
        if not taken:
            return
        self._db.execute("INSERT INTO shelf(shelf) VALUES ('optimize')")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.execute("VACUUM")
        with self._at_once():
            if self._taken() == taken:  # else more was taken away meanwhile: next time
                self._db.execute("UPDATE whole SET taken = 0")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _taken(self) -> int:
        """How many were taken away since the file was last written anew."""
        return int(self._db.execute("SELECT taken FROM whole").fetchone()[0])

    def ids(self) -> set[str]:
        return {id_ for (id_,) in self._db.execute("SELECT id FROM place")}

    def _take_away(self, whole: Whole, id_: str, held: Counter[str]) -> Whole:
        row = self._db.execute(
            "SELECT number, terms FROM place JOIN shelf ON shelf.rowid = number WHERE place.id = ?", (id_,)
        ).fetchone()
        if row is None:
            return whole
        self._db.execute("DELETE FROM shelf WHERE rowid = ?", (row[0],))
        self._db.execute("DELETE FROM place WHERE id = ?", (id_,))
        self._db.execute("UPDATE whole SET taken = taken + 1")
        counts = Counter(row[1].split())
        held.subtract(counts.keys())
        return whole.add(counts, -1)

    @contextmanager
    def _at_once(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
        self._db.execute(begin)
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _whole(self) -> Whole:
        return Whole(*self._db.execute("SELECT size, stems, grams FROM whole").fetchone())

    def _set(self, whole: Whole, held: Mapping[str, int]) -> None:
        """Keep what ranking must know: of all the texts, and in how many each of these terms is now."""
        more = ((term, n) for term, n in held.items() if n)
        self._db.executemany(HELD, more)
        self._db.executemany("DELETE FROM held WHERE term = ? AND texts <= 0", ((t,) for t, n in held.items() if n < 0))
        self._db.execute("UPDATE whole SET size = ?, stems = ?, grams = ?", (whole.size, whole.stems, whole.grams))

    # ------------------------------------------------------------ what resembles

    def find(self, query: str, most: int = 5) -> list[tuple[str, float]]:
        """(id, score) of the texts that resemble the query, best first, at most ``most``."""
        with self._at_once("BEGIN"):  # what is taken away meanwhile is still there for this search
            wanted, whole = terms(query), self._whole()
            holders = dict(self._holders(wanted))
            brings = {term: weight(term, wanted[term], whole.rarity(n)) for term, n in holders.items()}
            looked_at = self._candidates(holders, brings)
            scores = {id_: _score(brings, counts, damping) for id_, counts, damping in looked_at}
        return [(id_, scores[id_]) for id_ in best(scores, most)]

    def _holders(self, wanted: Iterable[str]) -> Iterator[tuple[str, int]]:
        """In how many texts each term is; those that are in none are left out."""
        for term in wanted:
            yield from self._db.execute("SELECT term, texts FROM held WHERE term = ?", (term,))

    def _candidates(
        self, holders: Mapping[str, int], brings: Mapping[str, float]
    ) -> Iterator[tuple[str, Mapping[str, int], tuple[float, float]]]:
        """(id, terms, damping) of the texts that hold the most of the query's rarest terms."""
        found: defaultdict[int, float] = defaultdict(float)
        for term in _rarest(holders):
            for (number,) in self._db.execute("SELECT rowid FROM shelf WHERE shelf MATCH ?", (f'"{term}"',)):
                found[number] += brings[term]
        whole, numbers = self._whole(), sorted(found, key=lambda number: -found[number])[:CANDIDATES]
        for number in numbers:
            id_, line, stems, grams = self._db.execute(ONE, (number,)).fetchone()
            yield id_, Counter(line.split()), whole.damping(stems, grams)


def _rarest(holders: Mapping[str, int]) -> Iterator[str]:
    """The terms to look up, the rarest first, words before 4-grams as common."""
    places = 0
    for number, term in enumerate(sorted(holders, key=lambda term: (holders[term], term[0] == MARK, term))):
        places += holders[term]
        if number >= FEWEST and places > LOOKED_AT:
            return
        yield term


def _score(brings: Mapping[str, float], counts: Mapping[str, int], damping: tuple[float, float]) -> float:
    shared = brings.keys() & counts.keys()
    return sum(brings[term] * counts[term] / (counts[term] + damping[term[0] == MARK]) for term in shared)


def _line(counts: Mapping[str, int]) -> str:
    return " ".join(term for term, n in counts.items() for _ in range(n))
