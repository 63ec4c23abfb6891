"""Search over what one may read of what was learnt: by resemblance, theme, value, circle and kind."""

from html import unescape

import pytest

from cordee.followup import published
from cordee.followup.models import Learning
from tests.home.town import Town
from tests.people import signed_in

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
