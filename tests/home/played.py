"""A room of the town's circle, played to its end, in which every text says who wrote it and what kind it is."""

from cordee.circles.models import Circle
from cordee.engine import commands as c
from cordee.engine.policy import SCREEN
from cordee.room import access, actions, store
from cordee.room.models import Seat, Session
from tests.characters import French, Room, circle, next_round, play
from tests.home.town import Town

MEMBERS = ("claire", "karim", "helene")


def canary(who: str, kind: str) -> str:
    return f"zq{who}{kind}qz"


class Canaries(French):
    def body(self, room: Room, seat: str, kind: str) -> dict[str, str]:
        body = super().body(room, seat, kind)
        boxes = room.state.protocol.kinds[kind].fields
        return body | {box.id: f"Un texte {canary(seat, kind)}" for box in boxes if box.type in {"text", "line"}}

    def value(self, room: Room, seat: str, mark: str) -> str:
        return canary(seat, mark) if mark in {"theme", "value"} else super().value(room, seat, mark)


def play_in(town: Town, circle_of: Circle | None = None, *, close: bool = True) -> str:
    """Two rounds, of which Karim is the second client; the id of the room."""
    room = circle(MEMBERS)
    script = Canaries()
    play(room, through="suggestions", script=script)
    lead = room.of("suggestion", author="karim")[0]
    room.do(c.Edit(seat="karim", id=lead.id, body={"text": canary("karim", "edited")}))
    room.next()
    play(room, script=script)
    room.write("karim", "note", canary("karim", "note"))
    next_round(room, "karim")
    play(room, script=script)
    if close:
        room.do(c.Close(seat="fanny"))
    return settle(town, room, circle_of or town.circle)


def settle(town: Town, room: Room, circle_of: Circle) -> str:
    session = Session(id=access.new_token()[:12], circle=circle_of, protocol=room.text)
    actions._new_links(session, Session.save)
    store.append(session.pk, room.events)
    for seat in room.state.seats:
        token = access.new_token()
        Seat.objects.create(session=session, seat=seat, digest=access.digest(token), person=town.people[seat])
        town.tokens[session.pk, seat] = token
    town.tokens[session.pk, SCREEN] = actions.links(store.load(session.pk))["screen"]
    actions.save_draft(access.Key(session.pk, "karim"), "note", {"text": canary("karim", "draft")})
    return session.pk
