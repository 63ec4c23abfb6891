"""The pages of a played room, rendered as the room renders them, without a server or a database."""

from collections.abc import Iterator
from types import SimpleNamespace

from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.translation import override

from cordee.engine import commands as c
from cordee.engine.policy import SCREEN
from cordee.room import render
from tests.characters import ACTS, CLIENT, FACILITATOR, MEMBERS, Room, circle, next_round, opening, play

READERS = (FACILITATOR, CLIENT, "karim", SCREEN)
MOMENTS = [*(f"{when} {step}" for step in ACTS for when in ("entering", "through")), "second round", "closed", "door"]
MOMENTS += ["entering reprise", "through reprise", "pause", "unled", "themes suggestions", "themes ouvertures"]


def played(moment: str) -> Room:
    when, _, step = moment.partition(" ")
    if step == "reprise":
        room = opening(Room(), CLIENT, "karim")
        room.seat(FACILITATOR, role="facilitator", appointed=True)
        room.seat(*MEMBERS, appointed=True)
        return room if when == "entering" else play(room, through="reprise")
    if moment == "unled":
        room = opening(Room())
        room.seat(*MEMBERS, appointed=True)
        return room
    room = circle()
    if moment == "pause":
        room.do(c.Pause(seat=FACILITATOR, minutes=10))
    elif when == "entering":
        play(room, until=step)
    elif when == "themes":
        play(room, through=step)
        room.do(c.AskThemes(seat=FACILITATOR))
        assert len([group for group in room.view(FACILITATOR).groups if group.heading]) > 2
    elif when == "through":
        play(room, through=step)
    elif moment == "door":
        room.do(c.SetDoor(seat=FACILITATOR, waiting=True))
        room.seat("octave")
    else:
        play(room)
        room.do(c.Close(seat=FACILITATOR)) if moment == "closed" else next_round(room, "karim")
    return room


def stage(room: Room, seat: str, drafts: dict | None = None, language: str = "fr", **context: object) -> str:
    """The whole page that this seat gets now."""
    view = room.view(seat)
    assert view is not None
    leads = view.hand is not None
    links = SimpleNamespace(
        id="room-1",
        seat_url="http://localhost/place/a/",
        code="KLMN-PQRS" if leads else "",
        join_url="http://localhost/s/KLMNPQRS/" if leads else "",
        screen_url="http://localhost/place/b/" if leads else "",
        qr_svg="",
    )
    extra = {"drafts": drafts or {}, "new_id": "n" * 24}
    with override(language):
        page = {
            "view": view,
            "room": links,
            "parts": render.page(view, language, extra),
            "drafts": drafts or {},
            "is_screen": seat == SCREEN,
            "refusal": None,
            "hello": {"now": "1790000000.000", "release": "0123456789ab"},
            "shown": "0123456789abcdef",
        }
        return render_to_string("room/stage.html", page | context, RequestFactory().get("/salle/room-1/"))


def readers(moment: str) -> tuple[str, ...]:
    if moment == "unled":
        return (CLIENT, "karim", SCREEN)
    return (*READERS, "octave") if moment == "door" else READERS


def all_stages() -> Iterator[tuple[str, str, str]]:
    """(moment, seat, HTML) of every reader at every moment."""
    for moment in MOMENTS:
        room = played(moment)
        for seat in readers(moment):
            yield moment, seat, stage(room, seat)
