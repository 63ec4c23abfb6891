"""The security log: what was refused at the door, one line each, for an operator who must tell what happened and when.

A line holds a word of a closed list, the room if one was named, and a mark of the address: the same line of the network
has the same mark, and who has the logs alone cannot tell which. Never a word, a name, a link, a code.
"""

import logging
import re
import threading
from time import monotonic

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

# event: what was refused
EVENTS = {
    "code_wrong": "a room's code that opens none",
    "link_unknown": "a private link that opens no seat",
    "stranger": "a room asked for without a seat in it",
    "revoked": "a seat that was taken away",
    "other_site": "a form or an act that came from no page of ours",
    "too_often": "one more try than is allowed",
    "sign_in_wrong": "a wrong code or passkey of somebody who wanted to sign in",
    "not_allowed": "what somebody who is signed in may not see or do",
}
AGAIN = 60.0  # seconds during which the same is not said again: a flood must not fill a disk
MOST_SAID = 10_000
ROOM = re.compile(r"[\w-]{12}", re.ASCII)  # as actions.py draws them; anything else may be a link in the wrong place

log = logging.getLogger("cordee.security")
_said: dict[tuple[str, str, str], float] = {}
_lock = threading.Lock()


def noticed(event: str, request: HttpRequest | None = None, room: str = "") -> None:
    """Log this refusal, unless the same was said within the minute. ``event`` is one of :data:`EVENTS`."""
    facts = {"event": event}
    if address := request.META.get("REMOTE_ADDR", "") if request else "":
        facts["who"] = mark(address)
    if ROOM.fullmatch(room):
        facts["room"] = room
    if _is_new((event, facts.get("who", ""), facts.get("room", ""))):
        told = " ".join(f"{name}={value}" for name, value in facts.items())
        log.warning("%s (%s)", told, EVENTS[event], extra={"facts": facts})


def mark(address: str) -> str:
    """What stands for an address in the log: 48 bits of a keyed digest."""
    return salted_hmac("cordee.incidents", address, algorithm="sha256").hexdigest()[:12]


def _is_new(said: tuple[str, str, str]) -> bool:
    now = monotonic()
    with _lock:
        if now - _said.get(said, -AGAIN) < AGAIN:
            return False
        if len(_said) >= MOST_SAID:
            _said.clear()
        _said[said] = now
        return True


def forget() -> None:
    with _lock:
        _said.clear()
