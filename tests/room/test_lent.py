"""What a meeting's room shows of what its space publishes: unsigned, in no log, gone once withdrawn; what helps."""

from unittest import mock

import pytest

from cordee.accounts.models import Person
from cordee.circles.actions import circles, members
from cordee.circles.models import Circle
from cordee.engine import commands as c
from cordee.engine.refusal import Refused
from cordee.engine.seen import Card
from cordee.followup import published
from cordee.followup.models import Help, Learning, Publication
from cordee.room import actions, harvest, lent, store
from cordee.room.models import Entry
from tests import characters
from tests.characters import play
from tests.home.remains import everything_stored
from tests.people import space_of
from tests.room.circles import Lake, address
from tests.room.test_harvest import WHO, Played, meet

pytestmark = pytest.mark.django_db
SHOWN = "Annoncer un report à son équipe zqshownqz, tôt et sans tout savoir, apaise"


@pytest.fixture
def lake(settings, tmp_path) -> Lake:
    settings.VAR_DIR = tmp_path
    return Lake(*WHO)


def publish(lake: Lake, text: str = SHOWN) -> Publication:
    """By Thomas, of another circle of the same space."""
    thomas = lake.person("thomas")
    other = Circle.objects.filter(name="Les discrets").first()
    if other is None:
        other = circles.create(lake.space, lake.people["rose"], [lake.person("nadia")], name="Les discrets")
        members.add(other, thomas)
    return published.publish(learnt(other, thomas, "zqsealedqz"), text)


def learnt(circle: Circle, person: Person, text: str) -> Learning:
    made = Learning(id=f"learnt-{Learning.objects.count()}", circle=circle, person=person)
    made.hold(Circle.objects.get(pk=circle.pk).key() or b"", {"text": text})
    made.save()
    return made


def told(lake: Lake, until: str = "recit") -> Played:
    room = meet(lake)
    play(room, client=lake.seat("claire", room.house), until=until)
    return room


def recalled(room: Played, who: str = "karim") -> list[Card]:
    view = store.load(room.house.id).view(room.lake.seat(who, room.house))
    assert view is not None
    return [card for group in view.groups if group.recalled for card in group.cards if card.kind == "published"]


@pytest.fixture(autouse=True)
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claire's situation speaks of what was published."""
    monkeypatch.setitem(characters.SITUATIONS, "claire", {"title": "Comment annoncer un report à mon équipe ?"})


def test_what_resembles_comes_up_when_the_story_is_told_without_a_name_and_with_why(lake):
    publish(lake)
    card = recalled(told(lake))[0]
    assert card.get("text") == SHOWN and card.author == "" and {"annoncer", "report", "équipe"} <= set(card.why)


def test_its_words_are_in_no_log_and_the_log_replays_the_same(lake):
    shown, room = publish(lake), told(lake)
    before = recalled(room)
    store.forget()
    assert recalled(room) == before != []
    assert [row["id"] for row in Entry.objects.filter(kind="Lent").values_list("plain", flat=True)] == [shown.pk]
    stored = [where for where, text in everything_stored() if "zqshownqz" in text]
    assert [where.split()[0] for where in stored] == ["Publication.text"]


def test_it_comes_up_again_for_the_request_once_validated(lake):
    room = told(lake, until="demande")
    assert recalled(room) == []
    publish(lake)
    request = room.write(room.client, "request", "Je voudrais que vous m’aidiez à annoncer ce report à mon équipe")
    for seat in room.consultants():
        room.mark(seat, request, "acknowledged")
    assert recalled(room) == []
    room.mark(room.client, request, "validated")
    assert [card.get("text") for card in recalled(room)] == [SHOWN]


@pytest.mark.parametrize("when", ["in memory", "read again", "looked for"])
def test_withdrawn_it_is_not_shown_at_the_next_opening(lake, when):
    shown, room = publish(lake), told(lake)
    assert recalled(room)
    published.withdraw(Publication.objects.filter(pk=shown.pk))
    if when == "read again":
        store.forget()
    elif when == "looked for":
        lent.bring(room.house.id, actions.submit)
    else:
        page = lake.browser("karim").post(address(lake.circle.meetings.get()), follow=True)
        assert "zqshownqz" not in page.content.decode()
    assert recalled(room) == []


def test_withdrawn_it_leaves_the_pages_that_are_open(lake, django_capture_on_commit_callbacks):
    shown, room = publish(lake), told(lake)
    assert recalled(room)
    with django_capture_on_commit_callbacks(execute=True):
        lake.browser("thomas").post(f"/apprentissages/{shown.learning_id}/publier/", {"do": "withdraw"})
    assert recalled(room) == [] and Entry.objects.filter(kind="Withdrawn", plain__id=shown.pk).count() == 1


def test_nothing_of_another_space_nor_of_this_circle_is_lent(lake):
    Publication.objects.filter(pk=publish(lake).pk).update(space=space_of("Ailleurs"))
    published.publish(learnt(lake.circle, lake.people["karim"], "zqoursqz"), SHOWN)
    assert recalled(told(lake)) == []


def test_no_seat_lends_anything(lake):
    room = told(lake)
    for seat in ("screen", lake.seat("fanny", room.house), lake.seat("claire", room.house)):
        assert isinstance(actions.submit(room.house.id, c.Lend(seat=seat, bodies={"x": {"text": "faux"}})), Refused)


def test_at_most_five_of_both_together(lake):
    for _ in range(7):
        publish(lake)
    room = told(lake)
    groups = [group for group in room.house.view(lake.seat("karim", room.house)).groups if group.recalled]
    assert len(groups) == 1 and len(groups[0].cards) == 5


def test_what_fails_lends_nothing_and_says_nothing_of_it(lake, monkeypatch, caplog):
    monkeypatch.setattr(lent, "due", lambda *_: False)
    room = told(lake)
    monkeypatch.setattr(published, "lendable", mock.Mock(side_effect=OSError("zqshownqz")))
    lent.quietly(lent.bring, room.house.id, actions.submit)
    assert recalled(room) == [] and "OSError" in caplog.text and "zqshownqz" not in caplog.text


# ---------------------------------------------------------------- what helps again


def test_what_is_marked_useful_in_the_room_counts_once_a_meeting_wherever_it_comes_from(lake):
    shown, ours = publish(lake), learnt(lake.circle, lake.people["helene"], "Annoncer un report à l’équipe")
    room = told(lake)
    for who in ("karim", "helene"):
        for id_ in (shown.pk, ours.pk):
            room.mark(lake.seat(who, room.house), id_, "useful")
    harvest.harvest(room.house.id)
    assert Help.objects.count() == 4
    page = lake.browser("karim").get("/apprentissages/").content.decode()
    assert "A resservi une fois : séance 1" in page
    assert published.helped(published.of(lake.space).get()) == 1
    room.mark(lake.seat("karim", room.house), ours.pk, "useful", on=False)
    harvest.harvest(room.house.id)
    assert Help.objects.count() == 3


def test_what_was_published_says_to_its_own_circle_how_often_it_helped_not_where(lake):
    shown, room = publish(lake), told(lake)
    room.mark(lake.seat("karim", room.house), shown.pk, "useful")
    harvest.harvest(room.house.id)
    page = lake.browser("thomas").get("/apprentissages/").content.decode()
    line = page.split("zqsealedqz")[1].split("</li>")[0]
    assert "A resservi une fois" in line and "séance" not in line and "Karim" not in line
