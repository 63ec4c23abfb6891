"""Server-sent events on the wire. Source: HTML Standard, section 9.2."""

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx: do not buffer
    (b"x-content-type-options", b"nosniff"),
    (b"connection", b"close"),  # as it ends, this connection does: who asks again right then must not come by it
]


def message(data: str, event: str = "", id: str = "") -> bytes:
    """One event. Line ends inside the data are kept as SSE asks; a carriage return would end a line too."""
    head = (f"id: {id}\n" if id else "") + (f"event: {event}\n" if event else "")
    if "\r" in data:
        data = data.replace("\r\n", "\n").replace("\r", "\n")
    lines = data.replace("\n", "\ndata: ")
    return f"{head}data: {lines}\n\n".encode()


BEAT = message("", event="beat")
