"""What was promised: its author says where they stand, the circle reads it, a letter's link asks for one tap."""

import re
from datetime import date, timedelta
from html import unescape
from unittest import mock

import pytest
from django.core import signing
from django.utils import timezone

from cordee.circles.models import Circle, Membership
from cordee.followup import links
from cordee.followup.models import Commitment, Learning
from cordee.followup.queries import commitments as queries
from tests.people import of, signed_in, small_circle, user

pytestmark = pytest.mark.django_db
WORDS = {"if": "Si Paul m’interrompt zqifqz", "then": "alors je reprends la parole zqthenqz", "witness": "Karim"}
GAVE, LEARNT = "Il a écouté zqgaveqz", "Je peux le dire zqlearntqz"


@pytest.fixture
def circle() -> Circle:
    return small_circle()


@pytest.fixture
def promise(circle) -> Commitment:
    made = Commitment(id="commitment-1", circle=circle, person=of(circle, "claire"), witness=of(circle, "karim"))
    made.due_on = timezone.localdate() + timedelta(days=7)
    made.hold(circle.key(), WORDS)
    made.save()
    return made


def fresh(promise: Commitment) -> Commitment:
    return Commitment.objects.select_related("circle", "person__user").get(pk=promise.pk)


def told(page: str) -> list[str]:
    """The words of the tests that are on this page; a token made by chance may hold fewer letters of them."""
    return re.findall("zq[a-z]+qz", page)


def seen(who: str, path: str) -> str:
    return unescape(signed_in(who).get(path).content.decode())


def test_its_words_are_sealed(promise):
    row = fresh(promise)
    assert b"zqthenqz" not in bytes(row.sealed)
    row.stand(gave=GAVE, learnt=LEARNT)
    assert b"zqgaveqz" not in bytes(fresh(promise).sealed_outcome)
    assert queries.read([fresh(promise)])[0].outcome == {"gave": GAVE, "learnt": LEARNT}


@pytest.mark.parametrize("who", ["claire", "karim", "fanny"])
def test_the_circle_reads_it_and_what_it_gave(promise, who):
    fresh(promise).stand(state="kept", gave=GAVE, learnt=LEARNT)
    shown = seen(who, "/engagements/commitment-1/")
    assert all(text in shown for text in (WORDS["if"], WORDS["then"], GAVE, LEARNT))


@pytest.mark.parametrize("who", ["rose", "octave", "operator"])
def test_nobody_else_does(promise, who):
    assert signed_in(who).get("/engagements/commitment-1/").status_code == 404
    assert told(seen(who, "/engagements/") + seen(who, "/apprentissages/")) == []


def test_who_left_the_circle_keeps_their_own_and_reads_no_others(promise, circle):
    Membership.objects.filter(person__in=[of(circle, "claire"), of(circle, "karim")]).update(left_at=timezone.now())
    assert WORDS["then"] in seen("claire", "/engagements/commitment-1/")
    assert signed_in("karim").get("/engagements/commitment-1/").status_code == 404
    assert told(seen("karim", "/engagements/")) == []


def test_its_author_alone_says_where_they_stand(promise):
    form = {"state": "adapted", "gave": GAVE, "learnt": LEARNT, "remind_on": "2030-01-02"}
    assert signed_in("karim").post("/engagements/commitment-1/ou-j-en-suis/", form).status_code == 404
    assert signed_in("claire").post("/engagements/commitment-1/ou-j-en-suis/", form).status_code == 302
    row = fresh(promise)
    assert (row.state, row.remind_on) == ("adapted", date(2030, 1, 2))
    assert row.answered_at


def test_one_button_changes_the_state_and_nothing_else(promise):
    fresh(promise).stand(gave=GAVE, remind_on=date(2030, 1, 2))
    form = {"state": "tried", "next": "/accueil/"}
    assert signed_in("claire").post("/engagements/commitment-1/ou-j-en-suis/", form).url == "/accueil/"
    row = fresh(promise)
    assert (row.state, row.remind_on) == ("tried", date(2030, 1, 2))
    assert row.outcome(row.circle.key()) == {"gave": GAVE}


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:alert(1)"])
def test_one_is_sent_back_to_this_site_only(promise, elsewhere):
    answer = signed_in("claire").post("/engagements/commitment-1/ou-j-en-suis/", {"state": "kept", "next": elsewhere})
    assert answer.url == "/engagements/commitment-1/"


def test_what_is_refused_comes_back_on_the_page(promise):
    form = {"state": "kept", "gave": GAVE, "remind_on": "demain"}
    answer = signed_in("claire").post("/engagements/commitment-1/ou-j-en-suis/", form)
    assert answer.status_code == 200 and GAVE in unescape(answer.content.decode())
    assert fresh(promise).state == "promised"


# from, what its author says, whether a reminder set before stays, whether it may be told as a success
LIFE = [
    ("promised", "tried", True, False),
    ("promised", "kept", False, True),
    ("promised", "adapted", True, True),
    ("promised", "let_go", False, False),
    ("tried", "kept", False, True),
    ("tried", "let_go", False, False),
    ("adapted", "kept", False, True),
    ("adapted", "tried", True, False),
    ("kept", "tried", True, False),  # one may change one's mind
    ("let_go", "kept", False, True),
]


@pytest.mark.parametrize(("before", "said", "reminded", "tellable"), LIFE)
def test_the_life_of_a_commitment(promise, before, said, reminded, tellable):
    day = timezone.localdate() + timedelta(days=3)
    Commitment.objects.filter(pk=promise.pk).update(state=before, remind_on=day)
    browser = signed_in("claire")
    assert browser.post("/engagements/commitment-1/ou-j-en-suis/", {"state": said}).status_code == 302
    row = fresh(promise)
    assert (row.state, row.remind_on) == (said, day if reminded else None)
    assert browser.get("/engagements/commitment-1/reussite/").status_code == (200 if tellable else 404)


def test_nothing_goes_back_to_being_promised(promise):
    promise.stand(state="tried")
    browser = signed_in("claire")
    assert browser.post("/engagements/commitment-1/ou-j-en-suis/", {"state": "promised"}).status_code == 200
    assert fresh(promise).state == "tried"


@pytest.mark.parametrize(
    ("days", "says"), [(3, "Une lettre partira le"), (0, "La lettre part aujourd’hui"), (-1, "Ce n’est pas enregistré")]
)
def test_the_page_says_what_becomes_of_a_reminder(promise, days, says):
    day = timezone.localdate() + timedelta(days=days)
    form = {"remind_on": day.isoformat(), "gave": GAVE}
    answer = signed_in("claire").post("/engagements/commitment-1/ou-j-en-suis/", form, follow=True)
    assert says in unescape(answer.content.decode()) and GAVE in unescape(answer.content.decode())


def test_a_reminder_that_is_past_hinders_nothing(promise):
    Commitment.objects.update(remind_on=timezone.localdate() - timedelta(days=1))
    assert "est passé ; vous pouvez en demander un autre" in seen("claire", "/engagements/commitment-1/")
    form = {"state": "tried", "gave": GAVE, "remind_on": ""}
    assert signed_in("claire").post("/engagements/commitment-1/ou-j-en-suis/", form).status_code == 302


def test_the_witness_is_told_on_their_pages_that_its_date_has_come(promise):
    assert not any("est venue" in seen("karim", where) for where in ("/accueil/", "/engagements/"))
    Commitment.objects.update(due_on=timezone.localdate())
    assert "La date de l’engagement de Claire est venue" in seen("karim", "/accueil/")
    assert "la date est venue" in seen("karim", "/engagements/")
    assert "Sa date est venue" in seen("karim", "/engagements/commitment-1/")
    assert all("est venue" not in seen(who, "/accueil/") for who in ("claire", "fanny", "rose"))
    fresh(promise).stand(state="tried")
    assert "est venue" not in seen("karim", "/accueil/")


def test_the_witness_sees_that_they_are_witness(promise):
    assert "Vous en êtes le témoin" in seen("karim", "/engagements/commitment-1/")
    assert WORDS["then"] in seen("karim", "/engagements/")
    assert "Vous en êtes le témoin" not in seen("fanny", "/engagements/commitment-1/")


def test_once_the_key_is_destroyed_there_is_nothing_to_read_and_nothing_breaks(promise, circle):
    path = links.answers(fresh(promise))["kept"]
    circle.destroy_key()
    assert "effacés" in seen("claire", "/engagements/commitment-1/")
    signed_in("claire").post("/engagements/commitment-1/ou-j-en-suis/", {"state": "kept", "gave": "Trop tard."})
    row = fresh(promise)
    assert (row.state, row.sealed_outcome) == ("kept", None)
    assert signed_in("claire").get(path).status_code == 200


# ---------------------------------------------------------------- one tap from a letter


def test_a_letter_s_link_shows_no_word_and_changes_nothing_until_its_button_is_pressed(promise, client):
    path = links.answers(fresh(promise))["kept"]
    shown = unescape(client.get(path).content.decode())
    assert told(shown) == [] and "éclaireurs" not in shown and "Claire" not in shown
    assert fresh(promise).state == "promised"
    assert client.head(path).status_code == 200
    assert fresh(promise).state == "promised"
    assert client.post(path).status_code == 200
    assert fresh(promise).state == "kept"
    client.post(links.answers(fresh(promise))["tried"])
    assert fresh(promise).state == "tried"


def test_after_the_tap_a_sentence_may_be_added_once_and_none_is_shown(promise, client):
    path = links.answers(fresh(promise))["tried"]
    shown = unescape(client.post(path).content.decode())
    assert "Ajouter ces mots" in shown and told(shown) == []
    shown = unescape(client.post(path, {"gave": GAVE, "learnt": LEARNT}).content.decode())
    assert "Vos mots sont enregistrés" in shown and told(shown) == []
    row = fresh(promise)
    assert (row.state, row.outcome(row.circle.key())) == ("tried", {"gave": GAVE, "learnt": LEARNT})
    shown = unescape(client.post(path, {"gave": "Autre chose.", "learnt": ""}).content.decode())
    assert "ils n’ont pas changé" in shown and fresh(promise).outcome(row.circle.key())["gave"] == GAVE
    assert "Ajouter ces mots" not in client.post(path).content.decode()


def test_of_two_devices_neither_takes_away_what_the_other_said(promise):
    phone, laptop, letter = fresh(promise), fresh(promise), fresh(promise)
    laptop.stand(gave=GAVE, remind_on=timezone.localdate())
    phone.stand(learnt=LEARNT)
    assert not letter.say_first("tried", "Autre chose.", "")
    row = fresh(promise)
    assert row.outcome(row.circle.key()) == {"gave": GAVE, "learnt": LEARNT} and row.remind_on


def test_a_page_left_open_takes_away_no_word_written_elsewhere(promise):
    page = seen("claire", "/engagements/commitment-1/")
    opened = dict(re.findall(r'name="(\w+_was)" value="(.*?)"', page))
    assert opened == {"gave_was": "", "learnt_was": ""}
    fresh(promise).stand(gave=GAVE)
    form = {"state": "kept", "gave": "", "learnt": LEARNT, **opened}
    signed_in("claire").post("/engagements/commitment-1/ou-j-en-suis/", form)
    row = fresh(promise)
    assert row.state == "kept" and row.outcome(row.circle.key()) == {"gave": GAVE, "learnt": LEARNT}
    form = {"gave": "", "gave_was": GAVE}
    signed_in("claire").post("/engagements/commitment-1/ou-j-en-suis/", form)
    assert fresh(promise).outcome(row.circle.key()) == {"learnt": LEARNT}, "what is rubbed out is"


def test_adding_no_word_says_that_none_was_added(promise, client):
    path = links.answers(fresh(promise))["tried"]
    client.post(path)
    shown = unescape(client.post(path, {"gave": " ", "learnt": ""}).content.decode())
    assert "Ajouter ces mots" in shown and "Vos mots sont enregistrés" not in shown


@pytest.mark.parametrize("who", ["claire", "karim"])
def test_an_open_one_is_never_behind_those_that_are_over(circle, who):
    """Its author's, and its witness's, however many were answered before."""
    for number in range(60):
        made = Commitment(id=f"commitment-{number}", circle=circle, person=of(circle, "claire"))
        made.witness, made.state = of(circle, "karim"), "kept" if number else "promised"
        made.due_on = timezone.localdate() + timedelta(days=30 if number == 0 else -number)
        made.hold(circle.key(), {"then": f"alors {number}."})
        made.save()
    assert "alors 0." in seen(who, "/engagements/")


def test_its_words_are_shown_to_its_author_alone(promise):
    path = links.answers(fresh(promise))["kept"]
    assert WORDS["then"] in seen("claire", path)
    assert not any(told(seen(who, path)) for who in ("karim", "fanny", "rose", "octave"))


def test_a_link_is_of_one_commitment_one_answer_and_some_weeks(promise, circle, client):
    other = Commitment.objects.create(id="commitment-2", circle=circle, person=of(circle, "claire"))
    token = links.token(fresh(promise), "kept")
    assert client.post(f"/engagements/{other.pk}/reponse/{token}/").status_code == 404
    for forged in (token.replace("kept", "let_go"), token[:-1], "kept", links.token(fresh(promise), "promised")):
        assert client.post(f"/engagements/commitment-1/reponse/{forged}/").status_code == 404
    with mock.patch.object(signing.time, "time", return_value=timezone.now().timestamp() + 61 * 86_400):
        assert client.post(f"/engagements/commitment-1/reponse/{token}/").status_code == 404
    assert fresh(promise).state == "promised"


def test_links_made_void_by_their_reader_open_nothing(promise, client):
    path = links.answers(fresh(promise))["kept"]
    user("claire").__class__.objects.filter(pk=user("claire").pk).update(links_epoch=1)
    assert client.get(path).status_code == 404


# ---------------------------------------------------------------- what was learnt


def test_learnings_are_read_by_their_author_and_their_circle(circle):
    learnt = Learning(id="learning-1", circle=circle, person=of(circle, "karim"))
    learnt.hold(circle.key(), {"text": "Demander avant de conseiller zqlearningqz", "theme": "Écouter"})
    learnt.save()
    assert all("zqlearningqz" in seen(who, "/apprentissages/") for who in ("claire", "karim", "fanny"))
    assert not any(told(seen(who, "/apprentissages/")) for who in ("rose", "octave", "operator"))
    Learning.objects.update(person=None)
    assert "un pair" in seen("claire", "/apprentissages/")


def test_a_long_list_is_turned_page_by_page(circle, django_assert_max_num_queries):
    for number in range(120):
        learnt = Learning(id=f"learning-{number}", circle=circle, person=of(circle, "karim"))
        learnt.hold(circle.key(), {"text": f"Leçon {number}"})
        learnt.save()
    browser = signed_in("claire")
    with django_assert_max_num_queries(20):
        first = browser.get("/apprentissages/").content.decode()
    assert first.count("Leçon") == 50 and "?page=2" in first
    assert browser.get("/apprentissages/?page=3").content.decode().count("Leçon") == 20
