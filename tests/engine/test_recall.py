"""What comes back when a situation is written: by stems and by 4-grams, whatever the accents, plurals and tenses."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordee.engine.recall import (
    GRAM_WEIGHT,
    K1,
    B,
    Index,
    _remembered,
    best,
    blended,
    forget,
    grams,
    plain,
    recall,
    stem,
    terms,
)

LEARNT = {
    "annonce": "J’attends d’avoir toutes les réponses avant d’annoncer une mauvaise nouvelle à mon équipe.",
    "limite": "Dire une limite à un collègue, c’est déjà prendre soin de la relation.",
    "silence": "Se taire cinq minutes ensemble fait venir d’autres idées.",
    "tutorat": "Un tutorat s’installe quand les deux sites choisissent leurs binômes.",
}
words = st.text(alphabet="abcdeéèçœ’- ", min_size=0, max_size=60)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("Comment faire l’annonce d’une réorganisation aux équipes ?", "annonce"),
        ("COMMENT RECADRER UN ANCIEN COLLEGUE ?", "limite"),
        ("lancer des tutorats entre nos sites", "tutorat"),
        ("recadrage d’anciens collègues", "limite"),
        ("laisser venir une idée", "silence"),
    ],
)
def test_accents_plurals_and_tenses_do_not_matter(query: str, first: str) -> None:
    assert recall(query, LEARNT)[0].id == first


def test_a_word_misspelt_by_a_letter_is_still_found_by_its_4_grams() -> None:
    assert recall("un tutorrat intersites", LEARNT)[0].id == "tutorat"


def test_it_says_by_which_words_the_rarest_first() -> None:
    texts = LEARNT | {str(i): "Une équipe de plus." for i in range(20)}
    assert recall("Annoncer à l’équipe", texts)[0].words == ("annoncer", "équipe")


def test_what_shares_nothing_does_not_come_up_and_nothing_asked_brings_nothing() -> None:
    assert recall("zzz", LEARNT) == []
    assert recall("", LEARNT) == [] == recall("limite", {})
    assert recall("comment pourquoi avec", LEARNT) == []


def test_the_score_is_the_formula_of_the_two_fields_added() -> None:
    """Worked out by hand on two texts, term by term."""
    texts = {"a": "chien chat chat", "b": "chien oiseau"}
    expected = 0.0
    docs = {id_: terms(text) for id_, text in texts.items()}
    for gram in (False, True):
        field = {id_: Counter({t: n for t, n in d.items() if (t[0] == "#") == gram}) for id_, d in docs.items()}
        mean = sum(field["a"].values()) + sum(field["b"].values())
        length = sum(field["a"].values()) / (mean / 2)
        for term, n in Counter({t: n for t, n in terms("chat").items() if (t[0] == "#") == gram}).items():
            holders = sum(term in one for one in field.values())
            idf = math.log(1 + (2 - holders + 0.5) / (holders + 0.5))
            tf = field["a"][term]
            part = n * idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length))
            expected += part * (GRAM_WEIGHT if gram else 1)
    assert Index(texts).scores("chat")["a"] == pytest.approx(expected)
    assert "b" not in Index(texts).scores("oies")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), words), words, st.lists(st.tuples(st.sampled_from("abcdef"), words)))
def test_texts_that_came_and_went_leave_no_trace(
    texts: dict[str, str], query: str, later: list[tuple[str, str]]
) -> None:
    index, now = Index(texts), dict(texts)
    for id_, text in later:
        if text:
            index.put(id_, text)
            now[id_] = text
        else:
            index.remove(id_)
            now.pop(id_, None)
    assert index.scores(query) == pytest.approx(Index(now).scores(query))
    assert index.whole == Index(now).whole


def test_the_4_grams_of_a_word_know_its_edges() -> None:
    assert grams("dire") == ["#^dir", "#dire", "#ire$"]
    assert grams("un") == ["#^un$"]


def test_a_stem_keeps_three_letters_and_accents_go() -> None:
    assert stem(plain("Réorganisations")) == stem(plain("réorganisation")) == "reorganis"
    assert stem("mes") == "mes" and plain("Œuvre, NAÏVE") == "oeuvre, naive"


def test_equal_scores_come_in_the_order_of_their_ids_and_nothing_is_no_score() -> None:
    assert list(best({"b": 1.0, "a": 1.0, "c": 2.0, "d": 0.0}, 3)) == ["c", "a", "b"]


def test_nearness_in_meaning_is_added_on_the_same_scale() -> None:
    scores, near = {"a": 10.0, "b": 5.0, "c": 0.0}, {"a": 0.1, "b": 0.9, "c": 0.2}
    assert list(best(blended(scores, near, 0.0), 3)) == ["a", "b"]
    assert next(iter(best(blended(scores, near, 0.6), 3))) == "b"
    assert blended(scores, {}) == scores


def test_what_is_remembered_of_texts_is_bounded_and_long_ones_are_not() -> None:
    forget()
    for number in range(5):
        terms(f"mot{number} " * 500)
        terms(f"mot{number}")
    assert _remembered.cache_info().currsize == 5
    assert _remembered.cache_info().maxsize is not None
    forget()
    assert _remembered.cache_info().currsize == 0
