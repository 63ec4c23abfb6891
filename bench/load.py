"""The load: R rooms of eight open streams; contributions are sent on a fixed schedule and timed to each other stream.

Open loop: latency counts from the moment a contribution was *due*, so that a server that stalls cannot hide it.
"""

import asyncio
import re
import statistics
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

STAMP = re.compile(rb"n(\d{7})n")
TEXT = "Qu’est-ce qui a changé pour toi depuis que l’équipe a été réorganisée, et comment le vis-tu au quotidien ? "
_numbers = count(1)


@dataclass
class Figures:
    due: int = 0
    acknowledged: int = 0
    refused: int = 0
    failed: int = 0
    seen: int = 0
    bytes: int = 0
    latencies: list[float] = field(default_factory=list)  # milliseconds, to each other stream
    answers: list[float] = field(default_factory=list)  # milliseconds, to the author's 204

    def table(self, seconds: float) -> dict[str, float]:
        """Rates a second, milliseconds, bytes an event."""
        ordered = sorted(self.latencies) or [0.0]
        return {
            "contributions_s": round(self.acknowledged / seconds, 1),
            "p50": round(statistics.median(ordered), 1),
            "p95": round(ordered[int(len(ordered) * 0.95)], 1),
            "p99": round(ordered[int(len(ordered) * 0.99)], 1),
            "answer_p95": round(sorted(self.answers or [0.0])[int(len(self.answers) * 0.95)], 1),
            "acknowledged": self.acknowledged,
            "refused": self.refused,
            "failed": self.failed,
            "lost": self.acknowledged * 7 - self.seen,
            "bytes_per_event": round(self.bytes / max(1, self.seen)),
        }


class Load:
    def __init__(self, port: int, rooms: list[dict[str, Any]]) -> None:
        self.port, self.rooms = port, rooms
        self.sent: dict[int, tuple[float, int]] = {}  # number -> (when due, author)
        self.figures = Figures()
        self.tasks: list[asyncio.Task[None]] = []
        self.posters: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Lock]] = []

    async def open_streams(self) -> float:
        """Open every stream; seconds until all have had their first event."""
        began = perf_counter()
        first = [asyncio.Event() for room in self.rooms for _ in room["people"]]
        ready = iter(first)
        for room in self.rooms:
            for person in range(len(room["people"])):
                self.tasks.append(asyncio.ensure_future(self._listen(room, person, next(ready))))
                if len(self.tasks) % 100 == 0:
                    await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in first)), 120)
        return perf_counter() - began

    async def _listen(self, room: dict[str, Any], person: int, ready: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        writer.write(
            f"GET /salle/{room['room']}/stream HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Cookie: place={room['people'][person]}\r\n\r\n".encode()
        )
        kept = b""
        try:
            while chunk := await reader.read(1 << 16):
                now = perf_counter()
                if b"data:" in chunk or room.get("bare"):
                    ready.set()
                self._seen(kept + chunk, person, now, len(chunk))
                kept = chunk[-8:] if not STAMP.search(chunk[-9:]) else b""
        finally:
            writer.close()

    def _seen(self, data: bytes, person: int, now: float, size: int) -> None:
        others = 0
        for found in STAMP.finditer(data):
            key = self.sent.get(int(found[1]))
            if key is None or key[1] == person or (int(found[1]), person) in self._counted:
                continue
            self._counted.add((int(found[1]), person))
            self.figures.latencies.append((now - key[0]) * 1000)
            self.figures.seen += 1
            others += 1
        if others:
            self.figures.bytes += size

    async def connect(self, connections: int = 24) -> None:
        for _ in range(connections):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            self.posters.append((reader, writer, asyncio.Lock()))

    async def run(self, rate: float, seconds: float) -> dict[str, float]:
        """Send ``rate`` contributions a second for ``seconds``, wait for the last to arrive, and count."""
        self.figures = Figures()
        self._counted: set[tuple[int, int]] = set()
        began = perf_counter()
        work = []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - perf_counter()))
            work.append(asyncio.ensure_future(self._post(number, due)))
        await asyncio.wait(work, timeout=20)
        await self._settle()
        return self.figures.table(seconds)

    async def _settle(self) -> None:
        for _ in range(100):
            if self.figures.seen >= self.figures.acknowledged * 7:
                return
            await asyncio.sleep(0.05)

    async def _post(self, number: int, due: float) -> None:
        room = self.rooms[number % len(self.rooms)]
        person = 1 + (number // len(self.rooms)) % 7
        stamp = next(_numbers)
        self.sent[stamp] = (due, person)
        body = urlencode(
            {"do": "write", "kind": "question", "id": f"bench-{stamp:07d}", "body.text": f"{TEXT}n{stamp:07d}n"}
        )
        self.figures.due += 1
        status = await self._request(number, room, room["people"][person], body)
        self.figures.answers.append((perf_counter() - due) * 1000)
        if status == 204:
            self.figures.acknowledged += 1
        elif status == 409:
            self.figures.refused += 1
        else:
            self.figures.failed += 1

    async def _request(self, number: int, room: dict[str, Any], token: str, body: str) -> int:
        reader, writer, lock = self.posters[number % len(self.posters)]
        async with lock:
            origin = f"http://127.0.0.1:{self.port}"
            writer.write(
                f"POST /salle/{room['room']}/contributions HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                f"Origin: {origin}\r\nX-Cordee: 1\r\nCookie: place={token}\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            if length := re.search(rb"content-length: (\d+)", head, re.I):
                await reader.readexactly(int(length[1]))
            return int(head.split(b" ", 2)[1])

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for _, writer, _ in self.posters:
            writer.close()
