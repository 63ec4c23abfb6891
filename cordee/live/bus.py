"""How processes wake each other: not at all (one process), by PostgreSQL NOTIFY, or by Redis. Topics and versions only.

A bus that lost its connection wakes everybody when it is back: each stream then reads the log, and nothing is missed.
A connection that has died without a word is found out by asking it something, every ``PULSE`` seconds.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from cordee.live import tally
from cordee.live.hub import ASK, Hub

CHANNEL = "cordee"
RETRY = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds
PULSE = 15.0  # seconds of silence after which the other end must answer, within as many again
PATIENCE = 3.0  # seconds that connecting, or telling, may take
log = logging.getLogger(__name__)


def message(topic: str, version: int) -> str:
    return f"{topic} {version}"


def read(message: str) -> tuple[str, int]:
    """The topic and its version; one that cannot be read has the database asked."""
    topic, _, version = message.partition(" ")
    return topic, int(version) if version.isdecimal() else ASK


class Bus(Protocol):
    @property
    def publish(self) -> Callable[[str, int], None] | None:
        """How to tell the others, soon; ``None``: nobody else to tell, or the database tells them."""

    async def run(self, hub: Hub) -> None: ...


class LocalBus:
    """One process: its own hub is enough."""

    async def run(self, hub: Hub) -> None:
        return None

    publish: Callable[[str, int], None] | None = None


class NotifyBus:
    """PostgreSQL tells the other processes, in the order of the commits; the writer notifies inside its transaction."""

    def __init__(self, conninfo: str) -> None:
        self.conninfo = conninfo

    async def run(self, hub: Hub) -> None:
        await _hearing(hub, lambda up: self._listen(hub, up))

    async def _listen(self, hub: Hub, up: Callable[[], None]) -> None:
        import psycopg

        patience = int(PATIENCE)
        async with await psycopg.AsyncConnection.connect(
            self.conninfo, autocommit=True, connect_timeout=patience
        ) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            up()
            while True:
                async for notice in connection.notifies(timeout=PULSE):
                    tally.bus.add("heard")
                    hub.poke(*read(notice.payload))
                async with asyncio.timeout(PULSE):
                    await connection.execute("SELECT 1")

    publish: Callable[[str, int], None] | None = None


class RedisBus:
    """Redis or Valkey, for many nodes. It may reorder or lose a topic: streams read the log, never the message."""

    def __init__(self, url: str) -> None:
        from redis import asyncio as redis

        self.client = redis.from_url(url, socket_connect_timeout=PATIENCE)
        self._untold: dict[str, int] = {}  # topics, each once, and their versions: told as soon as Redis takes them
        self._ring = asyncio.Event()

    async def run(self, hub: Hub) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_hearing(hub, lambda up: self._listen(hub, up)))
            tasks.create_task(_forever("The bus did not take a message", self._tell, lambda: None))

    async def _listen(self, hub: Hub, up: Callable[[], None]) -> None:
        async with self.client.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            heard = True
            while True:
                message = await pubsub.get_message(timeout=PULSE)
                if message is None and not heard:
                    raise TimeoutError
                heard = message is not None
                if message is None:
                    await asyncio.wait_for(pubsub.ping(), PATIENCE)  # its answer is a message too
                elif message["type"] == "subscribe":
                    up()
                elif message["type"] == "message":
                    tally.bus.add("heard")
                    hub.poke(*read(message["data"].decode()))

    def publish(self, topic: str, version: int) -> None:
        """Tell the other processes, from the loop's thread; until Redis takes it, their streams follow by the beat."""
        self._untold[topic] = version if self._untold.get(topic) != ASK else ASK
        self._ring.set()

    async def _tell(self, up: Callable[[], None]) -> None:
        """One message at a time, however slow Redis is: a room that changed often meanwhile is told once."""
        while True:
            await self._ring.wait()
            self._ring.clear()
            telling = list(self._untold)
            if telling:
                try:
                    async with asyncio.timeout(PATIENCE), self.client.pipeline(transaction=False) as pipeline:
                        for topic in telling:  # a change from here on is told again
                            pipeline.publish(CHANNEL, message(topic, self._untold.pop(topic)))
                        await pipeline.execute()
                    tally.bus.add("told", len(telling))
                except BaseException:
                    self._untold |= dict.fromkeys(telling, ASK)
                    self._ring.set()
                    raise
            up()


async def _hearing(hub: Hub, listen: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    """Listen for ever; whoever waits at the hub looks again each time it can hear, and ``hub.cut`` says when not."""

    def up() -> None:
        hub.cut = False
        hub.poke_all()

    def down() -> None:
        hub.cut = True
        tally.bus.add("cut")

    hub.cut = True
    await _forever("The bus is cut", listen, up, down)


async def _forever(
    what: str,
    work: Callable[[Callable[[], None]], Awaitable[None]],
    when_up: Callable[[], None],
    when_down: Callable[[], None] = lambda: None,
) -> None:
    """Do ``work`` again whenever it fails, whatever the error; it calls what it is given once it is connected."""
    tries = 0

    def up() -> None:
        nonlocal tries
        tries = 0
        when_up()

    while True:
        try:
            await work(up)
        except Exception as error:  # the type alone: a message may hold an address and its password
            when_down()
            log.warning("%s (%s); trying again", what, type(error).__name__)
        await asyncio.sleep(RETRY[min(tries, len(RETRY) - 1)])
        tries += 1


def bus(name: str, conninfo: str) -> Bus:
    """The bus of that name: ``local``, ``notify``, or a ``redis://`` address."""
    if name == "local":
        return LocalBus()
    if name == "notify":
        return NotifyBus(conninfo)
    return RedisBus(name)
