"""The server's own process: it takes as many files as it may, and leaves a note of how it was started, for doctor."""

import json
import logging
import os
import resource
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

DOOR = "cordee.live.door"
ENOUGH_FILES = 65_536  # where no limit is set at all
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A server at work: ``files`` it may hold open, and whether it stands behind the door (cordee/live/door.py)."""

    pid: int
    files: int
    door: bool


def begin() -> None:
    """What a server does first. Without the door, or a folder to leave the note in, it serves all the same."""
    running = Running(os.getpid(), take_files(), DOOR in sys.modules)
    if not running.door:
        log.warning("Started without --http %s:Door: who sends slowly is not let go.", DOOR)
    with suppress(OSError):
        _note().parent.mkdir(parents=True, exist_ok=True)
        _note().write_text(json.dumps(asdict(running)))


def take_files() -> int:
    """Raise the limit of open files as far as this process may; the limit from now on. Each open page holds one."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, ENOUGH_FILES) if most == resource.RLIM_INFINITY else most
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        return wanted
    return soft


def running() -> Running | None:
    """The server that was last started with this data folder, if it is still there."""
    try:
        found = Running(**json.loads(_note().read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return found if Path(f"/proc/{found.pid}").exists() else None


def _note() -> Path:
    return Path(settings.VAR_DIR) / "done" / "server"
