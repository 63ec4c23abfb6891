"""The last place, asked for by several requests at the same time, on a real server: one has it, the others wait."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.conftest import Template
from tests.services import Server

MADE = """
import json
from cordee.accounts.models import Person, Role
from cordee.circles.actions import circles, members
from tests.circles.scene import session
from tests.people import person, space_of
space = space_of()
rose, fanny = person(space, "rose", roles=(Role.ORGANISER,)), person(space, "fanny")
circle = circles.create(space, rose, [fanny], name="Les éclaireurs")
others = [Person.objects.create(space=space, name=f"Pair {n}") for n in range(18)]
for each in others[:9]:
    members.add(circle, each)
places = [each.pk for each in circle.memberships.filter(role="member")]
print(json.dumps({"circle": circle.pk, "more": [each.pk for each in others[9:]], "places": places,
                  "session": session("rose")}))
"""
TOLD = """
import json
from cordee.circles.models import Circle
from cordee.circles.actions.members import taken
circle = Circle.objects.get(name="Les éclaireurs")
rows = circle.memberships.all()
print(json.dumps({"taken": taken(circle), "current": sum(m.current for m in rows),
                  "waiting": sum(m.relation == "waiting" and not m.offered_at for m in rows),
                  "offered": sum(m.offered_at is not None for m in rows),
                  "replaced": [m.replaces_id for m in rows if m.replaces_id]}))
"""


class Town:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.made = self.ask(MADE)

    def ask(self, code: str) -> dict[str, Any]:
        return dict(json.loads(self.server.manage("shell", "-v0", "-c", code).strip().splitlines()[-1]))

    def at_once(self, posts: list[tuple[str, dict[str, Any]]]) -> list[int]:
        """Rose's browser sends all of these at the same time."""
        token = "a" * 32
        headers = {
            "Cookie": f"session={self.made['session']}; csrftoken={token}",
            "Origin": self.server.url,
        }

        def post(one: tuple[str, dict[str, Any]]) -> int:
            path, data = one
            url = f"{self.server.url}/cercles/{self.made['circle']}/membres/{path}"
            return httpx.post(url, data=data | {"csrfmiddlewaretoken": token}, headers=headers, timeout=60).status_code

        with ThreadPoolExecutor(len(posts)) as pool:
            return list(pool.map(post, posts))


@pytest.fixture
def town(template: Template) -> Iterator[Town]:
    with template.server() as server:
        yield Town(server)


def test_the_last_place_is_given_once(town):
    more = town.made["more"]
    assert set(town.at_once([("", {"do": "add", "person": person}) for person in more])) == {302}
    told = town.ask(TOLD)
    assert told == {"taken": 10, "current": 11, "waiting": len(more) - 1, "offered": 0, "replaced": []}


def test_a_place_is_replaced_once_and_places_that_are_left_are_all_offered(town):
    more, places = town.made["more"], town.made["places"]
    town.at_once([("", {"do": "wait", "person": person}) for person in more[4:]])
    answers = town.at_once([(f"{places[0]}/", {"do": "replace", "person": person}) for person in more[:4]])
    assert sorted(answers) == [302, 409, 409, 409]
    assert town.ask(TOLD)["replaced"] == [places[0]]
    town.at_once([(f"{place}/", {"do": "remove"}) for place in places[1:5]])
    told = town.ask(TOLD)
    assert (told["current"], told["offered"], told["waiting"], told["taken"]) == (6, 4, 1, 9)
