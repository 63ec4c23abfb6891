"""What this process has done since it began, for Prometheus: ``/metrics``, to who brings the token of CORDEE_METRICS.

Counting is plain additions beside what is counted (cordee/live/tally.py); all else happens when somebody asks, and the
library is loaded only if CORDEE_METRICS is set. Each process tells of itself alone. A label is of a closed list, which
is that of the tally: no room, no code, no seat, no word can be in it.
"""

from collections.abc import Iterator
from platform import python_version

from django import get_version
from django.core.signals import got_request_exception
from django.db import connection
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from cordee.circles import crypto
from cordee.live import tally
from cordee.live.tally import Spread, Tally
from cordee.room import actions, limits, phrases, store, stream
from cordee.web.release import release, version

# name, what it is, the label, what is counted
COUNTED: tuple[tuple[str, str, str, Tally], ...] = (
    ("cordee_refusals", "Refusals said to people, by reason", "reason", phrases.said),
    ("cordee_streams", "Streams asked for, by answer", "answer", stream.asked),
    ("cordee_commit_failures", "Commits that failed, by error", "error", tally.commit_failures),
    ("cordee_failures", "Answers that failed, by what was asked", "of", tally.failures),
    ("cordee_tries", "Who tried too often, by limit", "limit", limits.reached),
    ("cordee_limits", "Who was let go or asked to come back, by limit", "limit", tally.limits),
    ("cordee_unreadable", "What could not be decrypted", "what", crypto.unreadable),
    ("cordee_bus", "Messages between processes, and how often they were cut off", "what", tally.bus),
)
SPREAD: tuple[tuple[str, str, Spread], ...] = (
    ("cordee_commit_seconds", "How long the database took to write what had queued", tally.commit_seconds),
    ("cordee_commit_jobs", "How many wishes one commit wrote", tally.commit_jobs),
)


class Measures(Collector):
    """Reads the tallies when asked."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("cordee_build", "What runs here", value=build())
        wishes = CounterMetricFamily("cordee_wishes", "What people asked for, by its end", labels=["kind", "end"])
        for kind, counted in actions.wishes.items():
            for end, number in counted.counts().items():
                wishes.add_metric([kind, end], number)
        yield wishes
        for name, text, label, counted in COUNTED:
            family = CounterMetricFamily(name, text, labels=[label])
            for value, number in counted.counts().items():
                family.add_metric([value], number)
            yield family
        for name, text, spread in SPREAD:
            yield HistogramMetricFamily(name, text, buckets=_buckets(spread), sum_value=spread.sum)
        for name, text, number in now():
            yield GaugeMetricFamily(name, text, value=number)


def now() -> Iterator[tuple[str, str, int]]:
    yield "cordee_streams_open", "Streams open now", actions.hub.open_streams()
    yield "cordee_queue_jobs", "Wishes that no commit has taken yet", actions.writer.waiting()
    yield "cordee_rooms_in_memory", "Rooms held in memory", store.in_memory()
    yield "cordee_bus_up", "Whether other processes are heard; 1 where there are none", int(not actions.hub.cut)


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    total, found = 0, []
    for bound, number in zip((*map(str, spread.bounds), "+Inf"), spread.counts(), strict=True):
        total += number
        found.append((bound, float(total)))
    return found


def build() -> dict[str, str]:
    return {
        "version": version(),
        "release": release(),
        "python": python_version(),
        "django": get_version(),
        "database": connection.vendor,
    }


def _page_failed(**_: object) -> None:
    tally.failures.add("page")


got_request_exception.connect(_page_failed)
_registry = CollectorRegistry()
_registry.register(Measures())
ProcessCollector(registry=_registry)


def shown() -> str:
    """Everything, in Prometheus's text format. Asks no database, so that it answers when that is stuck."""
    return generate_latest(_registry).decode()
