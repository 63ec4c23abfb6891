"""Browsers as cheap as they come: raw protocols that read server-sent events and post forms over kept connections."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

END_OF_EVENT = b"\n\n\r\n"  # uvicorn sends what is yielded as one chunk, and a chunk ends with CR LF
Answered = Callable[[int, float], None]  # status (0: the connection was lost), when


class Stream(asyncio.Protocol):
    """One open stream. ``heard(stream, data, now)`` is called with whole events; the first begins with the view."""

    def __init__(
        self,
        request: bytes,
        heard: "Callable[[Stream, bytes, float], None]",
        lost: "Callable[[Stream], None]",
        room: Any,
        person: int,
    ) -> None:
        self.request, self.heard, self.lost = request, heard, lost
        self.room, self.person = room, person
        self.who = (room.id, person)
        self.wire: Any = None  # the transport while it is open
        self.status = 0
        self.tail = b""
        self.ready = False  # has had its first view
        self.opened = 0.0
        self.firm: dict[str, int] = {}  # what its first view must hold
        self.bytes = 0
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.wire = transport
        self.opened = perf_counter()
        self.status, self.tail = 0, b""
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        if self.tail:
            data = self.tail + data
        if not self.status:
            head, found, rest = data.partition(b"\r\n\r\n")
            if not found:
                self.tail = data
                return
            self.status = int(head.split(b" ", 2)[1])
            if self.status != 200:
                self.wire.close()
                return
            data = rest
        if not data.endswith(END_OF_EVENT):
            self.tail = data  # the rest is on its way
            return
        self.tail = b""
        if b"event: hello\n" in data:  # the server's clock and release come before the view
            data = data.partition(END_OF_EVENT)[2]
        if b"data:" in data:
            self.events += 1
            self.heard(self, data, perf_counter())

    def connection_lost(self, _: Exception | None) -> None:
        self.wire = None
        self.lost(self)

    def close(self, abruptly: bool = False) -> None:
        if self.wire is not None:
            self.wire.abort() if abruptly else self.wire.close()


class Poster(asyncio.Protocol):
    """One kept connection, one request at a time."""

    __slots__ = ("answered", "buffer", "freed", "wire")

    def __init__(self, freed: "Callable[[Poster], None]") -> None:
        self.freed = freed
        self.wire: Any = None  # the transport while it is open
        self.buffer = b""
        self.answered: Answered | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.wire = transport

    def send(self, payload: bytes, answered: Answered) -> None:
        self.answered = answered
        self.wire.write(payload)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not whole(self.buffer):
            return
        status, self.buffer = int(self.buffer[9:12]), b""
        answered, self.answered = self.answered, None
        self.freed(self)
        if answered:
            answered(status, perf_counter())

    def connection_lost(self, _: Exception | None) -> None:
        self.wire = None
        answered, self.answered = self.answered, None
        self.freed(self)
        if answered:
            answered(0, perf_counter())


def whole(answer: bytes) -> bool:
    """Whether this is a whole HTTP/1.1 answer."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    lower = head.lower()
    if b"content-length:" in lower:
        return len(body) >= int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    if b"transfer-encoding: chunked" in lower:
        return body.endswith(b"0\r\n\r\n")
    return True


class Posters:
    """Connections to one server: as many as there are requests under way, at most ``most``; the others queue."""

    def __init__(self, port: int, most: int = 256) -> None:
        self.port, self.most = port, most
        self.free: list[Poster] = []
        self.all: set[Poster] = set()
        self.opening = 0
        self.queue: deque[tuple[bytes, Answered]] = deque()
        self.tasks: set[asyncio.Task[None]] = set()

    def send(self, payload: bytes, answered: Answered) -> None:
        if self.free:
            self.free.pop().send(payload, answered)
            return
        self.queue.append((payload, answered))
        if len(self.all) + self.opening < self.most:
            self._more()

    def _more(self) -> None:
        self.opening += 1
        task = asyncio.ensure_future(self._open())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _open(self) -> None:
        try:
            _, poster = await asyncio.get_running_loop().create_connection(
                lambda: Poster(self._freed), "127.0.0.1", self.port
            )
        except OSError:
            if self.queue:
                self.queue.popleft()[1](0, perf_counter())
            return
        finally:
            self.opening -= 1
        self.all.add(poster)
        self._freed(poster)

    def _freed(self, poster: Poster) -> None:
        if poster.wire is None:
            self.all.discard(poster)
            if poster in self.free:
                self.free.remove(poster)
            if self.queue and len(self.all) + self.opening < self.most:
                self._more()
        elif self.queue:
            payload, answered = self.queue.popleft()
            asyncio.get_running_loop().call_soon(poster.send, payload, answered)
        else:
            self.free.append(poster)

    def close(self) -> None:
        for poster in list(self.all):
            if poster.wire is not None:
                poster.wire.close()
