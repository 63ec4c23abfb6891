"""Log lines without a room's words: an exception's message may hold what somebody typed; its type and place do not."""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from types import TracebackType

# Up to the next slash, whatever it holds: a code is typed with spaces, a link pasted with a quote.
SECRET_PATHS = re.compile(r"/+(place|s|stop|reprendre)/+[^/\r\n]+", re.IGNORECASE)
SECRET_WORDS = re.compile(r"(?<![\w-])[\w-]{32}(?![\w-])")  # what has the length of a private link's token, anywhere
# What would end a line, colour a terminal or turn a text around: written out, so that nobody forges a line.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Discreet(logging.Formatter):
    """Shows where an error was raised and of which type; never its message, never a private link."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have kept the full text
        return SECRET_PATHS.sub(r"/\1/…", super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return moment(record)

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
            "time": moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": said(record),
        }
        line |= getattr(record, "facts", {})  # what the security log tells apart (cordee/web/incidents.py)
        if record.exc_info:
            line["error"] = SECRET_PATHS.sub(r"/\1/…", self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def moment(record: logging.LogRecord) -> str:
    """When, in UTC: lines of several machines, or of the night on which clocks change, keep their order."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def said(record: logging.LogRecord) -> str:
    """The message on one line, without links and codes. Of what asyncio repeats of an exception, the first line."""
    message = SECRET_WORDS.sub("…", SECRET_PATHS.sub(r"/\1/…", record.getMessage()))
    message = message.partition("\n")[0] if record.name == "asyncio" else message
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), message)
