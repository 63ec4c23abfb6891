"""Situations prepared before a meeting: their author's alone, brought, kept in reserve; nothing typed is lost."""

from datetime import timedelta
from time import time

import pytest
from django.utils import timezone

from cordee.accounts.models import Person, Space
from cordee.circles import crypto
from cordee.circles.actions import situations
from cordee.circles.models import Circle, Meeting, Membership, Situation

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
    space = Space.objects.create(name="Atelier du Lac")
    made = Circle.objects.create(space=space, name="Les éclaireurs", wrapped_key=crypto.new_wrapped_key())
    for name in ("Claire", "Karim"):
        person = Person.objects.create(space=space, name=name)
        Membership.objects.create(circle=made, person=person, joined_at=timezone.now())
    return made


def of(circle: Circle, name: str) -> Person:
    return Person.objects.get(space=circle.space, name=name)


def meeting(circle: Circle, number: int = 1, days: int = 7) -> Meeting:
    start = timezone.now() + timedelta(days=days)
    return Meeting.objects.create(
        circle=circle, number=number, starts_at=start, ends_at=start + timedelta(hours=2), uid=f"{circle.pk}-{number}"
    )


def written(circle: Circle, name: str = "Claire", **fields: str) -> Situation:
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
    written(circle, "Karim")
    assert situations.brought(first) == []
    assert situations.bring(situation, first) == ""
    (brought,) = situations.brought(first)
    assert (brought.id, brought.person_id, brought.body) == (situation.pk, situation.person_id, TYPED)
    assert brought.card["title"] == TYPED["title"]
    assert all(part in brought.card["text"] for part in (TYPED["text"], TYPED["tried"], TYPED["expected"]))
    assert situations.brought(second) == []
    situations.take_back(situation)
    assert situations.brought(first) == []


def test_without_a_question_it_cannot_be_brought(circle):
    situation = written(circle, title="")
    assert situations.bring(situation, meeting(circle)) == "untitled"
    assert situation.state == Situation.DRAFT


def test_the_reserve_serves_where_nobody_brings_one(circle):
    kept, own, first = written(circle), written(circle, "Karim"), meeting(circle)
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
