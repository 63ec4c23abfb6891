"""What is being typed is kept on the server, sealed, for its author alone, until it is sent."""

from time import time

import pytest
from django.db import DatabaseError
from django.test import Client

from cordee.engine import commands as c
from cordee.live.connections import Busy
from cordee.room import actions, store
from cordee.room.access import Key
from cordee.room.models import Draft
from tests.characters import CLIENT, FACILITATOR, circle, play
from tests.room.rooms import ORIGIN, House, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return settle(play(circle(("claire", "karim", "helene")), until="questions"))


def keep(house: House, client: Client, kind: str, **body: str) -> int:
    form = {"kind": kind} | {f"body.{name}": text for name, text in body.items()}
    return client.post(f"{house.address}brouillon", form).status_code


def field(page: str, kind: str) -> str:
    """What the text field of this kind opens with."""
    return page.split(f'id="f-{kind}-text"', 1)[1].split(">", 1)[1].split("</textarea>", 1)[0].strip()


def test_a_draft_comes_back_on_another_device_and_to_nobody_else(house):
    phone, laptop, helene = house.browser("karim"), house.browser("karim"), house.browser("helene")
    assert keep(house, phone, "question", text="Depuis quand, et avec <qui> ?") == 204
    assert field(laptop.get(house.address).content.decode(), "question") == "Depuis quand, et avec &lt;qui&gt; ?"
    assert "Depuis quand, et avec" not in helene.get(house.address).content.decode()
    assert keep(house, phone, "question", text="Depuis quand ?") == 204
    assert field(laptop.get(house.address).content.decode(), "question") == "Depuis quand ?"
    assert Draft.objects.count() == 1


def test_a_draft_is_gone_once_its_words_are_sent_and_others_stay(house):
    karim = house.browser("karim")
    keep(house, karim, "question", text="Depuis quand ?")
    keep(house, karim, "note", text="Pour moi.")
    keep(house, house.browser("helene"), "question", text="La mienne ?")
    assert house.act(karim, do="write", kind="question", id="question-1", body_text="Depuis quand ?").status_code == 302
    assert set(actions.drafts(Key(house.id, "karim"))) == {"note"}
    assert set(actions.drafts(Key(house.id, "helene"))) == {"question"}


def test_a_draft_is_gone_once_a_single_text_is_rewritten(house):
    house = settle(play(circle(("claire", "karim")), until="demande"))
    claire = house.browser(CLIENT)
    house.act(claire, do="write", kind="request", id="request-1", body_text="Que vous m’aidiez à dire non.")
    keep(house, claire, "request", text="Que vous m’aidiez à dire non sans rompre.")
    house.act(claire, do="write", kind="request", id="request-2", body_text="Que vous m’aidiez à dire non sans rompre.")
    assert actions.drafts(Key(house.id, CLIENT)) == {}


def test_editing_a_sent_text_leaves_the_draft_of_the_next_one(house):
    karim = house.browser("karim")
    house.act(karim, do="write", kind="question", id="question-1", body_text="Depuis quand ?")
    keep(house, karim, "question", text="La suivante ?")
    keep(house, karim, "edit-question-1", text="Depuis quand exactement ?")
    house.act(karim, do="edit", id="question-1", body_text="Depuis quand exactement ?")
    assert set(actions.drafts(Key(house.id, "karim"))) == {"question"}


def test_writing_for_someone_leaves_ones_own_draft(house):
    fanny = house.browser(FACILITATOR)
    store.transact([store.Job(house.id, c.AddSeat(seat=FACILITATOR, id="without-screen", name="Marc"))])
    store.transact([store.Job(house.id, c.GiveFloor(seat=FACILITATOR, target="without-screen"))])
    for kind in ("question", "question.for", "note"):
        keep(house, fanny, kind, text="brouillon")
    answer = house.act(
        fanny, do="write", kind="question", id="question-1", behalf="without-screen", body_text="Depuis quand ?"
    )
    assert answer.status_code == 302
    assert set(actions.drafts(Key(house.id, FACILITATOR))) == {"question", "note"}


def test_an_emptied_draft_is_thrown_away(house):
    karim = house.browser("karim")
    keep(house, karim, "note", text="Pour moi.")
    assert keep(house, karim, "note", text="   ") == 204
    assert Draft.objects.count() == 0


def test_there_is_room_for_so_many_and_so_long_drafts(house):
    karim = house.browser("karim")
    assert keep(house, karim, "note", text="x" * store.LONGEST_DRAFT) == 204
    assert keep(house, karim, "note", text="x" * (store.LONGEST_DRAFT + 1)) == 409
    for n in range(store.MOST_DRAFTS - 1):
        assert keep(house, karim, f"edit-{n}", text="x") == 204
    assert keep(house, karim, "one-more", text="x") == 409
    assert keep(house, karim, "note", text="encore") == 204  # one that is there already
    assert keep(house, karim, "", text="x") == 409


def test_a_draft_from_another_site_is_refused(house):
    karim = house.browser("karim")
    for origin in ({"HTTP_ORIGIN": "https://elsewhere.example"}, {"HTTP_ORIGIN": "null"}):
        answer = karim.post(f"{house.address}brouillon", {"kind": "note", "body.text": "x"}, **origin)
        assert answer.status_code == 403
    assert Client(**ORIGIN).post(f"{house.address}brouillon", {"kind": "note"}).status_code == 404
    assert Draft.objects.count() == 0


# ---------------------------------------------------------------- a refusal keeps what was typed


def test_a_refused_text_is_back_in_its_field(house):
    karim = house.browser("karim")
    answer = house.act(karim, do="write", kind="question", id="", body_text="é" * 601)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "est trop long : 601 caractères" in page
    assert field(page, "question") == "é" * 601


def test_a_text_that_came_too_late_is_given_back_on_the_page(house):
    karim = house.browser("karim")
    store.transact([store.Job(house.id, c.Next(seat=FACILITATOR))])
    answer = house.act(karim, do="write", kind="question", id="", body_text="Une question <tardive> ?")
    assert answer.status_code == 409
    assert "« Une question &lt;tardive&gt; ? »" in answer.content.decode()


def test_a_refused_edit_gives_its_text_back(house):
    karim = house.browser("karim")
    answer = house.act(karim, do="edit", id="question-9", body_text="Un texte à garder")
    assert answer.status_code == 409
    assert "« Un texte à garder »" in answer.content.decode()


@pytest.mark.parametrize("error", [Busy(), DatabaseError("disk full")])
def test_a_text_that_could_not_be_written_is_back_in_its_field(house, monkeypatch, error):
    def fails(room, command):
        raise error

    karim = house.browser("karim")
    monkeypatch.setattr(actions, "submit", fails)
    answer = house.act(karim, do="write", kind="question", id="", body_text="Depuis quand ?")
    assert answer.status_code == 503
    assert field(answer.content.decode(), "question") == "Depuis quand ?"
    assert "disk full" not in answer.content.decode()


def test_an_act_from_another_site_is_refused_and_changes_nothing(house):
    karim, version = house.browser("karim"), house.state.version
    karim.defaults["HTTP_ORIGIN"] = "https://elsewhere.example"
    answer = house.act(karim, do="write", kind="question", id="", body_text="Depuis quand ?")
    assert answer.status_code == 409
    assert field(answer.content.decode(), "question") == "Depuis quand ?"
    del karim.defaults["HTTP_ORIGIN"]
    assert house.act(karim, do="write", kind="question", id="", body_text="x").status_code == 409
    karim.defaults["HTTP_SEC_FETCH_SITE"] = "same-origin"
    assert house.state.version == version
    assert house.act(karim, do="write", kind="question", id="", body_text="Depuis quand ?").status_code == 302


def test_the_sentence_is_in_the_readers_language(house):
    karim = house.browser("karim")
    karim.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    page = house.act(karim, do="pause").content.decode()
    assert "Ce geste revient" not in page
    assert 'lang="en"' in page


def test_what_was_typed_earlier_and_arrives_later_does_not_hide_what_another_device_typed(house):
    karim = house.browser("karim")

    def at(moment: float, text: str) -> None:
        form = {"kind": "question", "at": f"{moment:.3f}", "body.text": text}
        assert karim.post(f"{house.address}brouillon", form).status_code == 204

    now = time()
    at(now - 10, "Depuis quand, sur l’ordinateur ?")
    at(now - 60, "Depuis")
    at(now - 60, "")
    assert actions.drafts(Key(house.id, "karim"))["question"]["text"] == "Depuis quand, sur l’ordinateur ?"
    at(now + 3600, "Depuis quand, d’une horloge en avance ?")
    assert float(actions.drafts(Key(house.id, "karim"))["question"]["at"]) <= time()
    at(time(), "Depuis quand, enfin ?")
    assert actions.drafts(Key(house.id, "karim"))["question"]["text"] == "Depuis quand, enfin ?"


@pytest.mark.parametrize("moment", ["", "nan", "inf", "-1", "x", "1e400"])
def test_a_time_that_is_none_is_now(house, moment):
    karim = house.browser("karim")
    form = {"kind": "question", "at": moment, "body.text": "Depuis quand ?"}
    assert karim.post(f"{house.address}brouillon", form).status_code == 204
    assert abs(float(actions.drafts(Key(house.id, "karim"))["question"]["at"]) - time()) < 60


# ---------------------------------------------------------------- in one commit with others


def typing(house: House, kind: str, text: str, at: float) -> store.Job:
    return store.Job(house.id, store.Typing("karim", kind, {"text": text} if text else {}, at))


def kept(house: House) -> dict[str, str]:
    return {kind: body["text"] for kind, body in actions.drafts(Key(house.id, "karim")).items()}


def test_of_a_draft_saved_twice_in_one_commit_the_later_one_stays_whatever_their_order(house):
    now = time()
    for texts in ((now - 20, "avant"), (now - 10, "après")), ((now - 2, "après"), (now - 5, "avant")):
        outcomes = store.transact([typing(house, "note", text, at) for at, text in texts])
        assert outcomes == [[], []]
        assert kept(house) == {"note": "après"}


def test_an_older_emptying_does_not_throw_away_what_was_typed_since(house):
    now = time()
    store.transact([typing(house, "note", "après", now - 5), typing(house, "note", "", now - 10)])
    assert kept(house) == {"note": "après"}
    store.transact([typing(house, "note", "", now - 1)])
    assert kept(house) == {}


def test_a_draft_and_the_words_it_became_in_one_commit_leave_no_draft(house):
    write = c.Write(seat="karim", id="question-1", kind="question", body={"text": "Depuis quand ?"})
    store.transact([typing(house, "question", "Depuis quand ?", time()), store.Job(house.id, write)])
    assert kept(house) == {}


def test_a_draft_that_is_refused_fails_no_neighbour(house):
    long = store.Typing("karim", "note", {"text": "x" * (store.LONGEST_DRAFT + 1)}, time())
    stranger = store.Typing("octave", "note", {"text": "x"}, time())
    jobs = [store.Job(house.id, long), store.Job(house.id, stranger), typing(house, "note", "gardé", time())]
    outcomes = store.transact(jobs)
    assert [isinstance(outcome, list) for outcome in outcomes] == [False, False, True]
    assert kept(house) == {"note": "gardé"}


def test_a_draft_changes_nothing_that_others_are_shown(house):
    before = house.state
    store.transact([typing(house, "note", "Pour moi.", time())])
    assert house.state == before


@pytest.mark.parametrize("kind", ["no\x00te", "note\nnote", "n" * 65, "<b>", "é", ""])
def test_a_draft_of_no_form_of_ours_is_refused_and_not_kept(house, kind):
    assert keep(house, house.browser("karim"), kind, text="x") == 409
    assert Draft.objects.count() == 0
