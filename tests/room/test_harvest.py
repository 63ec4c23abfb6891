"""What a meeting leaves to its circle once its room has closed: all that was shown, nothing that was taken back."""

import pytest
from django.core.management import call_command

from cordee.accounts import actions as accounts
from cordee.circles.actions import members, situations
from cordee.circles.models import Attendance, Circle, Situation, Turn, ValueCount
from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.rules.judgements import position
from cordee.followup.models import Commitment, Learning
from cordee.room import access, actions, harvest, store
from cordee.room.harvest import Told, attendance
from cordee.room.models import Entry, Session
from tests.characters import COMMITMENT, SAID, Room, next_round, play
from tests.room.circles import Lake
from tests.room.rooms import House

pytestmark = pytest.mark.django_db
WHO = ("claire", "karim", "helene")


class Played(Room):
    """The engine's room of the characters, on the store: what they do is done in a meeting's real room."""

    def __init__(self, lake: Lake, house: House) -> None:
        self.lake, self.house = lake, house
        super().__init__()

    def new_id(self, kind: str = "c") -> str:
        return f"{self.house.id}-{super().new_id(kind)}"  # no two rooms make the same

    def try_(self, command):
        self.now += 1
        outcome = actions.submit(self.house.id, command)
        self.state = self.house.state
        return outcome

    def write(self, seat, kind, body, behalf=""):
        if isinstance(body, dict) and body.get("witness") in self.lake.people:
            body = body | {"witness": self.lake.seat(body["witness"], self.house)}
        return super().write(seat, kind, body, behalf)


def meet(lake: Lake, meeting=None, who: tuple[str, ...] = WHO) -> Played:
    """A meeting that these people, and Fanny, have come to."""
    meeting = meeting or lake.meeting()
    for name in ("fanny", *who):
        house = lake.enter(name, meeting)
    room = Played(lake, house)
    room.state = house.state
    return room


def whole(lake: Lake, client: str = "claire", **more) -> Played:
    room = meet(lake, **more)
    seat = lake.seat(client, room.house)
    play(room, client=seat)
    return room


def close(room: Room) -> None:
    room.do(c.Close(seat=room.leader, seen=position(room.state)))


def key(lake: Lake) -> bytes:
    found = Circle.objects.get(pk=lake.circle.pk).key()
    assert found
    return found


# ---------------------------------------------------------------- what is kept


def test_what_was_promised_and_learnt_is_in_the_circles_book_once_the_room_closes():
    lake = Lake(*WHO)
    room = whole(lake)
    assert not Commitment.objects.exists()
    close(room)
    commitment = Commitment.objects.get()
    assert commitment.person == lake.people["claire"] and commitment.state == "promised"
    assert str(commitment.due_on) == COMMITMENT["date"]
    assert commitment.words(key(lake))["then"] == COMMITMENT["then"]
    assert commitment.witness in {lake.people["karim"], lake.people["helene"]}
    assert commitment.words(key(lake))["witness"] == commitment.witness.name
    learnt = Learning.objects.all()
    assert {one.person for one in learnt} == {lake.people[name] for name in WHO}
    assert sum(one.words(key(lake)).get("theme") == "Oser demander" for one in learnt) == 1
    assert all(one.words(key(lake))["text"] in SAID["learning"] for one in learnt)


def test_not_a_word_of_it_lies_in_clear():
    lake = Lake(*WHO)
    close(whole(lake))
    for row in [*Commitment.objects.all(), *Learning.objects.all()]:
        text = bytes(row.sealed).decode("utf-8", "replace")
        assert not any(word in text for word in ("annonce", "rattachements", "Oser", "appris"))


def test_the_client_turns_and_who_was_there_are_counted():
    lake = Lake(*WHO)
    room = meet(lake)
    room.write(lake.seat("karim", room.house), "situation", "Comment dire non ?")
    play(room, client=lake.seat("claire", room.house))
    next_round(room, lake.seat("karim", room.house))
    play(room)
    close(room)
    assert list(Turn.objects.order_by("round").values_list("round", "person__name")) == [(1, "Claire"), (2, "Karim")]
    assert {row.person.name for row in Attendance.objects.all()} == {"Fanny", "Claire", "Karim", "Hélène"}
    assert all(row.left_at and row.left_at >= row.arrived_at for row in Attendance.objects.all())


def test_a_situation_that_was_worked_on_is_treated_and_another_waits():
    lake = Lake(*WHO)
    meeting = lake.meeting()
    for who in ("claire", "karim"):
        situation = situations.begin(lake.circle, lake.people[who])
        situations.save(situation, {"title": f"Comment {who} ?"})
        situations.bring(situation, meeting)
    room = whole(lake, meeting=meeting)
    close(room)
    states = dict(Situation.objects.values_list("person__name", "state"))
    assert states == {"Claire": "treated", "Karim": "set_aside"}
    assert Turn.objects.get().situation.person.name == "Claire"


# ---------------------------------------------------------------- what was taken back is not


def test_what_is_not_revealed_hidden_or_withdrawn_is_not_kept():
    lake = Lake(*WHO)
    room = meet(lake)
    play(room, until="traitement", client=lake.seat("claire", room.house))
    room.write(room.client, "commitment", dict(COMMITMENT))
    room.next()
    for seat in room.members():
        room.write(seat, "learning", "Un mot.")
    room.do(c.Withdraw(seat=room.members()[0], id=room.of("learning")[0].id))
    room.reveal()
    room.do(c.Hide(seat=room.leader, id=room.of("learning")[0].id))
    close(room)
    assert not Commitment.objects.exists()  # never shown to the group
    assert Learning.objects.count() == 1


def test_a_word_withdrawn_after_the_close_is_withdrawn_from_the_book_too():
    lake = Lake(*WHO)
    room = whole(lake)
    close(room)
    before = Learning.objects.count()
    taken = room.of("learning")[0]
    room.do(c.Withdraw(seat=taken.author, id=taken.id))
    assert Learning.objects.count() == before - 1 and not Learning.objects.filter(pk=taken.id).exists()


def test_the_title_of_a_situation_that_the_room_hides_is_not_kept():
    lake = Lake(*WHO)
    room = whole(lake)
    close(room)
    treated = room.state.course.situation
    assert Turn.objects.get().title(key(lake)) == room.state.contributions[treated].body["title"]
    room.do(c.Hide(seat=room.leader, id=treated))
    harvest.harvest(room.house.id)
    assert Turn.objects.get().title(key(lake)) == ""


def test_a_room_opened_again_is_harvested_again_and_what_was_said_since_stays():
    lake = Lake(*WHO)
    room = whole(lake)
    close(room)
    commitment = Commitment.objects.get()
    commitment.stand(state="kept", gave="Tout le monde a posé ses questions.")
    room.do(c.Undo(seat=room.leader))
    room.go("traitement")
    room.write(room.client, "commitment", dict(COMMITMENT) | {"then": "je demande une date"})
    room.go("renforcement", reason="Nous avons fini.")
    close(room)
    assert Commitment.objects.count() == 2
    again = Commitment.objects.get(pk=commitment.pk)
    assert again.state == "kept" and again.outcome(key(lake))["gave"].startswith("Tout le monde")


# ---------------------------------------------------------------- again, late, and not at all


def test_harvesting_twice_changes_nothing():
    lake = Lake(*WHO)
    room = whole(lake)
    close(room)

    def rows():
        return [
            list(Commitment.objects.values_list("pk", "state", "sealed")),
            list(Learning.objects.values_list("pk", "sealed")),
            list(Turn.objects.values_list("round", "person")),
            list(Attendance.objects.values_list("person", "arrived_at", "minutes")),
        ]

    before = rows()
    assert harvest.harvest(room.house.id) is False and rows() == before
    assert harvest.harvest(room.house.id, again=True)
    assert [len(table) for table in rows()] == [len(table) for table in before]


def test_the_tick_harvests_what_no_process_has():
    lake = Lake(*WHO)
    room = whole(lake)
    _ripe, actions._ripe = actions._ripe, lambda *_: False  # killed between the close and the harvest
    try:
        close(room)
    finally:
        actions._ripe = _ripe
    assert not Commitment.objects.exists()
    call_command("tick", "--trust-clock")
    assert Commitment.objects.count() == 1 and Learning.objects.count() == 3
    assert harvest.left_over() == 0


def test_a_room_left_open_is_harvested_after_twelve_hours_and_not_before():
    lake = Lake(*WHO)
    room = whole(lake)
    assert harvest.left_over() == 0
    for entry in Entry.objects.filter(session=room.house.id):
        Entry.objects.filter(pk=entry.pk).update(at=entry.at - 13 * 3600)
    store.forget()
    assert harvest.left_over() == 1 and Commitment.objects.count() == 1


def test_a_guests_room_leaves_nothing():
    opened = actions.open_room("Fanny")
    actions.submit(opened.room, c.Close(seat=opened.seat))
    assert harvest.harvest(opened.room) is False and Session.objects.get().harvested == 0


def test_once_the_key_is_destroyed_there_is_nothing_to_keep():
    lake = Lake(*WHO)
    room = whole(lake)
    actions.erase(Circle.objects.get(pk=lake.circle.pk))
    assert harvest.harvest(room.house.id) is False and harvest.left_over() == 0


# ---------------------------------------------------------------- the next meeting opens on it


def test_the_next_meeting_opens_on_what_was_promised_and_learnt():
    lake = Lake(*WHO)
    close(whole(lake))
    room = meet(lake)
    assert room.step == "reprise"
    claire = lake.seat("claire", room.house)
    card = room.view(claire).groups[0].cards[0]
    assert card.mine and card.author == "Claire" and card.get("then") == COMMITMENT["then"]
    assert card.get("date") == COMMITMENT["date"] and card.get("witness")
    room.mark(claire, card.id, "standing", "adapted")
    room.mark(claire, card.id, "gave", "J’ai vu trois personnes sur cinq.")
    room.mark(claire, card.id, "learnt", "On m’attendait.")
    room.next()
    play(room, client=lake.seat("karim", room.house))
    close(room)
    kept = Commitment.objects.get(pk=card.id)
    assert kept.state == "adapted" and kept.outcome(key(lake)) == {
        "gave": "J’ai vu trois personnes sur cinq.",
        "learnt": "On m’attendait.",
    }
    assert kept.meeting.number == 1
    third = meet(lake)
    carried = third.state.of_kind("carried")
    assert [third.state.seats[one.author].name for one in carried] == ["Karim"]  # Claire's is answered, and older
    assert len(third.state.of_kind("learning", 0)) == 6


def test_what_was_answered_between_the_meetings_is_there_already():
    lake = Lake(*WHO)
    close(whole(lake))
    commitment = Commitment.objects.get()
    commitment.stand(state="tried", gave="Une personne m’a remerciée.", learnt="Oser plus tôt.")
    room = meet(lake)
    claire = lake.seat("claire", room.house)
    marks = {m.mark: m for m in room.view("screen").groups[0].cards[0].marks}
    assert marks["standing"].says == ("Essayé",) and marks["gave"].says == ("Une personne m’a remerciée.",)
    assert marks["learnt"].says == ("Oser plus tôt.",)
    room.mark(claire, commitment.pk, "standing", "kept")
    room.next()
    play(room, client=claire)
    close(room)
    kept = Commitment.objects.get(pk=commitment.pk)
    assert kept.state == "kept" and kept.outcome(key(lake))["learnt"] == "Oser plus tôt."


def test_what_was_said_elsewhere_since_holds():
    lake = Lake(*WHO)
    close(whole(lake))
    room = meet(lake)
    commitment = Commitment.objects.get()
    room.mark(lake.seat("claire", room.house), commitment.pk, "standing", "tried")
    commitment.stand(state="kept")
    close(room)
    assert Commitment.objects.get(pk=commitment.pk).state == "kept"


def test_words_said_elsewhere_are_not_taken_away_by_what_the_room_was_not_told():
    lake = Lake(*WHO)
    close(whole(lake))
    commitment = Commitment.objects.get()
    commitment.stand(gave="Il a écouté.")
    room = meet(lake)
    claire = lake.seat("claire", room.house)
    marks = {m.mark: m for m in room.view("screen").groups[0].cards[0].marks}
    assert marks["gave"].says == ("Il a écouté.",) and "standing" not in marks
    commitment.stand(learnt="Oser plus tôt.")
    room.mark(claire, commitment.pk, "standing", "kept")
    close(room)
    found = Commitment.objects.get(pk=commitment.pk)
    assert found.state == "kept" and found.outcome(key(lake)) == {"gave": "Il a écouté.", "learnt": "Oser plus tôt."}


def test_a_room_that_nobody_closed_is_taken_up_too():
    lake = Lake(*WHO)
    whole(lake)
    assert meet(lake).step == "reprise" and Commitment.objects.count() == 1


def test_who_has_left_the_circle_is_not_waited_for():
    lake = Lake(*WHO)
    close(whole(lake))
    members.leave(lake.circle.memberships.get(person=lake.people["claire"]))
    room = meet(lake, who=("karim", "helene"))
    assert room.step == "choix" and not room.state.of_kind("carried")


def test_what_was_written_for_somebody_without_a_screen_is_theirs():
    lake = Lake(*WHO, "marc")
    meeting = lake.meeting()
    room = meet(lake, meeting)
    seat = access.seat_of(room.house.id, lake.people["marc"].pk)
    room.do(c.AddSeat(seat=room.leader, id=seat, name="Marc"))
    play(room, until="ouvertures", client=lake.seat("claire", room.house))
    room.write(room.leader, "learning", "Écrit pour lui.", behalf=seat)
    room.reveal()
    room.go("renforcement")
    close(room)
    assert Learning.objects.get().person == lake.people["marc"]
    assert Attendance.objects.filter(person=lake.people["marc"]).exists()


def test_an_id_that_another_meeting_has_used_hinders_nothing_and_changes_nothing_there():
    lake = Lake(*WHO)
    close(whole(lake))
    commitment = Commitment.objects.get()
    members.leave(lake.circle.memberships.get(person=lake.people["claire"]))  # so that hers is not carried
    room = meet(lake, who=("karim", "helene"))
    play(room, until="ouvertures", client=lake.seat("karim", room.house))
    body = {"if": "Si", "then": "je copie"}
    fact = e.Written(
        at=1.0, seat=room.client, id=commitment.pk, kind="commitment", round=1, step="traitement", body=body
    )
    store.append(room.house.id, [fact])
    room.state = room.house.state
    room.do(c.Close(seat=room.leader, seen=position(room.state), reason="Plus le temps."))
    assert Commitment.objects.get(pk=commitment.pk).words(key(lake))["then"] == COMMITMENT["then"]
    second = Commitment.objects.filter(meeting__number=2)
    assert sorted(one.words(key(lake))["then"] for one in second)[0] == "je copie" and second.count() == 2


# ---------------------------------------------------------------- presence, by the times of the log


def told(*facts: e.Event) -> list[Told]:
    rows = []
    for fact in facts:
        kind, plain, _ = e.dump(fact)
        rows.append(Told(kind, fact.at, fact.seat, plain))
    return rows


def test_absences_are_taken_off():
    log = told(
        e.SeatTaken(at=0, seat="karim", role="member"),
        e.SeatAway(at=600, seat="karim", target="karim"),
        e.SeatBack(at=900, seat="karim", target="karim"),
        e.Closed(at=1800, seat="fanny"),
        e.SeatAway(at=1820, seat="karim", target="karim"),
    )
    stay = attendance(log, True)["karim"]
    assert (stay.arrived, stay.left, stay.seconds) == (0, 1800, 1500)


def test_who_waits_at_the_door_is_not_there_yet_and_who_was_removed_no_longer():
    log = told(
        e.SeatTaken(at=0, seat="octave", role="member", waiting=True),
        e.SeatAdmitted(at=60, seat="fanny", target="octave"),
        e.SeatRevoked(at=120, seat="fanny", target="octave"),
        e.Closed(at=1800, seat="fanny"),
    )
    stay = attendance(log, True)["octave"]
    assert (stay.arrived, stay.left, stay.seconds) == (60, 120, 60)


def test_a_room_opened_again_goes_on_counting():
    log = told(
        e.SeatTaken(at=0, seat="karim", role="member"),
        e.Closed(at=100, seat="fanny"),
        e.SeatAway(at=120, seat="karim", target="karim"),
        e.SeatBack(at=200, seat="karim", target="karim"),
        e.Closed(at=300, seat="fanny"),
    )
    assert attendance(log, True)["karim"].seconds == 220
    assert attendance(log[:2], True)["karim"].seconds == 100
    assert attendance(log[:3], False)["karim"].seconds == 120


# ---------------------------------------------------------------- the values of the space


def test_the_values_of_the_space_are_counted_by_their_word_and_no_other_word_is():
    lake = Lake(*WHO)
    accounts.set_values(lake.space, ["Le courage", "La confiance"])
    room = meet(lake)
    seat = lake.seat("karim", room.house)
    play(room, client=lake.seat("claire", room.house), until="ouvertures")
    twice = room.write(seat, "learning", "Oser, deux fois.")
    play(room, through="ouvertures")
    others = [each for each in room.state.of_kind("learning", 1) if each.id != twice]
    his = next(each for each in others if each.author == seat)
    learnings = [room.state.contributions[twice], his, *[each for each in others if each != his][:2]]
    said = ("Le courage", "LE COURAGE", "Le courage", "zqvaleurqz")
    for learning, value in zip(learnings, said, strict=True):
        room.mark(seat, learning.id, "value", value=value)
    close(room)
    for _ in range(2):
        assert list(ValueCount.objects.values_list("value__name", "learnings", "people")) == [("Le courage", 3, 2)]
        assert harvest.harvest(room.house.id, again=True)
    accounts.set_values(lake.space, ["La confiance"])
    assert not ValueCount.objects.exists()
    assert "zqvaleurqz" in [one.words(key(lake)).get("value") for one in Learning.objects.all()]
