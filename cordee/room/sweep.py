"""What a destroyed key closed leaves this process's memory, whoever destroyed it: every minute, the database is asked.

Keys are destroyed by ``manage.py``, in another process. A stream finds out by itself, by the bus or at its next beat;
a room that nobody looks at, and what was drawn of it, would stay until newer ones take their place.
"""

import asyncio
import logging
from collections.abc import Sequence

from cordee.circles.models import Circle
from cordee.live.reads import reading
from cordee.room import store
from cordee.room.actions import hub
from cordee.room.models import Session

EVERY = 60.0  # seconds
AT_ONCE = 500  # rooms asked for in one question
log = logging.getLogger(__name__)


class Sweep:
    """``look`` asks the database, in a thread of its own; ``settle`` forgets, in the loop's."""

    def __init__(self) -> None:
        self._destroyed: int | None = None
        self._again = False

    def look(self) -> tuple[list[str], int]:
        """The rooms in memory that can be read no more, and how many keys have been destroyed in all."""
        held = store.with_key()
        readable: set[str] = set()
        for first in range(0, len(held), AT_ONCE):
            some = Session.objects.filter(pk__in=held[first : first + AT_ONCE], circle__wrapped_key__isnull=False)
            readable.update(some.values_list("pk", flat=True))
        return [room for room in held if room not in readable], Circle.objects.filter(wrapped_key__isnull=True).count()

    def settle(self, gone: Sequence[str], destroyed: int) -> None:
        """Forget, and once more at the next turn: somebody may have been drawing a page meanwhile."""
        changed = bool(gone) or destroyed != (self._destroyed if self._destroyed is not None else destroyed)
        if changed or self._again:
            store.forget_words(gone)
            for room in gone:
                hub.poke(store.topic(room))
        self._again, self._destroyed = changed, destroyed


async def sweeping() -> None:
    """For ever. A database out of reach is asked again at the next turn."""
    sweep = Sweep()
    while True:
        try:
            sweep.settle(*await reading(sweep.look))
        except Exception as error:
            log.warning("Memory could not be swept: %s", type(error).__name__)
        await asyncio.sleep(EVERY)
