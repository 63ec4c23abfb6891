"""A success is celebrated once, when the next meeting opens; told anew or withdrawn, the rooms are told of it."""

import pytest

from cordee.circles.actions import members
from cordee.engine import commands as c
from cordee.followup.models import Commitment, Success
from cordee.home import actions, erasure
from cordee.room.belongings import PEER, Choice
from tests.home.remains import found
from tests.people import user
from tests.room.circles import Lake
from tests.room.test_harvest import Played, close, key, meet, whole

pytestmark = pytest.mark.django_db
LINES = {"situation": "L’annonce zqsituationqz", "did": "Je les ai vus zqdidqz", "gave": "Ils savaient zqgaveqz"}
ALL = ("zqsituationqz", "zqdidqz", "zqgaveqz", "zqwordqz")


@pytest.fixture
def lake() -> Lake:
    """Claire has promised something at a first meeting, kept it, told it, and thanked Karim."""
    made = Lake("claire", "karim", "helene")
    close(whole(made))
    commitment = Commitment.objects.get()
    commitment.stand(state="kept")
    tell(made, word="pour ta question zqwordqz")
    return made


def tell(lake: Lake, **words: str) -> None:
    actions.tell(Commitment.objects.get(), key(lake), LINES | words, lake.people["karim"])


def told(room: Played, seat: str) -> str:
    return " ".join(value for group in room.view(seat).groups for card in group.cards for _, value in card.text)


def test_the_next_meeting_opens_on_it_and_everybody_reads_it_with_the_thanks(lake):
    room = meet(lake)
    assert room.step == "reprise"
    for seat in (*(lake.seat(who, room.house) for who in ("claire", "karim", "fanny")), "screen"):
        assert all(needle in told(room, seat) for needle in ALL) and "Karim" in told(room, seat)


def test_it_is_marked_as_celebrated_there_and_no_later_meeting_opens_on_it(lake):
    room = meet(lake)
    assert Success.objects.get().celebrated is None
    room.next()
    room.do(c.Close(seat=room.leader, reason="Plus le temps."))
    assert Success.objects.get().celebrated.number == 2
    third = meet(lake)
    assert not third.state.of_kind("success")
    close_early(third)
    assert Success.objects.get().celebrated.number == 2


def close_early(room: Played) -> None:
    room.do(c.Close(seat=room.leader, reason="Plus le temps."))


def test_what_is_told_while_a_meeting_goes_on_waits_for_the_next(lake):
    Success.objects.all().delete()
    room = meet(lake)
    tell(lake)
    close_early(room)
    assert Success.objects.get().celebrated is None
    assert meet(lake).state.of_kind("success")


def test_a_meeting_without_promises_opens_on_successes_alone(lake):
    Commitment.objects.update(meeting=None)
    room = meet(lake)
    assert room.step == "reprise" and not room.state.of_kind("carried") and room.state.of_kind("success")


def test_who_has_left_the_circle_is_not_celebrated_in_their_absence(lake):
    members.leave(lake.circle.memberships.get(person=lake.people["claire"]))
    assert not meet(lake, who=("karim", "helene")).state.of_kind("success")


def test_told_anew_the_open_room_says_it_too_and_the_former_words_are_gone(lake):
    room = meet(lake)
    tell(lake, gave="Ils étaient prêts.")
    room.state = room.house.state
    shown = told(room, "screen")
    assert "Ils étaient prêts." in shown and "zqgaveqz" not in shown and "zqwordqz" not in shown
    assert found("zqgaveqz", "zqwordqz") == []


def test_withdrawn_it_is_gone_from_the_open_room_and_from_its_log(lake):
    room = meet(lake)
    actions.withdraw(Commitment.objects.get())
    room.state = room.house.state
    assert not any(needle in told(room, seat) for seat in room.state.seats for needle in ALL)
    assert found(*ALL) == []
    close_early(room)
    assert not Success.objects.exists()


def test_of_a_room_that_has_closed_it_is_gone_as_well(lake):
    close_early(meet(lake))
    actions.withdraw(Commitment.objects.get())
    assert found(*ALL) == []


@pytest.mark.parametrize("keep", [True, False])
def test_with_its_author_it_leaves_the_rooms_whatever_else_stays(lake, keep):
    meet(lake)
    erasure.erase_user(user("claire"), Choice(keep=keep, keep_learnings=keep))
    assert found(*ALL) == []


def test_when_who_was_thanked_is_erased_the_room_thanks_a_peer(lake):
    room = meet(lake)
    erasure.erase_user(user("karim"), Choice(keep=True, keep_learnings=True))
    room.state = room.house.state
    card = room.state.of_kind("success")[0]
    assert card.body["thanks"] == PEER and found("zqwordqz") == []
