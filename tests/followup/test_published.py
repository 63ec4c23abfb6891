"""What somebody publishes of what they learnt: read again first, unsigned, for their space, gone once withdrawn."""

import re
from html import unescape
from pathlib import Path

import pytest

from cordee.followup import published
from cordee.followup.actions import learnings as actions
from cordee.followup.models import Learning, Publication
from cordee.home import erasure
from cordee.room.belongings import PEER, Choice
from tests.home.town import Town
from tests.people import signed_in, space_of, user

pytestmark = pytest.mark.django_db(transaction=True)
SEALED, TEXT = "Claire a dit zqsealedqz à Lyon", "Décevoir sans perdre zqpublicqz"


@pytest.fixture
def town(settings, tmp_path) -> Town:
    settings.VAR_DIR = tmp_path
    town = Town().furnish()
    Learning.objects.all().delete()
    return town


@pytest.fixture
def learning(town) -> Learning:
    return town.learning("claire", SEALED)


def page_of(town: Town) -> str:
    return f"/apprentissages/publies/{town.space.pk}/"


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def shown(who: str, path: str, **posted: str) -> str:
    client = signed_in(who)
    answer = client.post(path, posted) if posted else client.get(path)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_its_author_reads_it_again_with_what_could_tell_who_then_publishes_it_unsigned(town, learning):
    path = f"/apprentissages/{learning.pk}/publier/"
    assert SEALED in shown("claire", path) and path in shown("claire", "/apprentissages/")
    preview = shown("claire", path, do="preview", text=SEALED)
    assert {"Claire", "Lyon"} <= set(re.findall("<mark>(.*?)</mark>", preview)) and "date de la charte" in preview
    assert "cochez" in shown("claire", path, do="publish", text=TEXT) and not Publication.objects.exists()
    signed_in("claire").post(path, {"do": "publish", "text": TEXT, "sure": "1"})
    page = shown("karim", page_of(town)).split("<main")[1]
    assert TEXT in page and "Claire" not in page and town.circle.name not in page and "zqsealedqz" not in page
    assert SEALED in shown("karim", "/apprentissages/"), "the original stays for the circle"


@pytest.mark.parametrize("text", ["", " \n", "x" * 2001])
def test_nothing_or_too_much_is_not_published(town, learning, text):
    shown("claire", f"/apprentissages/{learning.pk}/publier/", do="publish", text=text, sure="1")
    assert not Publication.objects.exists()


def test_what_no_keyboard_makes_is_not_published(town, learning):
    posted = {"do": "publish", "text": f"a\0b \u202e{TEXT}\r\nfin", "sure": "1"}
    assert signed_in("claire").post(f"/apprentissages/{learning.pk}/publier/", posted).status_code == 302
    assert Publication.objects.get().text == f"ab {TEXT}\nfin"


def test_a_peer_without_a_name_is_no_name_to_warn_of(town, learning):
    town.people["karim"].erased_at = town.people["karim"].created_at
    town.people["karim"].name = PEER
    town.people["karim"].save()
    assert published.warnings(learning, "demander à un pair") == []


def test_nobody_else_publishes_it(town, learning):
    for who in ("karim", "fanny", "octave"):
        posted = {"do": "publish", "text": "x", "sure": "1"}
        answer = signed_in(who).post(f"/apprentissages/{learning.pk}/publier/", posted)
        assert answer.status_code == 404
    assert not Publication.objects.exists()


def test_another_space_never_sees_it(town, learning):
    published.publish(learning, TEXT)
    elsewhere = f"/apprentissages/publies/{space_of('Ailleurs').pk}/"
    assert signed_in("octave").get(page_of(town)).status_code == 404
    assert signed_in("octave").post(page_of(town), {"q": TEXT}).status_code == 404
    assert "zqpublicqz" not in shown("octave", elsewhere)
    assert '<p class="words">' not in shown("octave", elsewhere, q=TEXT)


def test_it_is_found_by_resemblance_and_what_is_sealed_is_in_no_file(town, learning, tmp_path):
    published.publish(learning, TEXT)
    assert TEXT in shown("karim", page_of(town), q="décevant, une perte")
    assert TEXT not in shown("karim", page_of(town), q="kayak")
    assert b"zqpublicqz" in files(tmp_path) and b"zqsealed" not in files(tmp_path)


@pytest.mark.parametrize("how", ["page", "again", "harvest", "erased", "left"])
def test_what_is_withdrawn_is_in_no_page_nor_file(town, learning, tmp_path, how):
    published.publish(learning, TEXT)
    if how == "page":
        signed_in("claire").post(f"/apprentissages/{learning.pk}/publier/", {"do": "withdraw"})
    elif how == "again":
        published.publish(learning, "autre chose")
    elif how == "harvest":
        actions.keep_learnings(town.meetings[0], town.circle.key(), [])
    else:
        erasure.erase_user(user("claire"), Choice(keep=True, keep_learnings=how == "left"))
    assert not Publication.objects.filter(text=TEXT).exists()
    assert "zqpublicqz" not in shown("karim", page_of(town)) and b"zqpub" not in files(tmp_path)


def test_once_the_charter_ends_it_stays_and_its_author_may_still_withdraw_it(town, learning):
    published.publish(learning, TEXT)
    town.circle.destroy_key()
    assert TEXT in shown("karim", page_of(town))
    path = f"/apprentissages/{learning.pk}/publier/"
    assert TEXT in shown("claire", path)
    signed_in("claire").post(path, {"do": "publish", "text": "neuf", "sure": "1"})
    assert Publication.objects.get().text == TEXT
    signed_in("claire").post(path, {"do": "withdraw"})
    assert TEXT not in shown("karim", page_of(town))


@pytest.mark.parametrize("damage", ["gone", "noise", "behind", "ahead"])
@pytest.mark.parametrize("by", ["search", "tick"])
def test_a_shelf_that_is_wrong_is_put_right(town, learning, tmp_path, damage, by):
    published.publish(learning, TEXT)
    path = published._path(town.space.pk)
    if damage == "gone":
        published._throw_away(town.space.pk)
    elif damage == "noise":
        published._throw_away(town.space.pk)
        path.write_bytes(b"noise" * 4000)
    with_shelf = published._shelf
    if damage == "behind":
        with with_shelf(town.space.pk) as shelf:
            shelf.remove(shelf.ids())
    if damage == "ahead":
        with with_shelf(town.space.pk) as shelf:
            shelf.put([("gone", "zqgoneqz")])
    if by == "tick":
        published.keep_shelves()
        assert b"zqpublicqz" in files(tmp_path)
    assert [each.text for each in published.resembling(town.space, "décevoir")] == [TEXT]
    assert published.resembling(town.space, "zqgoneqz") == []
    with with_shelf(town.space.pk) as shelf:
        assert len(shelf) == 1


def test_the_shelf_of_a_space_that_is_no_more_is_thrown_away(town, learning):
    published.publish(learning, TEXT)
    Publication.objects.all().delete()
    published._path(town.space.pk).rename(published._path(987654))
    published.keep_shelves()
    assert not published._path(987654).exists()


def test_the_archive_of_its_author_has_it(town, learning):
    from cordee.home import export

    published.publish(learning, TEXT)
    assert TEXT in str(export.everything(user("claire"))) and TEXT not in str(export.everything(user("karim")))
