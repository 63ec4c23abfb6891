"""A room of the real server, brought by HTTP to where a test wants it: the characters play, nobody opens a browser."""

import re
from dataclasses import fields
from typing import Any

import httpx

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.refusal import Refused
from tests.characters import FACILITATOR, MEMBERS, NAMES, RefusedError, Room

SEAT_FIELDS = {"target", "behalf", "seen"}  # of commands; `seen` names a seat when the floor is passed


class LiveRoom(Room):
    """The pure room of ``tests.characters``, whose every act is done on the server as well.

    ``play(LiveRoom(server.url), through="questions")`` leaves both at the same step. The server's seats have ids of
    their own; ``places`` gives each character's private link.
    """

    def __init__(self, url: str, members: tuple[str, ...] = MEMBERS) -> None:
        super().__init__()
        self.url = url
        self.clients: dict[str, httpx.Client] = {}
        self.ids: dict[str, str] = {}  # character -> seat on the server
        self.places: dict[str, str] = {}  # character -> private link
        self.id = ""
        self._sit(FACILITATOR, f"{url}/salles/nouvelle/")
        stage = self.page(FACILITATOR)
        links = {name: _link(stage, rf"{url}/{path}/[\w-]+/?") for name, path in (("join", "s"), ("place", "place"))}
        self.join_url = links["join"]
        for seat in members:
            self._sit(seat, self.join_url)
        self.screen_url = next(
            link for link in re.findall(rf'href="({url}/place/[\w-]+/)"', stage) if link != self.places[FACILITATOR]
        )

    def close(self) -> None:
        for client in self.clients.values():
            client.close()

    def page(self, seat: str) -> str:
        return self.clients[seat].get(f"{self.url}/salle/{self.id}/").raise_for_status().text

    def _sit(self, seat: str, address: str) -> None:
        client = self.clients[seat] = httpx.Client(follow_redirects=True, timeout=60)
        token = _link(client.get(address).raise_for_status().text, r'(?<=csrfmiddlewaretoken" value=")\w+')
        form = {"csrfmiddlewaretoken": token, "name": NAMES[seat]}
        stage = client.post(address, data=form, headers={"Origin": self.url}).raise_for_status()
        self.id = str(stage.url).rstrip("/").rsplit("/", 1)[-1]
        self.ids[seat] = _link(stage.text, r'(?<=data-me=")[\w-]+')
        self.places[seat] = f"{self.url}/place/{client.cookies['place']}/"
        super().try_(c.TakeSeat(seat=seat, name=NAMES[seat]))

    def try_(self, command: c.Command) -> list[e.Event] | Refused:
        outcome = super().try_(command)
        headers = {"Origin": self.url, "X-Cordee": "1"}
        address = f"{self.url}/salle/{self.id}/contributions"
        answer = self.clients[command.seat].post(address, data=self._form(command), headers=headers)
        if answer.status_code == 409:
            refused = answer.json()
            if not isinstance(outcome, Refused) or outcome.reason != refused["reason"]:
                raise RefusedError(f"{command}: the server refuses ({refused['reason']})")
        elif answer.status_code != 204 or isinstance(outcome, Refused):
            raise RefusedError(f"{command}: the server answers {answer.status_code}, the engine {outcome}")
        return outcome

    def _form(self, command: c.Command) -> dict[str, str]:
        form = {"do": next(name for name, cls in c.COMMANDS.items() if cls is type(command))}
        for field in fields(command):
            value: Any = getattr(command, field.name)
            if field.name == "body":
                form |= {f"body.{name}": self.ids.get(text, text) for name, text in value.items()}
            elif field.name in SEAT_FIELDS:
                form[field.name] = self.ids.get(value, value)
            elif field.name != "seat":
                form[field.name] = ("1" if value else "0") if isinstance(value, bool) else str(value)
        return form


def _link(page: str, pattern: str) -> str:
    found = re.search(pattern, page)
    if found is None:
        raise AssertionError(f"{pattern} is not on the page")
    return found.group()
