"""Topics and bells: whoever waits for a topic is woken. Carries names of topics and their versions, never content."""

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType

from cordee.live import tally

BEAT = 15.0  # seconds: who was not rung for so long is rung by time alone, and looks whether a message was lost
SLICES = 15  # not all at once: so many parts of the topics take turns
MOST_UNHEARD = 2  # beats: who is still busy with what rang before them takes nothing any more, and is let go
ASK = 0  # the version of a topic of which nothing is known but that it changed: the database must be asked


class Bell:
    """What one listener waits for. Take it *before* looking: what changes meanwhile rings again.

    A stream in ten thousand costs what this holds: no event, no timer and no task of its own.
    """

    __slots__ = ("_hub", "_listener", "_unheard", "_waiter", "beat", "doubt", "rung", "topic")

    def __init__(self, hub: "Hub", topic: "Topic") -> None:
        self.topic = topic
        self.rung = False
        self.beat = False  # time rang it
        self.doubt = False  # what rang it may be in the database alone
        self._hub = hub
        self._unheard = 0
        self._waiter: asyncio.Future[None] | None = None
        self._listener: asyncio.Task[object] | None = None

    def __enter__(self) -> "Bell":
        self._listener = asyncio.current_task()
        self._hub.join(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hub.leave(self)
        self._listener = None

    @property
    def announced(self) -> int:
        """The newest version of the topic that was told."""
        return self.topic.version

    def ring(self) -> None:
        self.rung = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def take(self) -> tuple[bool, bool]:
        """(``beat``, ``doubt``) of what rang since it was last taken."""
        why = self.beat, self.doubt
        self.rung = self.beat = self.doubt = False
        self._unheard = 0
        return why

    async def wait(self) -> None:
        """Until it is rung."""
        if not self.rung:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def count(self) -> None:
        """A beat: ring, or let go of who has not taken the last ones."""
        if self.rung:
            self._unheard += 1
            if self._unheard >= MOST_UNHEARD and self._listener is not None:
                tally.limits.add("reader_slow")
                self._listener.cancel()
        self.beat = self.doubt = True
        self.ring()


class Topic:
    """Who listens to it, and the newest version that was told."""

    __slots__ = ("bells", "name", "slice", "version")

    def __init__(self, name: str, slice_: int) -> None:
        self.name, self.slice = name, slice_
        self.bells: set[Bell] = set()
        self.version = ASK


class Hub:
    """One per process; belongs to its event loop."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._publish: Callable[[str, int], None] | None = None
        self.cut = False  # whether other processes are out of hearing for now (see bus.py)
        self._turn = 0
        self._timer: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None

    def start(self, publish: Callable[[str, int], None] | None = None) -> None:
        """Serve this loop; ``publish`` tells other processes of a topic and its version."""
        self._loop, self._publish = asyncio.get_running_loop(), publish

    def stop(self) -> None:
        self._loop = None

    @property
    def serving(self) -> bool:
        return self._loop is not None and not self._loop.is_closed()

    # ---------------------------------------------------------------- listening

    def listen(self, topic: str) -> Bell:
        """A bell that every poke of the topic rings, from ``with`` on."""
        known = self._topics.get(topic) or Topic(topic, len(self._topics) % SLICES)
        return Bell(self, known)

    def join(self, bell: Bell) -> None:
        bell.topic = self._topics.setdefault(bell.topic.name, bell.topic)
        bell.topic.bells.add(bell)
        loop = asyncio.get_running_loop()
        if self._timer is None or self._timer[0] is not loop:
            self._next_beat(loop)

    def leave(self, bell: Bell) -> None:
        bell.topic.bells.discard(bell)
        if not bell.topic.bells:
            self._topics.pop(bell.topic.name, None)
        if not self._topics and self._timer:
            self._timer[1].cancel()
            self._timer = None

    def listened(self, topic: str) -> bool:
        return topic in self._topics

    def open_streams(self) -> int:
        return sum(len(topic.bells) for topic in self._topics.values())

    def _next_beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop, loop.call_later(BEAT / SLICES, self._beat, loop)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._next_beat(loop)
        self._turn = (self._turn + 1) % SLICES
        for topic in self._topics.values():
            if topic.slice == self._turn:
                for bell in topic.bells:
                    bell.count()

    # ---------------------------------------------------------------- telling

    def poke(self, topic: str, version: int = ASK) -> None:
        """Wake who waits for this topic, unless they were told of this version. Only from the loop's own thread."""
        known = self._topics.get(topic)
        if known is None or (version != ASK and version <= known.version):
            return
        known.version = max(version, known.version)
        for bell in known.bells:
            bell.doubt = bell.doubt or version == ASK
            bell.ring()

    def poke_all(self) -> None:
        """Wake everybody: some pokes may have been missed."""
        for topic in list(self._topics):
            self.poke(topic)

    def announce_from_thread(self, versions: Mapping[str, int]) -> None:
        """Wake who waits for these topics, here and in other processes. From any thread but the loop's."""
        if versions and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._announce, dict(versions))

    def _announce(self, versions: Mapping[str, int]) -> None:
        for topic, version in versions.items():
            self.poke(topic, version)
            if self._publish:
                self._publish(topic, version)
