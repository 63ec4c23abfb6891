"""What is played in the rooms of the load."""

from collections.abc import Iterable

from bench.ledger import Expectation, Ledger, stamped
from bench.load import Act, Room, stamps
from bench.wire import Stream

QUESTION = "Qu’est-ce qui a changé pour toi depuis que l’équipe a été réorganisée, et comment le vis-tu au quotidien ?"


class Questions:
    """The single hot path: consultants ask questions of 120 characters, the floor free; all others see each."""

    ordered = False

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def act(self, room: Room, number: int) -> Act:
        stamp = next(stamps)
        person = 2 + (stamp // 7) % (len(room.seats) - 2)  # after the facilitator and the client
        text = f"{QUESTION} {stamped(stamp)}"
        form = {"do": "write", "kind": "question", "id": f"bench-{stamp:07d}", "body.text": text}

        def expect(due: float) -> Iterable[Expectation]:
            yield self.ledger.words(stamp, "question", due, room.others(person))

        return Act(room, person, form, "question", expect)

    def signs(self, stream: Stream, data: bytes, now: float) -> int:
        return 0
