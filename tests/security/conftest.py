from collections.abc import Iterator

import pytest

from tests import services
from tests.conftest import Template
from tests.live.people import Person
from tests.room.clean import clean_memory  # noqa: F401


@pytest.fixture(scope="module")
def hasty(template: Template) -> Iterator[services.Server]:
    """The real server with the little patience of hasty.py."""
    with template.server() as server:
        server.stop()
        server.command[server.command.index("config.asgi:application")] = "tests.security.hasty:application"
        server.start()
        yield server


@pytest.fixture
def fanny(hasty: services.Server) -> Iterator[Person]:
    person = Person(hasty, "/salles/nouvelle/", "Fanny")
    yield person
    person.http.close()


@pytest.fixture
def karim(fanny: Person) -> Iterator[Person]:
    person = Person(fanny.server, f"/s/{fanny.code}/", "Karim")
    yield person
    person.http.close()


@pytest.fixture
def claire(fanny: Person) -> Iterator[Person]:
    person = Person(fanny.server, f"/s/{fanny.code}/", "Claire")
    yield person
    person.http.close()
