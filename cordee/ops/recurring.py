"""When recurring work was last done: the dates of files in the data folder, which need neither a table nor a lock."""

from contextlib import suppress
from pathlib import Path

from django.conf import settings

TICK, BACKUP = "tick", "backup"
CLOCK = "clock"  # when the clock was last believed (see clock.py)


def done(what: str) -> None:
    """Note that it has just been done. A folder that cannot be written is doctor's to tell, not a failure."""
    with suppress(OSError):
        _file(what).parent.mkdir(parents=True, exist_ok=True)
        _file(what).touch()


def last_done(what: str) -> float | None:
    """When it was last done on this machine (seconds since the epoch), or ``None``."""
    try:
        return _file(what).stat().st_mtime
    except OSError:
        return None


def _file(what: str) -> Path:
    return Path(settings.VAR_DIR) / "done" / what
