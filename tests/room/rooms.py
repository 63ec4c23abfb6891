"""Rooms of the tests in the real store: a pure room (tests/characters.py) settled there, with a link for each seat."""

from dataclasses import dataclass, field

from django.test import Client

from cordee.circles import crypto
from cordee.circles.models import Circle
from cordee.engine.policy import SCREEN
from cordee.engine.seen import View
from cordee.engine.state import State
from cordee.engine.view import view_for
from cordee.room import access, actions, store
from cordee.room.models import Seat, Session
from tests.characters import Room

ORIGIN = {"HTTP_ORIGIN": "http://testserver", "HTTP_HOST": "testserver"}


@dataclass
class House:
    """A room of the store, and the token of each seat's link."""

    id: str
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> State:
        return store.load(self.id).state

    def view(self, seat: str) -> View | None:
        return view_for(self.state, seat)

    def link(self, seat: str) -> str:
        token = access.new_token()
        Seat.objects.create(session_id=self.id, seat=seat, digest=access.digest(token))
        self.tokens[seat] = token
        return token

    def browser(self, seat: str) -> Client:
        """A browser in which this seat's link was opened."""
        client = Client(**ORIGIN)
        assert client.get(f"/place/{self.tokens[seat]}/").status_code == 302
        return client

    @property
    def address(self) -> str:
        return f"/salle/{self.id}/"

    def act(self, client: Client, **fields: str):
        """Posts the form of one act; ``body_text="…"`` is the field ``body.text``."""
        named = {name.replace("body_", "body."): value for name, value in fields.items()}
        return client.post(f"{self.address}contributions", named)


def settle(room: Room) -> House:
    """The pure room's log written to the store, as it is."""
    circle = Circle.objects.create(wrapped_key=crypto.new_wrapped_key())
    session = Session(id=access.new_token()[:12], circle=circle, protocol=room.text)
    actions._new_links(session, Session.save)
    store.append(session.pk, room.events)
    house = House(session.pk)
    for seat in room.state.seats:
        house.link(seat)
    house.tokens[SCREEN] = actions.links(store.load(house.id))["screen"]
    return house


def open_room(name: str = "Fanny") -> tuple[House, str]:
    """An empty room, and its facilitator's seat."""
    opened = actions.open_room(name)
    assert isinstance(opened, actions.Opened)
    return House(opened.room, {opened.seat: opened.token}), opened.seat


def join(house: House, name: str, role: str = "member") -> str:
    opened = actions.join(house.id, name, role)
    assert isinstance(opened, actions.Opened), opened
    house.tokens[opened.seat] = opened.token
    return opened.seat
