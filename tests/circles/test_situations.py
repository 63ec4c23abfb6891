"""Situations prepared before a meeting: their author's alone, brought, kept in reserve; nothing typed is lost."""

from datetime import timedelta
from time import time

import pytest
from django.utils import timezone

from cordee.circles import crypto
from cordee.circles.actions import situations
from cordee.circles.models import Attendance, Circle, Meeting, Membership, Situation, Turn
from cordee.circles.queries import situations as queries
from tests.people import of, signed_in, small_circle

pytestmark = pytest.mark.django_db
TYPED = {
    "nature": "probleme",
    "title": "Comment annoncer la fusion à mon équipe ?",
    "text": "Trois personnes croient partir.",
    "tried": "Une réunion de service.",
    "expected": "Un premier pas.",
    "urgency": "now",
}


@pytest.fixture
def circle() -> Circle:
    return small_circle()


def meeting(circle: Circle, number: int = 1, days: int = 7) -> Meeting:
    start = timezone.now() + timedelta(days=days)
    return Meeting.objects.create(
        circle=circle, number=number, starts_at=start, ends_at=start + timedelta(hours=2), uid=f"{circle.pk}-{number}"
    )


def written(circle: Circle, name: str = "claire", **fields: str) -> Situation:
    situation = situations.begin(circle, of(circle, name))
    situations.save(situation, TYPED | fields, seen(situation))
    return situation


def seen(situation: Situation) -> str:
    held = situations.words(Situation.objects.get(pk=situation.pk))
    assert held
    return held.version


def body(situation: Situation) -> dict[str, str]:
    held = situations.words(Situation.objects.get(pk=situation.pk))
    assert held
    return held.body


def others(situation: Situation) -> list[dict[str, str]]:
    held = situations.words(Situation.objects.get(pk=situation.pk))
    assert held
    return list(held.others)


def test_what_is_typed_is_kept_as_it_is_and_sealed(circle):
    situation = written(circle)
    assert body(situation) == TYPED
    sealed = bytes(Situation.objects.get(pk=situation.pk).sealed)
    assert b"fusion" not in sealed
    with pytest.raises(crypto.Unreadable):  # moved to another row, it opens nothing
        Situation.objects.create(id="another", circle=circle, person=situation.person, sealed=sealed)
        situations.words(Situation.objects.get(pk="another"))


def test_of_two_devices_the_later_wins_and_the_other_is_kept(circle):
    situation = written(circle)
    version = seen(situation)
    assert situations.save(situation, TYPED | {"text": "Depuis le téléphone."}, version)
    assert situations.save(situation, TYPED | {"text": "Depuis le bureau."}, version)
    assert body(situation)["text"] == "Depuis le bureau."
    assert [other["text"] for other in others(situation)] == ["Depuis le téléphone."]


def test_what_was_typed_earlier_and_comes_late_does_not_win_but_is_kept(circle):
    situation = written(circle)
    version = seen(situation)
    situations.save(situation, TYPED | {"text": "Ce soir."}, version)
    assert not situations.save(situation, TYPED | {"text": "Ce matin, hors ligne."}, version, typed=time() - 3600)
    assert body(situation)["text"] == "Ce soir."
    assert [other["text"] for other in others(situation)] == ["Ce matin, hors ligne."]


def test_a_version_that_the_one_in_force_contains_is_not_kept_beside_it(circle):
    situation = written(circle, text="Une phrase")
    version = seen(situation)
    situations.save(situation, TYPED | {"text": "Une phrase, puis"}, version)
    situations.save(situation, TYPED | {"text": "Une phrase, puis une autre."}, version)
    assert others(situation) == []


def test_a_clock_ahead_does_not_win_for_ever(circle):
    situation = written(circle)
    version = seen(situation)
    situations.save(situation, TYPED | {"text": "Du futur."}, version, typed=time() + 86_400)
    assert situations.save(situation, TYPED | {"text": "Maintenant."}, version)
    assert body(situation)["text"] == "Maintenant."


def test_the_other_version_can_be_taken_up_or_dropped(circle):
    situation = written(circle, text="Une.")
    situations.save(situation, TYPED | {"text": "Deux."}, "another screen")
    situations.take_up(situation, 0)
    assert body(situation)["text"] == "Une."
    assert [other["text"] for other in others(situation)] == ["Deux."]
    situations.drop_other(situation, 0)
    assert others(situation) == []


def test_too_much_is_refused_and_nothing_is_cut(circle):
    situation = written(circle)
    with pytest.raises(situations.TooLong):
        situations.save(situation, TYPED | {"text": "é" * 20_001}, seen(situation))
    assert body(situation) == TYPED
    situations.save(situation, TYPED | {"text": "é" * 4_001}, seen(situation))
    assert situations.bring(situation, meeting(circle)) == "too_long"


def test_what_is_brought_goes_to_the_room_of_that_meeting_alone(circle):
    first, second = meeting(circle), meeting(circle, 2, 14)
    situation = written(circle)
    written(circle, "karim")
    assert situations.brought(first) == []
    assert situations.bring(situation, first) == ""
    (brought,) = situations.brought(first)
    assert (brought.id, brought.person_id, brought.body) == (situation.pk, situation.person_id, TYPED)
    assert brought.card["title"] == TYPED["title"]
    assert all(part in brought.card["text"] for part in (TYPED["text"], TYPED["tried"], TYPED["expected"]))
    assert situations.brought(second) == []
    situations.take_back(situation)
    assert situations.brought(first) == []


def test_it_is_not_brought_to_a_meeting_whose_room_has_closed_though_its_hours_run(circle):
    closed, coming = meeting(circle), meeting(circle, 2, 14)
    assert queries.next_meeting(circle) == closed
    now = timezone.now()
    for name in ("claire", "karim"):
        Attendance.objects.create(meeting=closed, person=of(circle, name), arrived_at=now, left_at=now)
    assert queries.next_meeting(circle) == coming


def test_without_a_question_it_cannot_be_brought(circle):
    situation = written(circle, title="")
    assert situations.bring(situation, meeting(circle)) == "untitled"
    assert situation.state == Situation.DRAFT


def test_the_reserve_serves_where_nobody_brings_one(circle):
    kept, own, first = written(circle), written(circle, "karim"), meeting(circle)
    situations.keep_in_reserve(kept)
    assert [one.id for one in situations.brought(first)] == [kept.pk]
    situations.bring(own, first)
    assert [one.id for one in situations.brought(first)] == [own.pk]


def test_who_left_the_circle_brings_nothing_any_more(circle):
    situation, first = written(circle), meeting(circle)
    situations.bring(situation, first)
    Membership.objects.filter(person=situation.person).update(left_at=timezone.now())
    assert situations.brought(first) == []


def test_once_treated_it_stays_so(circle):
    situation, first = written(circle), meeting(circle)
    situations.treated(situation, first)
    situations.take_back(situation)
    situations.set_aside(situation)
    assert (situation.state, situation.meeting) == (Situation.TREATED, first)
    assert situations.bring(situation, first) == "treated"


def test_without_the_key_nothing_is_read_nor_written(circle):
    situation, first = written(circle), meeting(circle)
    situations.bring(situation, first)
    circle.destroy_key()
    fresh = Situation.objects.get(pk=situation.pk)
    assert situations.words(fresh) is None
    assert situations.brought(Meeting.objects.get(pk=first.pk)) == []
    with pytest.raises(situations.Erased):
        situations.save(fresh, TYPED)


# ---------------------------------------------------------------- its pages


STRANGERS = ("karim", "fanny", "rose", "octave", "operator")
CANARY = "zqdraftqz"


def page(situation: Situation) -> str:
    return f"/situations/{situation.pk}/"


def post(who: str, situation: Situation, **form: str):
    return signed_in(who).post(page(situation), form)


def test_a_member_begins_one_and_finds_it_again(circle):
    claire = signed_in("claire")
    begun = claire.post(f"/cercles/{circle.pk}/situations/nouvelle/")
    again = claire.post(f"/cercles/{circle.pk}/situations/nouvelle/")
    assert begun.url == again.url  # the one left empty is taken up
    assert claire.post(begun.url, TYPED | {"do": "save", "seen": ""}).status_code == 302
    shown = claire.get(begun.url).content.decode()
    assert all(text in shown for name, text in TYPED.items() if name not in {"nature", "urgency"})
    assert shown.count(" checked") == 2
    assert TYPED["title"] in claire.get(f"/cercles/{circle.pk}/situations/").content.decode()


@pytest.mark.parametrize("who", ["fanny", "rose", "octave", "operator"])
def test_who_is_no_member_prepares_nothing(circle, who):
    assert signed_in(who).post(f"/cercles/{circle.pk}/situations/nouvelle/").status_code == 404
    assert not Situation.objects.exists()


@pytest.mark.parametrize("state", Situation.STATES)
@pytest.mark.parametrize("who", STRANGERS)
def test_nobody_but_its_author_reads_or_touches_it_in_any_state(circle, who, state):
    situation = written(circle, text=CANARY)
    Situation.objects.filter(pk=situation.pk).update(state=state[0], meeting=meeting(circle))
    browser = signed_in(who)
    for address_ in (page(situation), f"{page(situation)}brouillon"):
        answer = browser.post(address_, {"do": "erase", "sure": "1", "text": "effacé"})
        assert answer.status_code == 404
        assert CANARY not in browser.get(address_).content.decode()
    assert CANARY not in browser.get(f"/cercles/{circle.pk}/situations/").content.decode()
    assert body(situation)["text"] == CANARY


def test_the_script_saves_while_its_author_types(circle):
    situation = written(circle)
    version, claire = seen(situation), signed_in("claire")
    saved = claire.post(f"{page(situation)}brouillon", TYPED | {"text": "Encore.", "seen": version}).json()
    assert saved == {"version": seen(situation), "latest": True, "others": 0}
    late = TYPED | {"text": "Ailleurs.", "seen": version, "typed": str(time() - 60)}
    assert claire.post(f"{page(situation)}brouillon", late).json()["latest"] is False
    shown = claire.get(page(situation)).content.decode()
    assert "Encore." in shown and "Ailleurs." in shown
    assert post("claire", situation, do="take_up", number="0").status_code == 302
    assert body(situation)["text"] == "Ailleurs."


def test_words_too_long_come_back_on_the_page(circle):
    situation = written(circle)
    answer = post("claire", situation, do="save", seen=seen(situation), text="mot " * 6000, title="Comment ?")
    assert "raccourcissez" in answer.content.decode() and answer.content.decode().count("mot ") > 5999


def test_bringing_taking_back_setting_aside_and_the_reserve(circle):
    situation, first = written(circle), meeting(circle)
    post("claire", situation, do="bring", **TYPED, seen=seen(situation))
    assert Situation.objects.get(pk=situation.pk).meeting == first
    assert "jusqu’à l’étape Matériaux" in signed_in("claire").get(page(situation)).content.decode()
    for wish, state in (("take_back", "draft"), ("set_aside", "set_aside")):
        post("claire", situation, do=wish)
        assert Situation.objects.get(pk=situation.pk).state == state
    for wish, on in (("reserve", True), ("unreserve", False)):
        post("claire", situation, do=wish)
        assert Situation.objects.get(pk=situation.pk).reserve is on


def test_bringing_without_a_question_or_a_meeting_says_what_is_missing(circle):
    situation = written(circle, title="")
    assert "Aucune séance" in post("claire", situation, do="bring").content.decode()
    meeting(circle)
    refused = post("claire", situation, do="bring", seen=seen(situation), text="Sans question.").content.decode()
    assert "Il manque la question" in refused and "Sans question." in refused
    assert body(situation)["text"] == "Sans question."


def test_erasing_asks_to_be_sure(circle):
    situation = written(circle)
    assert "Cochez" in post("claire", situation, do="erase").content.decode()
    assert post("claire", situation, do="erase", sure="1").status_code == 302
    assert not Situation.objects.exists()


def test_a_treated_one_is_read_and_changes_no_more(circle):
    situation = written(circle)
    situations.treated(situation)
    post("claire", situation, do="save", seen="", text="Autre.")
    answer = signed_in("claire").post(f"{page(situation)}brouillon", {"text": "Autre."})
    assert answer.status_code == 409
    shown = signed_in("claire").get(page(situation)).content.decode()
    assert TYPED["text"] in shown and "<textarea" not in shown


def test_once_the_key_is_destroyed_the_page_says_so(circle):
    situation = written(circle)
    circle.destroy_key()
    assert "effacés" in signed_in("claire").get(page(situation)).content.decode()
    assert signed_in("claire").post(f"/cercles/{circle.pk}/situations/nouvelle/").status_code == 302
    assert Situation.objects.count() == 1


# ---------------------------------------------------------------- the ledger of client turns


def turn(circle: Circle, who: str, round_: int, number: int = 1) -> None:
    held = Meeting.objects.filter(circle=circle, number=number).first() or meeting(circle, number)
    Turn.objects.create(circle=circle, meeting=held, person=of(circle, who), round=round_, at=timezone.now())


@pytest.mark.parametrize("who", ["claire", "fanny", "rose"])
def test_the_circle_sees_who_has_been_client_and_who_has_not(circle, who):
    turn(circle, "claire", 1)
    shown = signed_in(who).get(f"/cercles/{circle.pk}/situations/").content.decode()
    assert "c’est d’abord le tour de" in shown
    assert shown.index('<th scope="row">Karim') < shown.index('<th scope="row">Claire')
    assert '<th scope="row">Fanny' not in shown  # who leads is no client


@pytest.mark.parametrize("who", ["octave", "operator"])
def test_strangers_see_no_ledger(circle, who):
    assert signed_in(who).get(f"/cercles/{circle.pk}/situations/").status_code == 404


def test_the_ledger_counts_each_turn_once_and_keeps_who_left(circle):
    turn(circle, "claire", 1)
    turn(circle, "claire", 2)
    turn(circle, "karim", 1, number=2)
    elsewhere = Circle.objects.create(space=circle.space, name="Autre")
    turn(elsewhere, "karim", 1)
    Membership.objects.filter(person=of(circle, "claire")).update(left_at=timezone.now())
    rows = [(row.person.name, row.times, row.left) for row in queries.ledger(circle).rows]
    assert rows == [("Karim", 1, False), ("Claire", 2, True)]
