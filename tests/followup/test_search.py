"""Search over what one may read of what was learnt: by resemblance, theme, value, circle and kind."""

from collections.abc import Mapping
from html import unescape

import pytest

from cordee.accounts import actions as accounts
from cordee.followup import published
from cordee.followup.models import Learning, Publication
from cordee.followup.queries import closing, learnings
from tests.home.town import Town
from tests.people import signed_in, space_of, user

pytestmark = pytest.mark.django_db(transaction=True)
HERS, HIS, SHOWN = "Annoncer la fusion tôt apaise", "Poser la limite d’emblée", "Un silence annoncé repose"


@pytest.fixture
def town(settings, tmp_path) -> Town:
    settings.VAR_DIR = tmp_path
    town = Town().furnish()
    Learning.objects.all().delete()
    kept(town, "claire", HERS, theme="Écouter", value="Courage")
    kept(town, "karim", HIS, theme="Dire non", value="Respect")
    other = town._circle("Les discrets", karim="member")
    secret = kept(town, "karim", "Annoncer en secret zqsecretqz")
    words = secret.words(town.circle.key())
    secret.circle = other
    secret.hold(other.key() or b"", words)
    secret.save()
    published.publish(secret, SHOWN)
    return town


def kept(town: Town, who: str, text: str, **words: str) -> Learning:
    made = town.learning(who, text)
    made.hold(town.circle.key() or b"", {"text": text, **words})
    made.save()
    return made


def found(who: str, **wish: object) -> set[str]:
    answer = signed_in(who).post("/apprentissages/", wish)
    assert answer.status_code == 200
    page = unescape(answer.content.decode())
    assert who == "karim" or "zqsecretqz" not in page
    return {text for text in (HERS, HIS, SHOWN) if text in page}


TEAM, LIMITS, HEART = "L’équipe entend la fin", "Une équipe et des limites posées", "Le cœur parle"
ALONE = "Fusionner n’est pas mon fort"
EXPECTED: Mapping[str, tuple[dict[str, str], list[str]]] = {  # what is asked for, and the answers in their order
    "conjugation, and the space": ({"text": "annonçait des fusions"}, [HERS, ALONE, SHOWN]),
    "conjugation, elided": ({"text": "j'annonçais"}, [HERS, SHOWN]),
    "accents and case": ({"text": "les ÉQUIPES"}, [TEAM, LIMITS]),
    "the most resembling first": ({"text": "poser une limite à l'equipe"}, [HIS, LIMITS, TEAM, SHOWN]),
    "ligature and plural": ({"text": "cœurs"}, [HEART]),
    "nothing alike": ({"text": "zèbre"}, []),
    "a sign": ({"text": "%"}, []),
    "code": ({"text": "'; --"}, []),
    "nothing: the latest first": ({}, [ALONE, HEART, LIMITS, TEAM, HIS, HERS]),
    "theme, without its accent": ({"theme": "ecouter"}, [TEAM, HERS]),
    "a part of a theme": ({"theme": "dire"}, [HIS]),
    "value, in capitals": ({"value": "RESPECT"}, [LIMITS, HIS]),
    "theme and value": ({"theme": "dire non", "value": "respect"}, [HIS]),
    "a theme that hers lacks": ({"text": "annoncer", "theme": "dire"}, []),
    "kind: mine": ({"kind": "mine"}, [ALONE, HERS]),
    "kind: alone": ({"kind": "alone"}, [ALONE]),
    "kind: circles": ({"kind": "circles"}, [HEART, LIMITS, TEAM, HIS, HERS]),
    "kind: circles, alike": ({"kind": "circles", "text": "j'annonçais"}, [HERS]),
    "kind: published": ({"kind": "published", "text": "silences"}, [SHOWN]),
    "kind and circle unknown": ({"kind": "x", "circle": "9" * 40}, [ALONE, HEART, LIMITS, TEAM, HIS, HERS]),
    "a circle that is no number": ({"circle": "²"}, [ALONE, HEART, LIMITS, TEAM, HIS, HERS]),
    "since a day": ({"since": "2026-03-04"}, [ALONE, HEART, LIMITS]),
    "until a day, included": ({"until": "2026-03-02"}, [HIS, HERS]),
    "between, alike": ({"text": "équipe", "since": "2026-03-03", "until": "2026-03-03"}, [TEAM]),
}


def test_a_search_finds_these_on_any_database_in_this_order(town):
    """The suite runs it on SQLite and on PostgreSQL: both answer by this table."""
    for who, text, words in (
        ("karim", TEAM, {"theme": "Écouter"}),
        ("karim", LIMITS, {"value": "Respect"}),
        ("helene", HEART, {}),
        ("claire", ALONE, {}),
    ):
        kept(town, who, text, **words)
    for day, learning in enumerate(Learning.objects.filter(circle=town.circle).order_by("learnt_at"), 1):
        learning.learnt_at, learning.alone = f"2026-03-{day:02}T12:00Z", day == 6
        learning.save()
    answers = {asked: answered("claire", **wish) for asked, (wish, _) in EXPECTED.items()}
    assert answers == {asked: texts for asked, (_, texts) in EXPECTED.items()}


def test_the_values_of_the_space_are_picked_from_with_those_met_each_once(town):
    accounts.set_values(town.space, ["La patience", "COURAGE"])
    accounts.set_values(space_of("Le Pont"), ["La lenteur"])
    assert learnings.labels(user("claire"))[1] == ["COURAGE", "La patience", "Respect"]


def answered(who: str, **wish: str) -> list[str]:
    """As the page shows them, from its top."""
    page = unescape(signed_in(who).post("/apprentissages/", wish).content.decode())
    texts = (HERS, HIS, SHOWN, TEAM, LIMITS, HEART, ALONE)
    return sorted((text for text in texts if text in page), key=page.index)


def test_by_circle(town):
    assert found("claire", circle=town.circle.pk) == {HERS, HIS}
    assert SHOWN not in found("claire", circle=town.circle.pk, text="silence annoncé"), "of no circle"
    assert found("karim", circle=Learning.objects.exclude(circle=town.circle).get().circle_id) == set()


def test_a_circle_that_is_not_mine_gives_nothing(town):
    assert found("claire", circle=Learning.objects.exclude(circle=town.circle).get().circle_id) == set()


def test_who_is_elsewhere_finds_nothing(town):
    assert found("octave", text="annoncer la fusion") == set()


def test_by_day_the_published_ones_too(town):
    Learning.objects.filter(pk__contains="claire").update(learnt_at="2026-03-01T12:00Z")
    Publication.objects.update(published_at="2026-03-29T22:30Z")  # the 30th, in Paris, where clocks have just changed
    assert found("claire", until="2026-03-01") == {HERS} and found("claire", since="2026-03-02") == {HIS}
    assert found("claire", since="2026-03-01", until="2026-03-01") == {HERS}
    assert found("claire", text="silence annoncé", kind="published", since="2026-03-30", until="2026-03-30") == {SHOWN}
    assert found("claire", text="silence annoncé", kind="published", until="2026-03-29") == set()
    assert found("claire", since="hier", until="0001-01-01") == {HERS, HIS}, "what is no date is left out"


def test_without_a_word_the_published_ones_are_the_latest(town):
    assert found("claire", kind="published") == {SHOWN} and found("claire", kind="published", theme="dire") == set()
    Publication.objects.update(published_at="2026-03-29T22:30Z")
    assert found("claire", kind="published", since="2026-03-30") == {SHOWN}
    assert found("claire", kind="published", since="2026-03-31") == set()
    assert found("octave", kind="published") == set() and SHOWN not in answered("claire")


def test_themes_values_and_circles_are_picked_among_those_one_may_read(town):
    page = unescape(signed_in("claire").get("/apprentissages/").content.decode())
    for label in ("Écouter", "Dire non", "Courage", "Respect"):
        assert f'<option value="{label}">' in page
    assert town.circle.name in page and "Les discrets" not in page
    page = unescape(signed_in("octave").get("/apprentissages/").content.decode())
    assert "Écouter" not in page and "Courage" not in page


def test_a_theme_written_in_two_ways_is_one(town):
    kept(town, "karim", "Encore", theme="ECOUTER")
    themes, _ = learnings.labels(user("claire"))
    assert themes == ["Dire non", "ECOUTER"] or themes == ["Dire non", "Écouter"]
    assert {theme: len(some) for theme, some in closing.closing(town.circle).learnt.items()} == {
        "Écouter": 2,
        "Dire non": 1,
    }


def test_a_search_with_every_filter_asks_the_database_few_questions(town, django_assert_max_num_queries):
    for number in range(60):
        kept(town, "claire", f"{HERS} {number}", theme=f"Thème {number}")
    browser = signed_in("claire")
    with django_assert_max_num_queries(20):
        browser.post("/apprentissages/", {"text": "fusion", "since": "2020-01-01", "kind": ""})
