"""The two live endpoints as a small pure ASGI application; everything else goes to Django. Knows no room."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, MutableMapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings

from cordee.live import sse, tally

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 64 * 1024  # bytes; the longest text is 4,000 characters
LARGEST_PAGE_BODY = 256 * 1024  # of a form without JavaScript: up to here a page says which text is too long
LARGEST_FILE = 6 * 1024 * 1024  # of the pages that take one: with what a form adds to a file
MOST_FILES = 4  # being received at once: the others wait for their turn, BODY_SECONDS at most
MOST_FIELDS = 100
BODY_SECONDS = 20
# A page of ours that did not come from Django may be drawn, and nothing else.
STYLED = b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
LINE = "cordee.line"  # by what name the door's own extension of ASGI gives an application the connection itself
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What an endpoint needs to know: where, who says they are whom (cookies), and in which language.

    ``shown``: what a page that opens its first stream says it shows already (``?vu=``); empty when it comes back.
    """

    where: tuple[str, ...]
    cookies: dict[str, str]
    language: str
    form: tuple[tuple[str, str], ...] = ()
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    data: Any = None


Streams = Callable[[Request], Awaitable[AsyncGenerator[bytes, None] | None]]
Acts = Callable[[Request], Awaitable[Answer]]


class Live:
    """``streams``: GET that address for events. ``acts``: POST a form there with the header ``X-Cordee``.

    ``too_large`` is the page for who sends a form so large, or so slowly, that Django is not given it; ``files`` are
    the addresses of the pages that take a file; ``said`` is the data of a refusal that comes before the act, from its
    reason and the reader's language.
    """

    def __init__(
        self,
        django: App,
        stream: tuple[re.Pattern[str], Streams],
        act: tuple[re.Pattern[str], Acts],
        background: Callable[[], Coroutine[Any, Any, None]],
        same_origin: Callable[[dict[bytes, bytes]], bool],
        too_large: bytes = b"",
        files: re.Pattern[str] | None = None,
        said: Callable[[str, str], Any] = lambda reason, language: {"reason": reason},
    ) -> None:
        self.django, self.stream, self.act = django, stream, act
        self.background, self.same_origin = background, same_origin
        self.too_large, self.files, self.said = too_large, files, said
        self._receiving = asyncio.Semaphore(MOST_FILES)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """No coroutine itself: of this, nothing stays in memory for as long as a stream is open."""
        if scope["type"] == "lifespan":
            return self._lifespan(receive, send)
        if scope["type"] != "http":
            return _nothing()
        headers = dict(scope["headers"])
        path = scope["path"]
        if scope["method"] == "GET" and (found := self.stream[0].fullmatch(path)):
            request = replace(_request(found, headers), shown=_shown(scope["query_string"], headers))
            return self._stream(request, scope, receive, send)
        if scope["method"] == "POST" and b"x-cordee" in headers and (found := self.act[0].fullmatch(path)):
            return self._act(found, headers, receive, send)
        return self._page(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Django's answer. The whole body comes first: its few threads wait for no slow sender."""
        if not scope["query_string"].isascii():
            return await _answer(send, Answer(400))
        if scope["method"] == "POST" and self.files and self.files.fullmatch(scope["path"]):
            body = await self._file(receive)
        else:
            body = await _body(receive, LARGEST_PAGE_BODY)
        if body is None:
            return await _answer(send, Answer(413), self.too_large)
        left = [{"type": "http.request", "body": body, "more_body": False}]

        async def received() -> MutableMapping[str, Any]:
            return left.pop() if left else await receive()

        await self.django(scope, received, send)

    async def _file(self, receive: Receive) -> bytes | None:
        """A body with a file. Few are held in memory at once, whoever sends them."""
        try:
            async with asyncio.timeout(2 * BODY_SECONDS), self._receiving:
                return await _body(receive, LARGEST_FILE)
        except TimeoutError:
            return None

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        task: asyncio.Task[None] | None = None
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                task = asyncio.ensure_future(self.background())
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                if task:
                    task.cancel()
                await send({"type": "lifespan.shutdown.complete"})
                return

    # ---------------------------------------------------------------- GET …/stream

    async def _stream(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            events = await self.stream[1](request)
        except Exception as error:
            tally.failures.add("stream")
            log.error("A stream could not begin: %s", type(error).__name__)
            return await _answer(send, Answer(503))  # the browser comes back by itself
        if events is None:
            return await _answer(send, Answer(404))
        await send({"type": "http.response.start", "status": 200, "headers": sse.HEADERS})
        if door := scope.get("extensions", {}).get(LINE):
            return door["hand_over"](partial(_pump, events))  # type: ignore[no-any-return]
        await _until_gone(_pump(events, partial(_part, send)), receive)
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    # ---------------------------------------------------------------- POST …/contributions

    async def _act(self, found: re.Match[str], headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        request = _request(found, headers)
        language = request.language
        if not self.same_origin(headers):
            return await _answer(send, Answer(403, self.said("origin", language)))
        body = await _body(receive, LARGEST_BODY)
        if body is None:
            return await _answer(send, Answer(413, self.said("too_large", language)))
        try:
            form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            return await _answer(send, Answer(413, self.said("too_large", language)))
        try:
            answer = await self.act[1](replace(request, form=tuple(form)))
        except Exception as error:
            # The type alone: a message could hold what somebody typed.
            tally.failures.add("act")
            log.error("An act failed with %s", type(error).__name__)
            answer = Answer(503, self.said("unavailable", language))
        await _answer(send, answer)


async def _nothing() -> None:
    return None


def _request(found: re.Match[str], headers: dict[bytes, bytes]) -> Request:
    cookies = _cookies(headers.get(b"cookie", b"").decode("latin-1"))
    accepted = headers.get(b"accept-language", b"").decode("latin-1")
    return Request(found.groups(), cookies, cookies.get(settings.LANGUAGE_COOKIE_NAME) or accepted)


def _shown(query: bytes, headers: dict[bytes, bytes]) -> str:
    """After its first event a page shows something else than it was opened with, and says so by Last-Event-ID."""
    return "" if b"last-event-id" in headers else dict(parse_qsl(query.decode("latin-1"))).get("vu", "")


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value.strip('"') for name, _, value in pairs if name}


async def _pump(events: AsyncGenerator[bytes, None], out: Callable[[bytes], Awaitable[None]]) -> None:
    """Send what comes until it ends or fails."""
    try:
        async with aclosing(events):
            async for chunk in events:
                await out(chunk)
                del chunk  # most of a stream's life is waiting: it keeps nothing that was sent
    except OSError:
        return  # the reader went away in mid-sentence
    except Exception as error:
        tally.failures.add("stream")
        log.error("A stream failed with %s", type(error).__name__, exc_info=True)  # the browser opens another


async def _part(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _until_gone(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Do this work until its reader goes away; on a server that does not hand its lines over."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    gone.add_done_callback(lambda _: working.cancel())
    try:
        await working
    except asyncio.CancelledError:  # the reader went away, or takes nothing any more (hub.py)
        working.cancel()
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive, largest: int) -> bytes | None:
    """The whole body, or ``None`` when it is larger (bytes) or comes too slowly."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    return None
                chunks.append(event.get("body", b""))
                size += len(chunks[-1])
                if size > largest:
                    tally.limits.add("body")
                    return None
                if not event.get("more_body"):
                    return b"".join(chunks)
    except TimeoutError:
        tally.limits.add("body")
        return None


async def _answer(send: Send, answer: Answer, page: bytes = b"") -> None:
    body = page if answer.data is None else json.dumps(answer.data, ensure_ascii=False).encode()
    headers = [
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if body:
        kind = b"text/html" if answer.data is None else b"application/json"
        headers.append((b"content-type", kind + b"; charset=utf-8"))
    if page:
        headers.append((b"content-security-policy", STYLED))
    if answer.status == 413:
        headers.append((b"connection", b"close"))  # the rest of what it sends is not read
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
