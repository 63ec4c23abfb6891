"""Database reads on behalf of the event loop: a few threads of their own, each with one connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

T = TypeVar("T")
_threads = ThreadPoolExecutor(2, thread_name_prefix="reader")


async def reading(function: Callable[..., T], *args: object) -> T:
    """``function(*args)`` in a reader's thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _fresh, function, args)


def _fresh(function: Callable[..., T], args: tuple[object, ...]) -> T:
    close_old_connections()
    return function(*args)
