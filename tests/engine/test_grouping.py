"""Themes are proposed in the group's own words, and every text is in one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cordee.engine.grouping import LEAST_TIE, communities, group, neighbours, similarities

TEXTS = {
    "a1": "Annoncer la nouvelle à l’équipe avant la réunion",
    "a2": "Préparer l’annonce avec l’équipe",
    "a3": "Une annonce claire à toute l’équipe",
    "s1": "Garder le silence pendant l’écriture",
    "s2": "Cinq minutes de silence avant de parler",
    "s3": "Le silence aide à écrire",
    "t1": "Choisir un tuteur sur chaque site",
    "t2": "Le tutorat entre les deux sites",
    "t3": "Un tuteur par site, choisi par le site",
}


def test_texts_that_speak_of_one_thing_go_together() -> None:
    assert {frozenset(theme.ids) for theme in group(TEXTS)} == {
        frozenset({"a1", "a2", "a3"}),
        frozenset({"s1", "s2", "s3"}),
        frozenset({"t1", "t2", "t3"}),
    }


def test_a_theme_is_named_in_the_groups_own_words() -> None:
    labels = {theme.ids[0]: theme.label.split(" · ") for theme in group(TEXTS)}
    assert "équipe" in labels["a1"] and labels["s1"][0] == "silence" and {"site", "tuteur"} & set(labels["t1"])


def test_two_cliques_joined_by_a_thread_are_two_communities() -> None:
    one = [[0.0 if i == j else 1.0 if (i < 4) == (j < 4) else 0.0 for j in range(8)] for i in range(8)]
    one[0][4] = one[4][0] = 0.1
    found = communities(neighbours(one))
    assert len(set(found)) == 2 and len(set(found[:4])) == 1 == len(set(found[4:]))


def test_what_is_near_in_meaning_goes_together_without_a_shared_word() -> None:
    texts = {"1": "chien", "2": "toutou", "3": "voiture", "4": "automobile"}
    near = [[1, 0.9, 0, 0], [0.9, 1, 0, 0], [0, 0, 1, 0.9], [0, 0, 0.9, 1]]
    assert len(group(texts)) == 4
    assert {theme.ids for theme in group(texts, near)} == {("1", "2"), ("3", "4")}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=25))
def test_every_text_is_in_one_theme_and_in_one_only(texts: list[str]) -> None:
    named = {str(i): text for i, text in enumerate(texts)}
    themes = group(named)
    assert sorted(id_ for theme in themes for id_ in theme.ids) == sorted(named)
    assert group(named) == themes  # the same again


def test_resemblance_is_mutual_and_never_with_oneself() -> None:
    table = similarities(list(TEXTS.values()))
    assert all(table[i][i] == 0 for i in range(len(table)))
    assert all(abs(table[i][j] - table[j][i]) < 1e-9 for i in range(9) for j in range(9))


def test_a_text_that_resembles_nothing_enough_stays_on_its_own() -> None:
    said = [f"Annoncer la fusion à l’équipe avant {when}" for when in ("lundi", "mardi", "jeudi")]
    said += ["Le kilowatt se mesure en zinc oxydé, d’après un vieux manuel sans équivalent connu du public"]
    texts = {str(number): text for number, text in enumerate(said)}
    assert 0 < max(similarities(said)[3]) < LEAST_TIE, "a few letters in common"
    assert [theme.ids for theme in group(texts)] == [("0", "1", "2"), ("3",)]
