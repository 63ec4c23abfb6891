"""People at the real server: seated by HTTP, with open streams that are read as a browser reads them."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests import services
from tests.live.test_sse import read

LONG = 60.0  # seconds after which something hangs: a busy machine needs far fewer


@dataclass
class Message:
    event: str
    data: str
    size: int  # bytes on the wire


class Stream:
    """An open stream: its answer, and its messages one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._chunks = response.aiter_raw()
        self._bytes = b""
        self._coming: asyncio.Future[bytes] | None = None  # outlives who gave up waiting for it

    async def next(self, within: float = LONG, beats: bool = False) -> Message | None:
        """The next message (a hello is passed over, and a beat unless asked for); ``None`` at the end of the stream."""
        async with asyncio.timeout(within):
            while True:
                message = await self._message()
                if message is None or not (message.event == "hello" or (message.event == "beat" and not beats)):
                    return message

    async def until(self, words: str, within: float = LONG) -> Message:
        """The message that holds these words; those before it are dropped."""
        async with asyncio.timeout(within):
            while True:
                message = await self.next(within)
                assert message, f"the stream ended before {words}"
                if words in message.data:
                    return message

    async def quiet(self, seconds: float) -> bool:
        """Whether nothing but beats comes for so long, and not the end either."""
        try:
            await self.next(seconds)
        except TimeoutError:
            return True
        return False

    async def _message(self) -> Message | None:
        while True:
            while b"\n\n" in self._bytes:
                one, self._bytes = self._bytes.split(b"\n\n", 1)
                found = read(one + b"\n\n")
                if found:
                    return Message(*found[0], len(one) + 2)
            self._coming = self._coming or asyncio.ensure_future(anext(self._chunks, b""))
            chunk, self._coming = await asyncio.shield(self._coming), None
            if not chunk:
                return None
            self._bytes += chunk

    def leave(self) -> None:
        if self._coming:
            self._coming.cancel()


class Person:
    """A browser of the test: its cookies, and where its room is."""

    def __init__(self, server: services.Server, start: str, name: str) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, follow_redirects=True, timeout=LONG)
        self.http.get(start)
        form = {"name": name, "csrfmiddlewaretoken": self.http.cookies["csrftoken"]}
        answer = self.http.post(start, data=form, headers={"Origin": server.url})
        self.path = answer.url.path
        self.page = answer.text
        assert "data-me" in self.page, self.page[:800]
        self.seat = re.search(r'data-me="([^"]+)"', self.page)[1]

    @property
    def code(self) -> str:
        return re.search(r"/s/(\w+)/", self.look())[1]

    @property
    def token(self) -> str:
        return self.http.cookies["place"]

    def look(self) -> str:
        return self.http.get(self.path).text

    def post(self, headers: dict[str, str | None] | None = None, path: str = "", **form: str) -> httpx.Response:
        """Posts as the script of the page does; a header given as ``None`` is left out."""
        sent = {"Origin": self.server.url, "X-Cordee": "1", **(headers or {})}
        data = {name.replace("body_", "body."): value for name, value in form.items()}
        own = {name: value for name, value in sent.items() if value is not None}
        return self.http.post(path or f"{self.path}contributions", data=data, headers=own)

    def do(self, command: str, **form: str) -> None:
        answer = self.post(do=command, **form)
        assert answer.status_code == 204, answer.text

    @asynccontextmanager
    async def stream(self, path: str = "", query: str = "", **headers: str) -> AsyncIterator[Stream]:
        headers |= {"Cookie": f"place={self.token}"}
        async with (
            httpx.AsyncClient(base_url=self.server.url, timeout=LONG) as client,
            client.stream("GET", f"{path or self.path}stream{query}", headers=headers) as response,
        ):
            opened = Stream(response)
            try:
                yield opened
            finally:
                opened.leave()


async def eventually(check, within: float = LONG) -> None:
    deadline = time.monotonic() + within
    while not await asyncio.to_thread(check):
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(0.05)
