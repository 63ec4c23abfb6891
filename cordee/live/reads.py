"""Database reads on behalf of the event loop: a few threads of their own, each with one connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import Error, close_old_connections

from cordee.live.connections import Busy, let_go

PATIENCE = 5.0  # seconds; a stream that waits for longer would not beat in time
T = TypeVar("T")
_threads = ThreadPoolExecutor(2, thread_name_prefix="reader")


async def reading(function: Callable[..., T], *args: object) -> T:
    """``function(*args)`` in a reader's thread. Raises :class:`Busy` when the database lets it wait for too long."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.get_running_loop().run_in_executor(_threads, _fresh, function, args)
    except TimeoutError:
        raise Busy from None


def _fresh(function: Callable[..., T], args: tuple[object, ...]) -> T:
    close_old_connections()
    try:
        return function(*args)
    except Error:
        let_go()
        raise
    finally:
        close_old_connections()  # not held for long while idle: see connections.py
