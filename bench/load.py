"""The load: rooms of open streams; acts are sent on a fixed schedule and timed to each other stream.

Open loop: latency counts from the moment an act was *due*, so that a server that stalls cannot hide it, nor can a
generator that is late.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter, process_time
from typing import Any, Protocol
from urllib.parse import urlencode

from bench.figures import percentile, spread
from bench.ledger import STAMP, Expectation, Ledger
from bench.wire import Posters, Stream

SETTLE_SECONDS = 20  # after the last act was due, for what is still on its way
COME_BACK_SECONDS = 1.0  # after which who was told to come back does
LAG_EVERY = 0.02  # seconds between two looks at the generator's own clock
SATURATED_MS = 20  # a generator that is later than this in one case out of twenty measures itself
stamps = count(1)


class Room:
    """One room as the load sees it. ``seats``: name, seat, token; ``nodes``: the ports of the servers."""

    def __init__(self, made: Mapping[str, Any], nodes: list[int]) -> None:
        self.id: str = made["room"]
        self.seats: list[Mapping[str, str]] = made["seats"]
        self.screen: str = made.get("screen", "")
        self.late: list[int] = made.get("late", [])  # whose second device comes in mid-load
        self.nodes = nodes
        self.streams: set[Stream] = set()  # those that have had their first view
        self.made = made
        self.board: dict[str, list[int]] = {}  # card -> the stamps that it was given, in order; of this round
        self.firm: dict[str, int] = {}  # card -> how many of them are acknowledged

    def put(self, card: str, stamp: int) -> None:
        """This card has these words, and that is known to be written."""
        self.board.setdefault(card, []).append(stamp)
        self.firm[card] = len(self.board[card])

    def drop(self, card: str) -> None:
        """Whoever comes from here on is not shown this card any more."""
        self.board.pop(card, None)
        self.firm.pop(card, None)

    def missing(self, firm: Mapping[str, int], view: bytes) -> int:
        """How many cards of ``firm`` (as it was when the stream was asked for) are not in its first view."""
        shown = {int(stamp) for stamp in STAMP.findall(view)}
        return sum(
            card in self.board and shown.isdisjoint(self.board[card][number - 1 :]) for card, number in firm.items()
        )

    def port(self, person: int) -> int:
        """With two nodes, half of each room is on each."""
        return self.nodes[person % len(self.nodes)]

    def others(self, person: int) -> set[Stream]:
        """The streams of everybody else."""
        return {stream for stream in self.streams if stream.person != person}

    def of(self, person: int) -> set[Stream]:
        return {stream for stream in self.streams if stream.person == person}


SCREEN = -1  # the person that the shared screen is


@dataclass
class Act:
    """What one person posts, and what others must see of it: ``expect(due)`` says it, just before it is sent."""

    room: Room
    person: int
    form: Mapping[str, str]
    kind: str
    expect: Callable[[float], Iterable[Expectation]] = lambda due: ()
    address: str = "contributions"
    puts: tuple[tuple[str, int], ...] = ()  # the cards that it changes for all, and the stamps of their words
    new_round: bool = False
    drops: tuple[str, ...] = ()  # cards that a first view need not hold from here on

    def payload(self) -> bytes:
        body = urlencode(self.form)
        host = f"127.0.0.1:{self.room.port(self.person)}"
        return (
            f"POST /salle/{self.room.id}/{self.address} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            f"X-Cordee: 1\r\nCookie: place={self.room.seats[self.person]['token']}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


class Mix(Protocol):
    """What is played. ``ordered``: the acts of one room wait for each other, as the people of a room do."""

    ordered: bool

    def act(self, room: Room) -> Act: ...

    def signs(self, stream: Stream, data: bytes, now: float) -> int:
        """What this stream was shown besides stamped words; how many awaited signs that met."""


@dataclass
class Answers:
    due: int = 0
    acknowledged: int = 0
    refused: int = 0
    failed: int = 0
    last: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  # kind and status of what was not acknowledged


class Load:
    def __init__(self, rooms: list[Room], mix: Mix, ledger: Ledger) -> None:
        self.rooms, self.mix, self.ledger = rooms, mix, ledger
        self.posters: dict[int, Posters] = {}
        self.streams: list[Stream] = []
        self.answers = Answers()
        self.waiting: dict[str, deque[float]] = {}  # of rooms in which an act is under way
        self.view_bytes: list[int] = []
        self.met_bytes = self.met_events = self.met = 0
        self.dropped = 0  # streams that the server ended
        self.turned_away = 0  # times that a stream was told to come back later
        self._returning: set[asyncio.Task[None]] = set()
        self.settle_seconds: float = SETTLE_SECONDS
        self.stale = 0  # cards missing in the first view of a stream
        self._closing = False
        self._became_ready: asyncio.Event = asyncio.Event()

    # ---------------------------------------------------------------- streams

    async def open_streams(self, within: float = 120) -> float:
        """Open every stream of every room; seconds until all have had their first view."""
        wanted = [(room, person) for room in self.rooms for person in range(len(room.seats))]
        wanted += [(room, SCREEN) for room in self.rooms if room.screen and room.made.get("with_screen")]
        return await self.open(wanted, within)

    async def open(self, wanted: list[tuple[Room, int]], within: float = 120) -> float:
        began = perf_counter()
        opened = await asyncio.gather(*(self._open(room, person) for room, person in wanted))
        self.streams += opened
        while not all(stream.ready for stream in opened):
            self._became_ready.clear()
            left = began + within - perf_counter()
            if left <= 0:
                ready = sum(stream.ready for stream in opened)
                raise TimeoutError(f"{ready} of {len(opened)} streams had their first view within {within:g} s")
            try:
                await asyncio.wait_for(self._became_ready.wait(), min(left, 1))
            except TimeoutError:
                continue
        return perf_counter() - began

    async def _open(self, room: Room, person: int) -> Stream:
        place, token = ("ecran", room.screen) if person == SCREEN else ("salle", room.seats[person]["token"])
        request = (
            f"GET /{place}/{room.id}/stream HTTP/1.1\r\nHost: 127.0.0.1:{room.port(person)}\r\n"
            f"Accept-Language: fr\r\nCookie: place={token}\r\n\r\n"
        ).encode()
        stream = Stream(request, self.heard, self.lost, room, person)
        await self._connect(stream)
        return stream

    async def _connect(self, stream: Stream) -> None:
        port = stream.room.port(stream.person)
        for wait in (0.05, 0.1, 0.2, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0):
            try:
                await asyncio.get_running_loop().create_connection(lambda: stream, "127.0.0.1", port)
                stream.firm = dict(stream.room.firm)
                return
            except OSError:  # the door is full, or the server is not back: as a browser, try again
                await asyncio.sleep(wait)
        raise TimeoutError(f"no connection to 127.0.0.1:{port}")

    async def _come_back(self, stream: Stream) -> None:
        await asyncio.sleep(COME_BACK_SECONDS)
        await self._connect(stream)

    def heard(self, stream: Stream, data: bytes, now: float) -> None:
        if not stream.ready:
            stream.ready = True
            stream.room.streams.add(stream)
            self.view_bytes.append(len(data))
            self.stale += stream.room.missing(stream.firm, data)
            stream.firm = {}
            self._became_ready.set()
        met = self.ledger.read(stream, stream.who, data, now) + self.mix.signs(stream, data, now)
        if met:
            self.met += met
            self.met_events += 1
            self.met_bytes += len(data)

    def lost(self, stream: Stream) -> None:
        stream.room.streams.discard(stream)
        if self._closing:
            return
        if stream.status == 503:  # not now: as a browser, come back
            self.turned_away += 1
            task = asyncio.ensure_future(self._come_back(stream))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)
        else:
            self.dropped += 1

    # ---------------------------------------------------------------- acts

    def send(self, room: Room, due: float) -> None:
        self.answers.due += 1
        if not self.mix.ordered:
            self._post(self.mix.act(room), due)
        elif room.id in self.waiting:
            self.waiting[room.id].append(due)
        else:
            self.waiting[room.id] = deque()
            self._post(self.mix.act(room), due)

    def _post(self, act: Act, due: float) -> None:
        expected = list(act.expect(due))
        for card, stamp in act.puts:
            act.room.board.setdefault(card, []).append(stamp)
        for card in act.drops:  # before it is sent: a view may come before the answer
            act.room.drop(card)
        port = act.room.port(act.person)
        if port not in self.posters:
            self.posters[port] = Posters(port)

        def answered(status: int, now: float) -> None:
            self._answered(act, expected, due, status, now)

        self.posters[port].send(act.payload(), answered)

    def _answered(self, act: Act, expected: list[Expectation], due: float, status: int, now: float) -> None:
        self.answers.milliseconds.append((now - due) * 1000)
        self.answers.last = now
        if status in {204, 302}:
            self.answers.acknowledged += 1
            self.answers.kinds[act.kind] += 1
            self._written(act)
        else:
            if status == 409:
                self.answers.refused += 1
            else:
                self.answers.failed += 1
            self.answers.reasons[f"{act.kind} {status}"] += 1
            for one in expected:
                self.ledger.void(one)
        queue = self.waiting.get(act.room.id)
        if queue:
            asyncio.get_running_loop().call_soon(self._next, act.room, queue.popleft())
        elif queue is not None:
            del self.waiting[act.room.id]

    def _next(self, room: Room, due: float) -> None:
        self._post(self.mix.act(room), due)

    def _written(self, act: Act) -> None:
        if act.new_round:
            act.room.board.clear()
            act.room.firm.clear()
        for card, stamp in act.puts:
            if stamp in act.room.board.get(card, ()):
                act.room.firm[card] = max(act.room.firm.get(card, 0), act.room.board[card].index(stamp) + 1)

    # ---------------------------------------------------------------- a steady stretch

    async def run(self, rate: float, seconds: float) -> dict[str, Any]:
        """Send ``rate`` acts a second for ``seconds``, wait for the last to arrive, and count."""
        self.ledger.new_stretch()
        self.answers = Answers()
        self.met = self.met_events = self.met_bytes = self.dropped = self.stale = 0
        late: asyncio.Future[float] | None = None
        received = sum(stream.bytes for stream in self.streams)
        lags: list[float] = []
        clock = asyncio.ensure_future(_clock(lags))
        began, used = perf_counter(), process_time()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - perf_counter()))
            self.send(self.rooms[number % len(self.rooms)], due)
            if number == int(rate * seconds) // 2:
                late = asyncio.ensure_future(self.open([(room, who) for room in self.rooms for who in room.late]))
        sent = perf_counter()
        share = (process_time() - used) / (sent - began)
        clock.cancel()
        await self._settle(began + seconds + self.settle_seconds)
        if late:
            await late
        counts, answers = self.ledger.counts, self.answers
        answered = len(answers.milliseconds)
        lag = percentile(lags, 0.95) * 1000
        return {
            "rate": rate,
            # An act that waits in a queue is not sustained: what was acknowledged until the last answer, a second.
            "done_s": round(answers.acknowledged / max(seconds, answers.last - began), 1),
            **spread(counts.latencies),
            "answer_p95": round(percentile(answers.milliseconds, 0.95), 1),
            "acknowledged": answers.acknowledged,
            "refused": answers.refused,
            "failed": answers.failed + answers.due - answered,
            "seen": counts.seen,
            "lost": self.ledger.outstanding + self.stale,
            "leaked": counts.leaked,
            "dropped_streams": self.dropped,
            "bytes_per_sight": round(self.met_bytes / max(1, self.met)),
            "bytes_per_event": round(self.met_bytes / max(1, self.met_events)),
            "kb_per_stream": round(
                (sum(stream.bytes for stream in self.streams) - received) / 1024 / max(1, len(self.streams)), 1
            ),
            "acts": dict(answers.kinds),
            "p95_of": {kind: round(percentile(values, 0.95), 1) for kind, values in sorted(counts.by_kind.items())},
            **({"lost_of": self.ledger.missing()} if self.ledger.outstanding else {}),
            **({"not_done": dict(answers.reasons)} if answers.reasons else {}),
            "generator": {"cpu": round(share, 2), "lag_p95_ms": round(lag, 1), "saturated": lag > SATURATED_MS},
        }

    async def _settle(self, until: float) -> None:
        while perf_counter() < until:
            if len(self.answers.milliseconds) >= self.answers.due and not self.ledger.outstanding:
                return
            await asyncio.sleep(0.05)

    async def close(self, abruptly: bool = False) -> None:
        self._closing = True
        for stream in self.streams:
            stream.close(abruptly)
        for posters in self.posters.values():
            posters.close()
        await asyncio.sleep(0.1)
        self._closing = False
        self.streams = []
        self.posters = {}


async def _clock(lags: list[float]) -> None:
    while True:
        asked = perf_counter()
        await asyncio.sleep(LAG_EVERY)
        lags.append(perf_counter() - asked - LAG_EVERY)
