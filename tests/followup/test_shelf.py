"""Published texts: found as the engine would rank them, and gone from the file once withdrawn."""

import random
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from cordee.engine.recall import Index, best, terms
from cordee.followup import ranking, shelf, vectors
from cordee.followup.shelf import Shelf

WORDS = (
    *("annonce", "équipe", "silence", "tutorat", "site", "limite", "collègue"),
    *("réunion", "piste", "demande", "fusion", "retard", "confiance"),
)


def texts(number: int) -> dict[str, str]:
    chance = random.Random(7)
    return {f"t{i}": " ".join(chance.choices(WORDS, k=chance.randint(3, 9))) for i in range(number)}


def test_the_ranking_is_the_engines_own() -> None:
    kept, on_it = texts(120), Shelf(":memory:")
    on_it.put(kept.items())
    for query in ("annoncer une fusion aux équipes", "silences", "un retard du collègue en réunion"):
        scores = Index(kept).scores(query)
        assert [id_ for id_, _ in on_it.find(query, 8)] == list(best(scores, 8))
        assert dict(on_it.find(query, 3)) == pytest.approx({id_: scores[id_] for id_ in best(scores, 3)})


def test_rare_terms_alone_are_looked_up_when_the_common_ones_would_cost_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelf, "LOOKED_AT", 1)
    monkeypatch.setattr(shelf, "FEWEST", 4)
    on_it = Shelf(":memory:")
    on_it.put({**texts(300), "rare": "un hippopotame en réunion"}.items())
    assert on_it.find("l’équipe, la réunion, le site et un hippopotame")[0][0] == "rare"


def test_a_text_put_again_takes_the_place_of_the_former(tmp_path: Path) -> None:
    on_it = Shelf(tmp_path / "shelf.sqlite3")
    on_it.put([("a", "une limite"), ("b", "un silence")])
    on_it.put([("a", "un tutorat")])
    assert len(on_it) == 2 and on_it.ids() == {"a", "b"}
    assert on_it.find("limite") == [] and on_it.find("tutorats")[0][0] == "a"


def test_what_is_withdrawn_is_no_longer_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "shelf.sqlite3"
    on_it = Shelf(path)
    on_it.put([("a", "un zqcanarizq en clair"), ("b", "un silence")])
    assert b"zqcanarizq" in everything(tmp_path)  # the search would find it
    on_it.remove(["a", "unknown"])
    on_it.put((f"n{i}", "autre chose encore") for i in range(50))
    assert on_it.find("zqcanarizq") == [] and len(on_it) == 51
    on_it.forget()
    on_it.close()
    assert b"zqcan" not in everything(tmp_path)


def test_what_is_withdrawn_in_the_middle_of_a_search_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_it, other = (Shelf(tmp_path / "shelf.sqlite3") for _ in range(2))
    on_it.put([("a", "une limite"), ("b", "un silence")])

    def meanwhile(found: dict[int, float], **more: object) -> list[int]:
        other.remove(["a"])
        return sorted(found, **more)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(shelf, "sorted", meanwhile, raising=False)
    assert [id_ for id_, _ in on_it.find("limites")] == ["a"]
    assert on_it.find("limites") == []


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_all_is_put_or_nothing() -> None:
    def failing():  # type: ignore[no-untyped-def]
        yield "a", "une limite"
        raise RuntimeError

    on_it = Shelf(":memory:")
    with pytest.raises(RuntimeError):
        on_it.put(failing())
    assert len(on_it) == 0 and on_it.find("limite") == []


def test_hostile_queries_are_words_like_others() -> None:
    on_it = Shelf(":memory:")
    on_it.put([("a", 'une "limite" OR x')])
    for query in ('" OR 1', "NEAR(", "limite*", "x:limite", "'; DROP TABLE shelf", "\x00limite", "#^$", "é" * 5000):
        on_it.find(query)
    assert on_it.find("limites")[0][0] == "a"


def test_without_vectors_the_ranking_is_by_words(settings) -> None:  # type: ignore[no-untyped-def]
    settings.VECTORS = False
    kept = texts(40)
    on_it = Shelf(":memory:")
    on_it.put(kept.items())
    assert vectors.near("silence", kept) == {} and vectors.pairs(["a", "b"]) == []
    assert ranking.ranked(on_it, "un silence", 5, kept) == [id_ for id_, _ in on_it.find("un silence", 5)]
    assert [m.id for m in ranking.matches("un silence", kept)] == [id_ for id_, _ in on_it.find("un silence", 5)]


def test_with_vectors_what_is_near_in_meaning_comes_up_without_a_shared_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "near", lambda query, texts: {id_: float(id_ == "far") for id_ in texts})
    kept = {"far": "une automobile", "a": "un silence"}
    assert [m.id for m in ranking.matches("la voiture", kept)] == ["far"]


def test_in_how_many_texts_each_term_is_follows_whatever_comes_and_goes() -> None:
    kept, on_it, chance = texts(40), Shelf(":memory:"), random.Random(3)
    on_it.put(kept.items())
    for round_ in range(6):
        gone = chance.sample(sorted(kept), 5)
        on_it.remove(gone)
        kept = {id_: text for id_, text in kept.items() if id_ not in gone}
        again = dict.fromkeys(chance.sample(sorted(kept), 3), f"une limite {round_}")
        on_it.put(again.items())
        kept |= again
    counted = Counter(term for text in kept.values() for term in terms(text))
    assert dict(on_it._db.execute("SELECT term, texts FROM held")) == counted


def test_a_shelf_of_an_earlier_version_is_damaged_for_whoever_opens_it(tmp_path: Path) -> None:
    on_it = Shelf(tmp_path / "shelf.sqlite3")
    on_it._db.execute("DROP TABLE held")
    on_it.close()
    with pytest.raises(sqlite3.DatabaseError):
        Shelf(tmp_path / "shelf.sqlite3")
