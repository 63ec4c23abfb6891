"""The bench counts rightly: what never came is lost, what came late is late, what others should not see is leaked."""

import asyncio
from time import perf_counter, sleep

from bench.figures import percentile, spread
from bench.ledger import Ledger
from bench.load import Load, Room
from bench.mix import Questions
from bench.script import Script, length, stamped

NAMES = ("Fanny", "Claire", "Karim", "Hélène", "Thomas", "Nadia", "Julien", "Aïcha")


def words(*stamps: int) -> bytes:
    return " ".join(map(stamped, stamps)).encode()


def test_percentiles_are_nearest_ranks() -> None:
    values = [float(n) for n in range(1, 101)]
    assert spread(values[::-1]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentile([7.0], 0.99) == 7.0 and percentile([], 0.5) == 0.0


def test_a_dropped_event_is_lost_and_named() -> None:
    ledger = Ledger()
    ledger.words(1, "question", 0.0, {"karim", "claire"})
    ledger.read("karim", "", words(1), 0.1)
    assert ledger.outstanding == 1 and ledger.missing() == {"question": 1}
    ledger.read("claire", "", words(1), 0.2)
    assert ledger.outstanding == 0


def test_a_late_event_is_late_and_not_lost() -> None:
    ledger = Ledger()
    ledger.words(1, "question", 10.0, {"karim"})
    ledger.read("karim", "", words(1), 13.5)
    assert ledger.counts.latencies == [3500.0] and ledger.outstanding == 0


def test_the_same_event_twice_counts_once() -> None:
    ledger = Ledger()
    ledger.words(1, "question", 0.0, {"karim", "claire"})
    ledger.read("karim", "", words(1), 0.1)
    ledger.read("karim", "", words(1), 0.2)
    assert ledger.counts.seen == 1 and ledger.outstanding == 1


def test_a_later_edit_stands_for_the_one_it_replaces_and_not_the_reverse() -> None:
    ledger = Ledger()
    first = ledger.words(1, "story", 0.0, {"karim"})
    ledger.words(2, "story", 0.1, {"karim"}, before=first)
    ledger.read("karim", "", words(1), 0.2)
    assert ledger.outstanding == 1
    third = ledger.words(3, "story", 0.3, {"claire"})
    ledger.words(4, "story", 0.4, {"claire"}, before=third)
    ledger.read("claire", "", words(4), 0.5)
    assert ledger.missing() == {"story": 1}  # Karim's second


def test_sealed_words_before_the_reveal_are_leaked_to_others_and_not_to_their_author() -> None:
    ledger = Ledger()
    ledger.secret(1, "karim")
    ledger.read("phone of karim", "karim", words(1), 0.1)
    assert ledger.counts.leaked == 0
    ledger.read("phone of claire", "claire", words(1), 0.1)
    assert ledger.counts.leaked == 1
    ledger.words(1, "reveal", 0.2, {"phone of claire"})
    ledger.read("phone of claire", "claire", words(1), 0.3)
    assert ledger.counts.leaked == 1 and ledger.outstanding == 0


def test_a_floor_move_that_never_shows_is_lost_and_a_later_one_stands_for_it() -> None:
    ledger = Ledger()
    for number, name in enumerate(("Karim", "Hélène")):
        ledger.sign("floor", name, "floor", float(number), {"claire"})
    assert ledger.show("claire", "floor", b"Thomas", 2.0) == 0
    assert ledger.outstanding == 2
    assert ledger.show("claire", "floor", "Hélène".encode(), 3.0) == 2
    assert ledger.outstanding == 0


def test_what_was_refused_is_awaited_by_nobody() -> None:
    ledger = Ledger()
    ledger.void(ledger.words(1, "question", 0.0, {"karim"}))
    assert ledger.outstanding == 0


def test_a_card_missing_in_the_first_view_of_who_comes_back_is_counted() -> None:
    room = Room({"room": "r", "seats": []}, [0])
    room.put("a", 1)
    room.put("b", 2)
    firm = dict(room.firm)
    room.board["a"].append(3)  # edited since
    assert room.missing(firm, words(1, 2)) == 0 and room.missing(firm, words(3, 2)) == 0
    assert room.missing(firm, words(3)) == 1 and room.missing(firm, b"") == 2


def test_a_stalled_server_shows_in_the_latencies() -> None:
    """Open loop: what waits behind a stall counts from when it was due, not from when it was sent at last."""
    figures = asyncio.run(_against(stall=0.6))
    assert figures["lost"] == 0
    assert figures["p95"] > 300, figures


def test_words_that_a_server_swallows_are_lost() -> None:
    figures = asyncio.run(_against(swallow=True))
    assert figures["acknowledged"] == 20 and figures["lost"] == 20, figures


async def _against(stall: float = 0.0, swallow: bool = False) -> dict[str, float]:
    """Twenty questions in a second to a false server: it stalls once, or shows one of two readers nothing."""
    readers: list[asyncio.StreamWriter] = []
    posted = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal posted
        while head := await reader.readuntil(b"\r\n\r\n"):
            if head.startswith(b"GET"):
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"data: \n\n\r\n")
                readers.append(writer)
                await asyncio.sleep(3600)
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(size)
            posted += 1
            if stall and posted == 5:
                sleep(stall)  # the whole server stands still
            for one in readers[1:] if swallow else readers:
                one.write(b"data: " + body + b"\n\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    seats = [{"name": name, "seat": name, "token": name} for name in NAMES[:3]]
    ledger = Ledger()
    load = Load([Room({"room": "r", "seats": seats}, [port])], Questions(ledger), ledger)
    load.settle_seconds = 2.0 if swallow else 60.0  # what is lost is waited for to the end
    began = perf_counter()
    await load.open_streams(60)
    row = await load.run(20, 1)
    assert perf_counter() - began < 120
    await load.close()
    server.close()
    return row


def test_a_round_goes_through_every_step_and_its_reveals_open_what_was_sealed() -> None:
    lines = []
    for line in Script(NAMES, NAMES, 0).lines():
        lines.append(line)
        if line.new_round:
            break
    assert len(lines) == length(NAMES)
    shown = [show for line in lines for show in line.shows]
    sealed = {show.stamp for line in lines if line.kind.startswith("sealed") for show in line.shows if show.stamp}
    assert sealed == {show.stamp for show in shown if show.what == "revealed"}
    kinds = {line.kind for line in lines}
    assert {"draft", "story edit", "question", "reveal", "floor", "vote", "mark", "private note", "step"} <= kinds
