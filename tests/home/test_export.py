"""What one takes home: everything of one's own, and of others nothing that one's own seat would not show."""

import io
import json
import zipfile
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from cordee.circles import crypto
from cordee.circles.models import Attendance, Reply
from cordee.circles.queries.meetings import about
from cordee.mail.models import Letter, Wish
from tests.home.played import canary, play_in
from tests.home.town import Town
from tests.people import address, signed_in
from tests.room.clean import clean_memory  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> Town:
    town = Town().furnish()
    town.situation("karim", title="Comment zqtitleqz ?", text="zqsituationqz")
    town.commitment("karim", "alors zqpromiseqz").stand(state="kept", gave="zqgaveqz", learnt="zqlearntqz")
    reason = crypto.seal(
        town.circle.key() or b"", {"reason": "zqreasonqz"}, about(town.meetings[1].pk, town.people["karim"].pk)
    )
    Reply.objects.create(meeting=town.meetings[1], person=town.people["karim"], answer="absent", sealed_reason=reason)
    Attendance.objects.create(
        meeting=town.meetings[0],
        person=town.people["karim"],
        arrived_at=timezone.now() - timedelta(hours=1),
        minutes=75,
    )
    for who in ("karim", "claire"):
        Letter.objects.create(
            key=who, kind="prepare", to=address(who), language="fr", subject="S", text=f"zqletter{who}qz"
        )
    Wish.objects.create(address=address("karim"), digest=True)
    play_in(town)
    return town


def taken_by(who: str) -> tuple[dict[str, Any], str, str]:
    """The JSON, its text, and the page."""
    answer = signed_in(who).post("/compte/mes-donnees/archive/")
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    zipped = zipfile.ZipFile(io.BytesIO(answer.content))
    assert sorted(zipped.namelist()) == ["mes-donnees.html", "mes-donnees.json"]
    text = zipped.read("mes-donnees.json").decode()
    return json.loads(text), text, unescape(zipped.read("mes-donnees.html").decode())


def test_all_that_is_his_is_there_in_both_forms(town):
    told, text, page = taken_by("karim")
    mine = ["zqtitleqz", "zqsituationqz", "zqpromiseqz", "zqgaveqz", "zqlearntqz", "zqreasonqz", "zqletterkarimqz"]
    mine += [canary("karim", kind) for kind in ("question", "feeling", "edited", "learning", "note", "seed", "draft")]
    mine += [address("karim"), "Les éclaireurs", "Ce qui se dit ici reste ici.", "Atelier du Lac"]
    for word in mine:
        assert word in text and word in page, word
    (person,) = told["persons"]
    assert person["attendances"][0]["minutes"] == 75
    assert person["turns"][0]["round"] == 1
    assert person["circles"][0]["role"] == "member"
    assert told["preferences"][0]["digest"] is True
    assert told["account"]["email"] == address("karim")


def test_nothing_that_others_wrote_for_themselves_is_there(town):
    _, text, page = taken_by("karim")
    others = [canary(who, kind) for who in ("claire", "helene") for kind in ("note", "seed")]
    others += ["zqletterclaireqz", "Comment annoncer la fusion", "sans m’excuser", address("claire"), address("helene")]
    for word in others:
        assert word not in text and word not in page, word
    assert canary("helene", "situation") not in text


def test_no_secret_and_no_sealed_thing_is_there(town):
    _, text, _ = taken_by("karim")
    assert "password" not in text and "sealed" not in text and "session_key" not in text and "memoryview" not in text


def test_every_word_that_it_uses_has_a_french_name(town):
    _, _, page = taken_by("karim")
    names = {part.split("</strong>")[0] for part in page.split("<strong>")[1:]}
    assert not [name for name in names if name.islower() and name.isascii()]


def test_once_the_key_is_destroyed_it_is_still_given(town):
    town.circle.destroy_key()
    told, text, _ = taken_by("karim")
    assert "zqsituationqz" not in text and told["persons"][0]["attendances"]


@pytest.mark.parametrize("who", ["thomas", "octave", "operator"])
def test_who_has_next_to_nothing_takes_that(town, who):
    told, text, _ = taken_by(who)
    assert told["rooms"] == [] and "zq" not in text


def test_it_is_asked_for_on_purpose(town):
    assert signed_in("karim").get("/compte/mes-donnees/archive/").status_code == 405
