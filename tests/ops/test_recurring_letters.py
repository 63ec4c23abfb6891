"""What tick writes by itself: to whom, when, once; and never a word of what it reminds of."""

import logging
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from cordee.circles import crypto
from cordee.circles.actions import circles, members, situations
from cordee.circles.models import Availability, Charter, Meeting, Membership, Signature, Slot
from cordee.followup.models import Commitment, Success
from cordee.mail.models import Letter
from cordee.mail.postman import round_
from cordee.ops import recurring_letters
from tests.mail.conftest import box  # noqa: F401
from tests.people import person, space_of

pytestmark = pytest.mark.django_db
NOW = datetime(2030, 3, 4, 11, tzinfo=UTC)
CANARIES = [f"canari-{name}" for name in ("titre", "texte", "si", "alors", "temoin")]


class Lake:
    """Fanny leads, Karim and Claire are in, Thomas left, Nadia waits; a meeting in ten days; all have signed."""

    def __init__(self) -> None:
        self.space = space_of()
        names = ("rose", "fanny", "karim", "claire", "thomas", "nadia")
        self.people = {name: person(self.space, name) for name in names}
        self.circle = circles.create(self.space, self.people["rose"], [self.people["fanny"]], name="Les éclaireurs")
        for name in ("karim", "claire", "thomas"):
            members.add(self.circle, self.people[name])
        members.leave(self.circle.memberships.get(person=self.people["thomas"]))
        members.wait(self.circle, self.people["nadia"])
        self.charter = self.circle.charters.get()
        for name in ("fanny", "karim", "claire"):
            Signature.objects.create(charter=self.charter, person=self.people[name])
        start = NOW + timedelta(days=10)
        self.meeting = Meeting.objects.create(
            circle=self.circle, number=1, starts_at=start, ends_at=start + timedelta(hours=3), uid="lake-1"
        )
        Letter.objects.all().delete()

    def promise(self, name: str, id_: str = "c", **dates: date) -> Commitment:
        made = Commitment(id=id_, circle=self.circle, person=self.people[name], **dates)
        key = crypto.unwrap(self.circle.wrapped_key or b"")
        made.hold(key, {"if": CANARIES[2], "then": CANARIES[3], "witness": CANARIES[4]})
        made.save()
        return made

    def bring(self, name: str) -> None:
        situation = situations.begin(self.circle, self.people[name])
        situations.save(situation, {"title": CANARIES[0], "text": CANARIES[1], "nature": "problem"})
        situation.refresh_from_db()
        type(situation).objects.filter(pk=situation.pk).update(state=situation.BROUGHT, meeting=self.meeting)


@pytest.fixture
def clock(monkeypatch):
    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    set_to(NOW)
    return set_to


@pytest.fixture
def lake(clock) -> Lake:
    return Lake()


def written(kind: str) -> list[str]:
    """To whom, in the order of their names; what is written is then forgotten by this function, not by the outbox."""
    recurring_letters.write()
    found = sorted(Letter.objects.filter(kind=kind, sent_at=None).values_list("to", flat=True))
    Letter.objects.update(sent_at=timezone.now())
    return [address.partition("@")[0] for address in found]


def test_who_has_brought_nothing_is_asked_seven_days_and_two_days_before_once_each(lake, clock):
    asked = {}
    for hours in range(0, 11 * 24, 6):
        clock(NOW + timedelta(hours=hours))
        for _twice in range(2):
            if to := written("prepare"):
                asked[hours / 24] = to
    assert asked == {3: ["claire", "karim"], 8: ["claire", "karim"]}


def test_who_has_brought_one_is_not_asked(lake, clock):
    lake.bring("karim")
    clock(NOW + timedelta(days=3))
    assert written("prepare") == ["claire"]


@pytest.mark.parametrize("what", ["cancelled", "ended", "late", "erased"])
def test_nobody_is_asked_for_nothing(lake, clock, what):
    clock(NOW + timedelta(days=9.5 if what == "late" else 3))  # late: less than a day before
    if what == "cancelled":
        Meeting.objects.update(cancelled_at=NOW)
    elif what == "ended":
        type(lake.circle).objects.update(ended_at=NOW)
    elif what == "erased":
        lake.circle.destroy_key()
    assert written("prepare") == []


def test_a_meeting_that_moved_is_asked_for_anew(lake, clock):
    clock(NOW + timedelta(days=3))
    assert written("prepare") == ["claire", "karim"]
    start = NOW + timedelta(days=24)
    Meeting.objects.update(starts_at=start, ends_at=start + timedelta(hours=3))
    clock(NOW + timedelta(days=17))
    assert written("prepare") == ["claire", "karim"]


def test_who_is_silent_in_a_poll_is_asked_again_before_the_first_date(lake, clock):
    Meeting.objects.update(starts_at=None, ends_at=None)
    slots = [
        Slot.objects.create(
            meeting=lake.meeting, starts_at=NOW + timedelta(days=d), ends_at=NOW + timedelta(days=d, hours=2)
        )
        for d in (12, 20)
    ]
    Availability.objects.create(slot=slots[1], person=lake.people["karim"], answer="no")
    assert written("availability") == []
    clock(NOW + timedelta(days=2))
    assert written("availability") == ["claire", "fanny"]
    assert written("availability") == []
    clock(NOW + timedelta(days=8))
    assert written("availability") == ["claire", "fanny"]
    clock(NOW + timedelta(days=13))
    assert written("availability") == []


def test_who_has_not_signed_the_charter_in_force_is_asked_again_twice(lake, clock):
    asked = {}
    second = Charter.objects.create(circle=lake.circle, version=2, text="t", scope="s", erase_on=lake.charter.erase_on)
    Charter.objects.update(created_at=NOW)
    Signature.objects.create(charter=second, person=lake.people["claire"])
    for days in range(20):
        clock(NOW + timedelta(days=days))
        if to := written("charter_to_sign"):
            asked[days] = to
    assert asked == {3: ["fanny", "karim"], 10: ["fanny", "karim"]}


def test_a_commitment_is_asked_about_on_its_day_and_on_the_day_one_wished(lake, clock):
    lake.promise("karim", due_on=date(2030, 3, 14), remind_on=date(2030, 3, 9))
    asked = []
    for days in range(40):
        clock(NOW + timedelta(days=days))
        if written("commitment_due"):
            asked.append(timezone.localdate().day)
    assert asked == [9, 14]


@pytest.mark.parametrize(
    ("state", "asked"), [("tried", ["karim"]), ("adapted", ["karim"]), ("kept", []), ("let_go", [])]
)
def test_one_is_reminded_as_one_wished_of_what_is_not_over(lake, clock, state, asked):
    lake.promise("karim", due_on=date(2030, 3, 4)).stand(state=state, remind_on=date(2030, 3, 9))
    clock(NOW + timedelta(days=3))
    assert written("commitment_due") == []  # answered: its date is not asked about
    clock(NOW.replace(day=9))
    assert written("commitment_due") == asked and written("commitment_due") == []


def test_a_reminder_set_for_today_leaves_today(lake, clock):
    lake.promise("karim", due_on=date(2030, 4, 4)).stand(remind_on=NOW.date())
    assert written("commitment_due") == ["karim"]


def test_a_witness_is_told_once_that_it_is_kept_and_who_left_is_not(lake, clock):
    for who, witness in (("karim", "claire"), ("claire", "karim")):
        promise = lake.promise(who, f"of-{who}")
        promise.witness = lake.people[witness]
        promise.save()
        promise.stand(state="kept", at=NOW)
    tried = lake.promise("karim", "tried")
    tried.witness = lake.people["fanny"]
    tried.stand(state="tried", at=NOW)
    tried.save()
    assert written("witnessed_kept") == []  # a tap may be a mistake
    Membership.objects.filter(person=lake.people["karim"]).update(left_at=NOW)
    clock(NOW + timedelta(hours=2))
    assert written("witnessed_kept") == ["claire"] and written("witnessed_kept") == []
    letter = Letter.objects.get(kind="witnessed_kept")
    assert "Karim" not in letter.text and not [word for word in CANARIES if word in letter.text]


def thanks(lake, author: str, thanked: str) -> None:
    promise = lake.promise(author, f"of-{author}")
    success = Success(id=f"by-{author}", commitment=promise, thanked=lake.people[thanked], thanked_at=NOW)
    success.hold(lake.circle.key() or b"", {"word": CANARIES[0]})
    success.save()


def test_who_is_thanked_hears_once_that_a_thank_you_waits_unless_they_left(lake, clock):
    thanks(lake, "karim", "claire")
    thanks(lake, "claire", "fanny")
    Membership.objects.filter(person=lake.people["fanny"]).update(left_at=NOW)
    assert written("thanks_wait") == []  # it may be taken back at once
    clock(NOW + timedelta(hours=2))
    assert written("thanks_wait") == ["claire"] and written("thanks_wait") == []
    letter = Letter.objects.get(kind="thanks_wait")
    assert "Karim" not in letter.text and CANARIES[0] not in letter.text


def test_of_a_thank_you_that_nobody_can_read_any_more_no_letter_is_written(lake, clock):
    thanks(lake, "karim", "claire")
    lake.circle.destroy_key()
    clock(NOW + timedelta(hours=2))
    assert written("thanks_wait") == []


def test_a_commitment_that_was_answered_or_is_long_past_is_left_in_peace(lake, clock):
    lake.promise("karim", due_on=date(2030, 3, 4)).stand(state=Commitment.KEPT)
    lake.promise("claire", "old", due_on=date(2030, 2, 1))
    assert written("commitment_due") == []


def test_its_letter_leads_to_the_answers_and_says_no_word(lake, client, box, caplog):  # noqa: F811
    caplog.set_level(logging.DEBUG)
    lake.promise("karim", due_on=date(2030, 3, 4))
    lake.bring("karim")
    recurring_letters.write()
    letter = Letter.objects.get(kind="commitment_due")
    assert len(letter.gist["links"]) == 5
    for _label, url in letter.gist["links"][:4]:
        assert client.get(url.removeprefix("http://127.0.0.1:8000")).status_code == 200
    assert round_()["sent"] >= 1
    for where in (repr(list(Letter.objects.values())), b"".join(raw for _to, raw in box.taken).decode(), caplog.text):
        assert not [word for word in CANARIES if word in where]
    assert "karim@example.org" not in caplog.text


def test_the_guests_of_a_room_get_none(clock):
    from cordee.room import actions

    actions.open_room("Fanny")
    assert recurring_letters.write().total() == 0


def test_it_asks_the_database_no_more_when_nothing_is_new(lake, clock, django_assert_max_num_queries):
    clock(NOW + timedelta(days=3))
    recurring_letters.write()
    with django_assert_max_num_queries(24):
        assert recurring_letters.write().total() == 0
