"""``bin/bench first-load``: what the room costs a phone that opens it, in bytes and in time on a slow line.

Bytes are Chromium's own count of what came over the network (``Network.loadingFinished.encodedDataLength``: compressed
bodies and headers). Times are on the line that WebPageTest calls "Slow 3G" (400 kbit/s, 400 ms for a round trip), with
a processor four times slower; DevTools' preset of the same name waits 2,000 ms for each answer, more than our second.
Chromium adds the wait to each request but not to the handshakes of TCP and TLS. Measures; asserts nothing.
"""

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import services  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, CDPSession, Page

# kbit/s down, kbit/s up, milliseconds added to each answer
LINES = {"slow-3g": (400, 400, 400), "devtools-slow-3g": (400, 400, 2000), "unlimited": (-1, -1, 0)}
SLOWER = 4  # times, the processor
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "locale": "fr-FR"}
WATCH = """
  window.seen = { shifts: 0, largest: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shifts += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.largest = entry.startTime;
  }).observe({ type: 'largest-contentful-paint', buffered: true });
"""


@dataclass
class Resource:
    """One answer. ``bytes`` over the wire, headers among them; 0 when it came from the browser's own store."""

    path: str
    kind: str
    status: int
    headers: dict[str, str]
    bytes: int = 0
    stored: bool = False


@dataclass
class Opening:
    """One opening of a page. Milliseconds since it was asked for; ``shifts`` is the sum of layout shifts."""

    resources: list[Resource]
    painted: float
    largest: float
    usable: float
    live: float
    shifts: float

    @property
    def bytes(self) -> int:
        return sum(resource.bytes for resource in self.resources)


class Wire:
    """What the network brings to one page, as Chromium counts it."""

    def __init__(self, page: "Page") -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.by_id: dict[str, Resource] = {}
        self.session.on("Network.requestWillBeSent", self._asked)
        self.session.on("Network.responseReceived", self._answered)
        self.session.on("Network.requestServedFromCache", self._stored)
        self.session.on("Network.dataReceived", self._brought)
        self.session.on("Network.loadingFinished", self._finished)
        self.session.send("Network.enable")

    def slow_down(self, line: str) -> None:
        down, up, wait = LINES[line]
        limits = {"downloadThroughput": down * 125, "uploadThroughput": up * 125, "latency": wait}
        limits = {name: -1 if value < 0 else value for name, value in limits.items()}
        self.session.send("Network.emulateNetworkConditions", {"offline": False, **limits})
        self.session.send("Emulation.setCPUThrottlingRate", {"rate": 1 if line == "unlimited" else SLOWER})

    def _asked(self, event: dict[str, Any]) -> None:
        if "redirectResponse" in event:
            self._counted(event["requestId"], event["redirectResponse"], event["type"])
            self.by_id[event["requestId"] + "→"] = self.by_id.pop(event["requestId"])

    def _answered(self, event: dict[str, Any]) -> None:
        self._counted(event["requestId"], event["response"], event["type"])

    def _counted(self, request: str, response: dict[str, Any], kind: str) -> None:
        url = urlsplit(response["url"])
        if url.scheme == "data":
            return
        stored = bool(response.get("fromDiskCache") or response.get("fromPrefetchCache"))
        headers = {name.lower(): value for name, value in response["headers"].items()}
        stored = stored or (request in self.by_id and self.by_id[request].stored)
        brought = 0 if stored else int(response["encodedDataLength"])
        self.by_id[request] = Resource(url.path, kind, response["status"], headers, brought, stored)

    def _stored(self, event: dict[str, Any]) -> None:
        self.by_id[event["requestId"]] = Resource("", "", 0, {}, stored=True)

    def _brought(self, event: dict[str, Any]) -> None:
        # A stream does not finish: what it brought is added up as it comes.
        resource = self.by_id.get(event["requestId"])
        if resource and not resource.stored:
            resource.bytes += int(event["encodedDataLength"])

    def _finished(self, event: dict[str, Any]) -> None:
        resource = self.by_id.get(event["requestId"])
        if resource and not resource.stored:
            resource.bytes = int(event["encodedDataLength"])


def opening(context: "BrowserContext", address: str, line: str = "unlimited") -> Opening:
    """Open the address in a new tab, on that line, until its stream has told it everything; then close the tab."""
    page = context.new_page()
    try:
        page.add_init_script(WATCH)
        wire = Wire(page)
        wire.slow_down(line)
        page.goto(address, timeout=120_000)
        wait_for(page, "document.getElementById('stage')?._htmx?.sse?.reader != null")
        live = page.evaluate("performance.now()")
        page.wait_for_timeout(1_000 if line == "unlimited" else 4_000)  # the stream's first words, the favicon
        times = page.evaluate(
            """({ painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
                  ready: performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd, ...seen })"""
        )
        usable = max(times["painted"], times["ready"])  # shown, and the script keeps what is typed
        resources = [resource for resource in wire.by_id.values() if resource.path]
        return Opening(resources, times["painted"], times["largest"], usable, live, times["shifts"])
    finally:
        page.close()


def wait_for(page: "Page", condition: str, turns: int = 4_000) -> None:
    """Playwright's own wait needs eval, which our pages forbid."""
    for _ in range(turns):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(30)
    raise TimeoutError(condition)


def demo_addresses(server: services.Server) -> dict[str, str]:
    """The private links of a room in the middle of a lifelike round: of a consultant, the client, the facilitator."""
    said = server.manage("demo", "--base-url", server.url)
    found = re.findall(r"(Fanny|Claire|Karim|écran)[^\n]*?(http\S+/place/\S+)", said)
    return {name.lower(): address for name, address in found}


@contextmanager
def chromium() -> Iterator[Callable[[], "BrowserContext"]]:
    """Gives new telephones that have never seen the site."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield lambda: browser.new_context(**PHONE)  # type: ignore[arg-type]
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/bench first-load", description=__doc__)
    parser.add_argument("--seat", choices=("fanny", "claire", "karim"), default="karim")
    parser.add_argument("--times", type=int, default=5, help="openings of each kind; medians are shown")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with services.private_folder() as folder, chromium() as phone:
        server = services.Server(folder, f"sqlite:///{folder}/bench.sqlite3")
        server.manage("migrate", "-v0")
        server.manage("collectstatic", "--noinput", "-v0")
        address = demo_addresses(server)[options.seat]
        server.start()
        try:
            report = {line: _measured(phone, address, line, options.times) for line in ("slow-3g", "devtools-slow-3g")}
        finally:
            server.stop()
    print(json.dumps(report, default=asdict, indent=1) if options.json else _table(report))


def _measured(phone: Callable[[], "BrowserContext"], address: str, line: str, times: int) -> dict[str, list[Opening]]:
    """Openings by a telephone that has never come, and again by the same telephone, its store full."""
    first, again = [], []
    for _ in range(times):
        context = phone()
        first.append(opening(context, address, line))
        room = next(one.path for one in first[-1].resources if one.kind == "Document" and one.status == 200)
        again.append(opening(context, f"{address.split('/place/')[0]}{room}", line))
        context.close()
    return {"first": first, "again": again}


def _table(report: dict[str, dict[str, list[Opening]]]) -> str:
    lines = ["| opening | line | KB | painted ms | largest ms | usable ms | live ms | shifts |", "|" + "---|" * 8]
    for line, openings in report.items():
        for name, found in openings.items():
            times = [median(getattr(one, what) for one in found) for what in ("painted", "largest", "usable", "live")]
            kilobytes = median(one.bytes for one in found) / 1000
            shifts = max(one.shifts for one in found)
            shown = " | ".join(f"{time:.0f}" for time in times)
            lines.append(f"| {name} | {line} | {kilobytes:.1f} | {shown} | {shifts:.3f} |")
    for name in ("first", "again"):
        lines += ["", f"What came, {name}:", ""]
        for one in sorted(report["slow-3g"][name][0].resources, key=lambda one: -one.bytes):
            how = one.headers.get("content-encoding", "") or ("stored" if one.stored else "plain")
            shown = re.sub(r"[\w-]{20,}", "…", one.path)
            lines.append(f"    {one.bytes:6d}  {how:6}  {one.status}  {shown}")
    return "\n".join(lines)


def median(values: Iterator[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


if __name__ == "__main__":
    main()
