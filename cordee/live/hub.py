"""Topics and bells: whoever waits for a topic is woken. Carries names of topics, never content."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


class Hub:
    """One per process; belongs to its event loop."""

    def __init__(self) -> None:
        self._bells: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._publish: Callable[[str], None] | None = None
        self.cut = False  # whether other processes are out of hearing for now (see bus.py)

    def start(self, publish: Callable[[str], None] | None = None) -> None:
        """Serve this loop; ``publish`` tells other processes of a topic."""
        self._loop, self._publish = asyncio.get_running_loop(), publish

    def stop(self) -> None:
        self._loop = None

    @property
    def serving(self) -> bool:
        return self._loop is not None and not self._loop.is_closed()

    @contextmanager
    def listen(self, topic: str) -> Iterator[asyncio.Event]:
        """A bell that every poke of the topic rings. Clear it *before* reading what it announces."""
        bell = asyncio.Event()
        self._bells[topic].add(bell)
        try:
            yield bell
        finally:
            self._bells[topic].discard(bell)
            if not self._bells[topic]:
                del self._bells[topic]

    def poke(self, topic: str) -> None:
        """Wake who waits for this topic. Only from the loop's own thread."""
        for bell in self._bells.get(topic, ()):
            bell.set()

    def poke_all(self) -> None:
        """Wake everybody: some pokes may have been missed."""
        for topic in list(self._bells):
            self.poke(topic)

    def announce_from_thread(self, topics: Iterable[str]) -> None:
        """Wake who waits for these topics, here and in other processes. From any thread but the loop's."""
        wanted = list(topics)
        if wanted and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._announce, wanted)

    def _announce(self, topics: list[str]) -> None:
        for topic in topics:
            self.poke(topic)
            if self._publish:
                self._publish(topic)

    def open_streams(self) -> int:
        return sum(len(bells) for bells in self._bells.values())
