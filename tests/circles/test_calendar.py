"""Calendars, read back by another implementation (vobject), and by zoneinfo for what time it is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import vobject
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cordee.circles import calendar, links
from cordee.circles.actions import meetings as actions
from cordee.circles.actions.meetings import Appointment
from cordee.circles.models import Circle, Meeting, Reply
from cordee.circles.vtimezone import vtimezone
from tests.circles.test_meetings import SOON, circle, cycle, of  # noqa: F401
from tests.people import signed_in, user

ZONES = ("Europe/Paris", "America/Montreal", "America/New_York", "Australia/Sydney", "Asia/Tokyo", "Africa/Casablanca",
         "Indian/Reunion", "Europe/Dublin", "America/Santiago", "Asia/Tehran", "America/St_Johns")  # fmt: skip


def read(text: str) -> vobject.base.Component:
    return vobject.readOne(text)


def unsaved(start: datetime, hours: int = 3, zone: str = "Europe/Paris", **more: object) -> Meeting:
    """A meeting that no database knows."""
    own = Circle(pk=1, name=str(more.pop("name", "Les Aravis")), time_zone=zone, place=str(more.pop("where", "")))
    return Meeting(
        pk=7, circle=own, number=3, uid="b2c0", starts_at=start, ends_at=start + timedelta(hours=hours), **more
    )


def event_of(meeting: Meeting) -> vobject.base.Component:
    made = calendar._calendar([meeting])
    made.add_component(calendar._event(meeting, timezone.now()))
    return read(calendar._written(made)).vevent


# ---------------------------------------------------------------- what time it is


@pytest.mark.parametrize("zone", ZONES)
def test_the_hour_of_a_meeting_is_right_on_every_day_of_six_years(zone):
    """By the rules that we write, which vobject reads, and not by a name that it may know."""
    made = vtimezone(zone, 2026)
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + made.to_ical().decode() + "END:VCALENDAR\r\n"
    theirs = read(text).vtimezone.gettzinfo()
    ours = ZoneInfo(zone)
    for day in range(365 * 6):
        for hour in (0, 9, 14):
            local = datetime(2026, 1, 1, hour) + timedelta(days=day)
            if local.replace(tzinfo=ours).astimezone(UTC).astimezone(ours).replace(tzinfo=None) != local:
                continue  # an hour that the clocks jump over
            if local.replace(tzinfo=ours).utcoffset() != local.replace(tzinfo=ours, fold=1).utcoffset():
                continue  # an hour that comes twice
            assert theirs.utcoffset(local) == local.replace(tzinfo=ours).utcoffset(), local


def test_paris_is_told_by_its_rule_and_not_year_by_year():
    text = vtimezone("Europe/Paris", 2026).to_ical().decode()
    assert text.count("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=") == 2 and text.count("BEGIN:") == 3


def test_a_cycle_across_the_change_of_the_clocks_stays_at_nine():
    zone = ZoneInfo("Europe/Paris")
    for day in (date(2027, 3, 27), date(2027, 3, 28), date(2027, 3, 29), date(2027, 10, 31), date(2027, 11, 1)):
        start = datetime(day.year, day.month, day.day, 9, tzinfo=zone)
        found = event_of(unsaved(start.astimezone(UTC)))
        assert (found.dtstart.value.hour, found.dtstart.value.utcoffset()) == (9, start.utcoffset())
        assert found.dtstart.value.astimezone(UTC) == start.astimezone(UTC)


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),
    minutes=st.integers(1, 60 * 30),
    zone=st.sampled_from(ZONES),
)
@settings(max_examples=300, deadline=None)
def test_any_moment_is_read_back_as_it_was(moment, minutes, zone):
    meeting = unsaved(moment.replace(microsecond=0), zone=zone)
    meeting.ends_at = meeting.starts_at + timedelta(minutes=minutes)
    found = event_of(meeting)
    for theirs, ours in ((found.dtstart, meeting.starts_at), (found.dtend, meeting.ends_at)):
        local = ours.astimezone(ZoneInfo(zone))
        assert theirs.value.replace(tzinfo=None) == local.replace(tzinfo=None)
        if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():  # not an hour that comes twice
            assert theirs.value.astimezone(UTC) == ours


# ---------------------------------------------------------------- hostile names


HOSTILE = st.text(st.characters(exclude_categories=("Cs",)), max_size=120) | st.sampled_from(
    ["a\r\nATTENDEE:mailto:x@evil.example", 'Ma"rie; Anne, ^n : l\'É\\n', "\x00\x07\u2028 \ufeff", "é" * 120,
     "END:VEVENT\nEND:VCALENDAR\nBEGIN:VCALENDAR", "\U0001f9d7" * 60]
)  # fmt: skip


@given(name=HOSTILE, where=HOSTILE, person=HOSTILE)
@settings(max_examples=300, deadline=None)
def test_no_name_adds_a_line_and_all_come_back(name, where, person):
    meeting = unsaved(SOON, name=name, where=where)
    event = calendar._event(meeting, timezone.now())
    event.add("attendee", calendar._address("a@example.org", person), encode=False)
    made = calendar._calendar([meeting])
    made.add_component(event)
    text = calendar._written(made)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    unfolded = text.replace("\r\n ", "").replace("\r\n\t", "").rstrip("\r\n").split("\r\n")
    assert not [line for line in unfolded if "\n" in line or "\r" in line]
    names = [line.partition(":")[0].partition(";")[0] for line in unfolded]
    assert (names.count("ATTENDEE"), names.count("BEGIN"), names.count("END")) == (1, 5, 5)
    attendee = unfolded[names.index("ATTENDEE")]
    assert "^" not in attendee and attendee.endswith(":mailto:a@example.org")
    found = read(text).vevent
    assert found.summary.value == calendar.plain(calendar.title(meeting))
    if meeting.where:
        assert found.location.value == calendar.plain(where)


# ---------------------------------------------------------------- invitations


@pytest.mark.django_db
def test_an_invitation_says_what_when_where_and_who_answered(circle):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    karim, claire, nadia = (of(circle, who) for who in ("karim", "claire", "nadia"))
    actions.reply(meeting, karim, Reply.COMING)
    actions.reply(meeting, claire, Reply.ABSENT, "la grippe de ma fille")
    text = calendar.invitation(meeting, [karim, claire, nadia])
    found = read(text)
    event = found.vevent
    assert found.method.value == "REQUEST" and event.status.value == "CONFIRMED"
    assert event.uid.value == meeting.uid and event.sequence.value == "0"
    assert event.summary.value == "Séance 1 · Les Aravis" and event.location.value == "Salle du Lac"
    assert event.url.value.endswith(f"/seances/{meeting.pk}/")
    people = {each.value: each.params["PARTSTAT"] for each in event.attendee_list}
    assert people == {
        "mailto:karim@example.org": ["ACCEPTED"],
        "mailto:claire@example.org": ["DECLINED"],
        "mailto:nadia@example.org": ["NEEDS-ACTION"],
    }
    assert event.organizer.params["CN"] == ["Les Aravis"]
    assert "grippe" not in text


@pytest.mark.django_db
def test_somebody_without_an_address_is_left_out(circle):  # noqa: F811
    meeting, karim = cycle(circle, 1)[0], of(circle, "karim")
    karim.user, karim.email = None, ""
    assert "ATTENDEE" not in calendar.invitation(meeting, [karim])


@pytest.mark.django_db
def test_a_cancelled_meeting_is_the_same_event_called_off(circle):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    cancelled = actions.cancel(meeting)
    found = read(calendar.invitation(cancelled, [of(circle, "karim")]))
    assert found.method.value == "CANCEL" and found.vevent.status.value == "CANCELLED"
    assert (found.vevent.uid.value, found.vevent.sequence.value) == (meeting.uid, "1")


class Client:
    """A calendar as RFC 5546 (2.1.5) has it: of one UID, the highest SEQUENCE; then the latest DTSTAMP."""

    def __init__(self) -> None:
        self.kept: dict[str, vobject.base.Component] = {}

    def receive(self, text: str) -> None:
        event = read(text).vevent
        mine = self.kept.get(event.uid.value)
        if mine is None or self.rank(event) >= self.rank(mine):
            self.kept[event.uid.value] = event

    def rank(self, event: vobject.base.Component) -> tuple[int, datetime]:
        return int(event.sequence.value), event.dtstamp.value

    @property
    def shown(self) -> dict[str, object]:
        return {
            uid: None
            if event.status.value == "CANCELLED"
            else (event.dtstart.value.astimezone(UTC), event.dtend.value.astimezone(UTC), place(event))
            for uid, event in self.kept.items()
        }


def place(event: vobject.base.Component) -> str:
    return event.location.value if hasattr(event, "location") else ""


WISHES = st.lists(
    st.tuples(
        st.sampled_from(["move", "place", "cancel", "reply"]), st.integers(0, 2), st.integers(0, 200), st.booleans()
    ),
    max_size=8,
)


@pytest.mark.django_db
@given(wishes=WISHES, order=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_client_that_receives_them_in_any_order_ends_with_what_is_true(circle, wishes, order):  # noqa: F811
    Meeting.objects.all().delete()
    meetings = cycle(circle, 3)
    karim = of(circle, "karim")
    clock = timezone.now()
    sent = [calendar.invitation(each, [karim], clock) for each in meetings]
    for seconds, (wish, which, days, coming) in enumerate(wishes, 1):
        meeting = Meeting.objects.select_related("circle").get(pk=meetings[which].pk)
        if meeting.cancelled_at:
            continue
        start = SOON + timedelta(days=days)
        if wish == "move":
            meeting = actions.move(meeting, Appointment(start, start + timedelta(hours=2), meeting.place))
        elif wish == "place":
            meeting = actions.move(meeting, Appointment(meeting.starts_at, meeting.ends_at, f"Salle {days}"))
        elif wish == "cancel":
            meeting = actions.cancel(meeting)
        else:
            actions.reply(meeting, karim, Reply.COMING if coming else Reply.ABSENT)
        sent.append(calendar.invitation(meeting, [karim], clock + timedelta(seconds=seconds)))
    order.shuffle(sent)
    client = Client()
    for text in sent:
        client.receive(text)
    assert client.shown == {
        each.uid: None if each.cancelled_at else (each.starts_at, each.ends_at, each.where)
        for each in Meeting.objects.select_related("circle")
    }


# ---------------------------------------------------------------- the feed


@pytest.mark.django_db
def test_a_feed_has_a_year_of_the_past_all_that_comes_and_what_is_called_off(circle):  # noqa: F811
    made = cycle(circle, 3)
    actions.cancel(made[1])
    old, ancient = (timezone.now() - timedelta(days=days) for days in (300, 400))
    for start in (old, ancient):
        actions.plan(circle, [(start, start + timedelta(hours=2))])
    Meeting.objects.update(changed_at=ancient)
    found = read(calendar.feed(user("karim")))
    assert [(event.sequence.value, event.status.value) for event in found.vevent_list] == [
        ("0", "CONFIRMED"),
        ("0", "CONFIRMED"),
        ("1", "CANCELLED"),
        ("0", "CONFIRMED"),
    ]
    assert len(found.vtimezone_list) == 1
    stamps = {event.dtstamp.value for event in found.vevent_list}
    assert stamps == {ancient.replace(microsecond=0)}  # of the change, so that an equal feed has an equal tag
    assert len(read(calendar.feed(user("octave"))).contents.get("vevent", [])) == 0


@pytest.mark.django_db
def test_a_feed_frees_the_time_of_who_will_be_absent_and_of_nobody_else(circle):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    actions.reply(meeting, of(circle, "karim"), Reply.ABSENT)
    assert read(calendar.feed(user("karim"))).vevent.transp.value == "TRANSPARENT"
    text = calendar.feed(user("claire"))
    assert read(text).vevent.transp.value == "OPAQUE" and "karim" not in text


@pytest.mark.django_db
def test_a_feed_opens_by_its_token_alone_until_links_are_renewed(circle):  # noqa: F811
    karim = user("karim")
    token = calendar.feed_token(karim)
    assert calendar.user_of_feed(token) == karim
    number, _dash, mark = token.partition("-")
    others = calendar.feed_token(user("claire")).partition("-")[2]
    for wrong in (
        "",
        "-",
        number,
        f"{number}-",
        f"{number}-{others}",
        f"zzzzzzzzzzzzzzzz-{mark}",
        f"{number}-é",
        token + "0",
    ):
        assert calendar.user_of_feed(wrong) is None, wrong
    poll = links.make(links.AVAILABILITY, karim.pk, karim.links_epoch)
    assert links.read(links.AVAILABILITY, poll) and calendar.user_of_feed(poll) is None
    karim.links_epoch += 1
    karim.save()
    assert calendar.user_of_feed(token) is None
    token = calendar.feed_token(karim)
    karim.is_active = False
    karim.save()
    assert calendar.user_of_feed(token) is None


@pytest.mark.django_db
def test_the_feed_is_asked_for_again_by_its_tag_and_kept_by_nobody_on_the_way(circle, client):  # noqa: F811
    cycle(circle, 1)
    url = reverse("circles:feed", args=[calendar.feed_token(user("karim"))])
    answer = client.get(url)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8" and read(answer.content.decode()).vevent
    assert answer["Cache-Control"] == "private, no-cache" and "Last-Modified" in answer
    assert client.get(url, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304
    assert client.get(url, HTTP_IF_MODIFIED_SINCE=answer["Last-Modified"]).status_code == 200
    Circle.objects.update(name="Les Bauges")
    assert client.get(url, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 200
    assert "session" not in client.cookies


@pytest.mark.django_db
def test_a_renewed_address_closes_the_former(circle, client):  # noqa: F811
    cycle(circle, 1)
    former = reverse("circles:feed", args=[calendar.feed_token(user("karim"))])
    browser = signed_in("karim")
    assert former in browser.get(reverse("circles:agenda")).content.decode()
    assert browser.post(reverse("circles:renew")).status_code == 302
    assert client.get(former).status_code == 404
    page = browser.get(reverse("circles:agenda")).content.decode()
    assert former not in page and "webcal://testserver/agenda/" in page


@pytest.mark.django_db
def test_a_file_of_one_meeting_invites_nobody(circle):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    answer = signed_in("karim").get(reverse("circles:meeting_file", args=[meeting.pk]))
    found = read(answer.content.decode())
    assert found.method.value == "PUBLISH" and found.vevent.uid.value == meeting.uid
    assert "attendee" not in found.vevent.contents
