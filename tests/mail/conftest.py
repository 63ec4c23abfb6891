from collections.abc import Iterator

import pytest

from tests.mail.smtp import Postbox, postbox


@pytest.fixture
def box(settings) -> Iterator[Postbox]:
    """A mail server that takes everything, and to which this site's letters go."""
    with postbox() as server:
        settings.MAIL = server.mail
        settings.MAIL_FROM = ("Cordée", "cordee@example.org")
        yield server
