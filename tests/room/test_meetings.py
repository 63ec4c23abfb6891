"""The room of a meeting: opened by the first to come, one place a person, and a door for everybody else."""

import pytest

from cordee.accounts import actions as accounts
from cordee.accounts.models import User
from cordee.circles.actions import members, situations
from cordee.engine import commands as c
from cordee.room import access, actions, meetings, store
from cordee.room.models import Entry, Seat, Session
from tests.room.circles import Lake

pytestmark = pytest.mark.django_db


# ---------------------------------------------------------------- the first to come, and the others


def test_the_first_to_come_opens_the_room_and_leads_nothing_by_it():
    lake = Lake("claire", "karim")
    meeting = lake.meeting()
    room = lake.enter("karim", meeting)
    assert room.state.meeting and room.state.facilitator() == ""
    assert lake.enter("claire", meeting).id == room.id
    lake.enter("fanny", meeting)
    assert room.state.facilitator() == lake.seat("fanny", room)
    seats = room.state.seats
    assert [seats[lake.seat(who, room)].member for who in ("karim", "claire", "fanny")] == [True, True, False]
    assert not any(seat.waiting for seat in seats.values())


def test_coming_again_on_any_device_is_the_same_place():
    lake = Lake("karim")
    meeting = lake.meeting()
    first, second = lake.enter("karim", meeting), lake.enter("karim", meeting)
    assert first.tokens == second.tokens
    assert Seat.objects.filter(person=lake.people["karim"]).count() == 1
    assert len(first.state.seats) == 1


def test_a_second_facilitator_observes_and_may_be_handed_the_room():
    lake = Lake("karim", facilitators=("fanny", "aicha"))
    meeting = lake.meeting()
    room = lake.enter("fanny", meeting)
    lake.enter("aicha", meeting)
    aicha, fanny = lake.seat("aicha", room), lake.seat("fanny", room)
    assert room.state.facilitator() == fanny and room.state.seats[aicha].observer
    assert actions.submit(room.id, c.HandOver(seat=fanny, target=aicha))
    assert room.state.facilitator() == aicha


def test_two_people_of_one_name_both_come_in():
    lake = Lake("karim", "nadia")
    lake.people["nadia"].name = "Karim"
    lake.people["nadia"].save()
    meeting = lake.meeting()
    lake.enter("karim", meeting)
    room = lake.enter("nadia", meeting)
    assert sorted(seat.name for seat in room.state.seats.values()) == ["Karim", "Karim 2"]


def test_a_cancelled_meeting_has_no_room():
    lake = Lake("karim")
    meeting = lake.meeting()
    meeting.cancelled_at = meeting.starts_at
    assert lake.refused("karim", meeting) == "meeting_cancelled" and not Session.objects.exists()


# ---------------------------------------------------------------- the door


def test_a_guest_with_the_code_waits_until_the_facilitator_opens():
    lake = Lake("karim")
    meeting = lake.meeting()
    room = lake.enter("fanny", meeting)
    guest = actions.join(room.id, "Octave")
    assert room.state.seats[guest.seat].waiting and room.view(guest.seat).waiting
    refused = actions.submit(room.id, c.SetDoor(seat=lake.seat("fanny", room), waiting=False))
    assert refused.reason == "door_kept"
    actions.submit(room.id, c.Admit(seat=lake.seat("fanny", room), target=guest.seat))
    assert room.state.seats[guest.seat].here


def test_a_guest_who_comes_before_everybody_does_not_lead():
    lake = Lake("karim")
    room = lake.enter("karim", lake.meeting())
    guest = actions.join(room.id, "Octave")
    assert not room.state.seats[guest.seat].facilitator and room.state.facilitator() == ""


def test_a_member_without_a_screen_has_the_place_they_come_back_to():
    lake = Lake("karim", "marc")
    meeting = lake.meeting()
    room = lake.enter("fanny", meeting)
    missing = dict(meetings.absent(room.id))
    seat = next(seat for seat, name in missing.items() if name == "Marc")
    actions.submit(room.id, c.AddSeat(seat=lake.seat("fanny", room), id=seat, name="Marc"))
    assert "Marc" not in dict(meetings.absent(room.id)).values()
    lake.enter("marc", meeting)
    assert lake.seat("marc", room) == seat and len(room.state.seats) == 2


# ---------------------------------------------------------------- what opens a place, and until when


def test_no_form_can_say_that_somebody_is_of_the_circle():
    from cordee.room import forms

    assert forms.command("karim", [("do", "take_seat"), ("name", "Karim"), ("appointed", "1")]).reason == "unknown"


def test_the_link_of_a_place_opens_it_until_its_owner_signs_out_everywhere():
    lake = Lake("karim")
    meeting = lake.meeting()
    room = lake.enter("karim", meeting)
    seat, token = next(iter(room.tokens.items()))
    assert access.key_of(token) == access.Key(room.id, seat)
    User.objects.filter(persons=lake.people["karim"]).update(links_epoch=1)
    access.forget()
    assert access.key_of(token) is None
    again = lake.enter("karim", meeting)
    assert again.tokens[seat] != token and access.key_of(again.tokens[seat]) is not None
    access.forget()
    assert access.key_of(token) is None


@pytest.mark.parametrize("how", ["left the circle", "account closed", "account gone", "erased"])
def test_the_place_of_who_is_no_longer_there_is_closed(how):
    lake = Lake("karim")
    room = lake.enter("karim", lake.meeting())
    token = next(iter(room.tokens.values()))
    karim = lake.people["karim"]
    if how == "left the circle":
        members.leave(lake.circle.memberships.get(person=karim))
    elif how == "account closed":
        User.objects.filter(pk=karim.user_id).update(is_active=False)
    elif how == "account gone":
        User.objects.get(pk=karim.user_id).delete()
    else:
        karim.delete()
    access.forget()
    assert access.key_of(token) is None


def test_who_left_the_circle_is_seen_off_in_its_open_room():
    lake = Lake("karim", "claire")
    meeting = lake.meeting()
    lake.enter("fanny", meeting)
    room = lake.enter("karim", meeting)
    members.leave(lake.circle.memberships.get(person=lake.people["karim"]))
    lake.enter("claire", meeting)
    assert room.state.seats[lake.seat("karim", room)].revoked and room.view(lake.seat("karim", room)) is None


def test_the_open_streams_of_who_signed_out_everywhere_are_found_and_no_others():
    lake = Lake("karim", "claire")
    meeting = lake.meeting()
    room = lake.enter("karim", meeting)
    keys = [access.key_of(lake.enter(who, meeting).tokens[lake.seat(who, room)]) for who in ("karim", "claire")]
    guest = actions.open_room("Octave")
    keys.append(access.key_of(guest.token))
    assert access.void(keys) == set()
    User.objects.filter(persons=lake.people["karim"]).update(links_epoch=5)
    assert access.void(keys) == {keys[0].digest}


# ---------------------------------------------------------------- what it opens on


def test_situations_brought_to_the_meeting_are_there_and_their_authors_own():
    lake = Lake("karim", "claire")
    meeting = lake.meeting()
    situation = situations.begin(lake.circle, lake.people["karim"])
    situations.save(
        situation, {"title": "Comment dire non ?", "text": "Dix ans.", "tried": "Attendre.", "urgency": "now"}
    )
    assert situations.bring(situation, meeting) == ""
    room = lake.enter("claire", meeting)
    card = room.view(lake.seat("claire", room)).groups[0].cards[0]
    assert card.author == "Karim" and not card.mine and "J’ai" not in card.get("title")
    assert card.get("text").startswith("Dix ans.") and "Attendre." in card.get("text")
    lake.enter("fanny", meeting)
    asked = c.Choose(seat=lake.seat("fanny", room), situation=card.id)
    assert actions.submit(room.id, asked).reason == "client_away"  # he has not come yet
    lake.enter("karim", meeting)
    mine = room.view(lake.seat("karim", room)).groups[0].cards[0]
    assert mine.mine and mine.editable
    wish = c.Edit(seat=lake.seat("karim", room), id=card.id, body={"title": "Comment dire non à temps ?"})
    assert actions.submit(room.id, wish)
    assert actions.submit(room.id, asked)


def test_a_situation_brought_once_the_room_is_open_comes_with_its_author():
    lake = Lake("karim", "claire")
    meeting = lake.meeting()
    room = lake.enter("claire", meeting)
    situation = situations.begin(lake.circle, lake.people["karim"])
    situations.save(situation, {"title": "Comment dire non ?"})
    situations.bring(situation, meeting)
    lake.enter("karim", meeting)
    assert [entry.id for entry in room.state.of_kind("situation")] == [situation.pk]
    lake.enter("karim", meeting)
    assert len(room.state.of_kind("situation")) == 1


def test_nothing_carried_the_room_begins_at_its_first_step():
    lake = Lake("karim")
    room = lake.enter("fanny", lake.meeting())
    assert room.state.course.step == "choix"
    assert "reprise" not in {step.id for step in room.view(lake.seat("fanny", room)).hand.steps}


# ---------------------------------------------------------------- the values of the space


def test_a_room_opens_on_the_values_of_its_space_and_keeps_them_sealed():
    lake = Lake("karim")
    accounts.set_values(lake.space, ["Le courage", "La coopération"])
    room = lake.enter("karim", lake.meeting())
    assert room.state.values == ("Le courage", "La coopération")
    accounts.set_values(lake.space, ["La confiance"])
    store.forget(room.id)
    assert store.load(room.id).state.values == ("Le courage", "La coopération")
    opened = Entry.objects.get(session=room.id, kind="RoomOpened")
    assert opened.plain == {} and b"courage" not in bytes(opened.sealed)


def test_a_room_of_a_space_without_values_opens_as_before():
    lake = Lake("karim")
    room = lake.enter("karim", lake.meeting())
    assert room.state.values == () and Entry.objects.get(session=room.id, kind="RoomOpened").sealed is None
