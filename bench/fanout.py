"""The limit on this machine: a bare ASGI fan-out of the same bytes, with no database, no rights and no HTML."""

import asyncio
import os
from collections import defaultdict
from typing import Any

BYTES = int(os.environ.get("FANOUT_BYTES", "900"))  # what one contribution weighs on the wire in the product
_streams: dict[str, set[asyncio.Queue[bytes]]] = defaultdict(set)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    room = scope["path"].split("/")[2] if scope["path"].count("/") > 2 else ""
    if scope["method"] == "POST":
        body = (await receive()).get("body", b"")
        event = b"data: " + body + b"x" * max(0, BYTES - len(body) - 16) + b"\n\n"
        for queue in _streams[room]:
            queue.put_nowait(event)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        return
    if not scope["path"].endswith("/stream"):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
        return
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    _streams[room].add(queue)
    try:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"retry: 1000\ndata: \n\n", "more_body": True})
        while True:
            await send({"type": "http.response.body", "body": await queue.get(), "more_body": True})
    finally:
        _streams[room].discard(queue)
