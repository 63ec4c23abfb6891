"""What a circle has learnt comes up for the situation that one of its members prepares, and counts when it helps."""

import re
from html import unescape
from time import process_time

import pytest

from cordee.engine.recall import recall
from cordee.followup import published
from cordee.followup.models import Help, Learning, Publication
from cordee.followup.queries import recalled as queries
from tests.home.town import Town
from tests.people import signed_in, user

pytestmark = pytest.mark.django_db
SAID = "Annoncer une fusion en silence fait peur à l’équipe"


@pytest.fixture
def town(settings, tmp_path) -> Town:
    settings.VAR_DIR = tmp_path
    town = Town().furnish()
    Learning.objects.all().delete()
    return town


def prepared(town: Town) -> str:
    situation = town.situation("karim", title="Comment annoncer la fusion ?", text="Mon équipe ne sait rien encore.")
    return f"/situations/{situation.pk}/rappel/"


def shown(who: str, path: str) -> str:
    return unescape(signed_in(who).get(path).content.decode())


def test_it_shows_what_resembles_with_its_author_and_why(town):
    path = prepared(town)
    town.learning("claire", SAID)
    town.learning("claire", "Un tableur se trie par colonne")
    page = shown("karim", path)
    assert SAID in page and "Claire" in page and "tableur" not in page
    assert {"annoncer", "fusion", "équipe"} <= set(re.findall("<mark>(.*?)</mark>", page)), page
    assert path in shown("karim", path.removesuffix("rappel/")), "the situation leads to it"


def test_what_only_has_letters_in_common_is_not_shown(town, settings):
    settings.VECTORS = False
    path = prepared(town)
    town.learning("claire", "Un équipage se range")
    assert "équipage" not in shown("karim", path)


def test_at_most_five_come_up(town):
    path = prepared(town)
    for number in range(8):
        town.learning("claire", f"{SAID} n° {number}")
    assert shown("karim", path).count('value="helps"') == 5


def test_saying_that_it_helps_counts_once_and_can_be_taken_back(town):
    path, learning = prepared(town), town.learning("claire", SAID)
    karim = signed_in("karim")
    for _ in range(2):
        karim.post(path, {"learning": learning.pk, "do": "helps"})
    assert Help.objects.count() == 1
    told = shown("claire", "/apprentissages/")
    assert "A resservi une fois" in told and "Karim" not in told.split(SAID)[1].split("</li>")[0]
    karim.post(path, {"learning": learning.pk, "do": "after_all"})
    assert not Help.objects.exists() and "A resservi" not in shown("claire", "/apprentissages/")


def test_another_circle_has_nothing_to_recall_here(town):
    path, learning = prepared(town), town.learning("claire", SAID)
    other = town._circle("Ailleurs", karim="member", claire="member")
    key = learning.words(town.circle.key())
    learning.circle = other
    learning.hold(other.key(), key)
    learning.save()
    assert SAID not in shown("karim", path)
    signed_in("karim").post(path, {"learning": learning.pk, "do": "helps"})
    assert not Help.objects.exists()


def test_who_has_left_the_circle_is_recalled_their_own_alone(town):
    path = prepared(town)
    town.learning("claire", SAID)
    town.learning("karim", "Annoncer la fusion moi-même")
    assert SAID in shown("karim", path)
    town.circle.memberships.filter(person=town.people["karim"]).update(left_at="2026-01-01T00:00Z")
    page = shown("karim", path)
    assert SAID not in page and "Annoncer la fusion moi-même" in page


def test_once_the_words_are_erased_the_page_says_nothing(town):
    path = prepared(town)
    town.learning("claire", SAID)
    town.circle.destroy_key()
    assert SAID not in shown("karim", path)


def test_two_hundred_learnings_are_compared_in_under_100_ms(town):
    situation = town.situation("karim", title="Comment annoncer la fusion ?", text="Mon équipe ne sait rien encore.")
    for number in range(200):
        town.learning("claire", f"{SAID}, et dire le {number} ce que je sais, à chacun, sans attendre")
    took = []
    for _ in range(5):
        before = process_time()
        assert len(queries.recalled(user("karim"), situation)) == 5
        took.append(process_time() - before)
    assert min(took) < 0.1, took


# ---------------------------------------------------------------- and of what the space publishes

SHOWN, SEALED = "Annoncer une fusion tôt, même sans tout savoir", "Octave a tout tu zqsealedqz à Nantes"


def elsewhere(town: Town, text: str = SHOWN) -> Publication:
    """Published by Thomas, from a circle of which Karim is not."""
    learning = town.learning("thomas", SEALED)
    other = town._circle("Les discrets", thomas="member")
    learning.circle, learning.meeting = other, None
    learning.hold(other.key() or b"", {"text": SEALED})
    learning.save()
    return published.publish(learning, text)


def test_what_is_published_in_the_space_comes_up_too_unsigned_and_says_where_it_comes_from(town):
    path, theirs = prepared(town), elsewhere(town)
    town.learning("claire", SAID)
    page = shown("karim", path)
    assert SAID in page and SHOWN in page and f"Publié sans nom dans l’espace « {town.space.name} »" in page
    assert not {"Thomas", "zqsealedqz", "discrets", theirs.learning_id} & set(re.findall(r"[\w-]+", page))


def test_at_most_five_of_both_together(town):
    path = prepared(town)
    elsewhere(town)
    for number in range(6):
        town.learning("claire", f"Une équipe, un soir {number}")
    page = shown("karim", path)
    assert page.count('value="helps"') == 5 and "Publié sans nom" in page


def test_what_the_circle_itself_published_comes_up_once_in_its_own_words(town):
    path = prepared(town)
    published.publish(town.learning("claire", SAID), SHOWN)
    page = shown("karim", path)
    assert SAID in page and SHOWN not in page


def test_what_others_publish_comes_up_however_much_the_circle_published_itself(town):
    path, theirs = prepared(town), elsewhere(town, f"{SHOWN}, une autre fois, à d’autres, autrement")
    for _ in range(published.FOUND + 2):
        published.publish(town.learning("claire", "Le silence"), SHOWN)
    assert theirs.text in shown("karim", path)
    assert list(published.lendable(town.space, SHOWN, town.circle.pk)) == [theirs.pk]


def test_once_withdrawn_it_is_not_shown_again_and_cannot_help(town):
    path, shown_one = prepared(town), elsewhere(town)
    assert SHOWN in shown("karim", path)
    published.withdraw(Publication.objects.filter(pk=shown_one.pk))
    assert SHOWN not in shown("karim", path)
    assert signed_in("karim").post(path, {"publication": shown_one.pk, "do": "helps"}).status_code == 302
    assert not Help.objects.exists()


def test_a_published_one_that_helps_counts_and_nobody_is_told_who(town):
    path, shown_one = prepared(town), elsewhere(town)
    signed_in("karim").post(path, {"publication": shown_one.pk, "do": "helps"})
    assert "A resservi une fois" in shown("thomas", "/apprentissages/")
    page = shown("claire", f"/apprentissages/publies/{town.space.pk}/").split("<main")[1]
    assert "A resservi une fois" in page and "Karim" not in page and "Thomas" not in page
    signed_in("karim").post(path, {"publication": shown_one.pk, "do": "after_all"})
    assert not Help.objects.exists()


def test_nothing_of_another_space_comes_up_or_helps(town):
    path, shown_one = prepared(town), elsewhere(town)
    Publication.objects.update(space=town.people["octave"].space)
    published.keep_shelves()
    assert SHOWN not in shown("karim", path)
    signed_in("karim").post(path, {"publication": shown_one.pk, "do": "helps"})
    assert not Help.objects.exists()


def test_what_helped_again_passes_before_what_resembles_as_much_and_not_before_what_resembles_more():
    texts = {"a": "annoncer une fusion", "b": "annoncer une fusion", "c": "annoncer une fusion à l’équipe du site"}
    assert [m.id for m in recall("annoncer la fusion", texts, helped={"b": 1})][:2] == ["b", "a"]
    assert recall("annoncer la fusion à l’équipe du site", texts, helped={"a": 900, "b": 900})[0].id == "c"
