"""A mail server for tests: it keeps what it takes, and refuses, hangs or hangs up when it is told to."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from time import sleep
from typing import Any


class Postbox(socketserver.ThreadingTCPServer):
    """``answers``: by command (or by recipient), what is said instead of yes; « hang » and « drop » are what they say.

    ``drop_after``: hangs up once it has taken so many letters on a connection.
    """

    allow_reuse_address = daemon_threads = True
    block_on_close = False

    def __init__(self, **answers: str) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.answers, self.drop_after = answers, 0
        self.taken: list[tuple[str, bytes]] = []
        self.connections = 0
        self.heard: list[str] = []

    @property
    def mail(self) -> dict[str, Any]:
        """What settings.MAIL says of it."""
        port = self.server_address[1]
        return {"road": "smtp", "host": "127.0.0.1", "port": port, "user": "", "password": "", "tls": "none"}

    @property
    def letters(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for _to, raw in self.taken]  # type: ignore[misc]

    @property
    def reached(self) -> list[str]:
        return [to for to, _raw in self.taken]


class Session(socketserver.StreamRequestHandler):
    server: Postbox

    def handle(self) -> None:
        self.server.connections += 1
        to, here = "", 0
        if not self.say("CONNECT", "220 test"):
            return
        while line := self.rfile.readline().decode("utf-8", "replace").strip():
            word = line.split()[0].upper()
            self.server.heard.append(line)
            if word == "RCPT":
                to = line.partition("<")[2].partition(">")[0]
                going = self.say(to if to in self.server.answers else "RCPT", "250 ok")
            elif word == "DATA":
                going = self.say("DATA", "354 go on")
                if going and "DATA" not in self.server.answers:
                    raw = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        if not part:
                            return
                        raw += part[1:] if part.startswith(b".") else part
                    going = self.say(f"END {to}" if f"END {to}" in self.server.answers else "END", "250 taken")
                    if going and "END" not in self.server.answers and f"END {to}" not in self.server.answers:
                        self.server.taken.append((to, raw))
                        here += 1
                        if here == self.server.drop_after:
                            return
            elif word == "QUIT":
                self.say("QUIT", "221 bye")
                return
            else:
                going = self.say(word, "250 ok")
            if not going:
                return

    def say(self, what: str, otherwise: str) -> bool:
        """Whether the conversation goes on."""
        said = self.server.answers.get(what, otherwise)
        if said == "hang":
            sleep(120)
        if said in {"hang", "drop"}:
            return False
        self.wfile.write(f"{said}\r\n".encode())
        return True


@contextmanager
def postbox(**answers: str) -> Iterator[Postbox]:
    with Postbox(**answers) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
