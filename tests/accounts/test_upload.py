"""A file on its way: as large as is promised and no larger, on the one page that takes one, and never on a disk."""

import re
from collections.abc import Iterator

import httpx
import pytest

from cordee.accounts.reading import LARGEST
from tests.conftest import Template

SETUP = """
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from tests.people import person, space_of
rose = person(space_of(), "rose", roles=("organiser",)).user
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(rose.pk), rose.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
session.create()
print(session.session_key)
"""
PAGE = "/espaces/1/personnes/liste/"


@pytest.fixture(scope="module")
def rose(template: Template) -> Iterator[httpx.Client]:
    with template.server() as server:
        key = server.manage("shell", "-v0", "-c", SETUP).strip().splitlines()[-1]
        with httpx.Client(base_url=server.url, cookies={"session": key}, timeout=120) as client:
            client.headers["Origin"] = server.url
            yield client


def give(rose: httpx.Client, size: int, path: str = PAGE) -> int:
    page = rose.get(PAGE)
    assert page.status_code == 200
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)[1]  # type: ignore[index]
    content = (b"Nom;Mail\nKarim;karim@example.org\n" + b";\n" * (size // 2))[:size]
    try:
        return rose.post(path, data={"csrfmiddlewaretoken": token}, files={"file": ("l.csv", content)}).status_code
    except httpx.HTTPError:  # refused while it is still sending
        return 413


def test_a_list_of_five_megabytes_comes_through_and_a_larger_one_does_not(rose):
    assert give(rose, LARGEST) == 200
    assert give(rose, LARGEST + 2) == 400  # a page that says so
    assert give(rose, LARGEST + 2 * 1024 * 1024) == 413


def test_no_other_page_takes_as_much(rose):
    for path in ("/espaces/1/personnes/", "/compte/", "/espaces/1/personnes/liste/modele/", "/salles/nouvelle/"):
        assert give(rose, 1024 * 1024, path) == 413
