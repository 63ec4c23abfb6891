"""``bin/bench``: the live room under load, beside the bare fan-out in the same run. Measures; asserts nothing."""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.load import Load  # noqa: E402
from tests import services  # noqa: E402

LIMIT_MS = 250.0
SHOWN = ("contributions_s", "p50", "p95", "p99", "lost", "failed", "cpu_ms_per_contribution", "bytes_per_event")


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        folder = stack.enter_context(services.private_folder())
        database = f"sqlite:///{folder}/bench.sqlite3"
        if options.database == "postgres":
            database = stack.enter_context(services.postgres(durable=True)).url()
        server = services.Server(folder, database)
        server.manage("migrate", "-v0")
        server.manage("collectstatic", "--noinput", "-v0")
        rooms = _rooms(server, options.rooms)
        report = {
            "date": date.today().isoformat(),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
            "database": options.database,
            "rooms": options.rooms,
            "streams": options.rooms * 8,
            "product": _measure(server, rooms, options),
        }
        bare = services.Server(folder, database, application="bench.fanout:application")
        blank = [{"room": str(i), "people": [""] * 8, "bare": True} for i in range(options.rooms)]
        report["bare"] = _measure(bare, blank, options)
    print(json.dumps(report, indent=1) if options.json else _table(report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--rooms", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10, help="of each rate")
    parser.add_argument("--rates", default="10,50,100,200,300,400,500", help="contributions a second")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rooms, options.seconds, options.rates = 20, 4, "10,100,200"
    return options


def _rooms(server: services.Server, rooms: int) -> list[dict[str, Any]]:
    command = [sys.executable, str(ROOT / "bench" / "rooms.py"), str(rooms)]
    made = subprocess.run(command, env=server.env, check=True, capture_output=True, text=True)
    result: list[dict[str, Any]] = json.loads(made.stdout)
    return result


def _measure(server: services.Server, rooms: list[dict[str, Any]], options: argparse.Namespace) -> dict[str, Any]:
    server.start()
    try:
        before = _memory(server)
        figures: dict[str, Any] = asyncio.run(_ladder(server, rooms, options))
        figures["memory_mb"] = round(_memory(server) / 1024, 1)
        figures["kb_per_stream"] = round((figures.pop("idle_kb") - before) / (options.rooms * 8), 1)
        return figures
    finally:
        server.stop()


async def _ladder(server: services.Server, rooms: list[dict[str, Any]], options: argparse.Namespace) -> dict[str, Any]:
    load = Load(server.port, rooms)
    opened = await load.open_streams()
    await load.connect()
    idle = _memory(server)
    rates: dict[str, Any] = {}
    for rate in map(float, options.rates.split(",")):
        cpu = _cpu(server)
        row = await load.run(rate, options.seconds)
        row["cpu_ms_per_contribution"] = round(1000 * (_cpu(server) - cpu) / max(1, row["acknowledged"]), 2)
        rates[f"{rate:g}"] = row
        if row["p95"] > 4 * LIMIT_MS or row["failed"]:
            break
    await load.close()
    good = [rate for rate, row in rates.items() if row["p95"] < LIMIT_MS and not row["lost"] + row["failed"]]
    return {
        "streams_ready_s": round(opened, 2),
        "idle_kb": idle,
        "rates": rates,
        "sustained": max(map(float, good), default=0),
    }


def _memory(server: services.Server) -> int:
    """Resident kilobytes."""
    assert server.process
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def _cpu(server: services.Server) -> float:
    """Seconds of processor time used so far."""
    assert server.process
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{report['date']}, {report['machine']}, {report['database']}, {report['streams']} streams "
        f"in {report['rooms']} rooms of 8; milliseconds from the scheduled send to each other browser",
        "",
        "| | rate/s | done/s | p50 | p95 | p99 | lost | failed | CPU ms each | bytes to a phone |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in ("product", "bare"):
        for rate, row in report[name]["rates"].items():
            shown = (
                "contributions_s",
                "p50",
                "p95",
                "p99",
                "lost",
                "failed",
                "cpu_ms_per_contribution",
                "bytes_per_event",
            )
            lines.append(f"| {name} | {rate} | " + " | ".join(str(row[key]) for key in shown) + " |")
    product, bare = report["product"], report["bare"]
    lines += [
        "",
        f"Sustained with p95 < {LIMIT_MS:g} ms and nothing lost: product {product['sustained']:g}/s, "
        f"bare fan-out {bare['sustained']:g}/s on the same ladder.",
        f"Memory: {product['memory_mb']} MB after the load; {product['kb_per_stream']} KB a stream while idle. "
        f"All streams ready in {product['streams_ready_s']} s.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
