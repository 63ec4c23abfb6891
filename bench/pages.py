"""How long the pages take, and how often they ask the database, with 10,000 people and 1,000 circles.

    python -m bench.pages                          # SQLite, in a temporary folder
    DATABASE_URL=postgres://… python -m bench.pages     # an empty database of yours, which it fills

Server time alone: the request goes through Django and its middleware in this process. It measures, asserts nothing.
"""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any

WHO = ("Claire", "Fanny", "Rose", "Julien")
PATIENCE = 3  # times a page is asked before it is measured


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds; queries of one request."""

    route: str
    who: str
    queries: int
    middle: float
    slow: float  # 95th percentile
    cpu: float
    size: int  # bytes of HTML, before compression


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="requests a page")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--circles", type=int, default=1_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cordee-") as var:
        os.environ["CORDEE_VAR"] = var
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(var) / 'cordee.sqlite3'}")
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        prepare()
        from bench import crowd

        start = perf_counter()
        crowd.gathered(given.people, given.circles)
        print(f"{given.people} people, {given.circles} circles, made in {perf_counter() - start:.1f} s\n")
        show([measured(*each, given.times) for each in asked()])


def prepare() -> None:
    import django
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment(debug=False)
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)


def asked() -> Iterator[tuple[str, str, str]]:
    """(route, path, who) for every page that a row of abilities.toml guards and that answers with a page."""
    from django.urls import get_resolver

    from bench import crowd

    known = crowd.places()
    for route, callback in routes(get_resolver()):
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        if not hasattr(callback, "ability") or not set(names) <= set(known):
            continue
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(known[part[1]]), route)
        yield from ((route, path, who) for who in WHO if opens(path, who))
    yield ("espaces/<int:space>/cercles/?q=", f"/espaces/{known['space']}/cercles/?q=0777", "Rose")
    yield ("cercles/<int:circle>/membres/?q=", f"/cercles/{known['circle']}/membres/?q=lyon+personne", "Rose")


def routes(resolver: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from routes(one, route)
        else:
            yield route, one.callback


def client(who: str) -> Any:
    from django.test import Client

    from cordee.accounts.models import Person

    browser = Client()
    browser.force_login(Person.objects.get(name=who).user)
    return browser


def opens(path: str, who: str) -> bool:
    return bool(client(who).get(path).status_code == 200)


def measured(route: str, path: str, who: str, times: int) -> Figure:
    queries, size = counted(path, who)
    browser = client(who)
    for _ in range(PATIENCE):
        browser.get(path)
    taken, cpu = [], []
    for _ in range(times):
        start, worked = perf_counter(), process_time()
        browser.get(path)
        taken.append(1000 * (perf_counter() - start))
        cpu.append(1000 * (process_time() - worked))
    return Figure(route, who, queries, median(taken), quantiles(taken, n=20)[-1], median(cpu), size)


def counted(path: str, who: str) -> tuple[int, int]:
    """Queries of one request, and bytes of its page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = client(who)
    with CaptureQueriesContext(connection) as captured:
        size = len(b"".join(browser.get(path)))
        return len(captured), size


def show(figures: list[Figure]) -> None:
    print("| page | who | queries | p50 ms | p95 ms | CPU ms | KB |\n|---|---|---|---|---|---|---|")
    for one in sorted(figures, key=lambda figure: -figure.middle):
        route = f"`/{one.route}`"
        print(
            f"| {route} | {one.who} | {one.queries} | {one.middle:.1f} | {one.slow:.1f} | {one.cpu:.1f} "
            f"| {one.size / 1000:.1f} |"
        )


if __name__ == "__main__":
    sys.exit(main())
