"""The last hand on every answer, whoever made it: the headers that shut a browser's doors, and the methods that exist.

Django's middlewares do the same for Django's own pages; here nothing leaves without them, streams and errors included.
Knows no room.
"""

from collections.abc import Iterable

from cordee.live.asgi import App, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST")
Headers = list[tuple[bytes, bytes]]

# What a browser may do on our pages: almost nothing. A shared screen stays lit and may fill the wall;
# who has a passkey signs in with it.
NEVER = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media",
    "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection", "local-fonts",
    "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "serial",
    "storage-access", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip
OURS = ("clipboard-write", "fullscreen", "publickey-credentials-get", "screen-wake-lock")

EVERYWHERE: dict[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": ", ".join([*(f"{n}=()" for n in NEVER), *(f"{n}=(self)" for n in OURS)]).encode(),
    # Pages bring their own; what is no page (a stream, an answer of the script's) may do nothing at all.
    b"content-security-policy": b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    b"object-src 'none'",
    # Who wants to be kept says so: static files and images do.
    b"cache-control": b"no-store",
}


def strict_transport(seconds: int, subdomains: bool, preload: bool) -> bytes:
    """The value of Strict-Transport-Security; empty for 0 seconds. Source: RFC 6797, section 6.1."""
    if not seconds:
        return b""
    parts = [f"max-age={seconds}", *(["includeSubDomains"] if subdomains else []), *(["preload"] if preload else [])]
    return "; ".join(parts).encode()


def guarded(app: App, strict: bytes = b"") -> App:
    """``app`` with every header of ``EVERYWHERE`` that it left out, and 405 for methods that we do not have.

    ``strict`` is sent over HTTPS alone: over HTTP a browser must ignore it.
    """
    plain = list(EVERYWHERE.items())
    secure = [*plain, (b"strict-transport-security", strict)] if strict else plain

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        wanted = secure if scope.get("scheme") == "https" else plain

        async def sending(message):  # type: ignore[no-untyped-def]
            if message["type"] == "http.response.start":
                message = {**message, "headers": completed(message.get("headers", ()), wanted)}
            await send(message)

        if scope["method"] not in METHODS:
            return await _not_allowed(sending)
        return await app(scope, receive, sending)

    return guard


def completed(given: Iterable[tuple[bytes, bytes]], wanted: Headers) -> Headers:
    """The headers given, and those wanted that are not among them."""
    headers = list(given)
    names = {name.lower() for name, _ in headers}
    return headers + [pair for pair in wanted if pair[0] not in names]


async def _not_allowed(send: Send) -> None:
    headers = [(b"allow", ", ".join(METHODS).encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 405, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
