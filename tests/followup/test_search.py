"""Search over what one may read of what was learnt: by resemblance, theme, value, circle and kind."""

from html import unescape

import pytest

from cordee.followup import published
from cordee.followup.models import Learning, Publication
from cordee.followup.queries import learnings as queries
from tests.home.town import Town
from tests.people import signed_in, user

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


@pytest.mark.parametrize(
    ("wish", "texts"),
    [
        ({"text": "annonçait des fusions"}, {HERS, SHOWN}),
        ({"theme": "ecouter"}, {HERS}),
        ({"value": "RESPECT"}, {HIS}),
        ({"kind": "mine"}, {HERS}),
        ({"kind": "circles"}, {HERS, HIS}),
        ({"kind": "published", "text": "silences"}, {SHOWN}),
        ({"text": "annoncer", "theme": "dire"}, set()),
        ({"kind": "x", "circle": "9" * 40}, {HERS, HIS}),
        ({"circle": "²"}, {HERS, HIS}),
    ],
)
def test_what_is_asked_for_is_found(town, wish, texts):
    assert found("claire", **wish) == texts


def test_by_circle(town):
    assert found("claire", circle=town.circle.pk) == {HERS, HIS}
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


def test_themes_and_values_are_picked_among_those_one_may_read(town):
    page = unescape(signed_in("claire").get("/apprentissages/").content.decode())
    for label in ("Écouter", "Dire non", "Courage", "Respect"):
        assert f'<option value="{label}">' in page
    page = unescape(signed_in("octave").get("/apprentissages/").content.decode())
    assert "Écouter" not in page and "Courage" not in page


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("les ÉQUIPES", ["l’équipe entend la fin", "une équipe et des limites posées"]),
        ("poser une limite à l'equipe", ["une équipe et des limites posées", "l’équipe entend la fin"]),
        ("j'annonçais", ["annoncer tôt"]),
        ("cœurs", ["le cœur parle"]),
        ("%", []),
        ("'; --", []),
    ],
)
def test_accents_plurals_and_conjugation_do_not_matter_and_the_order_is_the_same_on_any_database(town, query, order):
    Learning.objects.all().delete()
    for text in ("l’équipe entend la fin", "une équipe et des limites posées", "annoncer tôt", "le cœur parle"):
        kept(town, "claire", text)
    answers = queries.searched(user("claire"), queries.Wish(text=query))
    assert [each.words["text"] for each in answers] == order


def test_a_search_with_every_filter_asks_the_database_few_questions(town, django_assert_max_num_queries):
    for number in range(60):
        kept(town, "claire", f"{HERS} {number}", theme=f"Thème {number}")
    browser = signed_in("claire")
    with django_assert_max_num_queries(20):
        browser.post("/apprentissages/", {"text": "fusion", "since": "2020-01-01", "kind": ""})
