"""Every seat, at every prefix of two rounds, before and after each reveal, in every field of its view."""

import dataclasses

import pytest

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine import policy, scene, themes, view
from cordee.engine.grouping import Theme
from cordee.engine.state import apply
from tests.characters import SCREEN, circle, group, play
from tests.leaks import (
    ALONE,
    HELD,
    OBSERVER,
    OPEN,
    OUTSIDER,
    REVOKED,
    SEATS,
    SILENT,
    STEPS,
    Report,
    canaries,
    matrix,
    play_with_canaries,
    strings,
)


@pytest.fixture(scope="module")
def whole() -> Report:
    return matrix(*play_with_canaries())


def test_nobody_reads_what_no_row_gives_them(whole):
    assert whole.leaks == []


def test_everybody_reads_what_their_row_gives_them(whole):
    assert whole.missing == []


def test_the_matrix_is_not_empty(whole):
    assert whole.checks >= 100_000
    assert sum(whole.visible.values()) >= 40_000


def test_the_matrix_has_looked_at_every_kind_hidden_and_shown_at_every_step_from_its_own(whole):
    texts = (OPEN | SILENT | ALONE) - {"vote"}  # a vote is a choice, without a text
    for kind in texts:
        first = next(i for i, step in enumerate(STEPS) if any(key[:2] == (step, kind) for key in whole.visible))
        for step in STEPS[first:]:
            assert any(key[:2] == (step, kind) for key in whole.hidden), (step, kind)
            if kind not in {"situation"} or step != "renforcement":
                assert any(key[:2] == (step, kind) for key in whole.visible), (step, kind)
    for kind, step in (("feeling", "ressentis"), ("suggestion", "suggestions"), ("learning", "ouvertures")):
        assert whole.hidden[step, kind, False] > 100 and whole.visible[step, kind, True] > 100


def test_the_log_holds_everything_that_can_happen_to_a_text():
    events, _ = play_with_canaries()
    happened = {type(event) for event in events}
    wanted = {e.Written, e.Edited, e.Withdrawn, e.Hidden, e.Marked, e.Revealed, e.Undone, e.HandedOver, e.SeatRevoked}
    wanted |= {e.ThemesAsked, e.ThemeDeclined}
    assert wanted <= happened
    assert {e.SeatHeld, e.RoundStarted, e.ClientChosen, e.StepEntered, e.CardDrawn, e.Closed} <= happened
    assert any(event.scribe for event in events if isinstance(event, e.Written))
    assert {event.kind for event in events if isinstance(event, e.Written)} == OPEN | SILENT | ALONE


@pytest.mark.parametrize("seat", [OUTSIDER, "", "nobody", "claire "])
def test_a_stranger_has_no_view_at_all(seat):
    events, _ = play_with_canaries()
    room = circle()
    for event in events[::10]:
        room.state = apply(room.state, event)
        assert room.view(seat) is None


def test_the_canaries_of_the_log_are_unique():
    events, _ = play_with_canaries()
    planted = [word for event in events for word in canaries(*(getattr(event, "body", None) or {}).values())]
    assert len(planted) == len(set(planted)) > 140


# ---------------------------------------------------------------- the matrix can fail


def sealed_is_forgotten(state, contribution):
    return state.protocol.kinds[contribution.kind].readers


def hidden_is_forgotten(state, contribution):
    return audience_of(dataclasses.replace(contribution, hidden=False), state)


def everybody_is_scribe(roles, seat_id, author, scribe=""):
    return roles | {"scribe"}


def the_facilitator_is_an_author(roles, seat_id, author, scribe=""):
    return roles | {"author"} if "facilitator" in roles or seat_id == author else roles


def whoever_was_there_is_there(state, seat_id):
    return frozenset({"screen"}) if seat_id == SCREEN else frozenset({"member", "consultant"})


AUDIENCE = policy.audience


def audience_of(contribution, state):
    return AUDIENCE(state, contribution)


BROKEN = {
    "a seal forgotten": ("audience", sealed_is_forgotten),
    "a hidden card shown": ("audience", hidden_is_forgotten),
    "everybody a scribe": ("towards", everybody_is_scribe),
    "a facilitator who reads all": ("towards", the_facilitator_is_an_author),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_matrix_finds_a_broken_policy(fault, monkeypatch):
    name, broken = BROKEN[fault]
    monkeypatch.setattr(policy, name, broken)
    assert matrix(*play_with_canaries(), every=9).leaks


def test_the_matrix_finds_a_seat_that_should_see_nothing(monkeypatch):
    monkeypatch.setattr(view, "roles_of", whoever_was_there_is_there)
    monkeypatch.setattr(policy, "roles_of", whoever_was_there_is_there)
    leaks = matrix(*play_with_canaries(), every=40, seats=[OUTSIDER, REVOKED, "waiting"]).leaks
    assert {seat for seat in (OUTSIDER, REVOKED, "waiting") if any(f": {seat} reads" in leak for leak in leaks)} == {
        OUTSIDER,
        REVOKED,
        "waiting",
    }


def test_the_matrix_finds_a_text_that_is_withheld(monkeypatch):
    monkeypatch.setattr(policy, "audience", lambda state, contribution: frozenset({"author"}))
    report = matrix(*play_with_canaries(), every=40)
    assert report.missing and not report.leaks


def names_a_theme_with_every_word(texts):
    return [Theme(" ".join(texts.values()), tuple(texts))] if texts else []


def looks_at_everything(state, row):
    return {c.id: " ".join((c.body or {}).values()) for c in state.contributions.values() if c.kind == row.kind}


def test_a_proposed_theme_is_named_after_what_all_may_read_and_the_matrix_would_see_another(monkeypatch):
    monkeypatch.setattr(themes, "group", names_a_theme_with_every_word)
    monkeypatch.setattr(themes, "cut", lambda label, longest: label)
    assert matrix(*play_with_canaries(), every=7).leaks == []
    monkeypatch.setattr(themes, "open_texts", looks_at_everything)
    leaks = matrix(*play_with_canaries(), every=7).leaks
    assert any("suggestion" in leak for leak in leaks) and any("learning" in leak for leak in leaks)


def test_the_matrix_finds_a_name_at_the_door_told_to_all(monkeypatch):
    names = scene._ring

    def told(state, *causes):
        return dataclasses.replace(names(state, *causes), floor=" ".join(s.name for s in state.seats.values()))

    monkeypatch.setattr(scene, "_ring", told)
    assert any(": karim reads" in leak for leak in matrix(*play_with_canaries(), every=40).leaks)


# ---------------------------------------------------------------- what is not a text


def test_who_waits_is_known_to_the_facilitator_alone():
    events, oracle = play_with_canaries()
    name = next(iter(oracle.allowed("waiting", len(events))))
    assert {seat for seat in SEATS if name in oracle.allowed(seat, 25)} == {"waiting", "fanny"}
    assert {seat for seat in SEATS if name in oracle.allowed(seat, len(events))} == {"waiting", "thomas"}


def test_no_view_says_who_voted_for_what():
    room = circle()
    first, second = (room.write(seat, "situation", f"Comment {seat} ?") for seat in ("claire", "karim"))
    for n, seat in enumerate(room.members()):
        room.write(seat, "vote", {"choice": first if n % 3 else second})
    for seat in [*room.members(), "fanny", SCREEN]:
        seen = room.view(seat)
        cards = group(seen, "situation").cards
        assert [card.votes for card in cards] == [5, 3]
        mine = [card.voted for card in cards]
        n = room.members().index(seat) if seat in room.members() else None
        assert mine == ([False, False] if n is None else [bool(n % 3), not n % 3])
        assert "vote" not in {card.kind for g in (*seen.groups, *seen.past, *seen.own) for card in g.cards}


def test_views_of_consultants_are_equal_before_the_reveal_but_for_whom_they_are():
    """Those who have not written see one and the same stage: it is rendered once."""
    room = circle()
    play(room, until="suggestions")
    for seat in ("karim", "thomas"):
        room.write(seat, "suggestion", "Une piste.")
    seen = [
        dataclasses.replace(room.view(seat), seat="", name="", own=(), past=(), drawn=())
        for seat in ("nadia", "julien")
    ]
    seen = [dataclasses.replace(v, forms=tuple(dataclasses.replace(f, choices=()) for f in v.forms)) for v in seen]
    assert seen[0] == seen[1] and hash(seen[0]) == hash(seen[1])


def test_a_revoked_observer_reads_nothing_more():
    room = circle()
    room.do(c.TakeSeat(seat=OBSERVER, name="Octave", role="observer"))
    assert any("Fanny" in text for text in strings(room.view(OBSERVER)))
    room.do(c.Revoke(seat="fanny", target=OBSERVER))
    assert room.view(OBSERVER) is None


def test_the_held_seat_of_the_log_was_written_for():
    events, _ = play_with_canaries()
    written = [event for event in events if isinstance(event, e.Written) and event.seat == HELD]
    assert {event.scribe for event in written if event.kind in SILENT} <= {"fanny", "thomas"}
    assert all(not event.scribe for event in written if event.kind in ALONE)
