"""What people wrote is in the database, and in no letter, on no wire, in no log; nor is an address in a log."""

import logging
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from cordee.circles import crypto
from cordee.circles.actions import circles, situations
from cordee.followup.models import Commitment, Learning
from cordee.mail.delivery import deliver
from cordee.mail.models import Letter
from tests.mail.every import EVERY, KARIM
from tests.people import person, space_of

pytestmark = pytest.mark.django_db
CANARIES = [f"canari-{name}" for name in ("titre", "texte", "si", "alors", "temoin", "appris")]


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2030, 1, 7, 12, tzinfo=UTC))


@pytest.fixture
def circle(noon):
    """A circle where everything that can be written was."""
    lake = space_of()
    rose, fanny, karim = (person(lake, name) for name in ("rose", "fanny", "karim"))
    made = circles.create(lake, rose, [fanny], name="Atelier du Lac")
    situation = situations.begin(made, karim)
    situations.save(situation, {"title": CANARIES[0], "text": CANARIES[1]})
    key = crypto.unwrap(made.wrapped_key or b"")
    promise = Commitment(id="c", circle=made, person=karim, due_on=timezone.localdate())
    promise.hold(key, {"if": CANARIES[2], "then": CANARIES[3], "witness": CANARIES[4]})
    promise.save()
    learnt = Learning(id="l", circle=made, person=karim)
    learnt.hold(key, {"text": CANARIES[5]})
    learnt.save()
    return made


def test_no_word_is_in_a_letter_nor_on_the_wire_nor_in_a_log(box, circle, caplog):
    caplog.set_level(logging.DEBUG)
    box.answers["END claire@example.org"] = f"554 we refuse {CANARIES[0]}"
    for kind, write in EVERY.items():
        write(kind, KARIM)
    EVERY["prepare"]("refused", KARIM.__class__("claire@example.org", "Claire"))
    kept = repr(list(Letter.objects.values()))
    written = Letter.objects.count()  # the circle's own are among them
    assert written > len(EVERY) and deliver() == {"sent": written - 1, "dead": 1}
    kept += repr(list(Letter.objects.values()))
    wire = b"".join(raw for _to, raw in box.taken).decode()
    for where, said in (("outbox", kept), ("wire", wire), ("log", caplog.text)):
        assert not [word for word in CANARIES if word in said], where
    assert "@example.org" not in caplog.text and "K7Q" not in caplog.text
    assert "Atelier du Lac" in kept  # what the check would see
