"""The server's own rounds: a server of one machine needs no cron for its letters."""

import logging
import threading
from collections import Counter

from django.conf import settings
from django.db import close_old_connections, connections
from django.utils import timezone

from cordee.mail import delivery, digest

SETTLED = 5.0  # seconds, before the first
EVERY = 30.0  # seconds, between two rounds
EVERY_IN_DEMO = 2.0
log = logging.getLogger(__name__)


def round_() -> Counter[str]:
    """Gather the digests whose hour has come, and send what is due. What became of how many letters."""
    if settings.MAIL["road"] == "none":
        return Counter()
    digest.gather(timezone.now())
    return delivery.deliver()


class Postman(threading.Thread):
    """Delivers every half minute, for as long as the server runs; a server of one machine needs no cron for letters."""

    def __init__(self) -> None:
        super().__init__(name="postman", daemon=True)  # a mail server that hangs does not keep ours from ending
        self._end = threading.Event()

    def run(self) -> None:
        pause = SETTLED
        while not self._end.wait(pause):
            pause = EVERY_IN_DEMO if settings.MAIL["road"] == "demo" else EVERY
            try:
                close_old_connections()
                round_()
            except Exception as error:  # the database is away, for instance: the next round asks again
                log.warning("Letters could not be looked at: %s", type(error).__name__)
            finally:
                connections.close_all()

    def stop(self) -> None:
        self._end.set()
