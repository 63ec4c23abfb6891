"""The room of a meeting on the real server: eight people at the same instant, a death, a sign-out everywhere."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from cordee.room.access import KEY_SECONDS
from cordee.room.stream import WATCH
from tests import services
from tests.conftest import Template
from tests.live.people import Stream

WHO = ("fanny", "claire", "karim", "helene", "thomas", "nadia", "julien", "aicha")
BUILD = """
import json
from tests.room.circles import Lake
from tests.people import signed_in
lake = Lake(*{members!r})
meeting = lake.meeting()
cookies = {{who: signed_in(who).cookies["session"].value for who in {everybody!r}}}
print(json.dumps({{"meeting": meeting.pk, "cookies": cookies}}))
"""


class Visitor:
    """Somebody who is signed in, on one more device."""

    def __init__(self, server: services.Server, cookie: str, meeting: int) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=60, cookies={"session": cookie})
        self.address, self.origin = f"/seances/{meeting}/salle/", {"Origin": server.url, "X-Cordee": "1"}
        self.room = ""

    def enter(self) -> str:
        answer = self.http.get(self.address)
        assert answer.status_code == 302, answer.text[:300]
        self.room = answer.headers["location"]
        return self.room

    def do(self, **form: str) -> int:
        return self.http.post(f"{self.room}contributions", data=form, headers=self.origin).status_code

    def page(self) -> str:
        return self.http.get(self.room).text

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.http.cookies.jar}


def shell(server: services.Server, code: str) -> str:
    return server.manage("shell", "-v", "0", "-c", code)


@pytest.fixture
def town(template: Template) -> Iterator[tuple[services.Server, dict[str, Visitor]]]:
    with template.server() as server:
        made = json.loads(shell(server, BUILD.format(members=WHO[1:], everybody=WHO)).splitlines()[-1])
        yield server, {who: Visitor(server, cookie, made["meeting"]) for who, cookie in made["cookies"].items()}


def test_eight_people_who_come_at_the_same_instant_are_in_one_room(town):
    server, people = town
    together = Barrier(len(people))

    def come(visitor: Visitor) -> str:
        together.wait(60)
        return visitor.enter()

    with ThreadPoolExecutor(len(people)) as crowd:
        rooms = set(crowd.map(come, people.values()))
    assert len(rooms) == 1
    code = "from cordee.room.models import *; print(Session.objects.count(), Seat.objects.filter(owned=True).count())"
    assert shell(server, code).split()[-2:] == ["1", "8"]
    page = people["fanny"].page()
    assert 'name="do" value="next"' in page and 'name="do" value="next"' not in people["claire"].page()
    assert "ERROR" not in server.log


def test_who_signs_out_everywhere_is_shut_out_within_fifteen_seconds_and_the_others_are_not(town):
    server, people = town
    for who in ("fanny", "karim"):
        people[who].enter()

    async def watch() -> None:
        karim, fanny = people["karim"], people["fanny"]
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as line:
            streams = []
            for visitor in (karim, fanny):
                request = line.build_request("GET", f"{visitor.room}stream", cookies=visitor.cookies)
                streams.append(Stream(await line.send(request, stream=True)))
                assert await streams[-1].next()
            code = "from cordee.accounts.models import User; User.objects.filter(name='Karim').update(links_epoch=1)"
            await asyncio.to_thread(shell, server, code)
            while (message := await streams[0].next()) and message.event != "bye":
                pass
            assert message and message.event == "bye"
            assert await streams[1].quiet(1)
            for stream in streams:
                stream.leave()
                await stream.response.aclose()

    assert max(WATCH, KEY_SECONDS) <= 15  # seconds: how often it is looked up, and for how long a look is believed
    asyncio.run(watch())
    karim = people["karim"]
    deadline = time.monotonic() + 60
    while karim.http.get(karim.room).status_code != 404:
        assert time.monotonic() < deadline
        time.sleep(1)
    assert karim.do(do="leave") == 404
    assert karim.enter() and karim.http.get(karim.room).status_code == 200  # by their account, they are back


def test_a_server_killed_between_the_close_and_the_harvest_loses_nothing(town):
    server, people = town
    for who in ("fanny", "claire", "karim"):
        people[who].enter()
    fanny = people["fanny"]
    assert fanny.do(do="close") == 204
    server.kill9()
    count = "from cordee.circles.models import Attendance; print(Attendance.objects.count())"
    server.manage("tick", "--trust-clock")
    assert shell(server, count).split()[-1] == "3"
    server.manage("tick", "--trust-clock")
    assert shell(server, count).split()[-1] == "3"


def test_a_room_that_closes_is_harvested_in_the_background(town):
    server, people = town
    for who in ("fanny", "claire"):
        people[who].enter()
    assert people["fanny"].do(do="close") == 204
    count = "from cordee.circles.models import Attendance; print(Attendance.objects.count())"
    deadline = time.monotonic() + 120
    while shell(server, count).split()[-1] != "2":
        assert time.monotonic() < deadline, server.log
    assert "not harvested" not in server.log
