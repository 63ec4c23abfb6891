"""A stream has the connection for itself: of the request that opened it nothing stays, and it ends with its reader."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator

import pytest
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from cordee.live.asgi import Answer, Live
from cordee.live.door import Door, Line

REQUEST = b"GET /stream HTTP/1.1\r\nHost: here\r\n\r\n"


class House:
    """A server whose only stream says what it is told to."""

    def __init__(self) -> None:
        self.words: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.ended = asyncio.Event()
        self.told: list[bytes] = []  # what the stream went on after
        self.state = ServerState()

    async def events(self, request):
        async def speak():
            try:
                while (word := await self.words.get()) is not None:
                    yield word
                    self.told.append(word)
            finally:
                self.ended.set()

        return speak()

    def app(self) -> Live:
        async def nothing(*_):
            return Answer(404)

        return Live(nothing, (re.compile("/stream"), self.events), (re.compile("/act"), nothing), nothing, bool)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    config = Config(house.app(), http=Door, interface="asgi3", lifespan="off", log_level="critical")
    config.load()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Door(config, house.state, {}), "127.0.0.1", 0) as server:
        house.port = server.sockets[0].getsockname()[1]
        yield house


async def opened(house: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and b"transfer-encoding: chunked" in head
    return reader, writer


async def test_what_a_stream_says_comes_in_chunks_and_its_end_is_said(house):
    reader, _ = await opened(house)
    for word in (b"data: one\n\n", b"data: two\n\n", None):
        house.words.put_nowait(word)
    assert await reader.read() == b"b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n0\r\n\r\n"
    assert not house.state.connections


async def test_of_the_request_nothing_stays_in_memory(house):
    def held() -> list[object]:
        return [one for one in gc.get_objects() if type(one) in (Door, RequestResponseCycle)]

    gc.collect()
    before = len(held())
    gc.disable()  # what holds nothing else goes at once
    try:
        lines = [await opened(house) for _ in range(5)]
        async with asyncio.timeout(60):
            while len(held()) > before or house.state.tasks:
                await asyncio.sleep(0.01)
        assert [type(one) for one in house.state.connections] == [Line] * 5
    finally:
        gc.enable()
    assert all(not reader.at_eof() for reader, _ in lines)


@pytest.mark.parametrize("leaves", [lambda w: w.transport.abort(), lambda w: w.close(), lambda w: w.write_eof()])
async def test_a_stream_ends_when_its_reader_leaves(house, leaves):
    _, writer = await opened(house)
    house.words.put_nowait(b"data: one\n\n")
    leaves(writer)
    async with asyncio.timeout(60):
        await house.ended.wait()
    assert not house.state.connections


async def test_who_says_more_is_let_go(house):
    reader, writer = await opened(house)
    writer.write(REQUEST)
    async with asyncio.timeout(60):
        assert await reader.read() == b""
        await house.ended.wait()


async def test_who_takes_nothing_is_sent_no_more(house):
    reader, _ = await opened(house)
    large = b"x" * 2**20
    for _turn in range(40):
        house.words.put_nowait(large)
    await asyncio.sleep(0.3)
    assert len(house.told) < 20
    async with asyncio.timeout(60):
        while len(house.told) < 40:
            assert await reader.read(2**20)


async def test_a_server_that_stops_ends_its_streams(house):
    reader, _ = await opened(house)
    for line in list(house.state.connections):
        line.shutdown()
    async with asyncio.timeout(60):
        assert await reader.read() == b""
        await house.ended.wait()


async def test_on_another_server_a_stream_is_served_as_any_answer(house):
    """No door: through ASGI's own messages, until its reader leaves."""
    sent: list[dict] = []
    gone = asyncio.Event()

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/stream", "headers": [], "query_string": b""}
    serving = asyncio.ensure_future(house.app()(scope, receive, send))
    house.words.put_nowait(b"data: one\n\n")
    async with asyncio.timeout(60):
        while len(sent) < 2:
            await asyncio.sleep(0.001)
        gone.set()
        await serving
    assert house.ended.is_set()
    assert [message["type"] for message in sent[:2]] == ["http.response.start", "http.response.body"]
    assert sent[1]["body"] == b"data: one\n\n" and sent[1]["more_body"]
