"""What this process has counted since it began, in plain numbers; cordee/ops/metrics.py shows them when it is asked.

Every name is of a closed list: nothing that somebody sent can become one.
"""

from bisect import bisect_left
from threading import Lock


class Tally:
    """So many of each name; what is not of the list counts as ``other``. From any thread."""

    __slots__ = ("_counts", "_lock")

    def __init__(self, *names: str) -> None:
        self._counts = dict.fromkeys((*names, "other"), 0)
        self._lock = Lock()

    def add(self, name: str, number: int = 1) -> None:
        if name not in self._counts:
            name = "other"
        with self._lock:
            self._counts[name] += number

    def counts(self) -> dict[str, int]:
        return dict(self._counts)


class Spread:
    """How many values came up to each bound, how many went beyond, and their sum. From one thread."""

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, *bounds: float) -> None:
        self.bounds = bounds
        self.sum = 0.0
        self._counts = [0] * (len(bounds) + 1)

    def add(self, value: float) -> None:
        self._counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def counts(self) -> list[int]:
        """Of each bound alone, then of what is beyond the last."""
        return list(self._counts)


commit_seconds = Spread(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
commit_jobs = Spread(1, 2, 4, 8, 16, 32, 64, 128, 256)
commit_failures = Tally("OperationalError", "IntegrityError", "DataError")
failures = Tally("act", "stream", "page")  # what nobody had foreseen; the log has the type of the error
limits = Tally("head_slow", "head_large", "body", "reader_slow", "queue")  # who was let go, or asked to come back
bus = Tally("heard", "told", "cut")
