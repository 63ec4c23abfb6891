"""The home page: what is next, what I promised, what I prepared, what I learnt; and nothing of what is not mine."""

from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from cordee.circles.models import Charter, Meeting, Membership, Slot
from cordee.followup.models import Commitment
from cordee.home import queries
from cordee.room import access, actions
from tests.home.town import Town
from tests.people import signed_in, user
from tests.room.rooms import join, open_room

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> Town:
    return Town()


def home(who: str) -> str:
    answer = signed_in(who).get("/accueil/")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_one_finds_what_is_next_promised_prepared_and_learnt(town):
    town.furnish()
    shown = home("claire")
    assert "Les éclaireurs" in shown and "séance 2" in shown
    assert "alors je reprends la parole sans m’excuser" in shown
    assert "Comment annoncer la fusion à mon équipe sans perdre Hélène ?" in shown
    assert "Poser une question de plus change la demande." in shown


def test_one_tap_says_that_it_is_kept(town):
    promise = town.commitment("claire", "alors je reprends la parole")
    answer = signed_in("claire").post(
        f"/engagements/{promise.pk}/ou-j-en-suis/", {"state": "kept", "next": "/accueil/"}
    )
    assert answer.url == "/accueil/"
    assert Commitment.objects.get().state == "kept"
    assert "C’est tenu" not in home("claire") and "En faire une réussite" in home("claire")


@pytest.mark.parametrize("who", ["karim", "fanny", "rose", "octave", "operator", "thomas"])
def test_nobody_s_home_shows_somebody_else_s_situation_or_promise(town, who):
    town.furnish()
    shown = home(who)
    assert "fusion" not in shown and "sans m’excuser" not in shown


@pytest.mark.parametrize("who", ["rose", "octave", "operator", "thomas"])
def test_who_is_not_of_the_circle_reads_none_of_its_learnings(town, who):
    town.furnish()
    assert "Poser une question" not in home(who)


def test_the_room_is_one_tap_away_when_it_is_near(town):
    assert ">Entrer<" not in home("claire")
    start = timezone.now() + timedelta(minutes=20)
    Meeting.objects.filter(pk=town.meetings[1].pk).update(starts_at=start, ends_at=start + timedelta(hours=2))
    assert queries.home_of(user("claire")).meetings[0].near


def test_what_waits_for_an_answer_comes_first(town):
    Charter.objects.create(circle=town.circle, version=2, text="Autre.", scope="Tout", erase_on=town.circle.erase_on)
    asked = Meeting.objects.create(circle=town.circle, number=4, uid="poll")
    Slot.objects.create(meeting=asked, starts_at=timezone.now(), ends_at=timezone.now() + timedelta(hours=1))
    held = Membership.objects.create(
        circle=town.circle, person=town.people["thomas"], waiting_since=timezone.now(), offered_at=timezone.now()
    )
    assert "attend votre signature" in home("claire")
    assert "disponible pour la séance 4" in home("claire")
    assert "Une place vous attend" in home("thomas")
    held.delete()
    for who in ("thomas", "octave"):
        assert "attend" not in home(who).replace("En attendant", "") and "disponible pour" not in home(who)


def test_who_is_of_no_circle_is_told_what_they_can_do(town):
    shown = home("thomas")
    assert "aucun cercle" in shown and "/rejoindre/" in shown


def test_who_leads_and_who_organises_find_their_own(town):
    assert "J’anime" in home("fanny") and "J’organise" in home("rose")
    assert "J’anime" not in home("claire") and "J’organise" not in home("claire")


def test_a_circle_that_one_left_or_that_ended_asks_nothing_more(town):
    Membership.objects.filter(person=town.people["claire"]).update(left_at=timezone.now())
    assert "Préparer une situation" not in home("claire") and "séance 2" not in home("claire")
    town.circle.ended_at = timezone.now()
    town.circle.save()
    assert "Préparer une situation" not in home("karim") and "séance 2" not in home("karim")


def test_the_page_asks_the_database_at_most_twenty_times(town, django_assert_max_num_queries):
    for number in range(6):
        town._circle(f"Cercle {number}", claire="member", fanny="facilitator")
    town.furnish()
    for number in range(20):
        town.commitment("claire", f"alors {number}")
        town.learning("karim", f"Leçon {number}")
    for who in ("claire", "fanny", "rose"):
        browser = signed_in(who)
        with django_assert_max_num_queries(20):
            browser.get("/accueil/")


def test_the_rooms_of_seats_that_one_claimed_are_found_again(town):
    house, _ = open_room()
    seat = join(house, "Octave")
    key = access.key_of(house.tokens[seat])
    assert key and "Mes salles" not in signed_in("octave").get("/accueil/").content.decode()
    assert isinstance(actions.claim(key, user("octave")), actions.Opened)
    page = signed_in("octave").get("/accueil/").content.decode()
    assert "Mes salles" in page and f"/salle/{house.id}/ma-place/?vers=bilan" in page
    assert house.id not in signed_in("karim").get("/accueil/").content.decode()
