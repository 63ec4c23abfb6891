"""``bin/bench``: the live room under load, beside the bare fan-out in the same run. Measures; asserts nothing."""

import argparse
import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import uvloop  # noqa: E402

from bench.figures import cpu_seconds, family  # noqa: E402
from bench.ledger import Ledger  # noqa: E402
from bench.load import Load, Mix, Room  # noqa: E402
from bench.mix import Questions, Round  # noqa: E402
from bench.table import table  # noqa: E402
from tests import services  # noqa: E402

LIMIT_MS = 250.0
PEOPLE = 8
WARM_RATE = 20.0  # acts a second, for a second that is not measured
# name: (database, processes, bus)
CONFIGURATIONS = {
    "sqlite": ("sqlite", 1, ""),
    "postgres": ("postgres", 1, ""),
    "postgres-2": ("postgres", 2, ""),
    "postgres-2-redis": ("postgres", 2, "redis"),
}
MIXES: dict[str, Callable[[Ledger], Mix]] = {"questions": Questions, "round": Round}
BARE_RATES = [10, 100, 1000, 2000, 3000, 4000, 5000, 6000, 8000]


class System:
    """The servers of one configuration, on a database of their own."""

    def __init__(self, stack: ExitStack, configuration: str) -> None:
        kind, self.processes, bus = CONFIGURATIONS[configuration]
        self.folder = stack.enter_context(services.private_folder())
        self.database: services.Postgres | None = None
        url = f"sqlite:///{self.folder}/bench.sqlite3"
        if kind == "postgres":
            self.database = stack.enter_context(services.postgres(durable=True))
            url = self.database.url()
        env = {"CORDEE_BUS": stack.enter_context(services.redis()).url} if bus else {}
        application = "bench.observed:application"
        self.servers = [services.Server(self.folder, url, application, env=env) for _ in range(self.processes)]
        self.servers[0].manage("migrate", "-v0")
        self.servers[0].manage("collectstatic", "--noinput", "-v0")

    @property
    def ports(self) -> list[int]:
        return [server.port for server in self.servers]

    def rooms(self, number: int, *arguments: str) -> list[Room]:
        command = [sys.executable, str(ROOT / "bench" / "rooms.py"), str(number), *arguments]
        made = subprocess.run(command, env=self.servers[0].env, check=True, stdout=subprocess.PIPE, text=True).stdout
        return [Room(one, self.ports) for one in json.loads(made)]

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            for server in self.servers:
                server.start()
            yield
        finally:
            for server in self.servers:
                server.stop()

    def spent(self) -> dict[str, float]:
        """Seconds so far: processor of the servers, processor of the database, and waiting for the database."""
        servers = [server.process.pid for server in self.servers if server.process]
        database = family(self.database.process.pid) if self.database and self.database.process else []
        said = [self.said(server) for server in self.servers]
        return {
            "server": cpu_seconds(servers),
            "database_cpu": cpu_seconds(database),
            "database": sum(one["database_s"] for one in said),
            "calls": sum(one["database_calls"] for one in said),
        }

    def said(self, server: services.Server, collect: bool = False) -> dict[str, float]:
        address = f"{server.url}/bench/figures{'?collect' * collect}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            said: dict[str, float] = json.load(answer)
        return said

    def resident_kb(self) -> float:
        """Of all servers, after they have collected their garbage."""
        return sum(self.said(server, collect=True)["resident_kb"] for server in self.servers)


class Bare(System):
    """The bare fan-out: as many bytes to as many streams, and nothing else."""

    def __init__(self, stack: ExitStack, size: int) -> None:
        self.folder = stack.enter_context(services.private_folder())
        self.database = None
        env = {"FANOUT_BYTES": str(size)}
        self.servers = [services.Server(self.folder, "", "bench.fanout:application", env=env)]

    def rooms(self, number: int, *arguments: str) -> list[Room]:
        seats = [{"name": "", "seat": "", "token": ""}] * PEOPLE
        return [Room({"room": f"bare-{place}", "seats": seats}, self.ports) for place in range(number)]

    def said(self, server: services.Server, collect: bool = False) -> dict[str, float]:
        return {"database_s": 0, "database_calls": 0, "resident_kb": 0}


def main() -> None:
    options = _options()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the servers inherit it
    report: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "commit": _commit(),
        "load_average_before": os.getloadavg()[0],
        "rooms": options.rooms,
        "seconds": options.seconds,
        "runs": [],
        "crowds": [],
    }
    for configuration in options.on.split(","):
        for mix in filter(None, options.mix.split(",")):
            _note(f"{configuration}, {mix}")
            report["runs"].append(_ladder_of(configuration, mix, options))
    if options.streams:
        for configuration in options.on.split(","):
            _note(f"{configuration}: {options.streams} idle streams, {options.storm} back at once")
            report["crowds"].append(_crowd(configuration, options))
    if not options.no_bare and report["runs"]:
        _note("bare fan-out")
        report["bare"] = _bare(report["runs"][0], options)
    report["load_average_after"] = os.getloadavg()[0]
    if options.output:
        Path(options.output).write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1) if options.json else table(report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--on", default="sqlite", help=f"some of {', '.join(CONFIGURATIONS)}; sqlite unless told")
    parser.add_argument("--mix", default="questions,round", help=f'"", or some of {", ".join(MIXES)}')
    parser.add_argument("--rooms", type=int, default=40, help="of eight people each")
    parser.add_argument("--seconds", type=float, default=8, help="of each rate")
    parser.add_argument("--rates", default="10,50,100,150,200,300,400,500,700,1000", help="acts a second")
    parser.add_argument("--streams", type=int, default=0, help="so many idle streams as well, for example 5000")
    parser.add_argument("--storm", type=int, default=1000, help="clients back at once, with --streams")
    parser.add_argument("--no-bare", action="store_true", help="leave out the bare fan-out")
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--output", help="write the JSON there as well")
    options = parser.parse_args()
    if options.quick:
        options.rooms, options.seconds, options.rates = 10, 2, "10,100"
        options.streams, options.storm = 320, 160
    return options


def _ladder_of(configuration: str, mix: str, options: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        system = System(stack, configuration)
        return {"on": configuration, "mix": mix, **_climb(system, mix, _rates(options), options)}


def _rates(options: argparse.Namespace) -> list[float]:
    return [float(rate) for rate in options.rates.split(",")]


def _bare(run: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    held = [row for row in run["rates"] if sustained(row)] or run["rates"]
    size = held[-1]["bytes_per_sight"]
    rates = list(map(float, BARE_RATES[1:3] if options.quick else BARE_RATES))
    with ExitStack() as stack:
        return {"bytes": size, **_climb(Bare(stack, size), "questions", rates, options)}


def _climb(system: System, mix: str, rates: list[float], options: argparse.Namespace) -> dict[str, Any]:
    """Each rate on servers just started, until one is not sustained."""
    # Questions fill a room: each rate has rooms of its own. A round goes on where it was.
    fresh = mix == "questions"
    sets = system.rooms(options.rooms * (len(rates) if fresh else 1), mix)
    ledger = Ledger()
    played = MIXES[mix](ledger)
    rows: list[dict[str, Any]] = []
    for number, rate in enumerate(rates):
        rooms = sets[number * options.rooms :][: options.rooms] if fresh else sets
        with system.running():
            rows.append(uvloop.run(_rung(system, Load(rooms, played, ledger), rate, options.seconds)))
        _note(f"  {rate:g}/s: p95 {rows[-1]['p95']} ms, lost {rows[-1]['lost']}, {rows[-1]['cpu_ms']} ms of CPU each")
        if not sustained(rows[-1]):
            break
    held = [row["rate"] for row in rows if sustained(row)]
    return {"sustained": max(held, default=0), "rates": rows}


async def _rung(system: System, load: Load, rate: float, seconds: float) -> dict[str, Any]:
    ready = await load.open_streams()
    await load.run(WARM_RATE, 1)
    before = system.spent()
    row = await load.run(rate, seconds)
    after = system.spent()
    each = {name: 1000 * (after[name] - before[name]) / max(1, row["acknowledged"]) for name in after}
    row |= {
        "cpu_ms": round(each["server"], 2),
        "database_cpu_ms": round(each["database_cpu"], 2),
        "database_ms": round(each["database"], 2),
        "database_calls": round(each["calls"] / 1000, 1),
        "streams_ready_s": round(ready, 2),
        "view_bytes": round(sum(load.view_bytes) / max(1, len(load.view_bytes))),
        "load_average": round(os.getloadavg()[0], 1),
    }
    await load.close()
    return row


# ---------------------------------------------------------------- a crowd: idle streams, and all back at once


def _crowd(configuration: str, options: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        system = System(stack, configuration)
        rooms = system.rooms(max(1, options.streams // PEOPLE), "questions")
        returning = rooms[: max(1, options.storm // PEOPLE)]
        report = {"on": configuration, "storm": {}}
        with system.running():
            report["storm"] = uvloop.run(_storm(system, returning))
        with system.running():
            report["idle"] = uvloop.run(_idle(system, rooms))
        return report


async def _storm(system: System, rooms: list[Room]) -> dict[str, Any]:
    """All are cut off; a question is asked in each room meanwhile; all come back at once. Then after a kill -9."""
    ledger = Ledger()
    load = Load(rooms, Questions(ledger), ledger)
    await load.open_streams()
    row: dict[str, Any] = {"clients": len(load.streams)}
    for name in ("cut", "killed"):
        await load.close(abruptly=True)
        for room in rooms:
            load.send(room, perf_counter())
        while len(load.answers.milliseconds) < load.answers.due:
            await asyncio.sleep(0.02)
        for room in rooms:
            room.streams.clear()
        if name == "killed":
            await load.close()
            for server in system.servers:
                server.kill9()
            for server in system.servers:
                server.start()
        load.stale = 0
        row[f"{name}_back_s"] = round(await load.open_streams(), 2)
        row[f"{name}_missed"] = load.stale
    row["questions_refused"] = load.answers.due - load.answers.acknowledged
    await load.close()
    return row


async def _idle(system: System, rooms: list[Room]) -> dict[str, Any]:
    """Streams in which nothing happens: what each holds in memory; then whether questions still go round."""
    ledger = Ledger()
    load = Load(rooms, Questions(ledger), ledger)
    before = system.resident_kb()
    ready = await load.open_streams(300)
    after = system.resident_kb()
    row = await load.run(20, 3)
    held = len(load.streams)
    await load.close()
    return {
        "streams": held,
        "ready_s": round(ready, 1),
        "kb_each": round((after - before) / held, 1),
        "memory_mb": round(after / 1024),
        "turned_away": load.turned_away,
        "then": {key: row[key] for key in ("p50", "p95", "acknowledged", "lost", "failed", "dropped_streams")},
    }


def sustained(row: dict[str, Any]) -> bool:
    bad = row["lost"] + row["failed"] + row["refused"] + row["leaked"]
    return row["p95"] < LIMIT_MS and not bad and row["seen"] > 0


def _commit() -> str:
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return asked.stdout.strip()


def _note(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
