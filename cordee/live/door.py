"""The front of the server: who sends no request, an endless one, or takes nothing of what is sent is let go.

A request that becomes a stream is forgotten; its connection goes on as a :class:`Line`.

uvicorn bounds none of these by itself. Started with ``uvicorn --http cordee.live.door:Door …``.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cordee.live import tally
from cordee.live.asgi import LINE

HEAD_SECONDS = 20.0  # for a request's line and headers, counted from the connection or from their first byte
LARGEST_HEAD = 64 * 1024  # bytes of request line and headers
STALLED_SECONDS = 60.0  # how long what we send may go untaken; a browser's stream comes back by itself
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Door(HttpToolsProtocol):
    """One connection. A body and an answer are the application's affair; what comes before and after is bounded."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._awaited: asyncio.TimerHandle | None = None  # runs while a head is awaited
        self._head = 0  # bytes received of it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()
        # The kernel counts, for us, how long the other end has taken nothing: it costs nothing per event.
        if (wire := transport.get_extra_info("socket")) and hasattr(socket, "TCP_USER_TIMEOUT"):
            with suppress(OSError):  # not TCP
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STALLED_SECONDS * 1000))

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:  # whatever comes now, be it empty lines
            self._await_head()
        before = self._awaited
        super().data_received(data)
        if self._awaited is None:
            return
        self._head = self._head + len(data) if self._awaited is before else len(data)
        if self._head > LARGEST_HEAD and not self.transport.is_closing():
            tally.limits.add("head_large")
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._await_head()
        super().on_message_begin()
        self.scope["extensions"] = {LINE: {"hand_over": self._hand_over}}

    def on_headers_complete(self) -> None:
        self._head_is_there()
        super().on_headers_complete()

    def _await_head(self) -> None:
        if self._awaited is None:
            self._awaited = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _too_slow(self) -> None:
        tally.limits.add("head_slow")
        self.transport.close()

    def _head_is_there(self) -> None:
        if self._awaited:
            self._awaited.cancel()
        self._awaited, self._head = None, 0

    def _hand_over(self, carry: "Carry") -> None:
        """What was a request, whose answer has begun in chunks, is a stream from here on: nothing else of it stays."""
        self.cycle.disconnected = True  # for uvicorn, which takes it for ended
        self.connections.discard(self)
        self.transport.set_protocol(Line(self.transport, self.connections, carry))
        # They hold each other: what lets go of them at once waits for no collector.
        self.parser = self.scope = self.headers = self.cycle = None  # type: ignore[assignment]


Carry = Callable[[Callable[[bytes], Coroutine[Any, Any, None]]], Coroutine[Any, Any, None]]
_nobody = Context()  # that of every stream: a copy for each would hold as much as what it shows


class Line(asyncio.Protocol):
    """A connection that only speaks: its reader says nothing more, and is let go if they do."""

    __slots__ = ("_all", "_full", "_task", "_wire")

    def __init__(self, wire: asyncio.Transport, all_: set[Any], carry: Carry) -> None:
        self._wire, self._all = wire, all_
        self._full: asyncio.Future[None] | None = None  # while the reader takes less than is sent
        self._all.add(self)
        self._task = asyncio.get_running_loop().create_task(carry(self.send), context=_nobody)
        self._task.add_done_callback(self._ended)

    async def send(self, chunk: bytes) -> None:
        """As soon as the reader has taken what came before."""
        if self._full is not None:
            await self._full
        self._wire.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self._wire.abort()
        else:
            self._wire.write(b"0\r\n\r\n")
            self._wire.close()

    def shutdown(self) -> None:
        """The server stops."""
        self._wire.close()

    def data_received(self, data: bytes) -> None:
        self._wire.abort()

    def pause_writing(self) -> None:
        self._full = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._full is not None and not self._full.done():
            self._full.set_result(None)
        self._full = None

    def connection_lost(self, _: Exception | None) -> None:
        self._all.discard(self)
        self._task.cancel()
