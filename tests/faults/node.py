"""The real application as one node of several: what a test must hurry, hold back or hurt is told by its environment.

BEAT: seconds between a stream's looks at the log. GRACE: seconds before a lost stream is an absence.
DEAF: a file; while it is there, this node hears nothing of what the bus brings.
MUDDLED=1: every message of the bus comes twice, and late, and those of the last instant come in reverse.
SYNCHRONOUS: SQLite's PRAGMA synchronous. CHECKPOINT: after how many pages its log is carried into its file.
CLOCK: a file that holds by how many seconds this node's clock is wrong.
"""

import asyncio
import os
import time
from pathlib import Path

_right = time.time


def _shown() -> float:
    try:
        return _right() + float(Path(os.environ["CLOCK"]).read_text())
    except (KeyError, OSError, ValueError):
        return _right()


time.time = _shown  # before anybody imports it by its name

from config import settings  # noqa: E402

for _variable, _pragma in (("SYNCHRONOUS", "synchronous"), ("CHECKPOINT", "wal_autocheckpoint")):
    if os.environ.get(_variable):
        settings.DATABASES["default"]["OPTIONS"]["init_command"] += f" PRAGMA {_pragma}={os.environ[_variable]};"  # type: ignore[index]

from config.asgi import application  # noqa: E402
from cordee.live import hub  # noqa: E402
from cordee.live.hub import ASK, Hub  # noqa: E402
from cordee.room import actions, limits, stream  # noqa: E402

hub.BEAT = float(os.environ.get("BEAT", "15"))
stream.GRACE = float(os.environ.get("GRACE", "20"))
limits.LIMITS |= {"new": (10_000, 3600), "join": (10_000, 300)}
_poke = Hub.poke
_held: list[tuple[str, int]] = []


def _hurt(hub: Hub, topic: str, version: int = ASK) -> None:
    """What the bus brings, and what the hub itself pokes here: a deaf node has its own acts told by nobody either."""
    if os.environ.get("DEAF") and Path(os.environ["DEAF"]).exists():
        return
    if not os.environ.get("MUDDLED"):
        return _poke(hub, topic, version)
    _held.append((topic, version))
    if len(_held) == 1:
        asyncio.get_running_loop().call_later(0.3, _release, hub)


def _release(hub: Hub) -> None:
    print(f"muddled {len(_held)}", flush=True)  # the test sees in the log that it was done
    for topic, version in [*reversed(_held), *_held]:
        _poke(hub, topic, version)
    _held.clear()


Hub.poke = _hurt  # type: ignore[method-assign]

__all__ = ["actions", "application"]
