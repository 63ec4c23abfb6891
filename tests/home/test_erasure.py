"""Somebody's data is erased: afterwards every column of every table, and every page of others, is searched for them."""

from datetime import timedelta
from html import unescape
from time import time

import pytest
from django.test import Client
from django.utils import timezone

from cordee.accounts.adapters import PROVED
from cordee.accounts.models import Person, User
from cordee.circles import crypto
from cordee.circles.models import Attendance, Availability, Membership, Reply, Slot, Turn
from cordee.circles.queries.meetings import about
from cordee.followup.models import Commitment, Learning
from cordee.home.models import Erasure
from cordee.mail.models import Letter, Wish
from cordee.room import access, actions, harvest, store
from cordee.room.models import Seat, Session
from tests.home.played import MEMBERS, canary, play_in
from tests.home.remains import everything_stored, found
from tests.home.town import Town
from tests.people import address, signed_in, user
from tests.room.clean import clean_memory  # noqa: F401

pytestmark = pytest.mark.django_db
NAME = "Karim Zqnameqz"
CONFIRMED = {"words": "withdraw", "learnings": "withdraw", "sure": "1"}
KEPT = {"words": "keep", "learnings": "keep", "sure": "1"}
# What he wrote for others and they have read, in the room of two rounds; what he learnt apart.
FOR_OTHERS = ("situation", "question", "feeling", "edited", "story", "request", "takeaway", "commitment")
HIS_ALONE = ("note", "draft", "seed", "vote")


@pytest.fixture
def town() -> Town:
    """Karim has left something in every place there is."""
    town = Town().furnish()
    karim = town.people["karim"]
    Person.objects.filter(pk=karim.pk).update(name=NAME, site="zqsiteqz", needs="zqneedsqz", team="zqteamqz")
    User.objects.filter(pk=user("karim").pk).update(name=NAME)
    karim.refresh_from_db()
    helene = town.people["helene"]
    helene.manager = karim
    helene.save()
    town.situation("karim", title="zqtitleqz", text="zqsituationtextqz")
    promise = town.commitment("karim", "zqpromiseqz", witness=helene)
    promise.stand(state="kept", gave="zqgaveqz", learnt="zqlearntqz")
    town.learning("karim", "zqbooklearningqz")
    witnessed = town.commitment("helene", "alors je note", witness=karim)
    witnessed.hold(town.circle.key() or b"", {"if": "Si", "then": "alors", "witness": NAME})
    witnessed.save()
    meeting = town.meetings[1]
    reason = crypto.seal(town.circle.key() or b"", {"reason": "zqreasonqz"}, about(meeting.pk, karim.pk))
    Reply.objects.create(meeting=meeting, person=karim, answer="absent", sealed_reason=reason)
    slot = Slot.objects.create(meeting=meeting, starts_at=timezone.now(), ends_at=timezone.now() + timedelta(hours=1))
    Availability.objects.create(slot=slot, person=karim, answer="yes")
    Attendance.objects.create(meeting=town.meetings[0], person=karim, arrived_at=timezone.now(), minutes=90)
    Letter.objects.create(
        key="letter", kind="prepare", to=address("karim"), language="fr", subject=NAME, text=f"Bonjour {NAME}"
    )
    Wish.objects.create(address=address("karim"))
    town.room = play_in(town)
    # A later room of the circle, which was told what was learnt in the first, with names.
    opened = actions.open_room("Fanny", town.circle)
    assert isinstance(opened, actions.Opened)
    Seat.objects.filter(session=opened.room, seat=opened.seat).update(person=town.people["fanny"])
    town.later = opened.room
    return town


def sure_of(who: str) -> Client:
    """A browser in which they have just proved who they are."""
    browser = signed_in(who)
    session = browser.session
    session[PROVED] = time()
    session.save()
    return browser


def erase(who: str, **form: str):
    return sure_of(who).post("/compte/mes-donnees/effacer/", form)


def rooms_of_others(town: Town, who: str = "claire") -> str:
    """The pages and the records of the played room, as somebody else has them."""
    browser = Client()
    browser.get(f"/place/{town.tokens[town.room, who]}/")
    pages = [browser.get(f"/salle/{town.room}/{end}") for end in ("", "bilan/", "bilan/circle.md", "maintenant")]
    return unescape("".join(page.content.decode() for page in pages))


def words_in(shown: str) -> set[str]:
    """Those of his that are there. The seats of these rooms bear their characters' names in small letters."""
    return {word for word in ("Karim", "zqkarim", NAME) if word in shown}


def test_before_it_he_is_everywhere(town):
    """What the searches below rely on: they do find."""
    stored = "".join(text for _, text in everything_stored())
    for kind in (*FOR_OTHERS, "learning", "note", "draft"):
        assert canary("karim", kind) in stored, kind
    for word in ("zqsiteqz", "zqsituationtextqz", "zqpromiseqz", "zqgaveqz", "zqbooklearningqz", "zqreasonqz", NAME):
        assert word in stored, word
    assert canary("karim", "edited") in rooms_of_others(town)
    assert any(c.body and c.body.get("from") == "Karim" for c in store.load(town.later).state.contributions.values())


def test_nothing_of_him_remains_when_he_takes_all_away(town):
    tokens = [token for (_, seat), token in town.tokens.items() if seat == "karim"]
    assert erase("karim", **CONFIRMED).status_code == 302
    assert (
        found("zqkarim", "Karim", address("karim"), "zqsite", "zqneeds", "zqteam", "zqtitle", "zqsituationtext") == []
    )
    assert found("zqpromise", "zqgave", "zqlearnt", "zqbooklearning", "zqreason", NAME) == []
    for who in MEMBERS:
        if who != "karim":
            assert not words_in(rooms_of_others(town, who))
    for token in tokens:
        assert Client().get(f"/place/{token}/").status_code == 404
    store.forget()
    assert not words_in(rooms_of_others(town))  # nor when the log is folded anew


@pytest.mark.parametrize("words", ["keep", "withdraw"])
@pytest.mark.parametrize("learnings", ["keep", "withdraw"])
def test_exactly_what_he_chose_to_leave_stays_and_bears_no_name(town, words, learnings):
    erase("karim", words=words, learnings=learnings, sure="1")
    assert found(NAME, address("karim"), '"Karim"') == []
    for kind in FOR_OTHERS:
        assert bool(found(canary("karim", kind))) is (words == "keep"), kind
    for kind in HIS_ALONE:
        assert found(canary("karim", kind)) == [], kind
    for learnt in (canary("karim", "learning"), "zqbooklearningqz"):
        assert bool(found(learnt)) is (learnings == "keep"), learnt
    assert found("zqsituationtext", "zqpromise", "zqgave", "zqreason") == []
    shown = rooms_of_others(town)
    assert (canary("karim", "edited") in shown) is (words == "keep")
    assert "un pair" in shown and "Karim" not in shown
    store.forget()
    assert (canary("karim", "edited") in rooms_of_others(town)) is (words == "keep")


def test_the_words_of_others_are_untouched(town):
    before = {text for where, text in everything_stored() if "zqclaire" in text or "zqhelene" in text}
    erase("karim", **CONFIRMED)
    after = {text for where, text in everything_stored() if "zqclaire" in text or "zqhelene" in text}
    assert before == after and len(before) > 15


def test_the_room_still_folds_counts_and_goes_on(town):
    version = store.load(town.room).state.version
    erase("karim", **CONFIRMED)
    store.forget()
    state = store.load(town.room).state
    assert state.version > version and len(state.seats) == 4
    assert [client for _, client, _ in state.course.treated] == ["claire", "karim"]
    assert Turn.objects.count() == 1 and Attendance.objects.count() == 1
    assert Person.objects.get(pk=town.people["karim"].pk).name == "un pair"
    assert not Membership.objects.filter(person=town.people["karim"], left_at=None).exists()


def test_his_account_and_all_that_opens_it_die(town, settings):
    settings.LOGIN_URL = "/door/"
    browser, other = sure_of("karim"), signed_in("karim")
    answer = browser.post("/compte/mes-donnees/effacer/", CONFIRMED)
    assert answer.url == "/compte/efface/" and browser.get(answer.url).status_code == 200
    assert not User.objects.filter(email=address("karim")).exists()
    assert other.get("/accueil/").status_code == 302
    assert not Letter.objects.exclude(to="").exists() and not Wish.objects.exists()


def test_the_register_says_when_why_and_how_much_and_never_who(town):
    erase("karim", **CONFIRMED)
    (row,) = Erasure.objects.all()
    assert row.kind == Erasure.WISH and row.counts["contributions"] > 5 and row.counts["persons"] == 1
    shown = unescape(signed_in("operator").get("/compte/registre/").content.decode())
    assert "à la demande de la personne" in shown and "Karim" not in shown and "un pair" not in shown
    for who in ("claire", "fanny", "rose", "octave"):
        assert signed_in(who).get("/compte/registre/").status_code == 404


@pytest.mark.parametrize("missing", ["words", "learnings", "sure"])
def test_nothing_is_erased_before_both_choices_and_the_last_word(town, missing):
    answer = erase("karim", **{name: value for name, value in CONFIRMED.items() if name != missing})
    assert answer.status_code == 200 and "Rien n’est effacé" in unescape(answer.content.decode())
    assert User.objects.filter(email=address("karim")).exists() and not Erasure.objects.exists()


@pytest.mark.parametrize("ago", [None, 3600])
def test_an_unlocked_phone_on_a_table_is_not_enough(town, ago):
    browser = signed_in("karim")
    session = browser.session
    session[PROVED] = time() - ago if ago else 0
    session.save()
    for answer in (
        browser.get("/compte/mes-donnees/effacer/"),
        browser.post("/compte/mes-donnees/effacer/", CONFIRMED),
    ):
        assert answer.status_code == 302 and answer.url.startswith("/compte/confirmer/")
    assert User.objects.filter(email=address("karim")).exists() and not Erasure.objects.exists()


def test_a_circle_whose_key_is_destroyed_or_lost_hinders_nothing(town, settings):
    town.circle.destroy_key()
    store.forget_words([town.room, town.later])
    assert erase("karim", **KEPT).status_code == 302
    assert found(NAME, address("karim")) == []


def test_while_the_room_is_open_he_leaves_it_under_everybody_s_eyes(town):
    room = play_in(town, close=False)
    erase("karim", **KEPT)
    seat = store.load(room).state.seats["karim"]
    assert seat.name == "un pair" and seat.revoked


def test_who_leads_alone_is_told_and_may_go(town):
    assert "Vous animez seul" in unescape(sure_of("fanny").get("/compte/mes-donnees/effacer/").content.decode())
    room = play_in(town, close=False)
    assert erase("fanny", **KEPT).status_code == 302
    state = store.load(room).state
    assert state.facilitator() == "fanny" and state.seats["fanny"].away
    assert found(address("fanny"), '"Fanny"') == []


def test_it_fails_whole_or_not_at_all(town, monkeypatch):
    monkeypatch.setattr("cordee.home.erasure.erase_account", lambda user: 1 / 0)
    browser = sure_of("karim")
    with pytest.raises(ZeroDivisionError):
        browser.post("/compte/mes-donnees/effacer/", CONFIRMED)
    assert canary("karim", "edited") in rooms_of_others(town)
    assert Commitment.objects.filter(person=town.people["karim"]).exists()
    assert Learning.objects.filter(person=town.people["karim"]).exists()


@pytest.mark.parametrize("learnings", ["keep", "withdraw"])
def test_what_is_harvested_anew_after_it_brings_nothing_back_and_still_counts(town, learnings):
    meeting = town.meetings[0]
    Session.objects.filter(pk=town.room).update(meeting=meeting)
    harvest.harvest(town.room)
    turns, stays = Turn.objects.count(), Attendance.objects.count()
    assert turns == 2 and Learning.objects.filter(person=town.people["karim"], meeting=meeting).exists()
    erase("karim", words="withdraw", learnings=learnings, sure="1")
    for again in (False, True):
        harvest.harvest(town.room, again=again)
        assert (Turn.objects.count(), Attendance.objects.count()) == (turns, stays)
        assert bool(found(canary("karim", "learning"))) is (learnings == "keep")
        assert found(NAME, '"Karim"', canary("karim", "commitment"), canary("karim", "edited")) == []


def test_a_seat_that_he_had_claimed_as_a_guest_is_taken_away_too(town):
    opened = actions.open_room("Karim")
    assert isinstance(opened, actions.Opened)
    assert isinstance(actions.claim(access.Key(opened.room, opened.seat), user("karim")), actions.Opened)
    erase("karim", **CONFIRMED)
    assert found('"Karim"') == []


def test_his_address_is_in_no_letter_of_others(town):
    Letter.objects.create(key="other", kind="x", to=address("claire"), reply_to=address("karim"), language="fr")
    erase("karim", **CONFIRMED)
    assert found(address("karim")) == []
