"""One room's rounds as they are really played, act after act, without end.

Each :class:`Line` says who does what, and what the others then see. The same room always plays the same lines, so that
a room can be brought to any point of its round before the load goes on from there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

FACILITATOR = 0  # places at the table: the facilitator, then the members in the order in which they came
STAMPS_OF_A_ROOM = 5000
STEPS = (
    "choix",
    "recit",
    "questions",
    "demande",
    "ressentis",
    "suggestions",
    "traitement",
    "ouvertures",
    "renforcement",
)

LONG = (
    "Depuis la réorganisation, je dois tenir les délais de deux équipes avec une seule ; j’ai d’abord essayé de tout "
    "prendre sur moi, puis d’en parler à ma responsable, qui m’a répondu que tout le monde en était là. Je dors mal, "
    "je m’entends parler sèchement à Nadia, et je ne sais plus ce qui est urgent de ce qui fait seulement du bruit."
)
SHORT = "Qu’est-ce qui a changé pour toi depuis que l’équipe a été réorganisée, et comment le vis-tu au quotidien ?"


def stamped(number: int) -> str:
    return f"n{number:07d}n"


@dataclass(frozen=True, slots=True)
class Show:
    """What the others see. ``words``: these stamped words. ``secret``: these words, nobody but their author.
    ``revealed``: these words, secret until now. ``sign``: this text in that place of the room."""

    what: Literal["words", "secret", "revealed", "sign"]
    stamp: int = 0
    author: int = 0
    card: str = ""
    place: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    person: int
    kind: str  # what the figures call it
    form: dict[str, str]
    shows: tuple[Show, ...] = ()
    address: str = "contributions"
    new_round: bool = False
    drops: tuple[str, ...] = ()  # cards that whoever comes later is not shown any more


class Script:
    """``names`` and ``seats`` by place; ``base``: the first stamp, a room's own."""

    def __init__(self, names: Sequence[str], seats: Sequence[str], base: int) -> None:
        self.names, self.seats = names, seats
        self.number = base
        self.members = list(range(1, len(names)))
        self.round = 0
        self.sealed: list[Show] = []

    def lines(self) -> Iterator[Line]:
        while True:
            self.round += 1
            self.client = self.members[(self.round - 1) % len(self.members)]
            self.consultants = [person for person in self.members if person != self.client]
            for number, part in enumerate(
                (
                    self.choice(),
                    self.story(),
                    self.questions(),
                    self.request(),
                    self.silence("ressentis", "feeling", self.consultants, 1),
                    self.silence("suggestions", "suggestion", self.consultants, 2),
                    self.sorting(),
                    self.learnings(),
                    iter(()),
                )
            ):
                yield from part
                yield self.move(number)

    # ---------------------------------------------------------------- the steps

    def choice(self) -> Iterator[Line]:
        """Two situations, everyone's vote, the choice."""
        other = self.members[self.round % len(self.members)]
        situations = {}
        for person in (self.client, other):
            yield from self.drafts(person, "situation", 2, "body.text")
            line, situations[person] = self.written(person, "situation", {"body.text": LONG}, "body.title")
            yield line
        for voted, person in enumerate(self.members, 1):
            form = {"do": "write", "kind": "vote", "id": f"bench-{self.next():07d}"}
            form["body.choice"] = situations[self.client if voted % 2 else other]
            yield Line(person, "vote", form, (self.count(voted),))
        form = {"do": "choose", "situation": situations[self.client], "agreed": "1"}
        chosen = Show("sign", place="client", value=self.names[self.client])
        yield Line(FACILITATOR, "choice", form, (chosen,), drops=(situations[other],))

    def story(self) -> Iterator[Line]:
        """The client's story, edited twice; two consultants note something for themselves."""
        yield from self.drafts(self.client, "story", 2)
        line, story = self.written(self.client, "story", {})
        yield line
        for consultant in self.consultants[:2]:
            stamp = self.next()
            form = {"do": "write", "kind": "note", "id": f"bench-{stamp:07d}", "body.text": f"{SHORT} {stamped(stamp)}"}
            yield Line(consultant, "private note", form, (Show("secret", stamp, consultant),))
            stamp = self.next()
            form = {"do": "edit", "id": story, "body.text": f"{LONG} {stamped(stamp)}"}
            yield Line(self.client, "story edit", form, (Show("words", stamp, self.client, story),))

    def questions(self) -> Iterator[Line]:
        """A turn and a half: a question, the client marks it answered, the floor moves on."""
        turns = [*self.consultants, *self.consultants[: len(self.consultants) // 2]]
        for turn, person in enumerate(turns):
            yield from self.drafts(person, "question", 1)
            line, question = self.written(person, "question", {}, text=SHORT)
            first = (self.count(turn + 1),) if turn < len(self.consultants) else ()
            yield Line(line.person, line.kind, line.form, line.shows + first)
            yield self.marked(self.client, question, "answered", self.names[self.client])
            if turn % 4 == 0:
                yield self.marked(self.client, question, "touching", self.names[self.client])
            yield self.passed(person, turn)

    def request(self) -> Iterator[Line]:
        """The contract: written, understood by each, validated."""
        yield from self.drafts(self.client, "request", 1)
        line, request = self.written(self.client, "request", {}, text="Je voudrais que vous m’aidiez à choisir")
        yield line
        for number, person in enumerate(self.consultants, 1):
            names = ", ".join(self.names[other] for other in self.consultants[:number])
            yield self.marked(person, request, "acknowledged", names)
        form = {"do": "mark", "id": request, "mark": "validated", "on": "1"}
        shown = stamped(line.shows[0].stamp)
        yield Line(self.client, "mark", form, (Show("sign", place="request", value=shown),))

    def silence(self, step: str, kind: str, writers: Sequence[int], each: int) -> Iterator[Line]:
        """All write in silence; then it is opened, and some speak."""
        for turn in range(each):
            for number, person in enumerate(writers, 1):
                yield from self.drafts(person, kind, 2 - turn)
                yield self.seal(person, kind, {}, () if turn else (self.count(number),))
        yield self.opened(FACILITATOR, step)
        order = [person for person in self.consultants if person in writers] if step != "ouvertures" else self.members
        for turn, person in enumerate(order[:-1]):
            yield self.passed(FACILITATOR, turn, order, person)

    def sorting(self) -> Iterator[Line]:
        """The client sorts for herself, writes what she keeps and what she will do, and shows it."""
        for card in self.suggestions:
            form = {"do": "mark", "id": card, "mark": "sorted", "on": "1", "value": "keep"}
            yield Line(self.client, "secret mark", form)
        yield from self.drafts(self.client, "takeaway", 2)
        yield self.seal(self.client, "takeaway", {})
        plan = {"body.if": "Quand la réunion du lundi s’ouvre", "body.date": "2030-01-15"}
        yield self.seal(self.client, "commitment", plan, field="body.then")
        yield self.opened(self.client, "traitement")

    def learnings(self) -> Iterator[Line]:
        """What each has learnt, in silence, opened; then three themes are named."""
        yield from self.silence("ouvertures", "learning", [*self.members, FACILITATOR], 1)
        for card in self.last_opened[:3]:
            stamp = self.next()
            form = {"do": "mark", "id": card, "mark": "theme", "on": "1", "value": f"Délais {stamped(stamp)}"}
            yield Line(FACILITATOR, "mark", form, (Show("words", stamp, FACILITATOR, f"theme of {card}"),))

    # ---------------------------------------------------------------- the acts

    def next(self) -> int:
        self.number += 1
        return self.number

    def drafts(self, person: int, kind: str, times: int, field: str = "body.text") -> Iterator[Line]:
        """What the browser keeps while somebody types."""
        for part in range(1, times + 1):
            stamp = self.next()
            text = f"{LONG[: len(LONG) * part // (times + 1)]} {stamped(stamp)}"
            yield Line(person, "draft", {"kind": kind, field: text}, (Show("secret", stamp, person),), "brouillon")

    def written(
        self, person: int, kind: str, more: dict[str, str], field: str = "body.text", text: str = ""
    ) -> tuple[Line, str]:
        """Open words, and the contribution's id."""
        stamp = self.next()
        card = f"bench-{stamp:07d}"
        text = text or (LONG if field == "body.text" else "Comment tenir les délais ?")
        form = {"do": "write", "kind": kind, "id": card, field: f"{text} {stamped(stamp)}", **more}
        return Line(person, kind, form, (Show("words", stamp, person, card),)), card

    def seal(
        self, person: int, kind: str, more: dict[str, str], shows: tuple[Show, ...] = (), field: str = "body.text"
    ) -> Line:
        """Words that wait for the reveal."""
        stamp = self.next()
        card = f"bench-{stamp:07d}"
        self.sealed.append(Show("revealed", stamp, person, card))
        form = {"do": "write", "kind": kind, "id": card, field: f"{SHORT} {stamped(stamp)}", **more}
        return Line(person, f"sealed {kind}", form, (Show("secret", stamp, person), *shows))

    def opened(self, person: int, step: str) -> Line:
        shows, self.sealed = tuple(self.sealed), []
        self.last_opened = [show.card for show in shows]
        if step == "suggestions":
            self.suggestions = self.last_opened
        return Line(person, "reveal", {"do": "reveal", "seen": f"{self.round}.{step}"}, shows)

    def marked(self, person: int, card: str, mark: str, names: str) -> Line:
        """A mark that all see, with the names of those who have put it."""
        form = {"do": "mark", "id": card, "mark": mark, "on": "1"}
        return Line(person, "mark", form, (Show("sign", place=f"{mark} {card}", value=names),))

    def passed(self, person: int, turn: int, order: Sequence[int] | None = None, holder: int | None = None) -> Line:
        """The floor goes on to who comes next."""
        order = order or self.consultants
        form = {"do": "pass_floor", "seen": self.seats[person if holder is None else holder]}
        name = self.names[order[(turn + 1) % len(order)]]
        return Line(person, "floor", form, (Show("sign", place="floor", value=name),))

    def count(self, number: int) -> Show:
        """How many have written, in the middle of the table."""
        return Show("sign", place="count", value=str(number))

    def move(self, number: int) -> Line:
        """On to the next step, or to the next round."""
        last = number + 1 == len(STEPS)
        form = {"do": "next_round" if last else "next", "seen": f"{self.round}.{STEPS[number]}"}
        value = f"consultation {self.round + last}, étape {1 if last else number + 2}"
        return Line(FACILITATOR, "step", form, (Show("sign", place="step", value=value),), new_round=last)


def length(names: Sequence[str]) -> int:
    """How many lines a round has, with so many at the table."""
    lines = Script(names, names, 0).lines()
    return next(number for number, line in enumerate(lines, 1) if line.new_round)
