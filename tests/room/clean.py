"""Every test starts with nothing in the process's memory: rooms, links, counters."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from cordee.room import access, facts, render, store


@pytest.fixture(autouse=True)
def clean_memory() -> Iterator[None]:
    forget_all()
    yield
    forget_all()


def forget_all() -> None:
    store.forget()
    access.forget()
    facts.forget()
    cache.clear()
    render.forget()
