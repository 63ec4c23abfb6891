"""Two meetings of a circle by plain forms: what was promised in the first opens the second, and is answered there."""

import pytest

from cordee.circles.models import Attendance, Turn
from cordee.followup.models import Commitment, Learning
from tests.flows.test_round_by_forms import Person, card, forms
from tests.room.circles import Lake, address

pytestmark = pytest.mark.django_db
WHO = ("claire", "karim", "helene")


def come(lake: Lake, meeting, who: str) -> Person:
    """Somebody with an account and an old browser, in the room of the meeting."""
    person = Person(lake.people[who].name)
    person.client = lake.browser(who)
    answer = person.client.get(address(meeting))
    assert answer.status_code == 302, answer.content.decode()[:500]
    person.address = answer["Location"]
    return person


def gather(lake: Lake) -> dict[str, Person]:
    meeting = lake.meeting()
    return {who: come(lake, meeting, who) for who in ("karim", "fanny", "claire", "helene")}


def promise(people: dict[str, Person]) -> None:
    """From the situations to a commitment that is shown, and a learning of each; then the close."""
    fanny, claire, karim, helene = (people[who] for who in ("fanny", *WHO))
    claire.write("situation", title="Comment annoncer la réorganisation ?", text="En mars.")
    fanny.press("choose", situation=card(fanny.page, "Comment annoncer"))
    for _ in range(3):
        fanny.press("next")
    claire.write("request", text="Je voudrais que vous m’aidiez à préparer l’annonce.")
    for person in (karim, helene):
        person.press("mark", mark="acknowledged")
    claire.press("mark", mark="validated")
    for _ in range(3):
        fanny.press("next")
    claire.write("commitment", **{"if": "Lundi", "then": "je vois chacun", "date": "2026-12-04", "witness": ""})
    claire.press("reveal")
    fanny.press("next")
    for person in (claire, karim, helene):
        person.write("learning", text=f"Appris par {person.name}.")
    fanny.press("reveal")
    fanny.press("next")
    fanny.press("close")


def test_a_promise_of_the_first_meeting_opens_the_second():
    lake = Lake(*WHO)
    first = gather(lake)
    assert first["fanny"].can("next") and not first["karim"].can("next")  # who came first does not lead
    promise(first)
    assert Commitment.objects.get().person == lake.people["claire"] and Learning.objects.count() == 3
    assert Turn.objects.get().person == lake.people["claire"] and Attendance.objects.count() == 4

    second = gather(lake)
    fanny, claire, karim, helene = (second[who] for who in ("fanny", *WHO))
    for person in second.values():
        assert "Ce que nous avions promis" in person.page and "je vois chacun" in person.page
    assert "Reprise" in karim.page and "Deux minutes à chacun" in fanny.page
    assert not karim.can("mark", mark="standing") and not fanny.can("mark", mark="gave")
    claire.press("mark", "Adapté", mark="standing")
    form, _ = claire.find("mark", mark="gave")
    answer = claire.client.post(claire.address + form.action, form.fields | {"value": "Trois personnes sur cinq."})
    assert answer.status_code == 302
    assert "Trois personnes sur cinq." in karim.page and "Adapté" in helene.page
    claire.press("pass_floor")
    fanny.press("next")
    assert "Matériaux" in karim.page and not karim.can("mark", mark="standing")
    fanny.press("close")
    kept = Commitment.objects.get()
    assert kept.state == "adapted" and kept.outcome(lake.circle.key()) == {"gave": "Trois personnes sur cinq."}

    third = gather(lake)  # nothing was promised in the second
    assert "Ce que nous avions promis" in third["karim"].page


def test_what_the_circle_learnt_comes_back_when_a_situation_is_chosen():
    lake = Lake(*WHO)
    promise(gather(lake))
    second = gather(lake)
    second["fanny"].press("next")
    second["karim"].write("situation", title="Comment annoncer un départ ?", text="Appris par hasard.")
    second["fanny"].press("choose", situation=card(second["fanny"].page, "Comment annoncer un départ"))
    second["fanny"].press("next")
    assert "Appris par Claire." in second["karim"].page


def test_a_break_says_to_all_when_it_ends():
    lake = Lake(*WHO)
    people = gather(lake)
    people["fanny"].press("pause", "10")
    assert "Pause, reprise à" in people["karim"].page
    people["fanny"].press("resume")
    assert "Pause, reprise à" not in people["karim"].page
    assert forms(people["karim"].page)
