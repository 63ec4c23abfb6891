"""The pages of meetings, by HTTP, as people use them: without a script."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from cordee.accounts.models import Person, Role
from cordee.circles import links
from cordee.circles.actions import circles, members
from cordee.circles.actions import meetings as actions
from cordee.circles.forms.meetings import Cycle
from cordee.circles.models import Attendance, Circle, Meeting, Membership, Reply, Situation
from cordee.circles.queries import meetings as queries
from cordee.mail.models import Letter
from tests.circles.test_meetings import circle, cycle, of, to  # noqa: F401
from tests.people import person, signed_in, user

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def february(monkeypatch):
    """It is the first of February 2027, so that the spring below is to come whenever these tests are run."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2027, 2, 1, 9, tzinfo=UTC))


before_spring = pytest.mark.usefixtures("february")


@pytest.fixture
def rose(circle) -> Person:  # noqa: F811
    """The organiser, who is in no circle."""
    return person(circle.space, "rose", roles=[Role.ORGANISER])


def get(who: str, name: str, *args: object, status: int = 200) -> str:
    answer = signed_in(who).get(reverse(f"circles:{name}", args=args))
    assert answer.status_code == status
    return answer.content.decode()


def post(who: str, name: str, *args: object, status: int = 302, **data: object) -> str:
    answer = signed_in(who).post(reverse(f"circles:{name}", args=args), data)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


# ---------------------------------------------------------------- a cycle


CYCLE = {"rhythm": "weeks", "first": "2027-04-13", "every": 4, "count": 3, "at": "09:00", "lasts": 210, "rounds": 2}


def rows_of(page: str) -> dict[str, str]:
    """What the preview would send if it were confirmed as it is."""
    fields = re.findall(r"<input[^>]*>", page)
    named = {}
    for field in fields:
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', field))
        if attributes.get("name", "").startswith("form-") and attributes.get("type") != "checkbox":
            named[attributes["name"]] = attributes.get("value", "")
    return named


@before_spring
def test_a_cycle_is_previewed_with_its_holidays_then_confirmed(circle):  # noqa: F811
    page = post("fanny", "plan", circle.pk, status=200, **{**CYCLE, "first": "2027-04-08"})
    assert page.count('type="date"') == 3 and "Férié (Ascension)" in page and "jeudi 6 mai 2027" in page
    assert not Meeting.objects.exists()
    post("fanny", "plan", circle.pk, **rows_of(page), do="confirm")
    made = list(Meeting.objects.order_by("number"))
    local = [each.starts_at.astimezone(PARIS) for each in made]
    assert [f"{each:%d/%m %H:%M}" for each in local] == ["08/04 09:00", "06/05 09:00", "03/06 09:00"]
    assert {each.ends_at - each.starts_at for each in made} == {timedelta(minutes=210)}
    assert {each.rounds for each in made} == {2}
    assert Letter.objects.filter(kind="convocation").count() == 3 * 6
    post("fanny", "plan", circle.pk, **rows_of(page), do="confirm")  # the button touched twice
    assert Meeting.objects.count() == 3 and Letter.objects.count() == 18


@before_spring
def test_each_meeting_of_a_cycle_may_change_before_it_is_confirmed(circle):  # noqa: F811
    rows = rows_of(post("fanny", "plan", circle.pk, status=200, **CYCLE))
    rows |= {"form-0-place": "Mairie", "form-1-DELETE": "on", "form-2-day": "2027-06-12", "form-2-end": "17:00"}
    page = post("fanny", "plan", circle.pk, status=200, **rows, do="preview")
    assert "Un samedi" in page
    post("fanny", "plan", circle.pk, **rows, do="confirm")
    made = Meeting.objects.order_by("number")
    assert [each.place for each in made] == ["Mairie", ""]
    assert made[1].ends_at.astimezone(PARIS) == datetime(2027, 6, 12, 17, tzinfo=PARIS)


def test_a_list_of_dates_is_read_and_a_line_that_is_none_is_named(circle):  # noqa: F811
    given = {**CYCLE, "rhythm": "dates", "days": "12/04/2027\n\n2027-05-20\n"}
    page = post("fanny", "plan", circle.pk, status=200, **given)
    assert 'value="2027-04-12"' in page and 'value="2027-05-20"' in page
    page = post("fanny", "plan", circle.pk, status=409, **{**given, "days": "12/04/2027\n31/02/2027\nmardi"})
    assert "Ligne 2" in page and "Ligne 3" in page and "Ligne 1" not in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"first": ""}, "Il manque la date"),
        ({"lasts": 0}, "Donnez l’heure de fin"),
        ({"lasts": 0, "until": "08:00"}, "avant celle du début"),
        ({"rhythm": "dates", "days": " "}, "au moins une date"),
        ({"rhythm": "dates", "days": "\n".join(f"{day}/04/2027" for day in range(1, 31))}, "24 dates au plus"),
    ],
)
def test_what_is_missing_is_said(circle, changed, said):  # noqa: F811
    assert said in post("fanny", "plan", circle.pk, status=409, **(CYCLE | changed))


def test_what_is_typed_is_kept_when_it_is_refused(circle):  # noqa: F811
    page = post("fanny", "plan", circle.pk, status=409, **{**CYCLE, "first": "", "place": "Chez Léa <b>"})
    assert "Chez Léa &lt;b&gt;" in page


@before_spring
def test_a_date_of_the_past_and_a_time_already_taken_are_pointed_out(circle):  # noqa: F811
    page = post("fanny", "plan", circle.pk, status=200, **{**CYCLE, "first": "2020-01-07", "count": 1})
    assert "Cette date est passée" in post("fanny", "plan", circle.pk, status=409, **rows_of(page), do="confirm")
    day = datetime(2027, 4, 13, 8, tzinfo=PARIS)
    actions.plan(circle, [(day, day + timedelta(hours=2))])
    assert "En même temps que la séance 1" in post("fanny", "plan", circle.pk, status=200, **CYCLE)


@before_spring
def test_hours_are_those_of_the_circle_s_clock(circle):  # noqa: F811
    Circle.objects.update(time_zone="America/Montreal")
    page = post("fanny", "plan", circle.pk, status=200, **CYCLE)
    post("fanny", "plan", circle.pk, **rows_of(page), do="confirm")
    first = Meeting.objects.get(number=1)
    assert first.starts_at == datetime(2027, 4, 13, 9, tzinfo=ZoneInfo("America/Montreal"))
    shown = get("karim", "meeting", first.pk)
    assert "mardi 13 avril 2027, de 15:00 à 18:30 (heure de Paris)".lower() in shown.lower()
    assert "mardi 13 avril 2027, de 09:00 à 12:30 (heure de Montreal)" in shown


def test_the_clock_is_named_only_when_it_is_not_the_circle_s(circle):  # noqa: F811
    Circle.objects.update(time_zone="Europe/Berlin")  # shows the same hour as Paris
    assert "heure de" not in get("karim", "meeting", cycle(circle, 1)[0].pk)


def test_a_day_of_work_is_two_half_days_and_a_morning_is_one():
    form = Cycle({**CYCLE, "lasts": 420})
    assert form.is_valid()
    start, end = form.span(date(2027, 4, 13), "Europe/Paris")
    assert (end - start) == timedelta(hours=7)


def test_a_circle_without_a_meeting_says_so_and_one_with_many_has_pages(circle):  # noqa: F811
    assert "Aucune séance prévue" in get("karim", "meetings", circle.pk)
    past = [timezone.now() - timedelta(days=day) for day in range(1, 61)]
    actions.plan(circle, [(start, start + timedelta(hours=1)) for start in past])
    page = get("karim", "meetings", circle.pk)
    assert page.count("<li>") == 50 and "Plus anciennes" in page


# ---------------------------------------------------------------- moved, cancelled


def move_data(meeting: Meeting, **changed: object) -> dict[str, object]:
    local = meeting.starts_at.astimezone(PARIS)
    known = {"day": f"{local:%Y-%m-%d}", "start": f"{local:%H:%M}", "end": f"{local + timedelta(hours=2):%H:%M}",
             "place": "", "video_link": "", "rounds": 1}  # fmt: skip
    return known | changed


@before_spring
def test_a_meeting_is_moved_each_is_told_and_answers_again(circle):  # noqa: F811
    day = datetime(2027, 4, 13, 9, tzinfo=PARIS)
    meeting = actions.plan(circle, [(day, day + timedelta(hours=2))])[0]
    actions.reply(meeting, of(circle, "karim"), Reply.COMING)
    post("fanny", "move", meeting.pk, **move_data(meeting, day="2027-04-15"))
    letters = Letter.objects.filter(kind="meeting_changed")
    assert letters.count() == 6 and all("SEQUENCE:1" in each.calendar for each in letters)
    assert "mardi 13 avril 2027" in letters[0].text and "jeudi 15 avril 2027" in letters[0].text
    assert not Reply.objects.exists()


@before_spring
def test_a_move_to_a_holiday_is_asked_about_once(circle):  # noqa: F811
    day = datetime(2027, 4, 13, 9, tzinfo=PARIS)
    meeting = actions.plan(circle, [(day, day + timedelta(hours=2))])[0]
    data = move_data(meeting, day="2027-05-06")
    page = post("fanny", "move", meeting.pk, status=200, **data)
    assert "Férié (Ascension)" in page and 'name="sure" value="2027-05-06"' in page
    assert Meeting.objects.get().sequence == 0
    post("fanny", "move", meeting.pk, **data, sure="2027-05-06")
    assert Meeting.objects.get().sequence == 1


def test_a_cancelled_meeting_is_told_shown_and_closed(circle, rose):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    assert "Annuler la séance ?" in get("rose", "cancel", meeting.pk)
    assert not Meeting.objects.get().cancelled_at
    post("rose", "cancel", meeting.pk)
    letters = Letter.objects.filter(kind="meeting_cancelled")
    assert letters.count() == 6 and all("METHOD:CANCEL" in each.calendar for each in letters)
    assert {each.method for each in letters} == {"CANCEL"}
    page = get("karim", "meeting", meeting.pk)
    assert "Cette séance est annulée" in page and "Je viens" not in page
    assert "annulée" in get("karim", "meetings", circle.pk)
    assert "annulée" in post("karim", "reply", meeting.pk, status=409, answer="coming")
    post("fanny", "move", meeting.pk, status=409, **move_data(meeting, place="Mairie"))


def test_the_circle_s_own_place_is_a_change_of_the_meetings_that_have_none_of_their_own(circle):  # noqa: F811
    _first, second = cycle(circle, 2)
    actions.move(second, to(second, place="Mairie", video_link="https://visio.example/a"))
    Letter.objects.all().delete()
    circles.edit(circle, name="Les Bauges", place="Refuge")
    assert set(Letter.objects.values_list("kind", flat=True)) == {"meeting_changed"}
    assert Letter.objects.count() == 6 and "LOCATION:Refuge" in Letter.objects.first().calendar
    circles.edit(circle, name="Les Aravis", place="Refuge")
    assert [each.sequence for each in Meeting.objects.order_by("number")] == [1, 1]


def test_who_joins_the_circle_is_called_to_what_comes_and_again_if_they_come_back(circle):  # noqa: F811
    first, *_others = cycle(circle, 3)
    actions.cancel(first)
    newcomer = person(circle.space, "marc")
    calls = Letter.objects.filter(kind="convocation", to="marc@example.org")
    membership = members.add(circle, newcomer)
    assert calls.count() == 2
    members.add(circle, newcomer)
    assert calls.count() == 2
    members.leave(membership)
    members.add(circle, newcomer)
    assert calls.count() == 4


# ---------------------------------------------------------------- who comes


REASON = "un rendez-vous chez le cardiologue"


def test_one_touch_says_that_one_comes_or_not(circle):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    assert "Venez-vous ?" in get("karim", "meeting", meeting.pk)
    post("karim", "reply", meeting.pk, answer="coming")
    page = get("karim", "meeting", meeting.pk)
    assert "Vous venez" in page and "viennent : 1 sur 5" in page
    post("karim", "reply", meeting.pk, answer="absent")
    assert "Vous ne venez pas" in get("karim", "meeting", meeting.pk)
    assert "ne vient pas" in get("claire", "meeting", meeting.pk)
    post("karim", "reply", meeting.pk, status=409, answer="peut-être")


def test_a_reason_is_shown_to_its_author_and_to_nobody_else_in_no_page_letter_calendar_or_log(circle, rose, caplog):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    for who in ("claire", "thomas", "karim"):
        post(who, "reply", meeting.pk, answer="absent", reason=REASON if who == "karim" else "")
    assert REASON in get("karim", "meeting", meeting.pk)
    for who in ("claire", "fanny", "rose"):
        for name, at in (("meeting", meeting.pk), ("meetings", circle.pk), ("meeting_file", meeting.pk)):
            assert "cardiologue" not in get(who, name, at), (who, name)
    page = get("fanny", "meeting", meeting.pk)
    assert "Karim" in page and "ne vient pas" in page
    for letter in Letter.objects.all():
        assert "cardiologue" not in f"{letter.subject}{letter.text}{letter.html}{letter.calendar}{letter.gist}"
    assert Letter.objects.filter(kind="quorum_in_doubt").exists()
    assert "cardiologue" not in caplog.text


def test_the_facilitator_and_the_organiser_are_told_when_too_few_may_come_and_nobody_else(circle, rose):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    post("claire", "reply", meeting.pk, answer="absent")
    assert not Letter.objects.filter(kind="quorum_in_doubt").exists()  # four may still come, and four are needed
    post("thomas", "reply", meeting.pk, answer="absent")
    told = Letter.objects.filter(kind="quorum_in_doubt")
    assert {each.to for each in told} == {"fanny@example.org", "rose@example.org"}
    post("thomas", "reply", meeting.pk, answer="coming")
    post("thomas", "reply", meeting.pk, answer="absent")
    assert told.all().count() == 2  # of the same doubt, once
    post("nadia", "reply", meeting.pk, answer="absent")
    assert told.all().count() == 4  # of a graver one, again


def test_who_decides_may_keep_it_all_the_same_and_members_are_not_asked(circle):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    for who in ("claire", "thomas"):
        post(who, "reply", meeting.pk, answer="absent")
    assert "Serez-vous assez" in get("fanny", "meeting", meeting.pk)
    assert "Serez-vous assez" not in get("karim", "meeting", meeting.pk)
    post("fanny", "keep", meeting.pk)
    page = get("fanny", "meeting", meeting.pk)
    assert "Serez-vous assez" not in page and "Séance maintenue à 3" in page
    post("nadia", "reply", meeting.pk, answer="absent")
    assert Letter.objects.filter(kind="quorum_in_doubt", key__contains=":2:").count() == 0


def test_three_days_before_silence_is_counted_as_absence_and_told_once(circle, rose, settings, tmp_path):  # noqa: F811
    start = timezone.now() + timedelta(days=4)
    meeting = actions.plan(circle, [(start, start + timedelta(hours=2))])[0]
    assert actions.tell_doubts() == 0
    near = timezone.now() + timedelta(days=2)
    Meeting.objects.update(starts_at=near, ends_at=near + timedelta(hours=2))
    settings.VAR_DIR = tmp_path
    call_command("tick")
    assert Letter.objects.filter(kind="quorum_in_doubt").count() == 2
    actions.reply(meeting, of(circle, "karim"), Reply.COMING)
    assert actions.tell_doubts() == 0  # still too few, and already told
    assert "0" in Letter.objects.filter(kind="quorum_in_doubt").first().text


@pytest.mark.parametrize("why", ["enough", "kept", "cancelled"])
def test_nobody_is_told_of_a_meeting_that_is_not_in_doubt(circle, rose, why):  # noqa: F811
    near = timezone.now() + timedelta(days=2)
    meeting = actions.plan(circle, [(near, near + timedelta(hours=2))])[0]
    if why == "enough":
        for who in ("claire", "karim", "thomas", "nadia"):
            actions.reply(meeting, of(circle, who), Reply.COMING)
    else:
        getattr(actions, "keep" if why == "kept" else "cancel")(meeting)
    assert actions.tell_doubts() == 0


# ---------------------------------------------------------------- by the link of a letter


def link(meeting: Meeting, who: Person, sequence: int | None = None) -> str:
    token = links.make(links.REPLY, meeting.pk, who.pk, meeting.sequence if sequence is None else sequence)
    return reverse("circles:reply_by_link", args=[token])


def test_looking_at_the_link_answers_nothing_and_its_button_does(circle):  # noqa: F811
    meeting, karim = cycle(circle, 1)[0], of(circle, "karim")
    url = link(meeting, karim)
    letter = Letter.objects.get(to="karim@example.org")
    assert all(
        f"{url}?r={answer}" in letter.text and f"{url}?r={answer}" in letter.html for answer in ("coming", "absent")
    )
    page = Client().get(url + "?r=coming").content.decode()
    assert page.count('name="answer"') == 1 and 'value="coming"' in page and "Karim" in page
    assert Client().get(url).content.decode().count('name="answer"') == 2
    assert Client().head(url).status_code == 405 and not Reply.objects.exists()
    assert "vous ne venez pas" in Client().post(url, {"answer": "absent"}).content.decode()
    assert Reply.objects.get().answer == Reply.ABSENT and Reply.objects.get().person == karim


def test_a_link_answers_for_its_person_its_meeting_and_its_version_alone(circle):  # noqa: F811
    first, second = cycle(circle, 2)
    karim, claire = of(circle, "karim"), of(circle, "claire")
    numbers, _dash, mark = link(first, karim).rstrip("/").rpartition("-")
    for other in (link(first, claire), link(second, karim), link(first, karim, 1)):
        forged = other.rstrip("/").rpartition("-")[0] + f"-{mark}/"
        assert Client().post(forged, {"answer": "coming"}).status_code == 404
    poll = links.make(links.AVAILABILITY, first.pk, karim.pk)
    for wrong in ("", "-", "a-b-c-d", poll, mark, f"{mark}-{mark}", numbers.rpartition("/")[2], "é-é"):
        if wrong:
            url = reverse("circles:reply_by_link", args=[wrong])
            assert Client().post(url, {"answer": "coming"}).status_code == 404, wrong
    assert not Reply.objects.exists()


@pytest.mark.parametrize("what", ["moved", "cancelled", "over"])
def test_a_link_dies_when_its_meeting_changes_or_is_over(circle, what):  # noqa: F811
    meeting, karim = cycle(circle, 1)[0], of(circle, "karim")
    url = link(meeting, karim)
    if what == "moved":
        actions.move(meeting, to(meeting, place="Mairie"))
    elif what == "cancelled":
        actions.cancel(meeting)
    else:
        past = timezone.now() - timedelta(days=2)
        Meeting.objects.update(starts_at=past, ends_at=past + timedelta(hours=2))
    for answer in (Client().get(url), Client().post(url, {"answer": "coming"})):
        assert answer.status_code == 410 and "ne sert plus" in answer.content.decode()
    assert not Reply.objects.exists()


def test_a_link_is_nothing_to_who_left_the_circle(circle):  # noqa: F811
    meeting, karim = cycle(circle, 1)[0], of(circle, "karim")
    url = link(meeting, karim)
    Membership.objects.filter(person=karim).update(left_at=timezone.now())
    assert Client().get(url).status_code == 404 and Client().post(url, {"answer": "coming"}).status_code == 404


def test_somebody_without_an_account_answers_by_their_link(circle):  # noqa: F811
    noe = person(circle.space, "noe", user=None)
    Membership.objects.create(circle=circle, person=noe, joined_at=timezone.now())
    meeting = cycle(circle, 1)[0]
    Client().post(link(meeting, noe), {"answer": "coming"})
    assert queries.coming(meeting).present == 1


# ---------------------------------------------------------------- before and after


def test_what_is_prepared_is_counted_and_never_read(circle):  # noqa: F811
    meeting = cycle(circle, 1)[0]
    assert "Personne n’en a encore apporté." in get("fanny", "meeting", meeting.pk)
    made = {"circle": circle, "person": of(circle, "karim")}
    Situation.objects.create(id="s1", reserve=True, state=Situation.SET_ASIDE, **made)
    assert "1 est en réserve" in get("fanny", "meeting", meeting.pk)
    for i in (2, 3):
        Situation.objects.create(id=f"s{i}", meeting=meeting, state=Situation.BROUGHT, **made)
    Situation.objects.create(id="s4", reserve=True, state=Situation.TREATED, **made)
    assert "2 situations apportées, 1 en réserve" in get("fanny", "meeting", meeting.pk)


def room_has_an_address() -> bool:
    try:
        return bool(reverse("room:meeting", args=[1]))
    except NoReverseMatch:
        return False


def test_the_door_of_the_room_is_shown_from_a_quarter_of_an_hour_before_to_the_end(circle, rose):  # noqa: F811
    now = timezone.now()
    meeting = actions.plan(circle, [(now + timedelta(minutes=16), now + timedelta(hours=2))])[0]
    soon = "La salle ouvre un quart d’heure avant"
    assert soon in get("karim", "meeting", meeting.pk)
    Meeting.objects.update(starts_at=now + timedelta(minutes=14))
    open_to = get("karim", "meeting", meeting.pk)
    assert soon not in open_to or "Entrer dans la salle" not in open_to
    assert soon not in get("rose", "meeting", meeting.pk) and "Entrer dans la salle" not in get(
        "rose", "meeting", meeting.pk
    )
    Meeting.objects.update(starts_at=now - timedelta(hours=3), ends_at=now - timedelta(minutes=1))
    assert "Entrer dans la salle" not in get("karim", "meeting", meeting.pk)


def test_attendance_is_shown_afterwards_as_the_room_recorded_it(circle, rose):  # noqa: F811
    past = timezone.now() - timedelta(days=3)
    meeting = actions.plan(circle, [(past, past + timedelta(hours=2))])[0]
    assert "aucune présence" in get("rose", "meeting", meeting.pk)
    Attendance.objects.create(meeting=meeting, person=of(circle, "karim"), arrived_at=past, minutes=95)
    page = get("rose", "meeting", meeting.pk)
    assert "Karim" in page and "95 minutes" in page and "Claire" not in page


# ---------------------------------------------------------------- joining, leaving


@before_spring
def test_a_letter_is_in_its_reader_s_language_and_clock(circle):  # noqa: F811
    account = user("karim")
    account.language, account.time_zone = "en", "America/Montreal"
    account.save()
    day = datetime(2027, 4, 13, 9, tzinfo=PARIS)
    actions.plan(circle, [(day, day + timedelta(hours=2))])
    letter = Letter.objects.get(to="karim@example.org")
    assert "Meeting 1" in letter.calendar and "03:00" in letter.text
    assert "TZID=Europe/Paris:20270413T090000" in letter.calendar  # one meeting, one clock, whoever reads
    assert "Séance 1" in Letter.objects.get(to="claire@example.org").calendar


def test_a_person_s_address_is_in_nobody_else_s_invitation(circle):  # noqa: F811
    cycle(circle, 1)
    for letter in Letter.objects.all():
        assert letter.to in letter.calendar
        for other in ("karim", "claire", "fanny"):
            assert f"{other}@example.org" == letter.to or f"{other}@example.org" not in letter.calendar


# ---------------------------------------------------------------- how often the database is asked


@pytest.mark.parametrize("name", ["meetings", "meeting", "plan", "propose", "move", "cancel", "agenda", "meeting_file"])
@pytest.mark.parametrize("who", ["karim", "fanny"])
def test_no_page_asks_the_database_more_than_ten_times(circle, who, name, django_assert_max_num_queries):  # noqa: F811
    meeting = cycle(circle, 8)[0]
    for peer in ("claire", "thomas", "karim"):
        actions.reply(meeting, of(circle, peer), Reply.ABSENT, REASON)
    where = {"meetings": [circle.pk], "plan": [circle.pk], "propose": [circle.pk], "agenda": []}.get(name, [meeting.pk])
    client = signed_in(who)
    with django_assert_max_num_queries(12):
        client.get(reverse(f"circles:{name}", args=where))
