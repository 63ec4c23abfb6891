"""Bytes sent as no browser would send them, and what comes back."""

import socket
import time
from contextlib import suppress
from pathlib import Path

from tests import services
from tests.live.people import Person


def connected(server: services.Server, receive_buffer: int = 0) -> socket.socket:
    wire = socket.socket()
    if receive_buffer:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    wire.settimeout(60)
    wire.connect(("127.0.0.1", server.port))
    return wire


def exchange(server: services.Server, sent: bytes, quiet: float = 20) -> bytes:
    """All that is answered to these bytes, until the server closes or says nothing more for ``quiet`` seconds."""
    with connected(server) as wire:
        wire.sendall(sent)
        answer = b""
        with suppress(OSError):  # a time-out, or a connection cut short
            while chunk := wire.recv(65536):
                answer += chunk
                wire.settimeout(quiet)
        return answer


def statuses(answer: bytes) -> list[int]:
    """The status of each answer in these bytes."""
    return [int(part[2:5]) for part in answer.split(b"HTTP/1.")[1:]]


def head(method: str, path: str, server: services.Server, *lines: str) -> bytes:
    """A request's head; ``lines`` may bring a Host of their own."""
    given = any(line.lower().startswith("host:") for line in lines)
    host = () if given else (f"Host: 127.0.0.1:{server.port}",)
    return "\r\n".join((f"{method} {path} HTTP/1.1", *host, *lines, "", "")).encode("latin-1")


def as_person(person: Person, method: str, path: str, *lines: str) -> bytes:
    return head(method, path, person.server, f"Cookie: place={person.token}", *lines)


def closed_by_server(wire: socket.socket, within: float) -> bool:
    """Whether the server ends this connection within so many seconds; what it says before is passed over."""
    deadline = time.monotonic() + within
    while (left := deadline - time.monotonic()) > 0:
        wire.settimeout(left)
        try:
            if not wire.recv(65536):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False


ESTABLISHED = "01"


def held_for(server: services.Server, wire: socket.socket) -> bool:
    """Whether the server still holds its side of this connection, be it to send what is left."""
    other = f":{wire.getsockname()[1]:04X}"
    return any(
        row.split()[2].endswith(other) and _state(row) in {ESTABLISHED, "04", "08", "09"} for row in _rows(server)
    )


def _rows(server: services.Server) -> list[str]:
    own = f":{server.port:04X}"
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [row for row in rows if row.split()[1].endswith(own)]


def _state(row: str) -> str:
    return row.split()[3]


def memory(server: services.Server) -> int:
    """Bytes of memory that the server's process occupies."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
