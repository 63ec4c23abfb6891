"""The demo's meetings, played through the engine by what their TOML file says. Pure: the clock starts at zero."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine import turns
from cordee.engine.decide import decide
from cordee.engine.protocol import Protocol
from cordee.engine.refusal import Refused
from cordee.engine.rules.judgements import position
from cordee.engine.state import State, apply, initial

FACILITATOR = "fanny"
NAMES = {
    "fanny": "Fanny",
    "claire": "Claire",
    "karim": "Karim",
    "helene": "Hélène",
    "thomas": "Thomas",
    "nadia": "Nadia",
    "julien": "Julien",
    "aicha": "Aïcha",
    "marc": "Marc",
}
Script = Mapping[str, Any]


class Unplayable(Exception):
    """The engine refused an act of the script. Says which act and why, and nothing of what it holds."""


@cache
def script(name: str) -> Script:
    """The words and the acts of a meeting: ``earlier`` or ``halfway``."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


def seat_of(name: str) -> str:
    return f"demo-{name}"


def play(protocol: Protocol, words: Script, day: date, carried: Iterable[Mapping[str, str]] = ()) -> list[e.Event]:
    """The facts of the meeting, from second zero; it ends where its script does.

    ``day`` is its date, from which commitments count; ``carried`` the learnings that the circle brings along.
    """
    scene = _Scene(protocol, words, day)
    scene.carry(carried)
    for step, act in ACTS.items():
        if step != scene.state.course.step:
            scene.do(c.Next(seat=seat_of(FACILITATOR), seen=position(scene.state)), 5)
        act(scene)
        if step == "suggestions" and "commitments" not in words:
            return scene.facts
    scene.do(c.Close(seat=seat_of(FACILITATOR), seen=position(scene.state)), 60)
    return scene.facts


def ending_at(facts: Sequence[e.Event], end: float) -> list[e.Event]:
    """The same facts, the last of them at ``end`` (seconds since the epoch)."""
    shift = end - facts[-1].at
    return [replace(fact, at=fact.at + shift) for fact in facts]


class _Scene:
    """A room in memory, and the clock that the script makes go by."""

    def __init__(self, protocol: Protocol, words: Script, day: date) -> None:
        self.state: State = initial(protocol)
        self.words, self.day = words, day
        self.facts: list[e.Event] = []
        self.now = 0.0

    # ------------------------------------------------------------ the engine

    def do(self, command: c.Command, seconds: float) -> str:
        """Play this act ``seconds`` after the one before; gives the id of what it wrote, if it wrote."""
        self.now += seconds
        outcome = decide(self.state, command, self.now)
        if isinstance(outcome, Refused) or not outcome:
            why = outcome.reason if isinstance(outcome, Refused) else "already so"
            raise Unplayable(f"{type(command).__name__} at {position(self.state)}: {why}")
        for fact in outcome:
            self.add(fact)
        return next((fact.id for fact in outcome if isinstance(fact, e.Written)), "")

    def add(self, fact: e.Event) -> None:
        self.state = apply(self.state, fact)
        self.facts.append(fact)

    def carry(self, learnings: Iterable[Mapping[str, str]]) -> None:
        """As a new room of the circle does: what was learnt before comes along, open to all, as round 0."""
        step = next(s.id for s in self.state.protocol.steps if s.write("learning"))
        bodies = [dict(body) for body in learnings]
        for body in bodies:
            id_ = self.new_id("learning")
            self.add(e.Written(at=self.now, seat="", id=id_, kind="learning", round=0, step=step, body=body))
        if bodies:
            self.add(e.Revealed(at=self.now, seat="", round=0, step=step))

    # ------------------------------------------------------------ acts

    def new_id(self, kind: str) -> str:
        return f"demo-{kind}-{len(self.facts):03d}"

    def write(self, name: str, kind: str, body: Mapping[str, str], seconds: float) -> str:
        """In one's own name, or by Fanny's hand for who has no telephone."""
        seat = seat_of(name)
        behalf = "" if self.state.seats[seat].device else seat
        id_ = self.new_id(kind)
        return self.do(c.Write(seat=self.voice(seat), id=id_, kind=kind, body=body, behalf=behalf), seconds)

    def mark(self, name: str, id_: str, mark: str, seconds: float, value: str = "") -> None:
        seat = seat_of(name)
        behalf = "" if self.state.seats[seat].device else seat
        self.do(c.Mark(seat=self.voice(seat), id=id_, mark=mark, value=value, behalf=behalf), seconds)

    def each(self, key: str) -> list[dict[str, str]]:
        return list(self.words.get(key, ()))

    def by(self, key: str, kind: str, seconds: float) -> None:
        for said in self.each(key):
            self.write(said["by"], kind, {"text": said["text"]}, seconds)

    def reveal(self, name: str = FACILITATOR) -> None:
        self.do(c.Reveal(seat=seat_of(name), seen=position(self.state)), 10)

    def go_round(self, seconds: float) -> None:
        """Everyone of the ring speaks once."""
        while not turns.complete(self.state):
            holder = turns.holder(self.state)
            self.do(c.PassFloor(seat=self.voice(holder), seen=holder), seconds)

    def voice(self, seat: str) -> str:
        return seat if self.state.seats[seat].device else seat_of(FACILITATOR)

    @property
    def client(self) -> str:
        return str(self.words["client"])

    def members(self) -> list[str]:
        return [name for name in NAMES if name != FACILITATOR]

    def situation_of(self, name: str) -> str:
        return self.state.of_kind("situation", author=seat_of(name))[0].id


def _choix(scene: _Scene) -> None:
    for name in NAMES:
        scene.do(c.TakeSeat(seat=seat_of(name), name=NAMES[name]), 14)
    for name, body in scene.words["situations"].items():
        scene.write(name, "situation", body, 25)
    scene.go_round(25)
    for name, choice in scene.words["votes"].items():
        scene.write(name, "vote", {"choice": scene.situation_of(choice)}, 5)
    scene.do(c.Choose(seat=seat_of(FACILITATOR), situation=scene.situation_of(scene.client)), 45)
    if name := scene.words.get("without_phone", ""):
        scene.do(c.Leave(seat=seat_of(name)), 10)
        scene.do(c.Hold(seat=seat_of(FACILITATOR), target=seat_of(name)), 15)


def _recit(scene: _Scene) -> None:
    carried = {c.body["from"]: c.id for c in scene.state.of_kind("learning", round_=0) if c.body}
    for name, source in scene.words.get("useful", {}).items():
        scene.mark(name, carried[NAMES[source]], "useful", 20)
    scene.write(scene.client, "story", {"text": scene.words["story"]}, 300)
    scene.by("notes", "note", 40)


def _questions(scene: _Scene) -> None:
    for said in scene.words["questions"]:
        asked = scene.write(said["by"], "question", {"text": said["text"]}, 25)
        for mark in said["marks"]:
            scene.mark(scene.client, asked, mark, 35)
        holder = turns.holder(scene.state)
        scene.do(c.PassFloor(seat=scene.voice(holder), seen=holder), 20)
    scene.by("seeds", "seed", 10)


def _demande(scene: _Scene) -> None:
    request = scene.write(scene.client, "request", {"text": scene.words["request"]}, 150)
    for name in scene.members():
        if name != scene.client:
            scene.mark(name, request, "acknowledged", 12)
    scene.mark(scene.client, request, "validated", 20)


def _ressentis(scene: _Scene) -> None:
    scene.by("feelings", "feeling", 28)
    scene.reveal()
    scene.go_round(25)


def _suggestions(scene: _Scene) -> None:
    for drawn in scene.each("cards"):
        scene.do(c.DrawCard(seat=seat_of(drawn["by"])), 8)
    scene.by("suggestions", "suggestion", 22)
    if all("sorted" in said for said in scene.words["suggestions"]):
        scene.reveal()
        scene.go_round(60)


def _traitement(scene: _Scene) -> None:
    leads = scene.state.of_kind("suggestion", scene.state.course.round)
    for lead, said in zip(leads, scene.words["suggestions"], strict=True):
        scene.mark(scene.client, lead.id, "sorted", 12, said["sorted"])
    scene.write(scene.client, "takeaway", {"text": scene.words["takeaway"]}, 60)
    for plan in scene.words["commitments"]:
        body = {"if": plan["if"], "then": plan["then"], "witness": seat_of(plan["witness"])}
        body["date"] = (scene.day + timedelta(days=plan["in_days"])).isoformat()
        scene.write(scene.client, "commitment", body, 75)
    scene.reveal(scene.client)


def _ouvertures(scene: _Scene) -> None:
    scene.by("learnings", "learning", 18)
    scene.reveal()
    scene.go_round(25)
    learnings = scene.state.of_kind("learning", scene.state.course.round)
    for learning, said in zip(learnings, scene.words["learnings"], strict=True):
        for mark in ("theme", "value"):
            if mark in said:
                scene.mark("claire", learning.id, mark, 8, said[mark])


ACTS: dict[str, Callable[[_Scene], None]] = {
    "choix": _choix,
    "recit": _recit,
    "questions": _questions,
    "demande": _demande,
    "ressentis": _ressentis,
    "suggestions": _suggestions,
    "traitement": _traitement,
    "ouvertures": _ouvertures,
    "renforcement": lambda scene: None,
}
