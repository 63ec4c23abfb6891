"""A server for each file of browser tests: limits on how often one may join count by address, and all come from one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.over_http import LiveRoom
from tests.characters import play

if TYPE_CHECKING:
    from tests.conftest import Template
    from tests.services import Server


@pytest.fixture(scope="module")
def own_server(template: "Template") -> Iterator["Server"]:
    with template.server() as running:
        yield running


@pytest.fixture
def room(own_server) -> Iterator[LiveRoom]:
    yield from small_room(own_server)


@pytest.fixture
def fragile_room(fresh_server) -> Iterator[LiveRoom]:
    yield from small_room(fresh_server)


def small_room(server) -> Iterator[LiveRoom]:
    room = LiveRoom(server.url, members=("claire", "karim", "nadia"))
    play(room, until="questions")
    yield room
    room.close()
