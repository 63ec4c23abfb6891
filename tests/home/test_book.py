"""One's own book of a circle: all that one may read of it word for word, and nothing that others kept to themselves."""

import io
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from cordee.circles.actions import circles, members
from cordee.circles.models import Circle, Turn
from cordee.followup.models import Commitment, Learning, Success
from cordee.home import erasure
from cordee.mail.models import Letter
from cordee.room import harvest
from cordee.room.belongings import Choice
from cordee.room.models import Session
from tests import pdf
from tests.home.played import canary, play_in
from tests.home.town import Town
from tests.people import signed_in
from tests.room.circles import Lake
from tests.room.clean import clean_memory  # noqa: F401
from tests.room.test_harvest import WHO, close, meet, play

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> Town:
    """Two rounds of the circle's first meeting, harvested: Claire is client, then Karim."""
    town = Town()
    town.situation("karim", title="Comment zqtitleqz ?", text="zqpreparedqz", tried="zqtriedqz")
    room = play_in(town)
    Session.objects.filter(pk=room).update(meeting=town.meetings[0])
    harvest.harvest(room, again=True)
    town.commitment("karim", "alors zqpromiseqz").stand(state="kept", gave="zqgaveqz", learnt="zqgotqz")
    return town


def book(circle: Circle, who: str, form: str = "markdown") -> bytes:
    answer = signed_in(who).get(reverse(f"home:book_{form}", args=[circle.pk]))
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    return bytes(answer.content)


def bilan(circle: Circle, who: str) -> str:
    return unescape(signed_in(who).get(reverse("followup:closing", args=[circle.pk])).content.decode())


def own(who: str) -> list[str]:
    return [canary(who, kind) for kind in ("question", "feeling", "learning", "seed")]


# ---------------------------------------------------------------- what is in it


def test_ones_own_words_and_the_leads_that_one_received_are_in_it(town):
    mine = book(town.circle, "karim").decode()
    others = [canary(who, "suggestion") for who in ("claire", "helene")]  # to Karim, in the second round
    for word in (*own("karim"), *others, canary("karim", "note"), "zqpreparedqz", "zqtriedqz", "zqpromiseqz"):
        assert word in mine, word
    assert "zqgaveqz" in mine and "zqgotqz" in mine and "Tenu" in mine and "Séance 1" in mine


@pytest.mark.parametrize("who", ["claire", "karim", "helene", "fanny"])
def test_what_others_kept_to_themselves_is_in_no_book_and_not_in_the_bilan(town, who):
    mine, page = book(town.circle, who).decode(), bilan(town.circle, who)
    for other in {"claire", "karim", "helene"} - {who}:
        for kind in ("note", "seed", "draft"):
            assert canary(other, kind) not in mine and canary(other, kind) not in page, (other, kind)
    assert "zqpreparedqz" not in page and "zqtriedqz" not in page
    assert ("zqpreparedqz" in mine) == (who == "karim")


def test_the_sorting_is_in_the_clients_own_book_and_in_no_other_nor_in_the_bilan():
    lake = Lake(*WHO)
    room = meet(lake)
    play(room, client=lake.seat("claire", room.house))
    close(room)
    piles = ("Je garde", "J’y réfléchis", "Je laisse")
    assert any(pile in book(lake.circle, "claire").decode() for pile in piles)
    for who in ("karim", "helene", "fanny"):
        assert not any(pile in book(lake.circle, who).decode() for pile in piles)
        assert not any(pile in bilan(lake.circle, who) for pile in piles)


def test_the_pdf_says_what_the_markdown_says_and_is_tagged(town):
    data = book(town.circle, "karim", "pdf")
    assert data.startswith(b"%PDF") and b"StructTreeRoot" in data and b"/MarkInfo" in data
    told = "".join(pdf.words(data).split())
    for word in (*own("karim"), canary("claire", "suggestion"), "zqpromiseqz", "zqgaveqz", "Moncarnet"):
        assert word in told, word
    assert canary("claire", "note") not in told and io.BytesIO(data).getbuffer().nbytes < 400_000


def success(town: Town, by: str, thanked: str, word: str) -> None:
    promise = Commitment.objects.filter(person=town.people[by]).first()
    assert promise
    told = Success(id=f"s-{word}", commitment=promise, thanked=town.people[thanked], thanked_at=timezone.now())
    told.hold(town.circle.key() or b"", {"situation": f"zqtold{word}qz", "did": "Cela", "gave": "Un oui", "word": word})
    told.save()


def test_successes_and_thanks_are_in_the_bilan_and_in_the_books_of_who_tells_and_of_who_is_thanked(town):
    success(town, "karim", "claire", "zqmerciqz")
    assert "zqtoldzqmerciqzqz" in bilan(town.circle, "helene") and "Merci à Claire" in bilan(town.circle, "helene")
    assert "Mes réussites" in book(town.circle, "karim").decode()
    mine = book(town.circle, "claire").decode()
    assert "On m’a remercié·e" in mine and "zqmerciqz" in mine
    assert "zqmerciqz" not in book(town.circle, "helene").decode()


def test_what_one_keeps_for_oneself_alone_is_in_ones_own_book_and_nowhere_else(town):
    alone = Learning(id="alone", circle=town.circle, person=town.people["karim"], alone=True)
    alone.hold(town.circle.key() or b"", {"text": "zqaloneqz"})
    alone.save()
    assert "zqaloneqz" in book(town.circle, "karim").decode()
    for who in ("claire", "helene", "fanny"):
        assert "zqaloneqz" not in book(town.circle, who).decode() and "zqaloneqz" not in bilan(town.circle, who)
    assert "zqaloneqz" not in bilan(town.circle, "karim")


def test_who_has_left_does_not_read_the_thanks_told_since(town):
    members.leave(town.circle.memberships.get(person=town.people["claire"]))
    success(town, "karim", "claire", "zqmerciqz")
    assert "zqmerciqz" not in book(town.circle, "claire").decode()


# ---------------------------------------------------------------- for how long, and for whom


def test_who_left_still_takes_theirs_and_finds_it_by_their_data(town):
    members.leave(town.circle.memberships.get(person=town.people["karim"]))
    assert canary("claire", "suggestion") in book(town.circle, "karim").decode()
    assert (
        reverse("home:book", args=[town.circle.pk]) in signed_in("karim").get("/compte/mes-donnees/").content.decode()
    )
    assert signed_in("karim").get(reverse("followup:closing", args=[town.circle.pk])).status_code == 404


@pytest.mark.parametrize("who", ["rose", "octave", "thomas", "operator"])
def test_nobody_else_has_one(town, who):
    for name in ("home:book", "home:book_pdf", "home:book_markdown", "followup:closing"):
        assert signed_in(who).get(reverse(name, args=[town.circle.pk])).status_code == 404


def test_the_page_says_until_when_and_then_that_it_is_gone(town):
    address = reverse("home:book", args=[town.circle.pk])
    assert "Emportez-le avant le" in unescape(signed_in("karim").get(address).content.decode())
    town.circle.destroy_key()
    after = signed_in("karim").get(address)
    assert "n’y a plus de carnet" in unescape(after.content.decode())
    assert signed_in("karim").get(reverse("home:book_markdown", args=[town.circle.pk])).headers["Location"] == address
    page = bilan(town.circle, "karim")
    assert "Ce qui se compte reste" in page and "zq" not in page.replace("zqz", "")


def test_a_circle_that_ends_leads_to_its_bilan_and_writes_of_the_book(town):
    circles.end(town.circle)
    page = signed_in("karim").get(reverse("circles:circle", args=[town.circle.pk])).content.decode()
    assert reverse("followup:closing", args=[town.circle.pk]) in page
    letter = Letter.objects.get(kind="circle_ended", to="karim@example.org")
    assert reverse("home:book", args=[town.circle.pk]) in letter.text and "zq" not in letter.text


# ---------------------------------------------------------------- the bilan


def test_the_bilan_says_what_was_treated_promised_kept_and_learnt(town):
    page = bilan(town.circle, "helene")
    assert "zqpromiseqz" in page and "zqgaveqz" in page and canary("claire", "learning") in page
    assert canary("claire", "situation") in page and canary("karim", "situation") in page  # the titles, as in the room
    assert canary("claire", "story") not in page and canary("claire", "request") not in page


def test_a_title_that_its_author_took_back_is_not_in_the_bilan(town):
    Turn.objects.filter(person=town.people["karim"]).update(sealed=None)
    page = bilan(town.circle, "helene")
    assert "dont le titre n’est pas gardé" in page and canary("karim", "situation") not in page


def test_whose_data_is_erased_leaves_no_title(town):
    erasure.erase_user(town.people["karim"].user, Choice(keep=False, keep_learnings=False))
    assert not Turn.objects.filter(person=town.people["karim"], sealed__isnull=False).exists()
    assert canary("karim", "situation") not in bilan(town.circle, "helene")


def test_pages_of_the_end_take_few_questions(town, django_assert_max_num_queries):
    browser = signed_in("helene")
    for name in ("followup:closing", "home:book"):
        with django_assert_max_num_queries(14):
            browser.get(reverse(name, args=[town.circle.pk]))


def test_a_meeting_to_come_is_not_among_those_held(town):
    page = bilan(town.circle, "helene")
    assert "Séance 1" in page and "Séance 3" not in page
    assert town.meetings[2].starts_at > timezone.now() + timedelta(days=30)
