"""What is played in the rooms of the load, and how what others see of it is recognised in their streams."""

import re
from collections.abc import Iterable, Iterator

from bench.ledger import Expectation, Ledger
from bench.load import Act, Room, stamps
from bench.script import SHORT, Line, Script, stamped
from bench.wire import Stream


class Questions:
    """The single hot path: consultants ask questions of 120 characters, the floor free; all others see each."""

    ordered = False

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def act(self, room: Room) -> Act:
        stamp = next(stamps)
        person = 2 + (stamp // 7) % (len(room.seats) - 2)  # after the facilitator and the client
        card = f"bench-{stamp:07d}"
        form = {"do": "write", "kind": "question", "id": card, "body.text": f"{SHORT} {stamped(stamp)}"}

        def expect(due: float) -> Iterable[Expectation]:
            yield self.ledger.words(stamp, "question", due, room.others(person))

        return Act(room, person, form, "question", expect, puts=((card, stamp),))

    def signs(self, stream: Stream, data: bytes, now: float) -> int:
        return 0


# What a room shows besides words: where its templates put it.
WHERE = re.compile(rb'class="where"><strong>[^<]*</strong> <span>([^<]*?) sur ')
COUNT = re.compile(rb'class="count"[^>]*>(\d+)<')
FLOOR = re.compile(rb'class="k floor">[^<]*?: ([^<]+)<')
CLIENT = re.compile(rb'class="k client">[^<]*?: ([^<]+)<')
REQUEST = re.compile(rb'class="request">.*?class="words">[^<]*(n\d{7}n)', re.DOTALL)
CARD = re.compile(rb'<article id="c-([\w-]+)"(.*?)</article>', re.DOTALL)
MARK = re.compile(rb'class="mark m-(answered|touching|acknowledged)">(.*?)</div>', re.DOTALL)
NAMES = re.compile(rb'class="names">(?:<span class="what">[^<]*</span> )?([^<]*)</p>')


class Round:
    """A real round, in order: drafts, stories edited, votes, questions, marks, floor, silence, reveals, steps."""

    ordered = True

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.playing: dict[str, Iterator[Line]] = {}
        self.latest: dict[tuple[str, str], Expectation] = {}  # (room, card) -> what the next edit replaces

    def act(self, room: Room) -> Act:
        line = next(self.lines(room))
        shown = [show for show in line.shows if show.what in {"words", "revealed"}]

        def expect(due: float) -> Iterable[Expectation]:
            return self.expect(room, line, due)

        puts = tuple((show.card, show.stamp) for show in shown)
        return Act(room, line.person, line.form, line.kind, expect, line.address, puts, line.new_round, line.drops)

    def lines(self, room: Room) -> Iterator[Line]:
        if room.id not in self.playing:
            script = Script([s["name"] for s in room.seats], [s["seat"] for s in room.seats], room.made["base"])
            self.playing[room.id] = script.lines()
            for _ in range(room.made["played"]):
                line = next(self.playing[room.id])
                for show in line.shows:
                    if show.what in {"words", "revealed"}:
                        room.put(show.card, show.stamp)
                for card in line.drops:
                    room.drop(card)
                if line.new_round:
                    room.board.clear()
        return self.playing[room.id]

    def expect(self, room: Room, line: Line, due: float) -> Iterator[Expectation]:
        for number, show in enumerate(line.shows):
            if show.what == "secret":
                self.ledger.secret(show.stamp, (room.id, show.author))
            elif show.what == "sign":
                watchers = room.others(line.person)
                yield self.ledger.sign((room.id, show.place), show.value, line.kind, due, watchers)
            else:
                quiet = show.what == "revealed" and number + 1 < len(line.shows)  # one latency for the whole reveal
                before = self.latest.get((room.id, show.card))
                watchers = room.others(show.author)
                expected = self.ledger.words(show.stamp, line.kind, due, watchers, before, quiet)
                self.latest[room.id, show.card] = expected
                yield expected

    def signs(self, stream: Stream, data: bytes, now: float) -> int:
        met = 0
        room = stream.room.id
        for place, pattern in (("step", WHERE), ("count", COUNT), ("floor", FLOOR), ("client", CLIENT)):
            if found := pattern.search(data):
                met += self.ledger.show(stream, (room, place), found[1], now)
        if found := REQUEST.search(data):
            met += self.ledger.show(stream, (room, "request"), found[1], now)
        if b'class="names"' in data:
            for card in CARD.finditer(data):
                for mark in MARK.finditer(card[2]):
                    if names := NAMES.search(mark[2]):
                        place = f"{mark[1].decode()} {card[1].decode()}"
                        met += self.ledger.show(stream, (room, place), names[1], now)
        return met
