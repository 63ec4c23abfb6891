"""The report of a run as Markdown."""

from typing import Any

COLUMNS = {
    "rate/s": "rate",
    "done/s": "done_s",
    "p50": "p50",
    "p95": "p95",
    "p99": "p99",
    "answer p95": "answer_p95",
    "lost": "lost",
    "failed": "failed",
    "CPU ms": "cpu_ms",
    "database ms": "database_ms",
    "database CPU ms": "database_cpu_ms",
    "bytes to a phone": "bytes_per_sight",
    "load": "load_average",
}


def table(report: dict[str, Any]) -> str:
    lines = [
        f"{report['at']}, {report['machine']}, {report['commit']}; {report['rooms'] * 8} streams in {report['rooms']} "
        "rooms of 8.",
        "Milliseconds from the scheduled send to each other browser; CPU and database milliseconds of each act.",
        "",
        "| | " + " | ".join(COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for run in report["runs"]:
        lines += [row_of(f"{run['on']}, {run['mix']}", row) for row in run["rates"]]
    lines += [row_of("bare fan-out", row) for row in report.get("bare", {}).get("rates", ())]
    lines.append("")
    lines += ["- " + sentence for sentence in sentences(report)]
    return "\n".join(lines)


def row_of(name: str, row: dict[str, Any]) -> str:
    flag = " (generator saturated)" if row["generator"]["saturated"] else ""
    return f"| {name}{flag} | " + " | ".join(f"{row[key]:g}" for key in COLUMNS.values()) + " |"


def sentences(report: dict[str, Any]) -> list[str]:
    said = []
    bare = report.get("bare", {}).get("sustained", 0)
    for run in report["runs"]:
        share = f", {run['sustained'] / bare:.1%} of the bare fan-out’s {bare:g}/s" if bare else ""
        said.append(
            f"{run['on']}, {run['mix']}: {run['sustained']:g}/s sustained with p95 < 250 ms and nothing lost{share}."
        )
    for crowd in report.get("crowds", ()):
        storm, idle = crowd["storm"], crowd["idle"]
        said += [
            f"{crowd['on']}: {storm['clients']} clients back at once, all current after {storm['cut_back_s']} s "
            f"({storm['cut_missed']} cards missing); after kill -9 and a new start, {storm['killed_back_s']} s "
            f"({storm['killed_missed']} missing).",
            f"{crowd['on']}: {idle['streams']} idle streams held, {idle['kb_each']} KB each, {idle['memory_mb']} MB in "
            f"all, ready in {idle['ready_s']} s; questions among them then: p95 {idle['then']['p95']} ms, "
            f"{idle['then']['lost']} lost.",
        ]
    return said
