"""Before a learning leaves its circle, its author is told of what could still say who."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordee.followup.discreet import traces

PEOPLE, PLACES = ("Hélène", "Karim", "Jean Le Goff"), ("Val de Loire", "Nantes")


def found(text: str) -> list[tuple[str, str]]:
    return [(trace.kind, trace.text) for trace in traces(text, PEOPLE, PLACES)]


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("Écrire à paul.durand@exemple.fr avant midi.", "mail", "paul.durand@exemple.fr"),
        ("Écrire à paul (at) exemple.fr.", "mail", "paul (at) exemple.fr"),
        ("Voir www.exemple.fr/page", "link", "www.exemple.fr/page"),
        ("Appeler le 06 12 34 56 78.", "phone", "06 12 34 56 78"),
        ("Appeler le +33612345678", "phone", "+33612345678"),
        ("Une équipe de 14 personnes", "number", "14"),
        ("Un budget de 12 000 euros", "number", "12 000"),
        ("J’en ai parlé à HELENE hier", "person", "HELENE"),
        ("j’en parle à karim", "person", "karim"),
        ("Le Goff en parle", "person", "Goff"),
        ("Le site de nantes", "organisation", "nantes"),
        ("Chez Durand SARL on écoute", "firm", "Durand SARL"),
        ("Madame Petit m’a dit", "title", "Madame Petit"),
        ("La direction d’ACME refuse", "acronym", "ACME"),
        ("Mon chef, Bernard, écoute", "capital", "Bernard"),
    ],
)
def test_what_could_tell_who_is_pointed_out(text: str, kind: str, what: str) -> None:
    assert (kind, what) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "J’attends d’avoir toutes les réponses avant de parler à mon équipe.",
        "Dire une limite, c’est déjà prendre soin. Se taire aussi.",
        "La RH peut aider ; le CSE aussi.",
        "Une équipe de 7",
        "",
    ],
)
def test_a_text_that_says_nothing_of_anybody_passes_in_silence(text: str) -> None:
    assert found(text) == []


def test_a_place_is_pointed_out_once_by_what_is_known_of_it() -> None:
    assert found("Karim et Karim, à Nantes, 06 12 34 56 78") == [
        ("person", "Karim"), ("person", "Karim"), ("organisation", "Nantes"), ("phone", "06 12 34 56 78"),
    ]  # fmt: skip


def test_a_surname_beside_a_first_name_that_the_circle_knows_is_pointed_out_too() -> None:
    assert found("Avec Karim Benali, j’attends") == [("person", "Karim"), ("capital", "Benali")]


@settings(deadline=None)
@given(st.text(max_size=300))
def test_whatever_is_written_the_places_are_in_order_apart_and_exact(text: str) -> None:
    told = traces(text, PEOPLE, PLACES)
    assert all(text[trace.start : trace.end] == trace.text for trace in told)
    assert all(one.end <= other.start for one, other in pairwise(told))
