"""The facilitator's moves: steps, gates, the protected step, the clock, rounds, the close, and undoing them."""

import math

import pytest

from cordee.engine import commands as c
from cordee.engine.rules.judgements import position
from cordee.engine.state import UNDO_DEPTH
from tests.characters import ACTS, circle, group, next_round, play, reason, texts

# ---------------------------------------------------------------- steps and gates


def test_only_the_facilitator_moves_the_room():
    room = play(circle(), until="recit")
    moves = [c.Next, c.Back, c.Extend, c.Pause, c.Resume, c.FreeFloor, c.NextRound, c.Close, c.Undo]
    for seat in ("claire", "karim"):
        for move in moves:
            assert reason(room.try_(move(seat=seat))) == "not_facilitator"
        assert reason(room.try_(c.GoTo(seat=seat, step="choix"))) == "not_facilitator"
        assert reason(room.try_(c.SetDoor(seat=seat, waiting=True))) == "not_facilitator"
    assert room.view("karim").hand is None


def test_nothing_opens_before_a_client_is_chosen():
    room = circle()
    for step in list(ACTS)[1:]:
        assert reason(room.try_(c.GoTo(seat="fanny", step=step, reason="vite"))) == "gate"
    assert reason(room.try_(c.Next(seat="fanny", reason="vite"))) == "gate"
    assert room.view("fanny").hand.gate == "Matériaux"


def test_nothing_after_the_request_opens_before_it_is_validated():
    room = play(circle(), until="demande")
    after = list(ACTS)[list(ACTS).index("demande") + 1 :]
    request = room.write("claire", "request", "Je voudrais que vous m’aidiez à parler.")
    for step in after:
        refused = room.try_(c.GoTo(seat="fanny", step=step, reason="vite"))
        assert (refused.reason, refused.about["step"]) == ("gate", "Demande")
    for seat in room.consultants():
        room.mark(seat, request, "acknowledged")
        assert reason(room.try_(c.Next(seat="fanny"))) == "gate"
    room.mark("claire", request, "validated")
    room.next()
    assert room.step == "ressentis"


def test_the_gate_is_not_jumped_from_before_it():
    room = play(circle(), until="recit")
    assert reason(room.try_(c.GoTo(seat="fanny", step="suggestions"))) == "gate"
    ahead = [s.id for s in room.view("fanny").hand.steps]
    assert ahead == ["choix", "recit", "questions", "demande"]


def test_every_consultant_here_must_have_acknowledged():
    room = play(circle(), until="demande")
    request = room.write("claire", "request", "Je voudrais que vous m’aidiez à parler.")
    for seat in room.consultants()[:-1]:
        room.mark(seat, request, "acknowledged")
    refused = room.try_(c.Mark(seat="claire", id=request, mark="validated"))
    assert (refused.reason, refused.about["names"]) == ("not_all_agree", "Marc")
    room.do(c.Leave(seat="marc"))
    room.mark("claire", request, "validated")


def test_nobody_but_the_client_validates():
    room = play(circle(), until="demande")
    request = room.write("claire", "request", "Je voudrais que vous m’aidiez à parler.")
    for seat in ("karim", "fanny"):
        assert reason(room.try_(c.Mark(seat=seat, id=request, mark="validated"))) == "not_your_role"
    assert reason(room.try_(c.Mark(seat="claire", id=request, mark="acknowledged"))) == "not_your_role"


def test_a_request_said_otherwise_is_agreed_upon_anew():
    room = play(circle(), through="demande")
    request = room.write("claire", "request", "Je voudrais que vous m’aidiez à démissionner.")
    assert room.state.marked(request, "validated") == room.state.marked(request, "acknowledged") == {}
    assert reason(room.try_(c.Next(seat="fanny"))) == "gate"
    assert room.view("karim").request == ""


def test_who_takes_back_their_agreement_takes_back_the_validation():
    room = play(circle(), through="demande")
    request = room.of("request")[0].id
    room.mark("karim", request, "acknowledged", on=False)
    assert reason(room.try_(c.Next(seat="fanny"))) == "gate"
    assert len(room.state.marked(request, "acknowledged")) == 6


def test_undoing_does_not_open_a_gate_that_has_shut():
    room = play(circle(), until="suggestions")
    room.do(c.Back(seat="fanny"))
    room.do(c.Back(seat="fanny"))
    room.write("claire", "request", "Je voudrais que vous m’aidiez à démissionner.")
    assert reason(room.try_(c.Undo(seat="fanny"))) == "gate"
    assert room.step == "demande"


def test_back_stops_at_the_first_step_and_next_at_the_last():
    room = circle()
    assert reason(room.try_(c.Back(seat="fanny"))) == "first_step"
    play(room)
    assert reason(room.try_(c.Next(seat="fanny"))) == "last_step"
    assert reason(room.try_(c.GoTo(seat="fanny", step="nowhere"))) == "no_such_step"
    assert room.do(c.GoTo(seat="fanny", step="renforcement")) == []


def test_a_move_asked_for_elsewhere_or_twice_moves_once():
    room = play(circle(), until="recit")
    seen = position(room.state)
    assert room.do(c.Next(seat="fanny", seen=seen))
    for move in (c.Next, c.Back, c.NextRound, c.Close, c.Extend):
        assert room.do(move(seat="fanny", seen=seen)) == []
    assert room.step == "questions"


def test_going_back_finds_everything_as_it_was_and_what_was_open_stays_open():
    room = play(circle(), until="suggestions")
    room.do(c.Back(seat="fanny"))
    assert room.step == "ressentis" and len(texts(room.view("claire"), "feeling")) == 7
    room.write(room.view("fanny").ring.holder, "feeling", "Encore un mot.")
    assert "Encore un mot." in texts(room.view("claire"), "feeling")


# ---------------------------------------------------------------- the protected step


def test_openings_are_not_left_without_a_learning_or_a_word():
    room = play(circle(), until="ouvertures")
    assert room.view("fanny").hand.needs_word
    leave = [c.Next, c.NextRound, c.Close]
    for move in leave:
        for word in ("", "  ", "\0", "\u200b"):
            refused = room.try_(move(seat="fanny", reason=word))
            assert (refused.reason, refused.about["step"]) == ("protected", "Ouvertures")
    learnt = room.write("karim", "learning", "J’ai appris.")
    assert not room.view("fanny").hand.needs_word
    room.do(c.Withdraw(seat="karim", id=learnt))
    assert reason(room.try_(c.Next(seat="fanny"))) == "protected"
    room.next(reason="Deux personnes doivent partir.")
    assert room.step == "renforcement"
    room.do(c.Close(seat="fanny"))  # the word was given once


def test_openings_are_not_jumped_over_without_a_word_and_one_word_is_enough():
    room = play(circle(), until="suggestions")
    assert reason(room.try_(c.GoTo(seat="fanny", step="renforcement"))) == "protected"
    room.go("renforcement", reason="Il est midi.")
    room.do(c.NextRound(seat="fanny"))
    assert room.state.course.round == 2


@pytest.mark.parametrize("step", ["recit", "demande", "traitement"])
def test_a_round_that_has_a_client_is_not_left_early_without_a_word(step):
    room = play(circle(), until=step)
    for move in (c.NextRound, c.Close):
        assert reason(room.try_(move(seat="fanny"))) == "protected"
    event = room.do(c.NextRound(seat="fanny", reason="Claire est appelée."))[0]
    assert event.body == {"text": "Claire est appelée."}


def test_the_word_that_closes_early_is_kept_and_shown_to_nobody_by_the_engine():
    room = play(circle(), until="recit")
    event = room.do(c.Close(seat="fanny", reason="Une alerte incendie."))[0]
    assert event.body == {"text": "Une alerte incendie."}
    for seat in ("claire", "karim", "fanny", "screen"):
        assert "incendie" not in repr(room.view(seat))


def test_going_back_from_openings_needs_no_word():
    room = play(circle(), until="ouvertures")
    room.do(c.Back(seat="fanny"))
    assert room.step == "traitement"


# ---------------------------------------------------------------- the clock


def test_minutes_are_those_of_the_step_and_the_facilitator_changes_them():
    room = play(circle(), until="questions")
    assert room.view("karim").clock.minutes == 17
    room.do(c.Extend(seat="fanny", minutes=5))
    room.do(c.Extend(seat="fanny", minutes=-2))
    assert room.view("karim").clock.minutes == 20
    play(room, until="demande")
    assert room.view("karim").clock.minutes == 8


@pytest.mark.parametrize("minutes", [0, -17, -1000, 1440, 1e9, math.inf, -math.inf, math.nan])
def test_minutes_that_make_no_sense_are_refused(minutes):
    room = play(circle(), until="questions")
    assert reason(room.try_(c.Extend(seat="fanny", minutes=minutes))) == "bad_value"


def test_a_pause_stops_the_clock_and_the_step_runs_as_long_after():
    room = play(circle(), until="recit")
    started = room.view("karim").clock.runs_from
    room.do(c.Pause(seat="fanny"))
    paused = room.now
    assert room.do(c.Pause(seat="fanny")) == []
    assert room.view("karim").clock.paused_at == paused
    room.now = paused + 299
    room.do(c.Resume(seat="fanny"))
    assert room.view("karim").clock.runs_from == started + 300
    assert room.view("karim").clock.paused_at is None
    assert room.do(c.Resume(seat="fanny")) == []


def test_a_clock_that_jumps_back_gives_no_time_that_never_passed():
    room = play(circle(), until="recit")
    started = room.view("karim").clock.runs_from
    room.do(c.Pause(seat="fanny"))
    room.now -= 3600
    room.do(c.Resume(seat="fanny"))
    assert room.view("karim").clock.runs_from == started
    room.next()
    assert room.step == "questions"


def test_the_silence_of_writing_has_an_end_until_the_reveal():
    room = play(circle(), until="suggestions")
    clock = room.view("karim").clock
    assert clock.silence_until == clock.runs_from + 300
    room.reveal()
    assert room.view("karim").clock.silence_until is None


def test_the_clock_never_cuts():
    room = play(circle(), until="recit")
    room.now += 24 * 3600
    room.write("claire", "story", "Je finis ma phrase.")


# ---------------------------------------------------------------- undo


MOVES = {
    "next": ("questions", lambda room: c.Next(seat="fanny")),
    "back": ("questions", lambda room: c.Back(seat="fanny")),
    "go to": ("questions", lambda room: c.GoTo(seat="fanny", step="choix")),
    "extend": ("questions", lambda room: c.Extend(seat="fanny", minutes=5)),
    "pause": ("questions", lambda room: c.Pause(seat="fanny")),
    "reveal": ("ressentis", lambda room: c.Reveal(seat="fanny")),
    "pass the floor": ("questions", lambda room: c.PassFloor(seat="fanny")),
    "give the floor": ("questions", lambda room: c.GiveFloor(seat="fanny", target="nadia")),
    "free the floor": ("questions", lambda room: c.FreeFloor(seat="fanny")),
    "choose": ("renforcement", lambda room: c.Choose(seat="fanny", situation=room.situation_of("karim"))),
    "next round": ("renforcement", lambda room: c.NextRound(seat="fanny", reason="vite")),
    "close": ("renforcement", lambda room: c.Close(seat="fanny", reason="vite")),
}


@pytest.mark.parametrize("move", MOVES)
def test_each_move_of_the_facilitator_is_undone(move):
    step, command = MOVES[move]
    room = play(circle(), until=step)
    before = room.state
    room.do(command(room))
    assert room.state.course != before.course
    room.do(c.Undo(seat="fanny"))
    assert (room.state.course, room.state.undo) == (before.course, before.undo)


def test_resuming_is_undone_into_the_same_pause():
    room = play(circle(), until="questions")
    room.do(c.Pause(seat="fanny"))
    before = room.state.course
    room.do(c.Resume(seat="fanny"))
    room.do(c.Undo(seat="fanny"))
    assert room.state.course == before


def test_undoing_the_reveal_seals_again():
    room = play(circle(), until="ressentis")
    room.write("karim", "feeling", "De la peine.")
    room.reveal()
    room.do(c.Undo(seat="fanny"))
    assert texts(room.view("claire"), "feeling") == [] and texts(room.view("karim"), "feeling") == ["De la peine."]


def test_undo_goes_back_twenty_moves_and_no_further():
    room = play(circle(), until="recit")
    for _ in range(UNDO_DEPTH + 5):
        room.do(c.Extend(seat="fanny", minutes=1))
    assert room.view("fanny").hand.undo == UNDO_DEPTH == 20
    for _ in range(UNDO_DEPTH):
        room.do(c.Undo(seat="fanny"))
    assert room.state.course.minutes == 8 + 5
    assert reason(room.try_(c.Undo(seat="fanny"))) == "nothing_to_undo"


def test_undo_pressed_twice_by_one_impatient_thumb_undoes_once():
    room = play(circle(), until="questions")
    wish = c.Undo(seat="fanny", version=room.view("fanny").hand.undo)
    assert room.do(wish) and room.do(wish) == []
    assert room.step == "recit"


def test_undo_loses_no_word():
    room = play(circle(), until="suggestions")
    room.write("karim", "suggestion", "Voir les deux personnes.")
    room.do(c.Undo(seat="fanny"))
    room.next()
    assert texts(room.view("karim"), "suggestion") == ["Voir les deux personnes."]


def test_undoing_a_move_leaves_standing_what_others_have_done_since():
    room = play(circle(), until="questions")
    room.do(c.Extend(seat="fanny", minutes=5))
    room.pass_floor()
    room.pass_floor()
    room.do(c.Undo(seat="fanny"))
    assert room.state.course.minutes == 17
    assert room.view("fanny").ring.holder == "thomas"


def test_what_the_client_has_shown_stays_shown_when_an_earlier_move_is_undone():
    room = play(circle(), until="traitement")
    room.do(c.Extend(seat="fanny", minutes=5))
    room.write("claire", "takeaway", "Je retiens de demander.")
    room.reveal("claire")
    room.do(c.Undo(seat="fanny"))
    assert texts(room.view("karim"), "takeaway") == ["Je retiens de demander."]


# ---------------------------------------------------------------- the ledger of client turns


def test_nobody_is_client_twice_before_those_who_wait_unless_the_group_agrees():
    room = play(circle())
    refused = room.try_(c.Choose(seat="fanny", situation=room.situation_of("claire")))
    assert (refused.reason, refused.about) == ("client_twice", {"name": "Claire", "names": "Karim, Nadia"})
    room.do(c.Choose(seat="fanny", situation=room.situation_of("claire"), agreed=True))
    assert room.view("fanny").hand.next_client == "Claire"


def test_someone_is_client_again_freely_once_everyone_who_brings_something_was():
    room = circle(members=("claire", "karim", "thomas"))
    play(room)
    next_round(room, "karim")
    play(room)
    room.do(c.Choose(seat="fanny", situation=room.situation_of("claire")))
    assert dict(room.view("fanny").hand.ledger) == {"Claire": 1, "Karim": 1, "Thomas": 0}


def test_the_ledger_counts_the_client_of_each_round_once_whatever_was_changed():
    room = circle()
    mine, theirs = (room.write(s, "situation", "Comment ?") for s in ("claire", "karim"))
    for situation in (mine, theirs, mine):
        room.do(c.Choose(seat="fanny", situation=situation))
    assert room.do(c.Choose(seat="fanny", situation=mine)) == []
    assert room.state.course.treated == ((1, "claire", mine),)


def test_a_client_who_is_away_is_not_chosen():
    room = circle()
    mine = room.write("claire", "situation", "Comment annoncer ?")
    room.do(c.Leave(seat="claire"))
    assert reason(room.try_(c.Choose(seat="fanny", situation=mine))) == "client_away"


def test_only_the_facilitator_chooses_and_only_at_its_steps():
    room = play(circle(), until="recit")
    mine = room.situation_of("karim")
    assert reason(room.try_(c.Choose(seat="fanny", situation=mine))) == "not_this_step"
    assert reason(room.try_(c.Choose(seat="karim", situation=mine))) == "not_facilitator"


# ---------------------------------------------------------------- the second round


def test_the_second_round_begins_with_the_story_of_the_client_chosen_ahead():
    room = play(circle())
    next_round(room, "karim")
    assert (room.step, room.client, room.state.course.round) == ("recit", "karim", 2)
    assert room.view("claire").roles == {"member", "consultant"}
    assert room.view("claire").request == "" and texts(room.view("claire"), "story") == []


def test_without_a_client_chosen_ahead_the_next_round_begins_with_the_choice():
    room = play(circle())
    room.do(c.NextRound(seat="fanny"))
    assert (room.step, room.client) == ("choix", "")
    titles = [card.get("title") for card in group(room.view("fanny"), "situation").cards]
    assert len(titles) == 2  # Claire's was treated


@pytest.mark.parametrize("hindrance", ["away", "revoked", "withdrawn after undo"])
def test_a_next_client_who_cannot_be_there_is_chosen_anew(hindrance):
    room = play(circle())
    karims = room.situation_of("karim")
    room.do(c.Choose(seat="fanny", situation=karims))
    if hindrance == "away":
        room.do(c.Leave(seat="karim"))
    elif hindrance == "revoked":
        room.do(c.Revoke(seat="fanny", target="karim"))
    else:
        room.do(c.Choose(seat="fanny", situation=room.situation_of("nadia")))
        room.do(c.Withdraw(seat="karim", id=karims))
        room.do(c.Undo(seat="fanny"))
    room.do(c.NextRound(seat="fanny"))
    assert (room.step, room.client) == ("choix", "")


def test_the_second_round_recalls_what_the_first_has_learnt():
    room = play(circle())
    learnt = next(x for x in room.of("learning") if "collègue" in x.body["text"])
    room.do(c.Choose(seat="fanny", situation=room.situation_of("karim")))
    for seat in ("karim", "fanny", "screen"):
        recalled = next(g for g in room.view(seat).groups if g.recalled).cards
        assert recalled[0].id == learnt.id and "collègue" in recalled[0].why
    room.do(c.NextRound(seat="fanny"))
    recalled = next(g for g in room.view("karim").groups if g.recalled).cards
    assert recalled[0].id == learnt.id


def test_once_the_request_is_validated_what_resembles_it_comes_up_and_no_sooner():
    room = play(circle())
    next_round(room, "karim")
    play(room, until="demande")
    learnt = next(x for x in room.state.of_kind("learning", 1) if "excuse" in x.body["text"])
    request = room.write("karim", "request", "Je voudrais que vous m’aidiez à ne plus me servir d’excuse.")
    for seat in room.consultants():
        assert not any(g.recalled for g in room.view(seat).groups)
        room.mark(seat, request, "acknowledged")
    assert not any(g.recalled for g in room.view("fanny").groups)
    room.mark("karim", request, "validated")
    for seat in ("karim", "claire", "fanny", "screen"):
        found = next(g for g in room.view(seat).groups if g.recalled).cards
        assert learnt.id in [card.id for card in found]
        assert "excuse" in next(card for card in found if card.id == learnt.id).why
    room.mark("claire", learnt.id, "useful")
    assert useful(room, "claire", learnt.id).on
    room.mark("karim", request, "validated", on=False)
    assert not any(g.recalled for g in room.view("claire").groups)


def test_what_the_facilitator_has_hidden_of_a_request_is_looked_for_by_its_author_alone():
    room = play(circle())
    next_round(room, "karim")
    play(room, until="demande")
    request = room.write("karim", "request", "Je voudrais que vous m’aidiez à ne plus me servir d’excuse.")
    for seat in room.consultants():
        room.mark(seat, request, "acknowledged")
    room.mark("karim", request, "validated")
    room.do(c.Hide(seat="fanny", id=request))
    for seat, finds in (("karim", True), ("claire", False), ("screen", False)):
        found = next(g for g in room.view(seat).groups if g.recalled).cards
        assert any("excuse" in card.why for card in found) == finds


def test_what_was_never_opened_is_recalled_to_its_author_alone():
    room = play(circle(), until="ouvertures")
    room.write("karim", "learning", "Recadrer un collègue demande du soin.")
    room.next()
    room.do(c.Choose(seat="fanny", situation=room.situation_of("karim")))
    mine = next(g for g in room.view("karim").groups if g.recalled)
    theirs = next(g for g in room.view("claire").groups if g.recalled)
    assert len(mine.cards) == 1 and theirs.cards == ()


def test_useful_marks_count_in_each_round_and_name_each_person_once():
    room = play(circle(members=("claire", "karim", "nadia")))
    learnt = room.of("learning")[0].id  # Claire has marked it in the first round
    room.mark("karim", learnt, "useful")
    assert room.do(c.Mark(seat="karim", id=learnt, mark="useful")) == []
    next_round(room, "karim")
    before = useful(room, "claire", learnt)
    assert (before.on, before.count, before.names) == (False, 2, ("Claire", "Karim"))
    room.mark("claire", learnt, "useful")
    after = useful(room, "claire", learnt)
    assert (after.on, after.count, after.names) == (True, 3, ("Claire", "Karim"))
    room.mark("claire", learnt, "useful", on=False)
    assert useful(room, "claire", learnt).count == 2


def useful(room, seat, learnt):
    cards = [card for g in room.view(seat).groups if g.recalled for card in g.cards if card.id == learnt]
    return next(mark for mark in cards[0].marks if mark.mark == "useful")


def test_a_learning_is_marked_as_useful_only_where_it_is_recalled():
    room = play(circle(), through="ouvertures")
    learnt = room.of("learning")[0].id
    assert reason(room.try_(c.Mark(seat="karim", id=learnt, mark="useful"))) == "not_this_step"


# ---------------------------------------------------------------- the close


def test_after_the_close_one_reads_and_takes_back_but_writes_no_more():
    room = play(circle())
    lead = next(x.id for x in room.of("suggestion") if x.author == "karim")
    learnt = room.of("learning")[0].id
    room.do(c.Close(seat="fanny", seen=position(room.state)))
    assert room.do(c.Close(seat="fanny", seen=position(room.state))) == []
    view = room.view("karim")
    assert view.closed and view.forms == () and texts(view, "suggestion")
    assert room.try_write("karim", "note") == "closed"
    for command in (
        c.Edit(seat="karim", id=lead, body={"text": "x"}),
        c.Mark(seat="karim", id=learnt, mark="useful"),
        c.Next(seat="fanny"),
        c.Back(seat="fanny"),
        c.NextRound(seat="fanny"),
        c.DrawCard(seat="karim"),
        c.Reveal(seat="fanny"),
        c.Rename(seat="karim", name="K"),
    ):
        assert reason(room.try_(command)) == "closed", command
    assert reason(room.try_(c.TakeSeat(seat="octave", name="Octave"))) == "closed"
    assert room.do(c.TakeSeat(seat="karim", name="Karim")) == []  # whoever was there comes back to read
    room.do(c.Leave(seat="karim"))
    room.do(c.Return(seat="karim"))
    room.do(c.Withdraw(seat="karim", id=lead))
    room.do(c.Hide(seat="fanny", id=learnt))
    room.do(c.Revoke(seat="fanny", target="marc"))
    assert room.view("marc") is None


def test_a_room_closed_by_mistake_is_opened_again():
    room = play(circle())
    room.do(c.Close(seat="fanny"))
    room.do(c.Undo(seat="fanny"))
    assert not room.view("karim").closed
    room.write("karim", "note", "Encore là.")


def test_what_was_sealed_at_the_close_stays_sealed():
    room = play(circle(), until="ouvertures")
    room.write("karim", "learning", "Ce que je n’ai pas encore dit.")
    room.do(c.Close(seat="fanny"))
    assert texts(room.view("karim"), "learning") == ["Ce que je n’ai pas encore dit."]
    for seat in ("claire", "fanny", "screen"):
        assert texts(room.view(seat), "learning") == []


def test_a_room_without_a_client_is_closed_without_a_word():
    room = circle()
    room.do(c.Close(seat="fanny"))
    assert room.view("fanny").closed
