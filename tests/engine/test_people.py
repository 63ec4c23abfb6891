"""Who comes, who goes, who leads, and for whom the facilitator acts."""

import pytest

from cordee.engine import commands as c
from cordee.engine.refusal import Refused
from cordee.engine.rules.people import MOST_SEATS
from tests.characters import NAMES, SCREEN, Room, circle, play, reason, texts


def test_the_first_to_come_leads_and_the_others_sit():
    room = circle()
    assert room.leader == "fanny"
    assert [seat.role for seat in room.view("karim").ring.seats] == ["facilitator", *["member"] * 8]


@pytest.mark.parametrize(
    "name, why",
    [
        ("", "no_name"),
        ("  \n ", "no_name"),
        ("\0\x07", "no_name"),
        ("\u200b\u200d\u2060", "no_name"),
        ("K" * 61, "name_too_long"),
        ("karim", "name_taken"),
        (" KARIM ", "name_taken"),
        ("Kar\u200bim", "name_taken"),
        ("\u202eKarim", "name_taken"),
        ("Ｋａｒｉｍ", "name_taken"),
    ],
)
def test_a_name_that_cannot_be_told_apart_is_refused(name, why):
    room = circle()
    assert reason(room.try_(c.TakeSeat(seat="someone-else", name=name))) == why
    assert reason(room.try_(c.Rename(seat="claire", name=name))) == why


@pytest.mark.parametrize("name", ["Aïcha B.", "Zoé 🧗", "Nguyễn", "👩‍💻", "علي", "O’Neill-Smith"])
def test_the_names_people_have_are_accepted_as_they_write_them(name):
    room = circle()
    room.do(c.TakeSeat(seat="someone-else", name=name))
    assert room.view("someone-else").name == name


@pytest.mark.parametrize("seat", ["", SCREEN, "a b", "é", "x" * 65, "a\n"])
def test_a_seat_with_a_bad_id_is_refused(seat):
    assert isinstance(circle().try_(c.TakeSeat(seat=seat, name="Octave")), Refused)


def test_the_shared_screen_may_do_nothing():
    room = play(circle(), until="suggestions")
    for command in (c.Rename, c.TakeSeat):
        assert reason(room.try_(command(seat=SCREEN, name="Octave"))) == "stranger"
    assert reason(room.try_(c.Leave(seat=SCREEN))) == "stranger"


def test_coming_twice_takes_one_seat_and_a_stranger_may_do_nothing():
    room = circle()
    assert room.do(c.TakeSeat(seat="karim", name="Karim")) == []
    assert reason(room.try_(c.Rename(seat="octave", name="Octave"))) == "stranger"
    assert room.view("octave") is None


def test_nobody_makes_themselves_facilitator():
    room = circle()
    room.do(c.TakeSeat(seat="octave", name="Octave", role="facilitator"))
    assert room.leader == "fanny" and room.state.seats["octave"].member


def test_a_room_has_a_last_seat():
    room = Room()
    room.seat(*(f"seat-{n}" for n in range(MOST_SEATS)))
    assert reason(room.try_(c.TakeSeat(seat="one-more", name="Octave"))) == "room_full"


def test_who_waits_at_the_door_sees_nothing_until_admitted():
    room = circle()
    room.do(c.SetDoor(seat="fanny", waiting=True))
    room.do(c.TakeSeat(seat="octave", name="Octave"))
    view = room.view("octave")
    assert view.waiting and not view.groups and not view.ring.seats and not view.forms
    assert reason(room.try_(c.Leave(seat="octave"))) == "stranger"
    assert room.view("fanny").hand.waiting == (("octave", "Octave"),)
    assert "Octave" not in repr(room.view("karim"))
    assert reason(room.try_(c.Admit(seat="karim", target="octave"))) == "not_facilitator"
    room.do(c.Admit(seat="fanny", target="octave"))
    assert not room.view("octave").waiting and len(room.view("octave").ring.seats) == 10
    assert room.do(c.Admit(seat="fanny", target="octave")) == []


def test_whom_the_facilitator_writes_in_does_not_wait_at_the_door():
    room = circle()
    room.do(c.SetDoor(seat="fanny", waiting=True))
    room.do(c.AddSeat(seat="fanny", id="octave-00", name="Octave"))
    assert not room.state.seats["octave-00"].waiting
    assert room.do(c.AddSeat(seat="fanny", id="octave-00", name="Octave")) == []
    assert reason(room.try_(c.AddSeat(seat="fanny", id="court", name="Rose"))) == "bad_id"
    assert reason(room.try_(c.AddSeat(seat="karim", id="rose-0000", name="Rose"))) == "not_facilitator"


def test_a_revoked_seat_sees_nothing_and_does_nothing_and_its_name_is_free_again():
    room = play(circle(), through="suggestions")
    room.do(c.Revoke(seat="fanny", target="karim"))
    assert room.view("karim") is None
    assert room.try_write("karim", "note") == "stranger"
    assert reason(room.try_(c.TakeSeat(seat="karim", name="Karim"))) == "revoked"
    assert room.do(c.Revoke(seat="fanny", target="karim")) == []
    room.do(c.TakeSeat(seat="karim-2", name="Karim"))
    assert room.view("karim-2").roles == {"member", "consultant"}


def test_a_name_freed_by_a_revoked_seat_can_be_taken_by_renaming_too():
    room = circle()
    room.do(c.Revoke(seat="fanny", target="karim"))
    room.do(c.Rename(seat="claire", name="Karim"))
    assert room.view("claire").name == "Karim"


def test_only_the_facilitator_revokes_and_never_herself():
    room = circle()
    assert reason(room.try_(c.Revoke(seat="karim", target="claire"))) == "not_facilitator"
    assert reason(room.try_(c.Revoke(seat="fanny", target="fanny"))) == "not_oneself"
    assert reason(room.try_(c.Revoke(seat="fanny", target="octave"))) == "no_such_seat"


def test_a_new_name_is_shown_to_everyone_and_on_what_was_written():
    room = play(circle(), through="suggestions")
    room.do(c.Rename(seat="karim", name="Karim B."))
    cards = [card.author for g in room.view("claire").groups for card in g.cards if card.author_seat == "karim"]
    assert cards == ["Karim B."]
    assert room.do(c.Rename(seat="karim", name="Karim B.")) == []
    assert room.do(c.Rename(seat="karim", name="karim b."))  # one may change the capitals of one's own name


# ---------------------------------------------------------------- away, back, held


def test_someone_away_keeps_their_seat_and_their_words():
    room = play(circle(), through="suggestions")
    room.do(c.Leave(seat="karim"))
    assert room.do(c.Leave(seat="karim")) == []
    assert [s.away for s in room.view("claire").ring.seats if s.id == "karim"] == [True]
    assert len(texts(room.view("claire"), "suggestion")) == 7
    room.do(c.Return(seat="karim"))
    assert room.state.seats["karim"].here
    assert room.do(c.Return(seat="karim")) == []


def test_only_the_facilitator_says_that_someone_else_is_away():
    room = circle()
    assert reason(room.try_(c.Leave(seat="karim", target="claire"))) == "not_facilitator"
    assert reason(room.try_(c.Return(seat="karim", target="claire"))) == "not_facilitator"
    room.do(c.Leave(seat="fanny", target="claire"))
    assert not room.state.seats["claire"].here


def test_a_seat_is_held_only_when_its_own_device_is_gone():
    room = circle()
    hold = c.Hold(seat="fanny", target="karim")
    assert reason(room.try_(hold)) == "still_here"
    room.do(c.Leave(seat="fanny", target="karim"))  # her word alone does not make it so
    assert reason(room.try_(hold)) == "still_here"
    room.do(c.Leave(seat="karim"))
    room.do(hold)
    assert room.state.seats["karim"].here and not room.state.seats["karim"].device
    assert room.do(hold) == []


def test_a_device_that_comes_back_ends_the_holding():
    room = circle()
    room.do(c.Leave(seat="karim"))
    room.do(c.Hold(seat="fanny", target="karim"))
    room.do(c.Return(seat="karim"))
    assert room.state.seats["karim"].device
    assert reason(room.try_(c.Hold(seat="fanny", target="karim"))) == "still_here"


def test_saying_that_someone_is_back_does_not_give_them_a_device():
    room = circle()
    room.do(c.AddSeat(seat="fanny", id="octave-00", name="Octave"))
    room.do(c.Leave(seat="fanny", target="octave-00"))
    room.do(c.Return(seat="fanny", target="octave-00"))
    assert not room.state.seats["octave-00"].device


# ---------------------------------------------------------------- on behalf


def held(seat: str, until: str) -> Room:
    room = play(circle(), until=until)
    room.do(c.Leave(seat=seat))
    room.do(c.Hold(seat="fanny", target=seat))
    return room


def test_the_facilitator_sees_what_she_typed_for_someone_and_nothing_else():
    room = play(circle(), until="ressentis")
    room.write("thomas", "feeling", "De la colère.")
    room.write("fanny", "feeling", "De la peine.", behalf="karim")
    assert texts(room.view("fanny"), "feeling") == ["De la peine."]
    assert texts(room.view("karim"), "feeling") == ["De la peine."]
    assert texts(room.view("helene"), "feeling") == []
    room.reveal()
    authors = {card.author for g in room.view("claire").groups for card in g.cards if g.kind == "feeling"}
    assert authors == {"Karim", "Thomas"}


def test_what_an_author_writes_over_the_scribes_words_is_the_authors_alone():
    room = held("claire", until="traitement")
    room.write("fanny", "takeaway", "Je retiens de demander.", behalf="claire")
    room.do(c.Return(seat="claire"))
    room.write("claire", "takeaway", "Je retiens que je suis épuisée.")
    assert texts(room.view("fanny"), "takeaway") == []
    assert texts(room.view("claire"), "takeaway") == ["Je retiens que je suis épuisée."]


def test_nobody_writes_over_what_they_cannot_read():
    room = play(circle(), until="traitement")
    room.write("claire", "takeaway", "Je retiens que je suis épuisée.")
    assert room.try_write("fanny", "takeaway", "Autre chose.", behalf="claire") == "not_yours"
    assert texts(room.view("claire"), "takeaway") == ["Je retiens que je suis épuisée."]


def test_the_facilitator_may_correct_what_she_typed():
    room = held("claire", until="traitement")
    written = room.write("fanny", "takeaway", "Je retient.", behalf="claire")
    assert room.write("fanny", "takeaway", "Je retiens.", behalf="claire") == written
    assert texts(room.view("fanny"), "takeaway") == ["Je retiens."]


@pytest.mark.parametrize("kind", ["note", "seed", "vote"])
def test_what_is_ones_own_is_written_for_nobody(kind):
    room = circle() if kind == "vote" else play(circle(), until="questions")
    if kind == "vote":
        body = {"choice": room.write("claire", "situation", "Comment annoncer ?")}
    else:
        body = {"text": "Une idée."}
    assert room.try_write("fanny", kind, body, behalf="karim") == "not_yours"


def test_nobody_but_the_facilitator_writes_for_someone():
    room = play(circle(), until="ressentis")
    assert room.try_write("helene", "feeling", behalf="karim") == "not_yours"
    assert room.try_write("fanny", "feeling", behalf="octave") == "not_yours"
    assert room.try_write("fanny", "feeling", behalf="claire") == "not_your_role"
    room.do(c.Revoke(seat="fanny", target="karim"))
    assert room.try_write("fanny", "feeling", behalf="karim") == "not_yours"


def test_agreeing_and_revealing_are_done_only_for_someone_without_a_device():
    room = play(circle(), until="demande")
    request = room.write("claire", "request", "Je voudrais que vous m’aidiez à choisir.")
    agree = c.Mark(seat="fanny", id=request, mark="acknowledged", behalf="karim")
    assert reason(room.try_(agree)) == "has_device"
    room.do(c.Leave(seat="karim"))
    room.do(c.Hold(seat="fanny", target="karim"))
    offered = next(m for g in room.view("fanny").groups for card in g.cards for m in card.marks)
    assert offered.behalf == (("karim", "Karim"),) and not offered.settable
    room.do(agree)
    assert room.state.marked(request, "acknowledged").keys() == {"karim"}


def test_the_clients_words_are_shown_for_them_only_when_they_have_no_device():
    room = play(circle(), until="traitement")
    room.write("claire", "takeaway", "Je retiens de demander.")
    assert reason(room.try_(c.Reveal(seat="fanny"))) == "not_your_role"
    assert reason(room.try_(c.Reveal(seat="fanny", behalf="claire"))) == "has_device"
    assert reason(room.try_(c.Reveal(seat="karim", behalf="claire"))) == "not_yours"
    room.do(c.Leave(seat="claire"))
    room.do(c.Hold(seat="fanny", target="claire"))
    room.do(c.Reveal(seat="fanny", behalf="claire"))
    assert texts(room.view("karim"), "takeaway") == ["Je retiens de demander."]


def test_a_round_is_played_by_the_facilitator_alone_for_a_table_without_phones():
    room = Room()
    room.seat("fanny")
    people = {f"{seat}-table": name for seat, name in NAMES.items() if seat in {"claire", "karim", "nadia"}}
    for seat, name in people.items():
        room.do(c.AddSeat(seat="fanny", id=seat, name=name))
    claire, *others = people
    situation = room.write("fanny", "situation", "Comment annoncer ?", behalf=claire)
    room.do(c.Choose(seat="fanny", situation=situation))
    room.next()
    room.write("fanny", "story", "Deux services fusionnent.", behalf=claire)
    room.next()
    for seat in others:
        asked = room.write("fanny", "question", "Depuis quand ?", behalf=seat)
        room.mark("fanny", asked, "answered", behalf=claire)
        room.do(c.PassFloor(seat="fanny"))
    room.next()
    request = room.write("fanny", "request", "Je voudrais que vous m’aidiez à parler.", behalf=claire)
    for seat in others:
        room.mark("fanny", request, "acknowledged", behalf=seat)
    room.mark("fanny", request, "validated", behalf=claire)
    room.next()
    for kind in ("feeling", "suggestion"):
        for seat in others:
            room.write("fanny", kind, "Un mot.", behalf=seat)
        room.reveal()
        room.next()
    room.write("fanny", "takeaway", "Je retiens.", behalf=claire)
    room.do(c.Reveal(seat="fanny", behalf=claire))
    room.next()
    for seat in people:
        room.write("fanny", "learning", "J’ai appris.", behalf=seat)
    room.reveal()
    room.next()
    assert room.step == "renforcement" and len(room.of("learning")) == 3


# ---------------------------------------------------------------- handing over


def test_the_facilitator_hands_over_and_stays_as_an_observer():
    room = circle()
    room.do(c.HandOver(seat="fanny", target="karim"))
    assert room.view("karim").hand and not room.view("fanny").hand
    assert room.view("fanny").roles == {"observer"}
    assert reason(room.try_(c.Next(seat="fanny"))) == "not_facilitator"
    room.do(c.HandOver(seat="karim", target="fanny"))
    assert room.leader == "fanny" and room.view("karim").roles == {"member"}


def test_handing_over_needs_someone_here_with_a_device():
    room = circle()
    room.do(c.AddSeat(seat="fanny", id="octave-00", name="Octave"))
    room.do(c.Leave(seat="karim"))
    assert reason(room.try_(c.HandOver(seat="fanny", target="octave-00"))) == "no_device"
    assert reason(room.try_(c.HandOver(seat="fanny", target="karim"))) == "no_such_seat"
    assert reason(room.try_(c.HandOver(seat="claire", target="claire"))) == "not_facilitator"
    assert room.do(c.HandOver(seat="fanny", target="fanny")) == []


def test_who_takes_over_cannot_undo_what_another_did():
    room = play(circle(), until="questions")
    room.do(c.HandOver(seat="fanny", target="karim"))
    assert reason(room.try_(c.Undo(seat="karim"))) == "nothing_to_undo"


def test_handing_over_gives_no_eye_on_what_is_sealed():
    room = play(circle(), until="ressentis")
    room.write("thomas", "feeling", "De la colère.")
    room.write("fanny", "feeling", "De la peine.", behalf="nadia")
    room.do(c.HandOver(seat="fanny", target="karim"))
    assert texts(room.view("karim"), "feeling") == []
    assert texts(room.view("fanny"), "feeling") == ["De la peine."]


# ---------------------------------------------------------------- the client leaves


def test_a_client_who_leaves_lets_the_round_go_on_and_is_revealed_by_nobody():
    room = play(circle(), until="traitement")
    room.write("claire", "takeaway", "Je retiens de demander.")
    room.do(c.Leave(seat="claire"))
    assert reason(room.try_(c.Reveal(seat="fanny", behalf="claire"))) == "has_device"
    room.next()
    assert room.step == "ouvertures"
    assert texts(room.view("karim"), "takeaway") == []


def test_a_client_revoked_before_the_contract_is_replaced():
    room = play(circle(), until="demande")
    room.do(c.Revoke(seat="fanny", target="claire"))
    assert reason(room.try_(c.Next(seat="fanny"))) == "gate"
    room.go("choix")
    room.do(c.Choose(seat="fanny", situation=room.situation_of("karim")))
    assert room.view("karim").roles >= {"client"}


def test_once_there_is_a_contract_no_other_client_is_put_in_its_place():
    room = play(circle(), until="traitement")
    room.write("claire", "takeaway", "Pour moi seule encore.")
    room.go("choix")
    choose = c.Choose(seat="fanny", situation=room.situation_of("karim"))
    assert reason(room.try_(choose)) == "round_begun"
    assert room.client == "claire"


def test_undoing_puts_no_other_client_before_words_said_to_this_one():
    room = circle()
    first = room.write("karim", "situation", "Comment recadrer ?")
    second = room.write("claire", "situation", "Comment annoncer ?")
    room.do(c.Choose(seat="fanny", situation=first))
    room.do(c.Choose(seat="fanny", situation=second))
    for _ in range(3):
        room.next()
    request = room.write("claire", "request", "Je voudrais que vous m’aidiez à parler.")
    for _ in range(3):
        room.do(c.Undo(seat="fanny"))
    assert reason(room.try_(c.Undo(seat="fanny"))) == "round_begun"
    room.do(c.Withdraw(seat="claire", id=request))
    room.do(c.Undo(seat="fanny"))
    assert room.client == "karim"


@pytest.mark.parametrize("size", [3, 10])
def test_a_group_of_three_and_of_ten_play_a_whole_round(size):
    extra = ("p-9", "p-10")
    members = tuple(list(NAMES)[1:9])[:size] + extra[: max(0, size - 8)]
    room = play(circle(members=members))
    assert room.step == "renforcement"
    assert len(room.of("learning")) == size and len(room.of("question")) == size - 1
