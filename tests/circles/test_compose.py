"""What is said of who is in a circle, and of what changed in a charter. Pure, without a database."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordee.circles import diff, phrases
from cordee.circles.compose import Finding, Peer, above, findings


def peers(count: int, **same: str) -> list[Peer]:
    return [Peer(n, f"Pair {n}", **same) for n in range(count)] + [Peer(99, "Fanny", leads=True)]


def kinds(people: list[Peer], managers: dict[int, int] | None = None) -> list[str]:
    return [found.kind for found in findings(people, managers or {})]


@pytest.mark.parametrize(("count", "said"), [(0, "few"), (4, "few"), (5, ""), (8, ""), (9, "many"), (10, "many")])
def test_the_size_is_looked_at_outside_of_five_to_eight(count, said):
    assert "".join(kinds(peers(count))) == said


def test_who_manages_whom_is_told_directly_and_through_the_chain():
    people = peers(6)
    assert findings(people, {1: 2}) == [Finding("manages", ("Pair 2", "Pair 1"))]
    assert findings(people, {1: 50, 50: 51, 51: 2}) == [Finding("manages_above", ("Pair 2", "Pair 1"))]
    assert kinds(people, {1: 99}) == ["leader_manages"] and kinds(people, {1: 50, 50: 99}) == ["leader_manages_above"]
    assert kinds(people, {99: 1}) == ["manages"]


def test_people_who_manage_each_other_in_a_ring_are_walked_once():
    assert above(1, {1: 2, 2: 3, 3: 1}) == [2, 3] and above(1, {1: 1}) == []


def test_one_team_is_told_with_its_names_and_a_facilitator_is_not_of_it():
    people = [*peers(4), Peer(10, "Claire", team="Réseau "), Peer(11, "Karim", team="réseau")]
    assert findings(people, {}) == [Finding("team", ("Claire", "Karim"), "Réseau")]
    assert kinds([*people[:-1], Peer(12, "Nadia", team="Réseau", leads=True)]) == []


def test_one_site_for_all_is_told_once_enough_people_said_theirs():
    assert kinds(peers(5, site="Lyon")) == ["one_site"]
    assert kinds([*peers(5, site="Lyon"), Peer(8, "Nadia", site="Annecy")]) == []
    assert kinds([*peers(5), Peer(8, "Nadia", site="Annecy"), Peer(9, "Karim", site="Annecy")]) == []
    assert kinds(peers(5, branch="Siège", level="Cadre")) == ["one_branch", "one_level"]


def test_a_circle_that_nobody_leads_or_that_its_organiser_leads_is_told():
    assert kinds(peers(5)[:-1]) == ["unled"]
    assert kinds([*peers(5)[:-1], Peer(99, "Rose", leads=True, organises=True)]) == ["organiser_leads"]


EVERY = [
    Finding(kind, ("Karim", "Claire"), value)
    for kind, value in {
        "few": "4", "many": "9", "unled": "", "organiser_leads": "", "manages": "", "manages_above": "",
        "leader_manages": "", "leader_manages_above": "", "team": "Réseau", "one_site": "Lyon", "one_branch": "Siège",
        "one_level": "Cadre",
    }.items()
]  # fmt: skip


@pytest.mark.parametrize("found", [*EVERY, Finding("few", value="0")], ids=lambda found: found.kind)
def test_every_finding_has_a_sentence_that_says_what_to_do(found):
    said = phrases.sentence(found)
    assert "%" not in said and said.count(".") >= 2


def test_names_are_listed_as_one_says_them():
    assert phrases.listed(["Claire", "Karim", "Nadia"]) == "Claire, Karim et Nadia"


# ---------------------------------------------------------------- what changed in a charter

TEXTS = st.text(alphabet="ab c.\n’é", max_size=60)


@settings(deadline=None)
@given(before=TEXTS, after=TEXTS)
def test_what_is_kept_and_added_is_the_new_text_and_what_is_kept_and_removed_the_old(before, after):
    pieces = diff.changes(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before


def test_changed_words_are_read_together_and_the_rest_is_left_alone():
    pieces = diff.changes("Chacun vient de son plein gré.\n\nEt rit.", "Chacun vient librement ici.\n\nEt rit.")
    assert [(piece.kind, piece.text) for piece in pieces][1:3] == [
        ("removed", "de son plein gré"),
        ("added", "librement ici"),
    ]


def test_only_the_paragraphs_that_changed_are_shown():
    pieces = diff.changes("Un.\n\nDeux.\n\nTrois.", "Un.\n\nDeux, donc.\n\nTrois.")
    shown = diff.changed_paragraphs(pieces)
    assert ["".join(piece.text for piece in each if piece.kind != "removed") for each in shown] == ["Deux, donc."]
    assert diff.changed_paragraphs(diff.changes("Un.", "Un.")) == []


def test_a_text_made_to_be_slow_is_compared_at_once():
    import time

    start = time.thread_time()  # of the processor: others may have it meanwhile
    diff.changes("a " * 4000, "a b " * 2000)
    assert time.thread_time() - start < 0.5
