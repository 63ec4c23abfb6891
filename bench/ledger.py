"""Who must see what, since when: so that a word that never came, or came to the wrong person, is counted.

Everything that others must see is an *expectation* of some *watchers* (open streams). It is met for a watcher by a
mark in what that stream received:

- words carry a stamp (``n0000042n``), each its own;
- what carries no words of ours (the floor, the step, how many have written) is a *sign*: a text that the room shows,
  such as the name of who has the floor. A room's signs of one sort follow each other; a stream that was sent a later
  one missed nothing, since streams send the current view and skip what it has replaced.

The same holds for words that replace words (a story edited twice): the later meets the earlier too.
Times are seconds of one clock; latencies are milliseconds since the act was *due*.
"""

import re
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

STAMP = re.compile(rb"n(\d{7})n")
AHEAD = 6  # how many signs later than the first awaited one a sight may be: names of the floor come round again


@dataclass(eq=False, slots=True)
class Expectation:
    """``watchers`` have not yet seen it; ``before`` is what it replaces."""

    kind: str
    due: float
    watchers: set[Hashable]
    before: "Expectation | None" = None
    value: bytes = b""  # of a sign
    quiet: bool = False  # one of many that are seen at once: its loss counts, its latency not


@dataclass(slots=True)
class Counts:
    """Of one measured stretch."""

    latencies: list[float] = field(default_factory=list)
    by_kind: dict[str, list[float]] = field(default_factory=dict)
    seen: int = 0
    leaked: int = 0


class Ledger:
    def __init__(self) -> None:
        self.counts = Counts()
        self._words: dict[int, Expectation] = {}
        self._signs: dict[Hashable, deque[Expectation]] = {}
        self._secrets: dict[int, Hashable] = {}
        self._open: set[Expectation] = set()

    # ---------------------------------------------------------------- what is awaited

    def words(
        self,
        stamp: int,
        kind: str,
        due: float,
        watchers: Iterable[Hashable],
        before: Expectation | None = None,
        quiet: bool = False,
    ) -> Expectation:
        """These watchers must see the words with that stamp, or words that replace them."""
        expected = Expectation(kind, due, set(watchers), before, quiet=quiet)
        self._secrets.pop(stamp, None)
        self._words[stamp] = expected
        self._open.add(expected)
        return expected

    def sign(self, channel: Hashable, value: str, kind: str, due: float, watchers: Iterable[Hashable]) -> Expectation:
        """These watchers must see this sign, or a later one of the same channel."""
        expected = Expectation(kind, due, set(watchers), value=value.encode())
        self._signs.setdefault(channel, deque()).append(expected)
        self._open.add(expected)
        return expected

    def secret(self, stamp: int, owner: Hashable) -> None:
        """Nobody but their owner may see the words with that stamp, until they are awaited by others."""
        self._secrets[stamp] = owner

    def void(self, expected: Expectation) -> None:
        """It was refused, or it is not known whether it was written: nobody must see it."""
        expected.watchers.clear()
        self._open.discard(expected)

    def gone(self, watcher: Hashable) -> None:
        """This stream was closed on purpose: it misses nothing any more."""
        for expected in list(self._open):
            expected.watchers.discard(watcher)
            self._settle(expected)

    # ---------------------------------------------------------------- what is seen

    def read(self, watcher: Hashable, who: Hashable, data: bytes, now: float) -> int:
        """This stream, which is ``who``'s, received ``data`` at ``now``: how many awaited words it met."""
        met = 0
        for found in STAMP.finditer(data):
            stamp = int(found[1])
            expected = self._words.get(stamp)
            if expected is not None:
                if watcher in expected.watchers:
                    met += self._met(expected, watcher, now)
            elif stamp in self._secrets and who != self._secrets[stamp]:
                self.counts.leaked += 1
        return met

    def show(self, watcher: Hashable, channel: Hashable, value: bytes, now: float) -> int:
        """This stream shows ``value`` in that channel: how many awaited signs that meets."""
        signs = self._signs.get(channel)
        if not signs:
            return 0
        while signs and not signs[0].watchers:
            signs.popleft()
        awaited = [expected for expected in signs if watcher in expected.watchers][:AHEAD]
        for place, expected in enumerate(awaited):
            if expected.value == value:
                for earlier in awaited[: place + 1]:
                    self._one(earlier, watcher, now)
                return place + 1
        return 0

    def _met(self, expected: Expectation | None, watcher: Hashable, now: float) -> int:
        met = 0
        while expected is not None and watcher in expected.watchers:
            before = expected.before
            met += not expected.quiet
            self._one(expected, watcher, now)
            expected = before
        return met

    def _one(self, expected: Expectation, watcher: Hashable, now: float) -> None:
        expected.watchers.discard(watcher)
        self.counts.seen += 1
        if not expected.quiet:
            latency = (now - expected.due) * 1000
            self.counts.latencies.append(latency)
            self.counts.by_kind.setdefault(expected.kind, []).append(latency)
        self._settle(expected)

    def _settle(self, expected: Expectation) -> None:
        if not expected.watchers:
            expected.before = None  # a chain of a thousand edits is let go
            self._open.discard(expected)

    # ---------------------------------------------------------------- the account

    @property
    def outstanding(self) -> int:
        """Sights still awaited; once nothing is on its way any more, these are the losses."""
        return sum(len(expected.watchers) for expected in self._open)

    def missing(self) -> dict[str, int]:
        """The same by kind of act."""
        by_kind: dict[str, int] = {}
        for expected in self._open:
            by_kind[expected.kind] = by_kind.get(expected.kind, 0) + len(expected.watchers)
        return by_kind

    def new_stretch(self) -> Counts:
        """Begin to count anew; what is still awaited from before is given up. The former counts."""
        before, self.counts = self.counts, Counts()
        for expected in list(self._open):
            self.void(expected)
        self._signs.clear()
        return before
