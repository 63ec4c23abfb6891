"""Who sends or reads too slowly, or nothing at all, is let go within a bounded time, and costs the others nothing."""

import asyncio
import re
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from cordee.room.stream import MOST_STREAMS
from tests.live.people import Person
from tests.security.wire import as_person, closed_by_server, connected, exchange, head, held_for, memory, statuses

LET_GO = 60  # seconds; hasty.py lets go after 1 or 2, and the machine may be very busy
IDLE = 10_000
MOST_BYTES_IDLE = 20 * 1024  # of the server's memory, for each connection that says nothing


def served(person: Person) -> None:
    """This person reads their page and writes, while something goes on."""
    assert person.http.get(person.path).status_code == 200
    person.do("write", kind="note", id=f"note-{time.monotonic_ns()}", body_text="Pendant ce temps.")


# ---------------------------------------------------------------- slow senders


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: 127", b"\r\n\r\n"])
def test_who_never_ends_a_request_is_let_go(karim, sent):
    with connected(karim.server) as wire:
        wire.sendall(sent)
        assert closed_by_server(wire, LET_GO)


def test_one_header_at_a_time_for_ever_is_let_go(karim):
    with connected(karim.server) as wire:
        wire.sendall(head("GET", "/", karim.server)[:-2])
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < LET_GO:
                wire.sendall(b"X-a: b\r\n")
                time.sleep(0.1)
        assert time.monotonic() - began < LET_GO
        assert closed_by_server(wire, LET_GO)


@pytest.mark.parametrize("length", [100, 60_000])
def test_slow_bodies_are_let_go_and_hold_no_thread_of_the_pages(karim, length):
    """More of them than there are threads: plain forms, which Django reads."""
    form = "Content-Type: application/x-www-form-urlencoded"
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(karim.server)) for _ in range(24)]
        for wire in wires:
            path = f"{karim.path}contributions"
            wire.sendall(as_person(karim, "POST", path, form, f"Content-Length: {length}") + b"do=pau")
        began = time.monotonic()
        served(karim)
        assert time.monotonic() - began < LET_GO
        assert all(closed_by_server(wire, LET_GO) for wire in wires)


def test_a_slow_body_of_the_script_is_let_go(karim):
    origin = f"Origin: {karim.server.url}"
    request = as_person(karim, "POST", f"{karim.path}contributions", origin, "X-Cordee: 1", "Content-Length: 100")
    with connected(karim.server) as wire:
        wire.sendall(request + b"do=pau")
        assert closed_by_server(wire, LET_GO)


# ---------------------------------------------------------------- too much


def test_a_head_of_a_hundred_thousand_headers_is_refused_and_takes_no_memory(karim):
    before = memory(karim.server)
    for headers in (b"X-a: b\r\n" * 100_000, b"Cookie: " + b"a=b; " * 200_000 + b"\r\n", b"X-a: " + b"b" * 2**20):
        answer = exchange(karim.server, head("GET", "/", karim.server)[:-2] + headers + b"\r\n")
        assert statuses(answer) in ([431], [])  # an answer may be lost when the rest of what is sent is not read
    assert memory(karim.server) - before < 20 * 2**20
    served(karim)


def test_a_head_behind_an_open_stream_has_no_more_room(karim):
    with connected(karim.server) as wire:
        wire.sendall(as_person(karim, "GET", f"{karim.path}stream"))
        assert wire.recv(12) == b"HTTP/1.1 200"
        with suppress(OSError):
            wire.sendall(head("GET", "/", karim.server)[:-2] + b"X-a: b\r\n" * 100_000)
        assert closed_by_server(wire, LET_GO)


def test_thousands_of_cookies_and_headers_that_are_allowed_are_passed_over(karim):
    cookies = "Cookie: " + "; ".join(f"c{n}=1" for n in range(3000)) + f"; place={karim.token}"
    for more in ([cookies], [f"X-{n}: 1" for n in range(1500)]):
        answer = exchange(karim.server, head("GET", karim.path, karim.server, *more, "Connection: close"))
        assert statuses(answer) == [200 if more == [cookies] else 404]


@pytest.mark.parametrize(("road", "size"), [("script", 2**20), ("plain", 2**20), ("plain", 100_000), ("draft", 2**20)])
def test_a_text_of_a_megabyte_is_refused_with_a_sentence(karim, road, size):
    form = {"do": "write", "kind": "note", "id": "note-number-1", "body_text": "a" * size}
    path = f"{karim.path}brouillon" if road == "draft" else ""
    answer = karim.post({} if road == "script" else {"X-Cordee": None}, path, **form)
    assert answer.status_code == (409 if size == 100_000 else 413)
    if road == "script":
        assert "trop long" in answer.json()["sentence"]
    else:
        assert "trop long" in answer.text
        assert "style-src 'self'" in answer.headers["content-security-policy"]  # or it would not be drawn
    assert answer.headers["content-type"].endswith("charset=utf-8")
    assert "aaaaaaaaaa" not in karim.look()


def test_a_file_that_nobody_asked_for_is_not_taken(hasty):
    """A form with a file of 8 MB, from somebody without a seat: it never reaches a disk."""
    with httpx.Client(timeout=LET_GO) as outsider, suppress(httpx.HTTPError):  # refused while it is still sending
        answer = outsider.post(f"{hasty.url}/salles/nouvelle/", files={"name": b"x" * 2**23})
        assert answer.status_code == 413


# ---------------------------------------------------------------- slow readers


async def test_a_stream_that_is_never_read_is_dropped_and_the_others_go_on(fanny, karim, claire):
    """Claire's browser takes nothing: what waits for her is bounded, she is let go, Karim reads everything."""
    wire = await asyncio.to_thread(connected, claire.server, 4096)
    with wire:
        wire.sendall(as_person(claire, "GET", f"{claire.path}stream"))
        async with karim.stream() as read:
            await read.next(LET_GO)
            before = memory(karim.server)
            deadline = time.monotonic() + 2 * LET_GO
            written = 0
            while held_for(claire.server, wire) and time.monotonic() < deadline:
                written += 1
                title = f"Situation {written} " + "très longue " * 8
                form = {"body_title": title, "body_text": "mot " * 900}
                await asyncio.to_thread(karim.do, "write", kind="situation", id=f"situation-{written}", **form)
                await read.until(f"Situation {written} ", LET_GO)
            assert not held_for(claire.server, wire)
            assert memory(karim.server) - before < 32 * 2**20
        assert written > 1
    await asyncio.to_thread(served, claire)


def test_pages_that_are_never_read_hold_no_thread_and_are_dropped(karim):
    """Each asks a hundred times for the largest file and reads none of it."""
    largest = largest_static_file(karim)
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(karim.server, 2048)) for _ in range(12)]
        for wire in wires:
            wire.sendall(head("GET", largest, karim.server) * 100)
        time.sleep(1)
        served(karim)
        deadline = time.monotonic() + 2 * LET_GO
        while any(held_for(karim.server, wire) for wire in wires):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    served(karim)


def largest_static_file(person: Person) -> str:
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', person.look())
    sizes = {path: len(person.http.get(path, headers={"Accept-Encoding": "identity"}).content) for path in found}
    return max(sizes, key=lambda path: sizes[path])


# ---------------------------------------------------------------- too many


@contextmanager
def many_files(wanted: int) -> Iterator[None]:
    """Up to so many open files in this process and its children; skips where the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this system lets a process open {hard} files at most; {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_room_goes_on_beside_ten_thousand_idle_connections_which_are_then_closed(template):
    with many_files(IDLE + 1000), template.server() as server, ExitStack() as stack:
        fanny = Person(server, "/salles/nouvelle/", "Fanny")
        karim = Person(server, f"/s/{fanny.code}/", "Karim")
        before = memory(server)
        idle = [stack.enter_context(socket.socket()) for _ in range(IDLE)]
        async with karim.stream() as read:
            await read.next(LET_GO)
            await asyncio.to_thread(lambda: [wire.connect(("127.0.0.1", server.port)) for wire in idle])
            began = time.monotonic()
            karim.do("write", kind="situation", id="situation-1", body_title="Comment annoncer ?")
            await read.until("Comment annoncer ?", LET_GO)
            assert time.monotonic() - began < LET_GO
            assert (memory(server) - before) / IDLE < MOST_BYTES_IDLE
            # Nothing was asked within the time of a head: they are closed, and the stream is not.
            await asyncio.to_thread(all_closed, idle)
            karim.do("write", kind="situation", id="situation-2", body_title="Comment le dire ?")
            await read.until("Comment le dire ?", LET_GO)


def all_closed(wires: list[socket.socket]) -> None:
    deadline = time.monotonic() + 90
    for wire in wires:
        wire.settimeout(max(0.1, deadline - time.monotonic()))
        with suppress(ConnectionError):
            assert wire.recv(1) == b""


async def test_a_person_who_opens_two_hundred_streams_gets_a_few_and_disturbs_nobody(karim, claire):
    request = as_person(karim, "GET", f"{karim.path}stream")
    with ExitStack() as stack:
        answers = []
        for _ in range(200):
            wire = stack.enter_context(await asyncio.to_thread(connected, karim.server))
            wire.sendall(request)
            answers.append(await asyncio.to_thread(wire.recv, 12))
        assert answers.count(b"HTTP/1.1 200") == MOST_STREAMS
        assert answers.count(b"HTTP/1.1 404") == 200 - MOST_STREAMS
        async with claire.stream() as read:
            await read.next(LET_GO)
            karim.do("write", kind="situation", id="situation-1", body_title="Comment faire ?")
            await read.until("Comment faire ?", LET_GO)
