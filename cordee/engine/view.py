"""``view_for(state, seat)``: the only way out of a room. What is not put here is seen by nobody."""

from collections.abc import Iterable
from typing import Any

from cordee.engine import turns
from cordee.engine.eye import Eye
from cordee.engine.memory import Memory
from cordee.engine.policy import SCREEN, may, roles_of, sees
from cordee.engine.protocol import Roles
from cordee.engine.rules.judgements import gate_met
from cordee.engine.rules.people import takes_over_from
from cordee.engine.scene import Scene, name_of, scene_of
from cordee.engine.seen import Clock, Hand, Ring, StepChoice, Strip, View
from cordee.engine.signals import SignalView, signals
from cordee.engine.state import State


def view_for(state: State, seat: str, memory: Memory | None = None) -> View | None:
    """What this seat sees now; ``None`` for a stranger or a revoked seat, who sees nothing.

    ``memory`` is what was worked out of the same room before; it makes this faster and changes nothing.
    """
    roles = roles_of(state, seat)
    known = state.seats.get(seat)
    if not roles:
        return _at_the_door(state, seat) if known and known.waiting and not known.revoked else None
    memory = memory or Memory()
    scene = scene_of(state, memory)
    roles = memory.once(("roles", seat), roles, lambda: roles)
    eye = Eye(scene, seat, roles, memory)
    before, after = memory.once(("still", seat), scene.still, lambda: _still(scene, seat, roles))
    forms = () if state.course.closed or seat == SCREEN else eye.forms()
    hand = _hand(scene, memory) if "facilitator" in roles else None
    written = (forms, eye.groups(), eye.themes(), eye.past(), eye.own())
    fields = (state.version, seat, *before, *written, *after, hand)  # in the order of seen.View
    return View(*fields)


def _still(scene: Scene, seat: str, roles: Roles) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What contributions do not touch: the fields of a view before what is written and read, and those after."""
    state, step = scene.state, scene.step
    before = (
        *(name_of(state, seat), roles, False, state.course.closed, scene.position, scene.strip),
        *(_instruction(state, roles), step.aim, scene.clock, scene.ring),
        *(name_of(state, state.course.client), _request(scene, seat)),
    )
    after = (
        tuple(card.text for card in state.protocol.cards if card.id in state.cards.get(seat, ())),
        may(roles, step.cards),
        scene.holder == seat,
        step.reveal_label if may(roles, step.reveal_by) and not state.revealed else "",
        *(state.door, _unled(state, seat), _offered(state, roles), _skipped(state)),
    )
    return before, after


def _at_the_door(state: State, seat: str) -> View:
    """Who waits sees that they wait, and nothing of the room."""
    return View(
        version=0,
        seat=seat,
        name=name_of(state, seat),
        roles=frozenset(),
        waiting=True,
        closed=state.course.closed,
        position="",
        strip=Strip(state.protocol.name, (), "", "", 0, 0, 0),
        instruction="",
        aim="",
        clock=Clock(0, 0, None, None),
        ring=Ring((), "", "", False, 0, 0),
        client="",
        request="",
    )


def _unled(state: State, seat: str) -> float:
    """From when this member may facilitate, as long as nobody does."""
    known = state.seats.get(seat)
    if known is None or not known.member or not state.meeting or state.course.closed or state.facilitator():
        return 0
    return takes_over_from(state)


def _offered(state: State, roles: Roles) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The marks for which the space's values are offered at this step, to those who may put them."""
    if not state.values or state.course.closed:
        return ()
    return tuple((row.mark, state.values) for row in state.step.marks if row.offers and may(roles, row.by))


def _skipped(state: State) -> tuple[tuple[str, str], ...]:
    """The words by which steps were left out, once each: said to the whole group."""
    words: dict[str, str] = {}
    for (round_, step), word in state.course.skipped.items():
        protected = bool(state.protocol.step(step).protected)
        if round_ == state.course.round and word and (protected or word not in words):
            words[word] = state.protocol.step(step).title
    return tuple((title, word) for word, title in words.items())


def _instruction(state: State, roles: Roles) -> str:
    """One sentence for the first role that has one; what holds once revealed comes before what holds at first."""
    step = state.step
    for sentences in (step.once_revealed, step.instruction) if state.revealed else (step.instruction,):
        for role in ("facilitator", "client", "consultant", "member", "observer", "screen", "all"):
            if role in sentences and (role in roles or role == "all"):
                return sentences[role]
    return step.aim


def _request(scene: Scene, seat: str) -> str:
    """The contract, once the client has validated it: it stays before everyone's eyes."""
    state = scene.state
    for step in state.protocol.steps:
        if step.gate and step.gate.kind:
            for entry, marks in scene.of(step.gate.kind, state.course.round):
                validated = any(mark.mark == step.gate.mark for mark in marks)
                if validated and not entry.hidden and sees(state, seat, entry):
                    return (entry.body or {}).get("text", "")
    return ""


def _hand(scene: Scene, memory: Memory) -> Hand:
    said, hidden = tuple(signals(scene.state, memory)), tuple(_hidden(scene))
    causes = (scene.still, scene.state.undo, said, hidden, _needs_word(scene))
    return memory.once("hand", causes, lambda: _hand_of(scene, said, hidden))


def _hand_of(scene: Scene, said: tuple[SignalView, ...], hidden: tuple[tuple[str, str, str], ...]) -> Hand:
    state = scene.state
    course, steps = state.course, state.steps
    here = state.index(course.step)
    step = steps[here]
    gate = "" if gate_met(state, step.gate) else step.title
    reveals = not state.revealed and may(roles_of(state, state.facilitator()), step.reveal_by)
    reveals_for = _without_device(state, step.reveal_by) if not state.revealed else ""
    unmet = next((i for i, s in enumerate(steps) if i >= here and not gate_met(state, s.gate)), len(steps))
    return Hand(
        next=steps[here + 1].title if here + 1 < len(steps) else "",
        gate=gate,
        needs_word=_needs_word(scene),
        back=here > 0,
        paused=course.paused_at is not None,
        reveal=step.reveal_label if reveals or reveals_for else "",
        reveal_for="" if reveals else reveals_for,
        free=course.free,
        open_floor=turns.open_floor(state),
        ring=tuple((seat, name_of(state, seat)) for seat in scene.order),
        holder=scene.holder,
        undo=len(state.undo),
        steps=tuple(
            StepChoice(s.id, s.title, s.letter, i == here, i > here) for i, s in enumerate(steps) if i <= unmet
        ),
        say=step.say,
        signals=said,
        waiting=tuple((s.id, s.name or "") for s in state.seats.values() if s.waiting and not s.revoked),
        door=state.door,
        seats=scene.ring.seats,
        next_client=name_of(state, course.next_client),
        may_choose=bool(step.chooses | step.chooses_next),
        last=here + 1 == len(steps),
        closed=course.closed,
        ledger=tuple(_ledger(state)),
        hidden=hidden,
        meeting=state.meeting,
    )


def _without_device(state: State, audience: Roles) -> str:
    """The seat of this audience for whom the facilitator acts, "" if there is none."""
    seats = (s.id for s in state.seats.values() if s.here and not s.device and may(roles_of(state, s.id), audience))
    return next(seats, "")


def _needs_word(scene: Scene) -> bool:
    protected = scene.step.protected
    return bool(protected) and not scene.of(protected, scene.state.course.round)


def _hidden(scene: Scene) -> Iterable[tuple[str, str, str]]:
    state = scene.state
    for c, _ in scene.entries.all.values():
        if c.hidden and c.round == state.course.round:
            yield c.id, state.protocol.kinds[c.kind].label, name_of(state, c.author)


def _ledger(state: State) -> Iterable[tuple[str, int]]:
    for seat in state.seats.values():
        if seat.member and not seat.revoked:
            yield seat.name or "", sum(client == seat.id for _, client, _ in state.course.treated)
