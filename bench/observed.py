"""The product as it is served, and one address more, for the load alone: what it spent in the database, its memory."""

import gc
import json
import os
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

from bench.figures import resident_kb
from config.asgi import application as product

from django.db.backends.base.base import BaseDatabaseWrapper  # isort: skip
from django.db.backends.utils import CursorWrapper  # isort: skip


class Spent:
    """Seconds that threads spent in calls to the database, and how many calls."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0
        self.lock = threading.Lock()

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = perf_counter() - began
                with self.lock:
                    self.seconds += took
                    self.calls += 1

        return call


spent = Spent()


class TimedCursor(CursorWrapper):
    """Django's cursor with a stop-watch on each road to the database."""

    def __init__(self, cursor: Any, db: Any) -> None:
        super().__init__(cursor, db)
        for name in ("fetchone", "fetchmany", "fetchall"):
            setattr(self, name, spent.timed(CursorWrapper.__getattr__(self, name)))

    execute = spent.timed(CursorWrapper.execute)
    executemany = spent.timed(CursorWrapper.executemany)


BaseDatabaseWrapper.make_cursor = lambda self, cursor: TimedCursor(cursor, self)
BaseDatabaseWrapper._commit = spent.timed(BaseDatabaseWrapper._commit)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http" or scope["path"] != "/bench/figures":
        return await product(scope, receive, send)
    if scope["query_string"] == b"collect":
        gc.collect()
    said = {"database_s": spent.seconds, "database_calls": spent.calls, "resident_kb": resident_kb(os.getpid())}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})
