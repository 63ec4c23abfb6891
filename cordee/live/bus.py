"""How processes wake each other: not at all (one process), by PostgreSQL NOTIFY, or by Redis. Topics only.

A bus that lost its connection wakes everybody when it is back: each stream then reads the log, and nothing is missed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from cordee.live.hub import Hub

CHANNEL = "cordee"
RETRY = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds
log = logging.getLogger(__name__)


class Bus(Protocol):
    @property
    def publish(self) -> Callable[[str], Awaitable[None]] | None:
        """How to tell the others; ``None``: nobody else to tell, or the database tells them."""

    async def run(self, hub: Hub) -> None: ...


class LocalBus:
    """One process: its own hub is enough."""

    async def run(self, hub: Hub) -> None:
        return None

    publish: Callable[[str], Awaitable[None]] | None = None


class NotifyBus:
    """PostgreSQL tells the other processes, in the order of the commits; the writer notifies inside its transaction."""

    def __init__(self, conninfo: str) -> None:
        self.conninfo = conninfo

    async def run(self, hub: Hub) -> None:
        import psycopg

        await _forever(lambda up: self._listen(hub, up, psycopg), hub, psycopg.OperationalError, OSError)

    async def _listen(self, hub: Hub, up: Any, psycopg: Any) -> None:
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            up()
            async for notice in connection.notifies():
                hub.poke(notice.payload)

    publish: Callable[[str], Awaitable[None]] | None = None


class RedisBus:
    """Redis or Valkey, for many nodes. It may reorder or lose a topic: streams read the log, never the message."""

    def __init__(self, url: str) -> None:
        from redis import asyncio as redis

        self.errors = (redis.RedisError, OSError)
        self.client = redis.from_url(url, socket_connect_timeout=2)

    async def run(self, hub: Hub) -> None:
        await _forever(lambda up: self._listen(hub, up), hub, *self.errors)

    async def _listen(self, hub: Hub, up: Any) -> None:
        async with self.client.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            up()
            async for message in pubsub.listen():
                if message["type"] == "message":
                    hub.poke(message["data"].decode())

    async def publish(self, topic: str) -> None:
        try:
            await self.client.publish(CHANNEL, topic)
        except self.errors:
            # The words are safe; other nodes' streams read the log at their next beat.
            log.warning("Redis did not take a message; other processes will follow within a beat")


async def _forever(listen: Any, hub: Hub, *errors: type[BaseException]) -> None:
    tries = 0

    def up() -> None:
        nonlocal tries
        tries = 0
        hub.poke_all()

    while True:
        try:
            await listen(up)
        except errors as error:
            log.warning("The bus is cut (%s); trying again", type(error).__name__)
        await asyncio.sleep(RETRY[min(tries, len(RETRY) - 1)])
        tries += 1


def bus(name: str, conninfo: str) -> Bus:
    """The bus of that name: ``local``, ``notify``, or a ``redis://`` address."""
    if name == "local":
        return LocalBus()
    if name == "notify":
        return NotifyBus(conninfo)
    return RedisBus(name)
