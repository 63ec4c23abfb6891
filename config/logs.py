"""Log lines without a room's words: an exception's message may hold what somebody typed; its type and place do not."""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from types import TracebackType

# Up to the next slash, whatever it holds: a code is typed with spaces, a link pasted with a quote.
SECRET_PATHS = re.compile(r"/+(place|s)/+[^/\r\n]+", re.IGNORECASE)
SECRET_WORDS = re.compile(r"(?<![\w-])[\w-]{32}(?![\w-])")  # what has the length of a private link's token, anywhere

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Discreet(logging.Formatter):
    """Shows where an error was raised and of which type; never its message, never a private link."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have kept the full text
        return SECRET_PATHS.sub(r"/\1/…", super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = said(record)
        return super().formatMessage(record)

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


class OneObject(Discreet):
    """The same as one JSON object a line, for a collector of logs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": said(record),
        }
        if record.exc_info:
            line["error"] = SECRET_PATHS.sub(r"/\1/…", self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def said(record: logging.LogRecord) -> str:
    """The message, without links and codes. asyncio adds lines that repeat an exception's words: one is enough."""
    message = SECRET_WORDS.sub("…", SECRET_PATHS.sub(r"/\1/…", record.getMessage()))
    return message.partition("\n")[0] if record.name == "asyncio" else message
