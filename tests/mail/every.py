"""One letter of every kind, from the people of the tests."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from cordee.mail import letters
from cordee.mail.letters import Reader

KARIM = Reader("karim@example.org", "Karim", "fr", "Europe/Paris")
CIRCLE = "Atelier du Lac"
STARTS = datetime(2030, 3, 5, 8, 30, tzinfo=UTC)
ENDS = datetime(2030, 3, 5, 11, 30, tzinfo=UTC)
ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Cordee//FR\r\nEND:VCALENDAR\r\n"
MEETING: dict[str, Any] = {
    "circle": CIRCLE, "number": 3, "starts_at": STARTS, "ends_at": ENDS, "place": "Salle des Cèdres",
    "video_link": "https://visio.example.org/lac", "url": "/seances/3/", "calendar": ICS,
}  # fmt: skip

EVERY: dict[str, Callable[[str, Reader], Any]] = {
    "circle_invitation": lambda key, reader: letters.circle_invitation(
        key, reader, circle=CIRCLE, inviter="Rose", url="/cercles/1/", reply_to="rose@example.org"
    ),
    "charter_to_sign": lambda key, reader: letters.charter_to_sign(key, reader, circle=CIRCLE, url="/cercles/1/"),
    "place_free": lambda key, reader: letters.place_free(key, reader, circle=CIRCLE, url="/cercles/1/"),
    "circle_ended": lambda key, reader: letters.circle_ended(
        key, reader, circle=CIRCLE, url="/cercles/1/", book="/cercles/1/mon-carnet/"
    ),
    "availability": lambda key, reader: letters.availability(key, reader, circle=CIRCLE, number=3, url="/seances/3/"),
    "convocation": lambda key, reader: letters.convocation(key, reader, **MEETING),
    "meeting_changed": lambda key, reader: letters.meeting_changed(
        key, reader, **MEETING, former=datetime(2030, 3, 4, 8, 30, tzinfo=UTC)
    ),
    "meeting_cancelled": lambda key, reader: letters.meeting_cancelled(key, reader, **MEETING),
    "quorum_in_doubt": lambda key, reader: letters.quorum_in_doubt(
        key, reader, circle=CIRCLE, number=3, starts_at=STARTS, coming=2, needed=4, url="/seances/3/"
    ),
    "prepare": lambda key, reader: letters.prepare(
        key, reader, circle=CIRCLE, number=3, starts_at=STARTS, url="/situations/nouvelle/"
    ),
    "commitment_due": lambda key, reader: letters.commitment_due(
        key, reader, circle=CIRCLE, due_on=date(2030, 3, 1), url="/engagements/abc/",
        answers={"kept": "/engagements/abc/tenu/", "tried": "/engagements/abc/essaye/",
                 "adapted": "/engagements/abc/adapte/", "let_go": "/engagements/abc/laisse/"},
    ),
    "witnessed_kept": lambda key, reader: letters.witnessed_kept(
        key, reader, circle=CIRCLE, url="/engagements/abc/"
    ),
    "thanks_wait": lambda key, reader: letters.thanks_wait(key, reader, circle=CIRCLE, url="/cercles/1/reussites/"),
    "sign_in_code": lambda key, reader: letters.sign_in_code(reader, "K7Q-42M"),
}  # fmt: skip
