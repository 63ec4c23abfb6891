"""Meetings: planned at once, moved, cancelled; who comes, and what nobody else reads."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from cordee.accounts.models import Person
from cordee.circles import crypto
from cordee.circles.actions import meetings as actions
from cordee.circles.actions.meetings import Appointment
from cordee.circles.models import Circle, Meeting, Membership, Reply
from cordee.circles.queries import meetings as queries
from cordee.circles.refused import Refused
from tests.people import person, space_of, user

pytestmark = pytest.mark.django_db

SOON = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=20)
PEERS = ("claire", "karim", "helene", "thomas", "nadia")


@pytest.fixture
def circle() -> Circle:
    lake = space_of()
    made = Circle.objects.create(
        space=lake, name="Les Aravis", place="Salle du Lac", quorum=4, wrapped_key=crypto.new_wrapped_key()
    )
    for who in (*PEERS, "fanny"):
        role = Membership.FACILITATOR if who == "fanny" else Membership.MEMBER
        Membership.objects.create(circle=made, person=person(lake, who), role=role, joined_at=timezone.now())
    return made


def of(circle: Circle, who: str) -> Person:
    return Person.objects.get(space=circle.space, user=user(who))


def cycle(circle: Circle, count: int = 4) -> list[Meeting]:
    days = [SOON + timedelta(weeks=4 * i) for i in range(count)]
    return actions.plan(circle, [(day, day + timedelta(hours=2)) for day in days])


# ---------------------------------------------------------------- dates


def test_a_cycle_is_planned_at_once_and_numbered_by_date(circle):
    late, early = SOON + timedelta(weeks=4), SOON
    made = actions.plan(circle, [(late, late + timedelta(hours=2)), (early, early + timedelta(hours=2))], rounds=2)
    assert [(each.number, each.starts_at, each.rounds) for each in made] == [(1, early, 2), (2, late, 2)]
    assert len({each.uid for each in made}) == 2


def test_asking_twice_for_the_same_cycle_plans_it_once(circle):
    assert len(cycle(circle)) == 4 and cycle(circle) == []
    assert [each.number for each in cycle(circle, 5)] == [5]


def test_the_number_of_a_cancelled_meeting_is_not_given_again(circle):
    first, *_others = cycle(circle, 2)
    actions.cancel(first)
    assert [each.number for each in cycle(circle, 1)] == [3]


def test_no_meeting_is_planned_in_a_circle_that_ended(circle):
    Circle.objects.update(ended_at=timezone.now())
    with pytest.raises(Refused):
        cycle(circle)


def to(meeting: Meeting, **changed: object) -> Appointment:
    known = {name: getattr(meeting, name) for name in ("starts_at", "ends_at", "place", "video_link", "rounds")}
    return Appointment(**(known | changed))  # type: ignore[arg-type]


def test_a_change_of_date_place_or_link_is_a_later_version_and_a_change_of_rounds_is_none(circle):
    meeting = cycle(circle, 1)[0]
    assert actions.move(meeting, to(meeting)).sequence == 0
    assert actions.move(meeting, to(meeting, rounds=2)).sequence == 0
    assert actions.move(meeting, to(meeting, place="Mairie", rounds=2)).sequence == 1
    assert actions.move(meeting, to(meeting, place="Mairie", video_link="https://visio.example/a")).sequence == 2
    day_after = meeting.ends_at + timedelta(days=1)
    assert actions.move(meeting, to(meeting, ends_at=day_after)).sequence == 3
    assert actions.cancel(meeting).sequence == 4
    assert actions.cancel(meeting).sequence == 4


def test_who_had_answered_for_another_date_is_asked_again_and_for_another_place_is_not(circle):
    meeting = cycle(circle, 1)[0]
    actions.reply(meeting, of(circle, "karim"), Reply.COMING)
    meeting = actions.move(meeting, to(meeting, place="Mairie"))
    assert queries.coming(meeting).present == 1
    moved = actions.move(meeting, to(meeting, starts_at=meeting.starts_at - timedelta(hours=1)))
    assert queries.coming(moved).present == 0


def test_what_is_over_or_cancelled_does_not_change(circle):
    past = datetime(2026, 1, 5, 9, tzinfo=UTC)
    over = actions.plan(circle, [(past, past + timedelta(hours=2))])[0]
    cancelled = actions.cancel(cycle(circle, 1)[0])
    for meeting in (over, cancelled):
        with pytest.raises(Refused):
            actions.move(meeting, to(meeting, place="Mairie"))
        with pytest.raises(Refused):
            actions.reply(meeting, of(circle, "karim"), Reply.COMING)
    with pytest.raises(Refused):
        actions.cancel(over)


# ---------------------------------------------------------------- who comes


def test_the_next_meeting_of_somebody_is_neither_over_nor_cancelled_nor_of_a_circle_they_left(circle):
    first, second, *_ = cycle(circle)
    assert queries.next_of(user("karim")) == first
    actions.cancel(first)
    assert queries.next_of(user("karim")) == second
    Meeting.objects.filter(pk=second.pk).update(starts_at=SOON - timedelta(days=90), ends_at=SOON - timedelta(days=89))
    assert queries.next_of(user("karim")).number == 3
    Membership.objects.filter(person=of(circle, "karim")).update(left_at=timezone.now())
    assert queries.next_of(user("karim")) is None and queries.next_of(user("octave")) is None


def test_peers_are_counted_and_who_leads_is_not(circle):
    meeting = cycle(circle, 1)[0]
    for who, answer in (("karim", Reply.COMING), ("claire", Reply.ABSENT), ("fanny", Reply.COMING)):
        actions.reply(meeting, of(circle, who), answer)
    found = queries.coming(meeting)
    assert (found.present, found.possible, found.needed) == (1, 4, 4)
    assert {guest.person.name for guest in found.silent} == {"Hélène", "Thomas", "Nadia"}
    assert not found.in_doubt


def test_the_quorum_is_in_doubt_once_too_few_may_still_come_or_too_few_said_so_in_the_last_days(circle):
    meeting = cycle(circle, 1)[0]
    for who in ("karim", "claire"):
        actions.reply(meeting, of(circle, who), Reply.ABSENT)
    assert queries.coming(meeting).in_doubt
    assert not queries.coming(actions.keep(meeting)).in_doubt
    tomorrow = timezone.now() + timedelta(days=1)
    meeting = actions.plan(circle, [(tomorrow, tomorrow + timedelta(hours=2))])[0]
    assert queries.coming(meeting).in_doubt
    for who in PEERS[:4]:
        actions.reply(meeting, of(circle, who), Reply.COMING)
    assert not queries.coming(meeting).in_doubt


def test_somebody_who_left_the_circle_does_not_answer_for_it_any_more(circle):
    meeting = cycle(circle, 1)[0]
    Membership.objects.filter(person=of(circle, "karim")).update(left_at=timezone.now())
    with pytest.raises(Refused):
        actions.reply(meeting, of(circle, "karim"), Reply.COMING)


REASON = "un rendez-vous chez le cardiologue"


def test_a_reason_is_sealed_is_read_by_its_author_alone_and_goes_when_they_come_after_all(circle):
    meeting, karim = cycle(circle, 1)[0], of(circle, "karim")
    said = actions.reply(meeting, karim, Reply.ABSENT, REASON)
    assert REASON.encode() not in bytes(said.sealed_reason)
    assert queries.reason(meeting, karim) == REASON
    assert queries.reason(meeting, of(circle, "fanny")) == ""
    actions.reply(meeting, karim, Reply.ABSENT)  # by the link of a letter, which knows of no reason
    assert queries.reason(meeting, karim) == REASON
    actions.reply(meeting, karim, Reply.COMING)
    assert Reply.objects.get(person=karim).sealed_reason is None


def test_a_reason_moved_to_somebody_else_s_row_cannot_be_opened_and_none_can_once_the_key_is_destroyed(circle):
    meeting, karim, claire = cycle(circle, 1)[0], of(circle, "karim"), of(circle, "claire")
    said = actions.reply(meeting, karim, Reply.ABSENT, REASON)
    other = actions.reply(meeting, claire, Reply.ABSENT, "")
    Reply.objects.filter(pk=other.pk).update(sealed_reason=said.sealed_reason)
    with pytest.raises(crypto.Unreadable):
        queries.reason(meeting, claire)
    circle.destroy_key()
    meeting = Meeting.objects.select_related("circle").get(pk=meeting.pk)
    assert queries.reason(meeting, karim) == ""
    assert actions.reply(meeting, karim, Reply.ABSENT, REASON).sealed_reason is None
