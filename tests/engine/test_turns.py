"""The round robin: one at a time, nobody forgotten, whoever comes and goes."""

from cordee.engine import commands as c
from tests.characters import circle, play, reason

THREE = ("claire", "karim", "nadia", "thomas")


def asking(members=THREE):
    return play(circle(members=members), until="questions")


def holder(room) -> str:
    return room.view("fanny").ring.holder


def spoken(room) -> set[str]:
    return {seat.id for seat in room.view("claire").ring.seats if seat.spoken}


def test_one_at_a_time_in_the_order_people_came_and_everybody_sees_who_has_not_spoken():
    room = asking()
    for seat in ("karim", "nadia", "thomas"):
        assert holder(room) == seat
        assert [s.id for s in room.view("claire").ring.seats if s.floor] == [seat]
        others = [other for other in room.consultants() if other != seat]
        for other in others:
            refused = room.try_(c.Write(seat=other, id=room.new_id(), kind="question", body={"text": "Quoi ?"}))
            assert refused.reason == "not_your_turn" and refused.about["name"] == room.state.seats[seat].name
        room.write(seat, "question", "Depuis quand ?")
        room.pass_floor()
        assert seat in spoken(room)
    assert spoken(room) == {"karim", "nadia", "thomas"}
    assert holder(room) == "karim"  # and round again, for as long as the step lasts


def test_the_client_and_the_facilitator_are_not_in_the_ring():
    room = asking()
    assert [seat for seat, _ in room.view("fanny").hand.ring] == ["karim", "nadia", "thomas"]
    assert reason(room.try_(c.GiveFloor(seat="fanny", target="claire"))) == "not_in_ring"
    assert reason(room.try_(c.GiveFloor(seat="fanny", target="octave"))) == "not_in_ring"


def test_only_who_has_the_floor_or_the_facilitator_passes_it():
    room = asking()
    assert reason(room.try_(c.PassFloor(seat="nadia"))) == "not_your_turn"
    assert room.view("karim").may_pass and not room.view("nadia").may_pass
    room.do(c.PassFloor(seat="fanny"))
    assert holder(room) == "nadia"


def test_a_floor_passed_twice_by_one_thumb_is_passed_once():
    room = asking()
    room.do(c.PassFloor(seat="karim", seen="karim"))
    assert room.do(c.PassFloor(seat="karim", seen="karim")) == []
    assert room.do(c.PassFloor(seat="fanny", seen="karim")) == []
    assert holder(room) == "nadia"


def test_the_facilitator_gives_the_floor_and_those_passed_over_still_have_their_turn():
    room = asking()
    room.do(c.GiveFloor(seat="fanny", target="thomas"))
    assert room.do(c.GiveFloor(seat="fanny", target="thomas")) == []
    assert [room.pass_floor() for _ in range(2)] == ["karim", "nadia"]
    assert reason(room.try_(c.GiveFloor(seat="karim", target="karim"))) == "not_facilitator"


def test_a_free_floor_lets_everyone_of_the_ring_write_and_nobody_else():
    room = asking()
    room.do(c.FreeFloor(seat="fanny"))
    assert room.do(c.FreeFloor(seat="fanny")) == []
    for seat in ("thomas", "karim"):
        assert room.try_write(seat, "question") == ""
    assert room.try_write("claire", "question") == "not_your_role"
    assert reason(room.try_(c.PassFloor(seat="fanny"))) == "no_floor"
    room.do(c.GiveFloor(seat="fanny", target="nadia"))  # and takes it back by giving it
    assert holder(room) == "nadia" and room.try_write("karim", "question") == "not_your_turn"


def test_someone_away_is_passed_over_and_comes_back_into_the_ring():
    room = asking()
    room.do(c.Leave(seat="nadia"))
    assert room.pass_floor() == "thomas"
    room.do(c.Return(seat="nadia"))
    assert room.pass_floor() == "nadia"


def test_the_floor_of_someone_who_leaves_goes_to_the_next():
    room = asking()
    room.do(c.Leave(seat="karim"))
    assert holder(room) == "nadia"
    room.do(c.Revoke(seat="fanny", target="nadia"))
    assert holder(room) == "thomas"


def test_the_floor_is_not_lost_when_its_holder_leaves_in_a_second_turn():
    room = asking()
    for _ in range(4):
        room.pass_floor()
    assert holder(room) == "nadia"
    room.do(c.Leave(seat="nadia"))
    assert holder(room) == "karim" and room.try_write("karim", "question") == ""


def test_a_sole_consultant_asks_as_many_questions_as_they_like():
    room = asking(members=("claire", "karim"))
    for _ in range(3):
        room.write("karim", "question", "Et ensuite ?")
        assert room.pass_floor() == "karim"


def test_a_late_arrival_joins_the_ring_and_is_waited_for():
    room = asking()
    room.pass_floor()
    room.do(c.TakeSeat(seat="marc", name="Marc"))
    assert [room.pass_floor() for _ in range(2)] == ["thomas", "marc"]
    assert room.view("marc").may_pass and room.try_write("marc", "question") == ""


def test_an_observer_is_never_given_the_floor():
    room = asking()
    room.do(c.TakeSeat(seat="octave", name="Octave", role="observer"))
    assert reason(room.try_(c.GiveFloor(seat="fanny", target="octave"))) == "not_in_ring"
    assert room.try_write("octave", "question") == "not_your_role"


def test_where_one_writes_in_silence_the_round_begins_with_the_reveal():
    room = play(circle(members=THREE), until="suggestions")
    assert holder(room) == ""
    for seat in room.consultants():
        assert room.try_write(seat, "suggestion") == ""
    assert reason(room.try_(c.PassFloor(seat="fanny"))) == "no_floor"
    assert reason(room.try_(c.GiveFloor(seat="fanny", target="karim"))) == "no_floor"
    room.reveal()
    assert holder(room) == "karim"
    assert room.try_write("nadia", "suggestion") == "not_your_turn"
    assert room.try_write("karim", "suggestion") == ""


def test_the_client_alone_has_the_floor_of_the_story():
    room = play(circle(members=THREE), until="recit")
    assert holder(room) == "claire"
    room.do(c.Leave(seat="claire"))
    assert holder(room) == ""


def test_each_step_begins_a_new_ring():
    room = asking()
    room.pass_floor()
    play(room, until="ouvertures")
    assert spoken(room) == set()
    room.reveal()
    assert holder(room) == "claire"


def test_ten_members_all_have_their_turn():
    members = (*THREE, *(f"seat-{n}" for n in range(6)))
    room = asking(members=members)
    seen = [holder(room)] + [room.pass_floor() for _ in range(8)]
    assert seen == list(members[1:])
