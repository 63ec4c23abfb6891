"""What these tests share: letters read from the outbox, and caches of this process that forget between tests."""

import re
from collections.abc import Callable, Iterator

import pytest

from cordee.accounts import middleware
from cordee.mail.models import Letter
from cordee.web import incidents

CODE = re.compile(r"\b([2-9A-HJKMNP-TV-Z]{3} [2-9A-HJKMNP-TV-Z]{3})\b")


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    incidents.forget()
    middleware._seen.clear()
    yield
    incidents.forget()
    middleware._seen.clear()


@pytest.fixture
def code_for() -> Callable[[str], str]:
    """The code of the last letter to this address."""

    def read(address: str) -> str:
        letter = Letter.objects.filter(to=address, kind="sign_in_code").order_by("pk").last()
        assert letter is not None, f"no letter to {address}"
        found = CODE.search(letter.text)
        assert found, letter.text
        return found[1]

    return read
