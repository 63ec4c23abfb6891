"""What is answered to who watches over the server, before any page; and the refusal to start with keys that do not fit.

``/healthz``: the process lives; it touches nothing else. ``/readyz``: it can serve, or 503 and the names of what fails,
no more. ``/metrics``: what it has done, to who brings a token (see metrics.py). They answer whatever the name asked (a
load balancer asks by address) and while the database is stuck.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from hmac import compare_digest
from time import monotonic
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection, connections

from cordee.circles.models import Circle
from cordee.engine.commands import Leave
from cordee.live.asgi import App, Receive, Scope, Send
from cordee.ops import process
from cordee.ops.readiness import lost_keys, ring_ids, unreadable
from cordee.room import actions, store

T = TypeVar("T")
PATIENCE = 3.0  # seconds before what does not answer is said to fail
KEPT = 1.0  # seconds: whoever asks more often is told the same again
AT_START = 20.0  # seconds given to the database when the server starts
NEWEST = 20  # circles whose keys are tried at each question; all are when the server starts


class Probes:
    """Stands before the site: two addresses are its own, and the site starts only if nothing refuses it."""

    def __init__(self, site: App) -> None:
        self.site = site
        self._asked: asyncio.Future[list[str]] | None = None
        self._told: tuple[float, list[str]] = (0.0, [])
        self._measures = _measures() if settings.METRICS else None
        # What never came back is waited for again; nothing is asked beside it.
        self._looking: asyncio.Future[list[str]] | None = None
        self._wish: asyncio.Future[Any] | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._lifespan(scope, receive, send)
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            if scope["path"] == "/healthz":
                return _say(send, 200, "ok")
            if scope["path"] == "/readyz":
                return self._ready(send)
            if scope["path"] == "/metrics" and self._measures:
                if not _brings_token(scope):
                    return _say(send, 401, "CORDEE_METRICS", [(b"www-authenticate", b"Bearer")])
                return _say(send, 200, self._measures())
        return self.site(scope, receive, send)

    async def _ready(self, send: Send) -> None:
        failing = await self._failing()
        await _say(send, 503 if failing else 200, "\n".join(failing) or "ok")

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        events = [await receive()]
        try:
            sentence = await asyncio.wait_for(_aside(refusal), AT_START)
        except TimeoutError:
            sentence = ""  # no database for now: /readyz says so, and the server serves when it is back
        if sentence:
            return await send({"type": "lifespan.startup.failed", "message": sentence})
        process.begin()

        async def from_the_first() -> Any:
            return events.pop() if events else await receive()

        await self.site(scope, from_the_first, send)

    async def _failing(self) -> list[str]:
        """The names of what fails; one examination at a time, however many ask."""
        at, names = self._told
        if at and monotonic() - at < KEPT:
            return names
        if self._asked is None or self._asked.done():
            self._asked = asyncio.ensure_future(self._examined())
        names = await asyncio.shield(self._asked)
        self._told = (monotonic(), names)
        return names

    async def _examined(self) -> list[str]:
        failing, writes = await asyncio.gather(self._database(), self._writer_answers())
        found = [*failing, *([] if writes else ["writer"])]
        return [*found, "bus"] if actions.hub.cut else found

    async def _database(self) -> list[str]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(_aside(failing_in_database))
        try:
            return await asyncio.wait_for(asyncio.shield(self._looking), PATIENCE)
        except TimeoutError:
            return ["database"]

    async def _writer_answers(self) -> bool:
        """Whether a wish goes through the writer and its transaction: one for no room, which leaves no trace."""
        try:
            if self._wish is None or self._wish.done():
                self._wish = asyncio.wrap_future(actions.writer.put(store.Job("", Leave(seat=""))))
                self._wish.add_done_callback(_seen)
            await asyncio.wait_for(asyncio.shield(self._wish), PATIENCE)
        except store.NoSuchRoom:
            return True
        except (Error, TimeoutError):
            return False
        return True


def _seen(future: asyncio.Future[Any]) -> None:
    """Its error is no news: who asked has gone."""
    if not future.cancelled():
        future.exception()


def failing_in_database() -> list[str]:
    from django.db.migrations.executor import MigrationExecutor  # a server starts without it

    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return ["migrations"]
        newest = Circle.objects.filter(wrapped_key__isnull=False).order_by("-pk")
        return ["keys"] if lost_keys(newest.values_list("wrapped_key", flat=True)[:NEWEST]) else []
    except ImproperlyConfigured:
        return ["keys"]
    except Error:
        return ["database"]
    finally:
        connections.close_all()


def refusal() -> str:
    """Why this server must not start: a key ring that does not open every circle. Empty when it may."""
    try:
        ring = ring_ids()
        wrapped = Circle.objects.filter(wrapped_key__isnull=False).values_list("wrapped_key", flat=True)
        lost = lost_keys(wrapped.iterator())
    except ImproperlyConfigured as error:
        return str(error)
    except Error:
        return ""
    finally:
        connections.close_all()
    return " ".join(unreadable(name, count, ring) for name, count in sorted(lost.items()))


async def _aside(function: Callable[[], T]) -> T:
    """In a thread of its own that nothing waits for at the end: the database may never answer."""
    loop, future = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def settle(set_: Callable[[Any], None], value: object) -> None:
        if not future.done():
            set_(value)

    def work() -> None:
        try:
            found = function()
        except Exception as error:
            loop.call_soon_threadsafe(settle, future.set_exception, error)
        else:
            loop.call_soon_threadsafe(settle, future.set_result, found)

    threading.Thread(target=work, name="probe", daemon=True).start()
    answer: Awaitable[T] = future
    return await answer


def _measures() -> Callable[[], str]:
    from cordee.ops import metrics  # here: who measures nothing does not load its library

    return metrics.shown


def _brings_token(scope: Scope) -> bool:
    brought = dict(scope["headers"]).get(b"authorization", b"")
    return bool(settings.METRICS) and compare_digest(brought, b"Bearer " + settings.METRICS.encode())


async def _say(send: Send, status: int, text: str, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    body = text.encode() + b"\n"
    headers = [
        *more,
        (b"content-type", b"text/plain; charset=utf-8"),  # which Prometheus reads too
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
