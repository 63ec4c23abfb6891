"""What somebody has learnt for themselves alone: sealed, read and found by nobody else, until they give it."""

from html import unescape

import pytest

from cordee.circles.actions import situations
from cordee.followup.models import Learning, Publication
from cordee.home import erasure, export
from cordee.room import harvest
from cordee.room.belongings import Choice
from tests.characters import play
from tests.home.remains import everything_stored
from tests.home.town import Town
from tests.people import signed_in, user
from tests.room.circles import Lake
from tests.room.test_harvest import WHO, meet

pytestmark = pytest.mark.django_db
MINE = "Je me tais trop vite zqalonezq face à la fusion"
LIST = "/apprentissages/"


@pytest.fixture
def town(settings, tmp_path) -> Town:
    settings.VAR_DIR = tmp_path
    town = Town().furnish()
    signed_in("claire").post(f"{LIST}pour-moi/{town.circle.pk}/", {"text": MINE})
    return town


def kept() -> Learning:
    return Learning.everything.select_related("circle").get(alone=True)


def shown(who: str, path: str = LIST, **posted: str) -> str:
    client = signed_in(who)
    return unescape((client.post(path, posted) if posted else client.get(path)).content.decode())


def test_its_author_alone_reads_and_finds_it(town):
    assert MINE in shown("claire") and "Pour moi seul·e" in shown("claire")
    assert MINE in shown("claire", text="fusions") and MINE in shown("claire", kind="alone")
    assert MINE not in shown("claire", "/accueil/"), "a page that others see over one's shoulder"
    for who in ("karim", "fanny", "rose", "octave", "operator"):
        pages = shown(who) + shown(who, text="fusion zqalonezq") + shown(who, kind="alone") + shown(who, "/accueil/")
        assert "zqalonezq" not in pages.replace('value="fusion zqalonezq"', ""), who


def test_it_is_sealed_and_no_query_of_the_circle_has_it(town):
    assert b"zqalonezq" not in bytes(kept().sealed or b"")
    assert not Learning.objects.filter(pk=kept().pk).exists()
    assert kept() not in town.people["claire"].learnings.all()


def test_it_is_recalled_for_its_authors_situations_and_nobody_elses(town):
    hers, his = (town.situation(who, title="Comment annoncer la fusion ?") for who in ("claire", "karim"))
    assert MINE in shown("claire", f"/situations/{hers.pk}/rappel/")
    path = f"/situations/{his.pk}/rappel/"
    assert MINE not in shown("karim", path)
    signed_in("karim").post(path, {"learning": kept().pk, "do": "helps"})
    assert not kept().helps.exists()


def test_kept_in_another_circle_it_helps_here_too(town):
    other = town._circle("Ailleurs", claire="member")
    path = f"/situations/{situations.begin(other, town.people['claire']).pk}/rappel/"
    signed_in("claire").post(path, {"learning": kept().pk, "do": "helps"})
    assert kept().helps.count() == 1


def test_nobody_else_gives_it_nor_publishes_it_and_its_author_gives_it_first(town):
    path = f"{LIST}{kept().pk}/partager/"
    for who in ("karim", "fanny", "rose", "octave"):
        assert signed_in(who).post(path, {"do": "share"}).status_code == 404
    publish = {"do": "publish", "text": "x", "sure": "1"}
    assert signed_in("claire").post(f"{LIST}{kept().pk}/publier/", publish).status_code == 404
    pk = kept().pk
    signed_in("claire").post(path, {"do": "share"})
    assert MINE in shown("karim")
    assert signed_in("claire").post(path, {"do": "share"}).status_code == 404, "it is the circle's now"
    signed_in("claire").post(f"{LIST}{pk}/publier/", publish)
    assert Publication.objects.get().learning_id == pk


def test_who_left_the_circle_is_not_offered_to_give_it_there_and_may_not(town):
    assert 'value="share"' in shown("claire")
    town.circle.memberships.filter(person=town.people["claire"]).update(left_at="2026-01-01T00:00Z")
    page = shown("claire")
    assert MINE in page and 'value="throw_away"' in page and 'value="share"' not in page
    signed_in("claire").post(f"{LIST}{kept().pk}/partager/", {"do": "share"})
    assert kept() and MINE not in shown("karim")


def test_it_can_be_thrown_away(town):
    signed_in("claire").post(f"{LIST}{kept().pk}/partager/", {"do": "throw_away"})
    assert not Learning.everything.filter(alone=True).exists()


@pytest.mark.parametrize("text", ["", " ", "x" * 2001])
def test_nothing_or_too_much_is_not_kept_and_comes_back(town, text):
    page = shown("claire", f"{LIST}pour-moi/{town.circle.pk}/", text=text)
    assert Learning.everything.filter(alone=True).count() == 1 and "Ce n’est pas gardé" in page and text in page


def test_who_is_not_of_the_circle_keeps_nothing_in_it(town):
    assert signed_in("rose").post(f"{LIST}pour-moi/{town.circle.pk}/", {"text": "x"}).status_code == 404


def test_erasing_its_author_takes_it_away_whatever_they_leave_to_the_circle(town):
    erasure.erase_user(user("claire"), Choice(keep=True, keep_learnings=True))
    assert [where for where, text in everything_stored() if "zqalonezq" in text] == []


def test_the_archive_of_its_author_has_it_and_no_other(town):
    assert MINE in str(export.everything(user("claire"))) and MINE not in str(export.everything(user("karim")))


def test_what_is_noted_for_oneself_among_the_openings_is_kept_alone_and_not_brought_to_the_next_room():
    lake = Lake(*WHO)
    room = meet(lake)
    play(room, client=lake.seat("claire", room.house), until="ouvertures")
    note = room.write(lake.seat("karim", room.house), "note", MINE)
    harvest.harvest(room.house.id)
    row = Learning.everything.get(alone=True)
    assert (row.pk, row.person, row.words(row.circle.key())) == (note, lake.people["karim"], {"text": MINE})
    assert MINE in lake.browser("karim").get(LIST).content.decode()
    assert MINE not in lake.browser("claire").get(LIST).content.decode()
    row.throw_away()
    room.write(lake.seat("helene", room.house), "note", "Autre chose")
    harvest.harvest(room.house.id)
    assert MINE not in lake.browser("karim").get(LIST).content.decode(), "thrown away, it is not brought back"
    nxt = meet(lake)
    assert MINE not in str(nxt.state.contributions) and "Autre chose" not in str(nxt.state.contributions)
