"""A kept commitment told to the circle in three lines, with thanks: who reads it, and how it is taken back."""

from html import unescape

import pytest
from django.utils import timezone

from cordee.accounts.models import Person
from cordee.circles.models import Attendance, Membership
from cordee.followup.models import Commitment, Success
from cordee.home import erasure
from cordee.home.export import everything
from cordee.room.belongings import PEER, Choice
from tests.home.remains import found
from tests.home.town import SITUATION, Town
from tests.people import signed_in, user

pytestmark = pytest.mark.django_db
LINES = {
    "situation": "On m’interrompait zqsituationqz",
    "did": "J’ai repris la parole zqdidqz",
    "gave": "Il a attendu zqgaveqz",
}
WORD = "Ta phrase m’a servi zqwordqz"
NEEDLES = ("zqsituationqz", "zqdidqz", "zqgaveqz", "zqwordqz")
KEEP = Choice(keep=True, keep_learnings=True)


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def kept(town) -> Commitment:
    return town.commitment("claire", "alors je reprends la parole", state="kept", answered_at=timezone.now())


def path(kept: Commitment, more: str = "") -> str:
    return f"/engagements/{kept.pk}/reussite/{more}"


def wall(town: Town) -> str:
    return f"/cercles/{town.circle.pk}/reussites/"


def tell(town: Town, kept: Commitment, thanked: str = "", word: str = "", **lines: str):
    named = {"thanked": str(town.people[thanked].pk)} if thanked else {}
    return signed_in("claire").post(path(kept), LINES | lines | named | {"word": word})


def seen(who: str, where: str) -> str:
    answer = signed_in(who).get(where)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def told(page: str) -> list[str]:
    return [needle for needle in NEEDLES if needle in page]


# ---------------------------------------------------------------- told


def test_the_circle_reads_it_on_its_wall_and_nobody_else_does(town, kept):
    left = town.join(town.circle, "thomas")
    Membership.objects.filter(pk=left.pk).update(left_at=timezone.now())
    assert tell(town, kept, "karim", WORD).url == wall(town)
    for who in ("claire", "karim", "helene", "fanny"):
        assert all(text in seen(who, wall(town)) for text in (*LINES.values(), WORD))
    for who in ("rose", "octave", "operator", "thomas"):
        assert signed_in(who).get(wall(town)).status_code == 404
        assert not told(seen(who, "/accueil/") + seen(who, "/engagements/"))


def test_its_words_are_sealed_and_go_with_the_key_of_the_circle(town, kept):
    tell(town, kept, "karim", WORD)
    assert b"zqdidqz" not in bytes(Success.objects.get().sealed)
    town.circle.destroy_key()
    assert "effacés" in seen("claire", wall(town)) and not told(seen("claire", wall(town)))
    assert signed_in("claire").get(path(kept)).status_code == 404
    assert "vous remercie" not in seen("karim", "/accueil/")


@pytest.mark.parametrize("state", Commitment.STATES)
def test_only_what_was_kept_or_adapted_can_be_told(town, state):
    promise = town.commitment("claire", "alors je demande", state=state[0], answered_at=timezone.now())
    may = state[0] in {"kept", "adapted"}
    assert signed_in("claire").get(path(promise)).status_code == (200 if may else 404)
    assert tell(town, promise).status_code == (302 if may else 404)
    assert Success.objects.exists() is may


def test_home_and_its_own_page_offer_to_tell_it_until_it_is_told(town, kept):
    assert all("En faire une réussite" in seen("claire", where) for where in ("/accueil/", f"/engagements/{kept.pk}/"))
    assert "En faire une réussite" not in seen("karim", f"/engagements/{kept.pk}/")
    tell(town, kept)
    assert not any(
        "En faire une réussite" in seen("claire", where) for where in ("/accueil/", f"/engagements/{kept.pk}/")
    )


def test_the_page_begins_with_what_its_author_has_written(town, kept):
    kept.stand(gave="Personne ne m’a coupée.")
    shown = seen("claire", path(kept))
    assert "Si Paul m’interrompt en réunion" in shown and "Personne ne m’a coupée." in shown
    situation = town.situation("claire")
    town.meetings[0].turns.create(
        circle=town.circle, person=town.people["claire"], round=2, at=timezone.now(), situation=situation
    )
    shown = seen("claire", path(kept))
    assert SITUATION["title"] in shown and "en réunion, alors je reprends la parole" in shown


@pytest.mark.parametrize(("name", "text"), [("situation", ""), ("did", "x" * 301), ("word", "Merci à qui ?")])
def test_what_is_refused_comes_back_on_the_page_with_a_sentence(town, kept, name, text):
    answer = signed_in("claire").post(path(kept), LINES | {name: text})
    assert answer.status_code == 200 and 'role="alert"' in answer.content.decode()
    assert LINES["gave"] in unescape(answer.content.decode()) and not Success.objects.exists()


def test_told_again_it_is_the_same_one_in_other_words(town, kept):
    tell(town, kept, "karim")
    first = Success.objects.get()
    tell(town, kept, "karim", gave="Il a attendu, deux fois.")
    again = Success.objects.get()
    assert (again.pk, again.told_at, again.thanked_at) == (first.pk, first.told_at, first.thanked_at)
    assert "deux fois" in seen("karim", wall(town)) and LINES["gave"] not in seen("karim", wall(town))


def test_its_author_withdraws_it_at_any_time_and_twice_is_once(town, kept):
    tell(town, kept, "karim", WORD)
    assert signed_in("karim").post(path(kept, "retirer/")).status_code == 404
    for _ in range(2):
        assert signed_in("claire").post(path(kept, "retirer/")).status_code == 302
    assert found(*NEEDLES) == [] and not told(seen("karim", wall(town)))
    assert "vous remercie" not in seen("karim", "/accueil/")


# ---------------------------------------------------------------- thanks


def test_those_who_were_there_come_first_and_oneself_never(town, kept):
    Attendance.objects.create(
        meeting=town.meetings[0],
        person=town.people["karim"],
        arrived_at=timezone.now(),
        left_at=timezone.now(),
        minutes=9,
    )
    shown = seen("claire", path(kept))
    options = [shown.index(f'value="{town.people[who].pk}"') for who in ("karim", "fanny", "helene")]
    assert options == sorted(options)
    assert f'value="{town.people["claire"].pk}"' not in shown and "Thomas" not in shown


def test_who_is_not_of_the_circle_cannot_be_thanked(town, kept):
    assert tell(town, kept, "thomas").status_code == 200
    assert not Success.objects.exists()


def test_who_is_thanked_finds_it_on_their_home_and_nobody_else_does(town, kept):
    tell(town, kept, "karim", WORD)
    assert "Claire vous remercie pour une piste" in seen("karim", "/accueil/")
    assert "Merci à vous" in seen("karim", wall(town)) and "Merci à Karim" in seen("helene", wall(town))
    for who in ("claire", "helene", "fanny", "rose", "thomas"):
        assert "vous remercie" not in seen(who, "/accueil/")


def test_thanks_are_taken_back(town, kept):
    tell(town, kept, "karim", WORD)
    tell(town, kept)
    assert "vous remercie" not in seen("karim", "/accueil/") and "Merci" not in seen("helene", wall(town))
    assert Success.objects.get().thanked_at is None and found("zqwordqz") == []


def test_a_word_changed_once_who_was_thanked_has_left_takes_no_thanks_away(town, kept):
    tell(town, kept, "karim", WORD)
    Membership.objects.filter(person=town.people["karim"]).update(left_at=timezone.now())
    page = seen("claire", path(kept))
    assert f'value="{town.people["karim"].pk}" selected' in page
    tell(town, kept, "karim", WORD, did="J’ai repris la parole.")
    assert Success.objects.get().thanked == town.people["karim"]
    tell(town, kept)
    assert f'value="{town.people["karim"].pk}"' not in seen("claire", path(kept))


def test_who_left_the_circle_reads_no_thanks(town, kept):
    tell(town, kept, "karim", WORD)
    Membership.objects.filter(person=town.people["karim"]).update(left_at=timezone.now())
    assert "vous remercie" not in seen("karim", "/accueil/")
    assert everything(user("karim"))["persons"][0]["thanks"] == []


# ---------------------------------------------------------------- one's data


def test_what_one_told_and_the_thanks_one_had_are_in_one_s_data(town, kept):
    tell(town, kept, "karim", WORD)
    mine = everything(user("claire"))["persons"][0]["successes"]
    assert mine[0]["words"] == LINES | {"word": WORD} and mine[0]["thanked"] == "Karim"
    thanks = everything(user("karim"))["persons"][0]["thanks"]
    assert [(one["author"], one["word"]) for one in thanks] == [("Claire", WORD)]


def test_with_its_author_s_data_it_goes(town, kept):
    tell(town, kept, "karim", WORD)
    erasure.erase_user(user("claire"), KEEP)
    assert found(*NEEDLES) == [] and not Success.objects.exists()


def test_when_who_was_thanked_is_erased_a_peer_is_thanked_and_no_word_stays(town, kept):
    tell(town, kept, "karim", WORD)
    erasure.erase_user(user("karim"), KEEP)
    shown = seen("helene", wall(town))
    assert f"Merci à {PEER}" in shown and LINES["gave"] in shown
    assert found("zqwordqz", "Karim") == []


def test_a_wall_of_many_is_read_in_few_questions(town, django_assert_max_num_queries):
    key = town.circle.key()
    for number in range(60):
        promise = town.commitment("claire", f"alors {number}", state="kept")
        success = Success(id=f"success-{number}", commitment=promise, thanked=Person.objects.get(name="Karim"))
        success.hold(key, LINES)
        success.save()
    browser = signed_in("karim")
    with django_assert_max_num_queries(20):
        shown = browser.get(wall(town)).content.decode()
    assert shown.count("<article") == 50 and "?page=2" in shown
    with django_assert_max_num_queries(20):
        browser.get("/accueil/")
