"""Several nodes on one database, browsers that carry on through another node, and a wire that may be cut or go dumb."""

import re
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

import httpx

from tests import services
from tests.conftest import Template
from tests.live.people import Person

PEOPLE = ("Karim", "Hélène", "Thomas", "Nadia", "Julien", "Aïcha", "Marc", "Claire")


@contextmanager
def nodes(template: Template, number: int = 2, **env: str) -> Iterator[list[services.Server]]:
    """So many nodes with the same secrets on one new database of that template's cluster; see node.py for ``env``."""
    with ExitStack() as stack:
        own = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cordee-")))
        address = ""
        servers = []
        for n in range(number):
            var = own / f"node{n}"
            shutil.copytree(template.folder, var)
            address = address or template.new_database(var, template.name)
            files = {"DEAF": str(var / "deaf"), "CLOCK": str(var / "clock")}
            servers.append(services.Server(var, address, "tests.faults.node:application", env=files | env))
            stack.callback(servers[-1].stop)
            servers[-1].start()
        yield servers


def seated(server: services.Server) -> tuple[Person, list[Person]]:
    """Fanny, who leads a new room, and eight others seated in it."""
    fanny = Person(server, "/salles/nouvelle/", "Fanny")
    code = fanny.code
    return fanny, [Person(server, f"/s/{code}/", name) for name in PEOPLE]


def through(server: services.Server, person: Person, **form: str) -> httpx.Response:
    """The same browser, whose post another node answers."""
    return person.post({"Origin": server.url}, f"{server.url}{person.path}contributions", **form)


class Author(threading.Thread):
    """A browser that writes note after note. What got no answer, or a 503, it sends again elsewhere, with its id."""

    def __init__(self, person: Person, servers: list[services.Server], who: int, within: float = 200) -> None:
        super().__init__(daemon=True)
        self.person, self.servers, self.who = person, servers, who
        self.deadline = time.monotonic() + within
        self.enough = threading.Event()
        self.acknowledged: list[str] = []
        self.again: list[str] = []  # got no answer: nobody knows whether they were kept
        self.unavailable: list[object] = []  # what the 503 said
        self.wrong: list[str] = []

    def run(self) -> None:
        for number in count(1):
            if self.enough.is_set() or not self.send(f"note-{self.who}-{number:05d}"):
                return

    def send(self, note: str) -> bool:
        form = {"do": "write", "kind": "note", "id": note, "body_text": f"Mot {note}"}
        node = self.who
        while time.monotonic() < self.deadline:
            server = self.servers[node % len(self.servers)]
            try:
                answer = through(server, self.person, **form)
            except httpx.HTTPError:
                self.again.append(note)
            else:
                if answer.status_code == 204:
                    self.acknowledged.append(note)
                    return True
                if answer.status_code != 503:
                    self.wrong.append(f"{answer.status_code} {answer.text[:200]}")
                    return False
                self.unavailable.append(answer.json())
            node += 1
            time.sleep(0.1)
        self.wrong.append(f"{note}: never taken")
        return False


class Load:
    """Eight authors at once."""

    def __init__(self, people: list[Person], servers: list[services.Server]) -> None:
        self.authors = [Author(person, servers, who) for who, person in enumerate(people)]

    def __enter__(self) -> "Load":
        for author in self.authors:
            author.start()
        return self

    def __exit__(self, *_: object) -> None:
        for author in self.authors:
            author.enough.set()
        for author in self.authors:
            author.join(200)

    @property
    def acknowledged(self) -> int:
        return sum(len(author.acknowledged) for author in self.authors)

    def until(self, more: int, within: float = 120) -> None:
        """Wait until so many more are acknowledged."""
        wanted, deadline = self.acknowledged + more, time.monotonic() + within
        while self.acknowledged < wanted:
            if time.monotonic() > deadline or not any(author.is_alive() for author in self.authors):
                raise AssertionError(f"{self.acknowledged} of {wanted} acknowledged; {self.wrong}")
            time.sleep(0.02)

    def until_all_are_refused(self, within: float = 120) -> None:
        """Wait until each is told once more that their words cannot be kept now: none has earlier ones under way."""
        deadline = time.monotonic() + within
        before = [len(author.unavailable) for author in self.authors]
        while not all(len(author.unavailable) > told for author, told in zip(self.authors, before, strict=True)):
            assert time.monotonic() < deadline, self.wrong
            time.sleep(0.02)

    @property
    def wrong(self) -> list[str]:
        return [each for author in self.authors for each in author.wrong]

    @property
    def again(self) -> list[str]:
        return [each for author in self.authors for each in author.again]

    @property
    def unavailable(self) -> list[object]:
        return [each for author in self.authors for each in author.unavailable]


KEPT = """
from cordee.room.models import Entry
for entry in Entry.objects.filter(kind="Written").order_by("session", "seq"):
    print("kept", entry.plain["id"])
"""


def kept(server: services.Server) -> list[str]:
    """The notes that the log holds, in its order, as often as it holds them."""
    return re.findall(r"kept (note-\d+-\d+)", server.manage("shell", "-c", KEPT))


def amiss(promised: list[str], found: list[str]) -> list[str]:
    """What was promised and is missing, what is there twice, or that it is not in the order it was promised in."""
    counts = Counter(found)
    wrong = [note for note in promised if counts[note] != 1] + [note for note, n in counts.items() if n > 1]
    if wrong:
        return wrong
    wanted = set(promised)
    return [] if [note for note in found if note in wanted] == promised else ["order"]


def all_amiss(load: Load, found: list[str]) -> list[str]:
    """The same for each author of a load."""
    return [wrong for author in load.authors for wrong in amiss(author.acknowledged, found)]


def cards(html: str) -> list[str]:
    return re.findall(r'<article id="c-(note-\d+-\d+)"', html)


class Wire:
    """A TCP proxy to a port here. ``dumb``: it takes and brings nothing, and says nothing; ``cut()``: it hangs up."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.dumb = threading.Event()
        self.refuses = threading.Event()
        self.carried = 0  # times that something passed, in either direction
        self.swallowed = threading.Event()  # something came while it was dumb
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self.server.accept()
            except OSError:
                return
            if self.refuses.is_set():
                here.close()
                continue
            there = socket.create_connection(("127.0.0.1", self.target))
            self.ends += [here, there]
            mute = [False]  # a connection that went dumb stays so
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=(source, target, mute), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, mute: list[bool]) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                mute[0] = mute[0] or self.dumb.is_set()
                if mute[0]:
                    self.swallowed.set()
                else:
                    target.sendall(data)
                    self.carried += 1
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()
        self.cut()
        for end in self.ends:
            end.close()
