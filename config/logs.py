"""Log lines without a room's words: an exception's message may hold what somebody typed; its type and place do not."""

import logging
import re
import traceback
from types import TracebackType

SECRET_PATHS = re.compile(r"/(place|s)/[^/\s\"']+")

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Discreet(logging.Formatter):
    """Shows where an error was raised and of which type; never its message, never a private link."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have kept the full text
        return SECRET_PATHS.sub(r"/\1/…", super().format(record))

    def formatException(self, ei: ExcInfo) -> str:
        kind, error, trace = ei
        if kind is None:
            return ""
        lines = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(trace)]
        chain: list[str] = []
        seen: BaseException | None = error
        while seen is not None and len(chain) < 10:
            chain.append(type(seen).__name__)
            seen = seen.__cause__ or seen.__context__
        return "\n".join([*lines, " ← ".join(chain)])
