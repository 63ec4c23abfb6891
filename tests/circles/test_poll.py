"""A date is looked for: proposed, answered with one thumb, decided."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cordee.circles import links
from cordee.circles.actions import polls as actions
from cordee.circles.models import Availability, Circle, Meeting, Membership, Reply
from cordee.circles.queries import meetings as queries
from cordee.circles.refused import Refused
from cordee.mail.models import Letter
from tests.circles.test_meeting_pages import get, post
from tests.circles.test_meetings import SOON, circle, of  # noqa: F401
from tests.people import person, signed_in, user

pytestmark = pytest.mark.django_db
DAYS = [SOON + timedelta(days=day) for day in (0, 1, 5)]
YES, IF_NEEDED, NO = Availability.YES, Availability.IF_NEEDED, Availability.NO


@pytest.fixture
def poll(circle) -> Meeting:  # noqa: F811
    return actions.poll(circle, [(day, day + timedelta(hours=2)) for day in DAYS], rounds=2)


def says(poll: Meeting, who: str, *answers: str) -> None:
    """Answers to the slots in their order; "" for none."""
    given = zip(queries.slots(poll), answers, strict=True)
    actions.answer(poll, of(poll.circle, who), {slot.pk: answer for slot, answer in given if answer})


def test_a_poll_asks_each_by_letter_and_takes_the_next_number(circle, poll):  # noqa: F811
    assert poll.polled and poll.number == 1 and poll.slots.count() == 3
    letters = Letter.objects.filter(kind="availability")
    assert letters.count() == 6 and not any(each.calendar for each in letters)
    token = links.make(links.AVAILABILITY, poll.pk, of(circle, "karim").pk)
    assert reverse("circles:availability_by_link", args=[token]) in letters.get(to="karim@example.org").text


def test_the_best_date_suits_most_people_then_inconveniences_fewest_then_is_the_first(poll):
    assert queries.poll_of(poll).best is None
    says(poll, "karim", YES, IF_NEEDED, YES)
    says(poll, "claire", NO, IF_NEEDED, YES)
    says(poll, "nadia", YES, YES, NO)
    found = queries.poll_of(poll)
    assert [(each.yes, each.if_needed) for each in found.columns] == [(2, 0), (1, 2), (2, 0)]
    assert found.best.slot.starts_at == DAYS[1]
    says(poll, "claire", NO, NO, YES)
    assert queries.poll_of(poll).best.slot.starts_at == DAYS[0]


def test_answering_again_replaces_and_other_slots_are_ignored(circle, poll):  # noqa: F811
    says(poll, "karim", YES, YES, YES)
    says(poll, "karim", NO, "", "")
    assert sorted(queries.answers_of(poll, of(circle, "karim")).values()) == ["no", "yes", "yes"]
    other = actions.poll(circle, [(DAYS[0], DAYS[1])])
    actions.answer(other, of(circle, "karim"), {slot.pk: NO for slot in queries.slots(poll)})
    assert sorted(queries.answers_of(poll, of(circle, "karim")).values()) == ["no", "yes", "yes"]


def test_a_reminder_goes_to_who_has_answered_nothing_and_once_a_day(poll):
    says(poll, "karim", YES, "", "")
    assert actions.remind(poll) == 5 and actions.remind(poll) == 0
    assert Letter.objects.filter(to="karim@example.org").count() == 1


def test_the_date_decided_is_a_meeting_to_which_all_are_called_and_whose_answers_are_known(circle, poll):  # noqa: F811
    says(poll, "karim", YES, YES, NO)
    says(poll, "claire", NO, NO, NO)
    says(poll, "nadia", IF_NEEDED, NO, NO)
    meeting = actions.decide(poll, queries.slots(poll)[0])
    assert (meeting.starts_at, meeting.ends_at) == (DAYS[0], DAYS[0] + timedelta(hours=2))
    assert meeting.sequence == 0 and meeting.rounds == 2
    answers = {guest.person.name: guest.answer for guest in queries.coming(meeting).guests}
    assert (answers["Karim"], answers["Claire"], answers["Nadia"]) == (Reply.COMING, Reply.ABSENT, "")
    letter = Letter.objects.get(kind="convocation", to="karim@example.org")
    assert "PARTSTAT=ACCEPTED" in letter.calendar.replace("\r\n ", "")
    for again in (lambda: actions.decide(poll, queries.slots(poll)[1]), lambda: says(poll, "karim", NO, NO, NO)):
        with pytest.raises(Refused):
            again()


def test_who_left_the_circle_is_neither_counted_nor_called(circle, poll):  # noqa: F811
    says(poll, "karim", YES, YES, YES)
    Membership.objects.filter(person=of(circle, "karim")).update(left_at=timezone.now())
    assert all(each.yes == 0 for each in queries.poll_of(poll).columns)
    actions.decide(poll, queries.slots(poll)[0])
    assert not Reply.objects.exists() and not Letter.objects.filter(kind="convocation", to="karim@example.org").exists()
    with pytest.raises(Refused):
        says(poll, "karim", YES, YES, YES)


# ---------------------------------------------------------------- the pages


ASKED = {"at": "09:00", "lasts": 120, "rounds": 1, "form-TOTAL_FORMS": 3, "form-INITIAL_FORMS": 0,
         "form-0-day": "2027-04-13", "form-1-day": "2027-04-14", "form-1-start": "14:00"}  # fmt: skip


def test_dates_are_proposed_with_their_own_hours_if_they_differ(circle):  # noqa: F811
    post("fanny", "propose", circle.pk, **ASKED)
    slots = queries.slots(Meeting.objects.get())
    spans = [(f"{each.starts_at:%d %H:%M}", each.ends_at - each.starts_at) for each in slots]
    assert spans == [("13 07:00", timedelta(hours=2)), ("14 12:00", timedelta(hours=2))]


def test_more_dates_may_be_proposed_and_one_is_no_choice(circle):  # noqa: F811
    page = post("fanny", "propose", circle.pk, status=200, **ASKED, do="more")
    assert page.count('type="date"') == 6 and 'value="2027-04-14"' in page
    page = post("fanny", "propose", circle.pk, status=409, **{**ASKED, "form-1-day": ""})
    assert "au moins deux dates" in page and not Meeting.objects.exists()
    post("fanny", "propose", circle.pk, status=200, do="more", **{"form-TOTAL_FORMS": "²"})


def test_each_answers_and_sees_their_own_answers_and_who_decides_sees_all(circle, poll):  # noqa: F811
    first, second, third = (slot.pk for slot in queries.slots(poll))
    post("karim", "answer", poll.pk, **{f"slot-{first}": "yes", f"slot-{second}": "no", f"slot-{third}": "perhaps"})
    assert sorted(queries.answers_of(poll, of(circle, "karim")).values()) == ["no", "yes"]
    mine = get("karim", "availability", poll.pk)
    assert mine.count("checked") == 2 and "Retenir" not in mine and "Claire" not in mine
    table = get("fanny", "availability", poll.pk)
    assert "Retenir" in table and "convient au plus grand nombre" in table and "Karim" in table
    post("fanny", "decide", poll.pk, status=409, slot="²")
    post("fanny", "decide", poll.pk, slot=first)
    assert signed_in("karim").get(reverse("circles:availability", args=[poll.pk])).status_code == 302


def test_a_slot_of_another_meeting_is_not_decided(circle, poll):  # noqa: F811
    other = actions.poll(circle, [(DAYS[0], DAYS[1])])
    assert (
        signed_in("fanny")
        .post(reverse("circles:decide", args=[poll.pk]), {"slot": queries.slots(other)[0].pk})
        .status_code
        == 404
    )


def test_one_who_has_no_account_answers_by_the_link_of_their_letter(circle):  # noqa: F811
    noe = person(circle.space, "noe", user=None)
    Membership.objects.create(circle=circle, person=noe, joined_at=timezone.now())
    poll = actions.poll(circle, [(day, day + timedelta(hours=2)) for day in DAYS])
    url = reverse("circles:availability_by_link", args=[links.make(links.AVAILABILITY, poll.pk, noe.pk)])
    assert 'type="radio"' in Client().get(url).content.decode()
    slot = queries.slots(poll)[0]
    assert Client().post(url, {f"slot-{slot.pk}": "yes"}).status_code == 302
    assert queries.answers_of(poll, noe) == {slot.pk: "yes"}
    actions.decide(poll, slot)
    assert Client().post(url, {f"slot-{slot.pk}": "no"}).status_code == 410
    forged = url.rstrip("/")[:-1] + ("0" if not url.rstrip("/").endswith("0") else "1") + "/"
    assert Client().get(forged).status_code == 404


def test_a_poll_may_be_given_up(circle, poll):  # noqa: F811
    post("fanny", "cancel", poll.pk)
    assert Meeting.objects.get().cancelled_at and not Letter.objects.filter(kind="meeting_cancelled").exists()
    assert "annulée" in get("karim", "meeting", poll.pk)


def test_who_has_not_said_when_they_are_free_is_reminded_of_it_at_home(circle, poll):  # noqa: F811
    assert list(queries.polls_of(user("karim"))) == [poll]
    says(poll, "karim", YES, "", "")
    assert list(queries.polls_of(user("karim"))) == []
    assert list(queries.polls_of(user("octave"))) == []
    assert Circle.objects.count() == 1


def test_the_table_asks_the_database_few_times(poll, django_assert_max_num_queries):
    for who in ("karim", "claire", "nadia"):
        says(poll, who, YES, NO, YES)
    client = signed_in("fanny")
    with django_assert_max_num_queries(14):
        client.get(reverse("circles:availability", args=[poll.pk]))
