"""A letter over the wire, read back by others: Python's email, icalendar, vobject."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import vobject
from django.utils import timezone
from icalendar import Calendar

from cordee.mail import outbox, wishes
from cordee.mail.delivery import deliver
from cordee.mail.message import message
from cordee.mail.models import Letter
from tests.mail.every import EVERY, KARIM

pytestmark = pytest.mark.django_db
ICS = "\r\n".join(
    ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Cordée//FR", "METHOD:REQUEST", "BEGIN:VEVENT",
     "UID:seance-3@example.org",
     "DTSTAMP:20300101T000000Z", "DTSTART:20300305T083000Z", "DTEND:20300305T113000Z", "SUMMARY:Séance 3",
     "ORGANIZER:mailto:cordee@example.org", "SEQUENCE:0", "END:VEVENT", "END:VCALENDAR", ""]
)  # fmt: skip
NECESSARY = ["sign_in_code", "convocation", "meeting_changed", "meeting_cancelled"]


@pytest.fixture(autouse=True)
def noon(monkeypatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2030, 1, 7, 12, tzinfo=UTC))


def sent(box, kind: str, **reader: str):
    EVERY[kind](f"{kind}:wire", replace(KARIM, **reader))
    Letter.objects.exclude(calendar="").update(calendar=ICS)
    assert deliver() == {"sent": 1}
    return box.letters[-1]


def test_an_invitation_as_mail_programs_wish_it(box):
    letter = sent(box, "convocation")
    assert letter["From"] == "Cordée <cordee@example.org>" and letter["To"] == "karim@example.org"
    assert letter["Subject"] == "Séance 3 de « Atelier du Lac » : mardi 5 mars 2030"
    assert letter["Date"] == "Mon, 07 Jan 2030 12:00:00 +0000" and letter["MIME-Version"] == "1.0"
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", letter["Message-ID"])
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content_type() == "multipart/mixed"
    body, attached = letter.iter_parts()
    assert [part.get_content_type() for part in body.iter_parts()] == ["text/plain", "text/html", "text/calendar"]
    plain, html, calendar = body.iter_parts()
    assert calendar.get_param("method") == "REQUEST" and calendar.get_content_charset() == "utf-8"
    assert attached.get_content_type() == "application/ics" and attached.get_filename() == "invite.ics"
    for raw in (calendar.get_payload(decode=True), attached.get_payload(decode=True)):
        (event,) = Calendar.from_ical(raw).walk("VEVENT")
        assert event["UID"] == "seance-3@example.org" and event["SUMMARY"] == "Séance 3"
        assert vobject.readOne(raw.decode()).vevent.uid.value == "seance-3@example.org"
        assert raw == ICS.encode()
    assert "Salle des Cèdres" in plain.get_content() and "Salle des Cèdres" in html.get_content()


def test_a_cancellation_says_so_to_calendars(box):
    letter = sent(box, "meeting_cancelled")
    (calendar,) = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
    assert calendar.get_param("method") == "CANCEL"


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_not_necessary_can_be_stopped_in_one_click(box, client, kind):
    letter = sent(box, kind)
    if kind in NECESSARY:
        assert letter["List-Unsubscribe"] is None and letter["List-Unsubscribe-Post"] is None
        assert "/courrier/stop/" not in str(letter.get_body(("plain",)).get_content())
        return
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (url,) = re.fullmatch(r"<http://127\.0\.0\.1:8000(/\S+)>", letter["List-Unsubscribe"]).groups()
    assert client.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert wishes.of({"karim@example.org"})["karim@example.org"].without == [kind]
    in_text = re.search(r"http://127\.0\.0\.1:8000(/courrier/stop/\S+)", letter.get_body(("plain",)).get_content())
    assert in_text and client.get(in_text[1]).status_code == 200


def test_an_answer_goes_to_whoever_wrote(box):
    assert sent(box, "circle_invitation")["Reply-To"] == "rose@example.org"
    assert sent(box, "prepare")["Reply-To"] is None


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", EVERY)
def test_what_is_on_the_wire_is_what_was_written(box, kind, language):
    letter = sent(box, kind, language=language)
    raw = box.taken[-1][1]
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 998 and b"\n" not in raw.replace(b"\r\n", b"")
    if kind != "sign_in_code":  # whose words are erased once it is sent
        written = Letter.objects.get(key=f"{kind}:wire")
        assert letter.get_body(("plain",)).get_content().split() == written.text.split()
        assert letter.get_body(("html",)).get_content().split() == written.html.split()


@pytest.mark.parametrize(
    "bad", ["\r\nBcc: all@example.org", "\nX-Evil: 1", "\r\n\r\n<b>body</b>", "\x01", "\u2028Bcc: a@b.c", "\x85A: b"]
)
def test_no_name_makes_a_header(box, settings, bad):
    settings.MAIL_FROM = (f"Cordée{bad}", "cordee@example.org")
    outbox.post("k", "prepare", KARIM, f"Lac{bad}", "texte", "<p>texte</p>", urgent=True)
    Letter.objects.update(subject=f"Lac{bad}")  # as if it had come in by another way
    assert deliver() == {"sent": 1}
    (letter,) = box.letters
    assert set(letter.keys()) == {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
                                  "Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post"}  # fmt: skip
    assert box.reached == ["karim@example.org"] and letter["Subject"].startswith("Lac")


def test_a_reply_address_that_is_none_kills_no_other_letter(box):
    for address in ("rose", "rose@example.org\r\nBcc: x@y.z", "a@b, c@d"):
        letter = Letter(key="k", kind="x", to="karim@example.org", reply_to=address, subject="s", text="t")
        try:
            assert "x@y" not in str(message(letter)["Bcc"])
        except Exception as error:
            assert type(error).__name__ == "Unaddressable"
