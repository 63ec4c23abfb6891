"""A guest's seat taken into an account: once, for good, with all that was said from it."""

import pytest
from django.test import Client

from cordee.accounts.models import User
from cordee.circles.models import Attendance
from cordee.engine import commands as c
from cordee.engine.refusal import Refused
from cordee.engine.rules.judgements import position
from cordee.followup.models import Commitment, Learning
from cordee.room import access, actions, store
from cordee.room.models import Seat
from cordee.room.queries import rooms_of
from tests import people
from tests.characters import play
from tests.room.circles import Lake
from tests.room.rooms import ORIGIN, House, join, open_room
from tests.room.test_harvest import WHO, meet

pytestmark = pytest.mark.django_db


def key(house: House, seat: str) -> access.Key:
    found = access.key_of(house.tokens[seat])
    assert found is not None
    return found


def guest() -> tuple[House, str, str]:
    """A room of guests that Fanny opened, her seat and Octave's."""
    house, fanny = open_room()
    return house, fanny, join(house, "Octave")


def fresh(who: str) -> User:
    return User.objects.get(pk=people.user(who).pk)


# ---------------------------------------------------------------- what it gives


def test_the_seat_of_a_guest_becomes_that_of_their_account_with_all_it_said():
    house, _fanny, octave = guest()
    actions.submit(house.id, c.Write(seat=octave, id="a-first-note", kind="note", body={"text": "À moi."}))
    before = key(house, octave)
    opened = actions.claim(before, fresh("octave"))
    assert isinstance(opened, actions.Opened) and opened.seat == octave and opened.token != house.tokens[octave]
    assert access.key_of(opened.token) == before
    assert house.view(octave).own[0].cards[0].get("text") == "À moi."


def test_the_former_link_opens_nothing_more():
    house, _, octave = guest()
    assert actions.claim(key(house, octave), fresh("octave"))
    assert access.key_of(house.tokens[octave]) is None


def test_rooms_are_listed_with_the_date_until_which_they_can_be_read():
    house, fanny, octave = guest()
    assert rooms_of(fresh("octave")) == []
    actions.claim(key(house, octave), fresh("octave"))
    actions.claim(key(house, fanny), fresh("fanny"))
    for who in ("octave", "fanny"):
        (room,) = rooms_of(fresh(who))
        assert room.id == house.id and room.circle == "" and room.meeting is None and room.readable
        assert (room.erase_on - room.opened_at.date()).days in (29, 30, 31)


def test_it_is_found_again_on_another_device():
    house, _, octave = guest()
    actions.claim(key(house, octave), fresh("octave"))
    other = people.signed_in("octave")
    answer = other.get(f"/salle/{house.id}/ma-place/")
    assert answer.status_code == 302 and answer["Location"] == house.address
    assert "Octave" in other.get(house.address).content.decode()
    assert other.get(f"/salle/{house.id}/ma-place/?vers=bilan")["Location"] == f"{house.address}bilan/"
    assert people.signed_in("karim").get(f"/salle/{house.id}/ma-place/").status_code == 404


def test_signing_out_everywhere_closes_it_until_its_owner_comes_back_by_their_account():
    house, _, octave = guest()
    opened = actions.claim(key(house, octave), fresh("octave"))
    User.objects.filter(pk=people.user("octave").pk).update(links_epoch=3)
    access.forget()
    assert access.key_of(opened.token) is None
    again = actions.seat_of(house.id, fresh("octave"))
    assert again and again.seat == octave and access.key_of(again.token)


# ---------------------------------------------------------------- once


def test_a_seat_claimed_is_refused_to_others_and_no_refusal_to_its_owner():
    house, _, octave = guest()
    before = key(house, octave)
    opened = actions.claim(before, fresh("octave"))
    refused = actions.claim(before, fresh("karim"))
    assert isinstance(refused, Refused) and refused.reason == "claimed"
    assert actions.claim(before, fresh("octave")) == opened
    assert access.key_of(opened.token) == before


def test_one_account_has_one_seat_in_a_room():
    house, fanny, octave = guest()
    actions.claim(key(house, octave), fresh("octave"))
    refused = actions.claim(key(house, fanny), fresh("octave"))
    assert isinstance(refused, Refused) and refused.reason == "seated_twice"
    assert access.key_of(house.tokens[fanny])  # nothing was changed of it
    assert not Seat.objects.get(session=house.id, seat=fanny).owned


def test_who_waits_or_was_removed_and_the_shared_screen_have_nothing_to_claim():
    house, fanny, octave = guest()
    octaves = key(house, octave)
    actions.submit(house.id, c.Revoke(seat=fanny, target=octave))
    assert actions.claim(octaves, fresh("octave")).reason == "stranger"
    actions.submit(house.id, c.SetDoor(seat=fanny, waiting=True))
    waiting = join(house, "Karim")
    assert actions.claim(key(house, waiting), fresh("karim")).reason == "stranger"
    screen = access.key_of(actions.links(store.load(house.id))["screen"])
    assert actions.claim(screen, fresh("karim")).reason == "stranger"


def test_of_an_account_that_is_gone_the_seat_opens_to_nobody():
    house, _, octave = guest()
    opened = actions.claim(key(house, octave), fresh("octave"))
    people.user("octave").delete()
    access.forget()
    assert access.key_of(opened.token) is None


# ---------------------------------------------------------------- in a circle's meeting


def test_who_came_to_a_meeting_by_the_code_finds_what_they_promised_and_learnt_once_they_claim():
    lake = Lake(*WHO)
    room = meet(lake)
    guest = actions.join(room.house.id, "Nadia")
    room.house.tokens[guest.seat] = guest.token
    room.do(c.Admit(seat=room.leader, target=guest.seat))
    play(room, client=guest.seat)
    room.do(c.Close(seat=room.leader, seen=position(room.state)))
    assert not Commitment.objects.exists()  # nobody's whom the circle knows
    said = Learning.objects.get(person=None)
    circle_key = lake.circle.key()
    assert said.words(circle_key)["from"] == "Nadia"
    nadia = lake.person("nadia")
    actions.claim(key(room.house, guest.seat), fresh("nadia"))
    assert Commitment.objects.get().person == nadia
    said.refresh_from_db()
    assert said.person == nadia and "from" not in said.words(circle_key)
    assert Attendance.objects.filter(person=nadia).exists()
    assert [one.meeting for one in rooms_of(fresh("nadia"))] == [lake.circle.meetings.get().pk]


def test_a_member_who_came_by_the_code_and_claims_enters_the_meeting_by_that_seat():
    lake = Lake(*WHO)
    meeting = lake.meeting()
    room = lake.enter("fanny", meeting)
    guest = actions.join(room.id, "Karim")
    actions.submit(room.id, c.Admit(seat=lake.seat("fanny", room), target=guest.seat))
    room.tokens[guest.seat] = guest.token
    actions.claim(key(room, guest.seat), fresh("karim"))
    again = lake.enter("karim", meeting)
    assert list(again.tokens) == [guest.seat] and len(room.state.seats) == 2


def test_a_claim_while_the_room_is_open_keeps_nothing_before_its_time():
    lake = Lake(*WHO)
    room = meet(lake)
    guest = actions.join(room.house.id, "Nadia")
    room.house.tokens[guest.seat] = guest.token
    room.do(c.Admit(seat=room.leader, target=guest.seat))
    lake.person("nadia")
    actions.claim(key(room.house, guest.seat), fresh("nadia"))
    assert not Attendance.objects.exists()


# ---------------------------------------------------------------- by HTTP


def test_the_way_from_the_stage_to_an_account_and_back():
    house, _, octave = guest()
    browser = house.browser(octave)
    page = browser.get(house.address).content.decode()
    assert f"/salle/{house.id}/rattacher/" in page
    claim = f"/salle/{house.id}/rattacher/"
    assert f"next={claim}" in browser.get(claim).content.decode()
    assert browser.post(claim).status_code == 404  # not signed in
    browser.force_login(people.user("octave"))
    assert "octave@example.org" in browser.get(claim).content.decode()
    done = browser.post(claim)
    assert done.status_code == 200 and "à vous" in done.content.decode()
    again = browser.get(house.address).content.decode()
    assert "rattacher" not in again.replace("rattachée", "") and house.tokens[octave] not in again
    assert "rattacher" not in browser.get(f"{house.address}bilan/").content.decode()
    late = Client(**ORIGIN)
    assert late.get(f"/place/{house.tokens[octave]}/").status_code == 404


def test_another_account_is_told_that_the_seat_is_taken():
    house, _, octave = guest()
    browser = house.browser(octave)
    browser.force_login(people.user("karim"))
    Seat.objects.filter(session=house.id, seat=octave).update(owned=True, user=people.user("octave"))
    answer = browser.post(f"/salle/{house.id}/rattacher/")
    assert answer.status_code in {404, 409}
    assert not Seat.objects.filter(user=people.user("karim")).exists()


def test_a_stranger_finds_no_page_to_claim():
    house, _, _ = guest()
    assert people.signed_in("karim").get(f"/salle/{house.id}/rattacher/").status_code == 404
