"""A meeting opens on what was promised at the last one; and its circle says who is who."""

from dataclasses import replace

import pytest

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.decide import decide
from cordee.engine.policy import SCREEN
from cordee.engine.reading import ProtocolError, builtin, read
from cordee.engine.refusal import Refused
from cordee.engine.rules.judgements import position
from cordee.engine.state import fold
from cordee.engine.view import view_for
from tests.characters import MEMBERS, Room, circle, group, next_round, opening, play, reason


def meeting(*promised: str, members: tuple[str, ...] = MEMBERS) -> Room:
    room = opening(Room(), *promised)
    room.seat("fanny", role="facilitator", appointed=True)
    room.seat(*members, appointed=True)
    return room


def promise(room: Room, author: str) -> str:
    return room.state.of_kind("carried", author=author)[0].id


# ---------------------------------------------------------------- the step exists where something was carried


def test_a_room_into_which_nothing_was_carried_begins_with_the_situations():
    for room in (circle(), meeting()):
        assert room.step == "choix"
        assert room.view("fanny").strip.of == 9 and "Reprise" not in str(room.view("fanny").strip)
        assert room.try_(c.Back(seat="fanny")).reason == "first_step"
        assert room.try_(c.GoTo(seat="fanny", step="reprise")).reason == "no_such_step"


def test_a_room_into_which_a_promise_was_carried_begins_with_it():
    room = meeting("claire", "karim")
    seen = room.view("nadia")
    assert (seen.strip.step, seen.strip.number, seen.strip.of) == ("reprise", 1, 10)
    cards = group(seen, "carried").cards
    assert [card.author for card in cards] == ["Claire", "Karim"]
    assert cards[0].get("then").startswith("je vois") and cards[0].get("witness") == "Karim"
    assert cards[0].get("date") == "2026-12-04"


def test_the_clock_of_the_opening_starts_when_the_first_comes():
    room = opening(Room(), "karim")
    room.now += 86_400
    room.seat("karim", appointed=True)
    assert room.view("karim").clock.runs_from == room.now


def test_the_other_rounds_of_the_day_do_not_open_on_it_again():
    room = meeting("claire")
    play(room)
    next_round(room, "karim")
    assert room.step == "recit" and room.view("karim").strip.of == 9
    play(room)
    room.do(c.NextRound(seat="fanny", seen=position(room.state)))
    assert room.step == "choix" and room.try_(c.Back(seat="fanny")).reason == "first_step"
    room.do(c.Undo(seat="fanny"))
    assert room.step == "renforcement"


def test_one_comes_back_to_the_opening_by_back_by_a_jump_and_by_undo():
    room = meeting("claire")
    room.next()
    assert room.step == "choix"
    room.do(c.Back(seat="fanny"))
    assert room.step == "reprise"
    room.go("choix")
    room.do(c.Undo(seat="fanny"))
    assert room.step == "reprise"
    play(room, until="questions")
    room.go("reprise")
    assert room.step == "reprise" and room.view("claire").strip.number == 1


# ---------------------------------------------------------------- the ring: those who promised


def test_those_who_promised_speak_each_in_turn_and_nobody_else():
    room = meeting("claire", "karim", "thomas")
    assert room.view("fanny").ring.holder == "claire"
    assert [seat for seat, _ in room.view("fanny").hand.ring] == ["claire", "karim", "thomas"]
    assert room.pass_floor() == "karim" and room.pass_floor() == "thomas"
    assert room.try_(c.GiveFloor(seat="fanny", target="nadia")).reason == "not_in_ring"


def test_who_promised_and_is_not_there_is_passed_over():
    room = opening(Room(), "octave", "karim")
    room.seat("fanny", role="facilitator", appointed=True)
    room.seat("karim", appointed=True)
    assert [seat for seat, _ in room.view("fanny").hand.ring] == ["karim"]
    assert [card.author for card in group(room.view("karim"), "carried").cards] == ["Octave", "Karim"]


# ---------------------------------------------------------------- the clock of the one whose turn it is


def test_each_has_two_minutes_from_when_they_are_given_the_floor_and_pauses_are_taken_off():
    room = meeting("claire", "karim")
    first = room.view("nadia").clock
    assert (first.turn, first.turn_seconds, first.turn_from) == ("Claire", 120, first.runs_from)
    room.now += 90
    room.pass_floor()
    second = room.view("screen").clock
    assert (second.turn, second.turn_from) == ("Karim", room.now)
    room.do(c.Pause(seat="fanny"))
    room.now += 300
    room.do(c.Resume(seat="fanny"))
    after = room.view("karim").clock
    assert after.turn_from - second.turn_from == after.runs_from - second.runs_from >= 300


def test_whose_time_is_over_keeps_the_floor():
    room = meeting("claire", "karim")
    room.now += 3600
    assert room.view("claire").ring.holder == room.view("claire").clock.turn.lower() == "claire"
    assert room.view("claire").may_pass


def test_the_facilitator_starts_the_first_turn_anew():
    room = meeting("claire", "karim")
    room.now += 240
    room.do(c.GiveFloor(seat="fanny", target="claire"))
    assert room.view("claire").clock.turn_from == room.now


def test_where_nobody_in_particular_speaks_there_is_no_such_clock():
    room = meeting("claire")
    room.do(c.FreeFloor(seat="fanny"))
    assert room.view("claire").clock.turn_seconds == 0
    assert play(circle(), until="recit").view("claire").clock.turn_seconds == 0


# ---------------------------------------------------------------- successes told since


def test_a_room_opens_on_what_was_told_too_and_everybody_reads_it():
    room = opening(Room(), told=("octave",))
    room.seat("fanny", role="facilitator", appointed=True)
    room.seat("karim", appointed=True)
    for seat in ("karim", "fanny", "screen"):
        card = group(room.view(seat), "success").cards[0]
        assert (card.author, card.get("thanks")) == ("Octave", "Karim") and card.get("gave")
        assert not (card.marks or card.editable)
    assert room.step == "reprise" and room.view("karim").ring.holder == ""
    room.next()
    assert group(room.view("karim"), "success").past


@pytest.mark.parametrize("who", ["octave", "karim", "fanny"])
def test_nobody_writes_nor_changes_a_success_in_the_room(who):
    room = opening(Room(), told=("octave",))
    room.seat("fanny", role="facilitator", appointed=True)
    room.seat("karim", "octave", appointed=True)
    told = room.state.of_kind("success")[0].id
    assert isinstance(room.try_(c.Edit(seat=who, id=told, body={"gave": "Rien."})), Refused)
    assert who == "octave" or isinstance(room.try_(c.Withdraw(seat=who, id=told)), Refused)
    assert room.try_write(who, "success", {"situation": "A", "did": "B", "gave": "C"}) == "not_this_step"


# ---------------------------------------------------------------- where it stands, and what it gave


@pytest.mark.parametrize("mark", ["standing", "gave", "learnt"])
def test_the_author_alone_says_it_and_all_read_it(mark):
    room = meeting("claire", "karim")
    value = "kept" if mark == "standing" else "Trois personnes sur cinq."
    for other in ("karim", "fanny", "nadia"):
        wish = c.Mark(seat=other, id=promise(room, "claire"), mark=mark, value=value)
        assert reason(room.try_(wish)) == "not_your_role"
    room.mark("claire", promise(room, "claire"), mark, value)
    for seat in ("karim", "fanny", "screen"):
        card = group(room.view(seat), "carried").cards[0]
        shown = next(m for m in card.marks if m.mark == mark)
        assert shown.names == ("Claire",) and not shown.settable
    assert room.state.marked(promise(room, "claire"), mark)["claire"].value == value


def test_the_facilitator_writes_it_for_who_has_no_screen_and_for_nobody_else():
    room = meeting("claire", "karim")
    wish = c.Mark(seat="fanny", id=promise(room, "claire"), mark="gave", value="Rien encore.", behalf="claire")
    assert reason(room.try_(wish)) == "has_device"
    room.do(c.Leave(seat="claire"))
    room.do(c.Hold(seat="fanny", target="claire"))
    offered = {m.mark: m.behalf for m in group(room.view("fanny"), "carried").cards[0].marks}
    assert offered["gave"] == offered["standing"] == (("claire", "Claire"),)
    room.do(wish)
    assert not group(room.view("fanny"), "carried").cards[1].marks  # Karim has his screen


def test_what_it_gave_may_be_a_sentence_and_no_more():
    room = meeting("claire")
    room.mark("claire", promise(room, "claire"), "gave", "x" * 400)
    wish = c.Mark(seat="claire", id=promise(room, "claire"), mark="gave", value="x" * 401)
    assert reason(room.try_(wish)) == "bad_value"


def test_it_is_read_again_during_the_first_round_and_marked_no_more():
    room = meeting("claire")
    room.mark("claire", promise(room, "claire"), "standing", "kept")
    play(room, until="questions")
    card = group(room.view("karim"), "carried").cards[0]
    assert card.get("then") and not any(mark.settable for mark in card.marks)
    wish = c.Mark(seat="claire", id=promise(room, "claire"), mark="standing", value="tried")
    assert reason(room.try_(wish)) == "not_this_step"


def test_nobody_can_write_such_a_card_in_the_room():
    room = meeting("claire")
    assert room.try_write("claire", "carried", {"if": "Quand", "then": "je"}) == "not_this_step"


# ---------------------------------------------------------------- who is who


def test_who_comes_first_leads_only_where_no_circle_says_who_does():
    room = opening(Room())
    room.seat("karim", appointed=True)
    assert room.leader == ""
    room.seat("fanny", role="facilitator", appointed=True)
    room.seat("aicha", role="facilitator", appointed=True)
    assert room.leader == "fanny" and room.state.seats["aicha"].observer


def test_who_is_not_of_the_circle_waits_at_the_door_of_a_meeting_whatever_its_facilitator_says():
    room = meeting()
    room.seat("octave")
    assert room.state.seats["octave"].waiting
    assert room.try_(c.SetDoor(seat="fanny", waiting=False)).reason == "door_kept"
    assert room.view("fanny").hand.meeting and not circle().view("fanny").hand.meeting


def test_a_namesake_is_let_in_under_a_name_that_tells_them_apart():
    room = meeting(members=("karim",))
    room.do(c.TakeSeat(seat="another", name="Karim", appointed=True))
    assert room.state.seats["another"].name == "Karim 2"


def test_a_situation_of_somebody_who_has_not_come_is_not_chosen():
    room = meeting(members=("karim",))
    body = {"title": "Comment faire ?", "from": "Claire"}
    fact = e.Written(at=room.now, seat="claire", id="situation-1", kind="situation", round=1, step="choix", body=body)
    room.state = fold(room.state.protocol, [*room.events, fact])
    refused = decide(room.state, c.Choose(seat="fanny", situation="situation-1"), room.now)
    assert isinstance(refused, Refused) and (refused.reason, refused.about["name"]) == ("client_away", "Claire")
    card = group(room.view("karim"), "situation").cards[0]
    assert card.author == "Claire"


# ---------------------------------------------------------------- nobody who was to facilitate has come


def without_fanny() -> Room:
    room = opening(Room())
    room.seat("karim", "claire", appointed=True)
    return room


def test_after_ten_minutes_a_member_may_facilitate_if_the_group_agrees():
    room = without_fanny()
    wish = c.TakeOver(seat="karim", agreed=True)
    assert room.view("karim").unled == room.state.began_at + 600
    refused = room.try_(wish)
    assert refused.reason == "too_early" and refused.about["minutes"] == "10"
    room.now += 600
    assert room.try_(c.TakeOver(seat="karim")).reason == "group_not_asked"
    room.do(wish)
    assert room.leader == "karim" and room.state.seats["karim"].member
    assert room.do(wish) == [] and room.try_(c.TakeOver(seat="claire", agreed=True)).reason == "somebody_leads"
    assert room.view("claire").unled == 0 and room.view("karim").hand is not None


def test_the_facilitator_who_comes_late_has_the_room_back():
    room = without_fanny()
    room.now += 600
    room.do(c.TakeOver(seat="karim", agreed=True))
    room.seat("fanny", role="facilitator", appointed=True)
    assert room.leader == "fanny" and room.view("karim").hand is None
    assert room.state.seats["karim"].member and not room.state.seats["karim"].observer


def test_who_was_handed_the_room_on_purpose_keeps_it():
    room = meeting(members=("karim",))
    room.do(c.HandOver(seat="fanny", target="karim"))
    room.seat("aicha", role="facilitator", appointed=True)
    assert room.leader == "karim"


def test_nobody_takes_over_where_somebody_facilitates_nor_in_a_room_of_guests():
    for room in (meeting(), circle()):
        room.now += 3600
        assert room.try_(c.TakeOver(seat="karim", agreed=True)).reason == "somebody_leads"
        assert room.view("karim").unled == 0


def test_an_observer_does_not_take_over():
    room = without_fanny()
    room.seat("octave", role="observer", appointed=True)
    room.now += 600
    assert room.try_(c.TakeOver(seat="octave", agreed=True)).reason == "not_your_role"
    assert room.view("octave").unled == 0


# ---------------------------------------------------------------- a pause with an end


def test_a_pause_says_to_all_when_it_ends_and_nothing_happens_then():
    room = circle()
    room.do(c.Pause(seat="fanny", minutes=10))
    clock = room.view("karim").clock
    assert clock.paused_until == room.now + 600 and clock.paused_at == room.now
    room.now += 1200
    assert room.view("karim").clock == clock
    room.do(c.Resume(seat="fanny"))
    assert room.view("karim").clock.paused_until == 0 and room.view("karim").clock.paused_at is None


def test_a_pause_may_be_given_another_end():
    room = circle()
    room.do(c.Pause(seat="fanny"))
    began = room.now
    assert room.view("karim").clock.paused_until == 0
    room.do(c.Pause(seat="fanny", minutes=5))
    assert room.view("karim").clock.paused_at == began and room.view("karim").clock.paused_until == room.now + 300
    assert room.do(c.Pause(seat="fanny")) == []
    room.do(c.Undo(seat="fanny"))
    assert room.view("karim").clock.paused_until == 0 and room.view("karim").clock.paused_at == began


@pytest.mark.parametrize("minutes", [-1, 1e9, float("nan")])
def test_a_pause_of_no_length_that_a_day_holds_is_refused(minutes):
    assert circle().try_(c.Pause(seat="fanny", minutes=minutes)).reason == "bad_value"


# ---------------------------------------------------------------- as data


def test_a_protocol_needs_a_step_that_every_round_has():
    text = builtin("mentor").replace('opens_on = ["carried", "success"]', 'opens_on = "nothing"')
    with pytest.raises(ProtocolError, match=r"reprise.*opens_on.*nothing"):
        read(text)


def test_the_log_of_an_opening_gives_the_same_room_again():
    room = meeting("claire", "karim")
    play(room, until="questions")
    again = fold(room.state.protocol, room.events)
    assert again == room.state


# ---------------------------------------------------------------- the values of the circle's space


VALUES = ("Le courage", "La coopération")


def valued(*values: str) -> Room:
    room = opening(Room(), values=values)
    room.seat("fanny", role="facilitator", appointed=True)
    room.seat(*MEMBERS, appointed=True)
    room.seat("octave", role="observer", appointed=True)
    return room


def test_the_values_of_the_space_are_offered_where_a_value_may_be_given_to_those_who_may():
    room = valued(*VALUES)
    play(room, until="traitement")
    assert not any(room.view(seat).offered for seat in ("fanny", *MEMBERS))
    play(room, through="ouvertures")
    assert room.step == "ouvertures"
    for seat in ("fanny", *MEMBERS):
        assert room.view(seat).offered == (("value", VALUES),), seat
    assert not room.view("octave").offered and not room.view(SCREEN).offered


def test_another_text_than_the_values_of_the_space_may_be_given():
    room = valued(*VALUES)
    play(room, through="ouvertures")
    learning = room.state.of_kind("learning", 1)[0].id
    for value in ("Le courage", "La patience"):
        room.mark("karim", learning, "value", value=value)
        assert [mark.value for mark in room.state.marked(learning, "value").values()] == [value]


def test_a_room_without_values_and_one_whose_words_are_gone_offer_none():
    room = valued(*VALUES)
    play(room, through="ouvertures")
    forgotten = fold(
        room.state.protocol, [replace(fact, body=None) if hasattr(fact, "body") else fact for fact in room.events]
    )
    assert not view_for(forgotten, "karim").offered
    room = valued()
    play(room, through="ouvertures")
    assert not room.view("karim").offered
