"""What a step looks for among what was learnt before: the situation at hand and its request, or the next situation."""

from collections.abc import Iterable

from cordee.engine.rules.judgements import gate_met
from cordee.engine.state import Contribution, State


def recalls_now(state: State) -> bool:
    """Whether earlier learnings come up where the room stands."""
    step = state.step
    return bool(step.recalls) and (not step.recalls_past_gate or gate_met(state, step.gate))


def treated(state: State) -> Contribution | None:
    """The situation of this round; where the next is being chosen, that one."""
    course = state.course
    return state.contributions.get(course.next_situation if state.step.chooses_next else course.situation)


def gate_kinds(state: State) -> tuple[str, ...]:
    """The kinds of which a request is one; none where the next situation is at hand, which has no request yet."""
    if state.step.chooses_next:
        return ()
    return tuple(dict.fromkeys(s.gate.kind for s in state.protocol.steps if s.gate and s.gate.kind))


def words(state: State, asked: Iterable[Contribution]) -> str:
    """What is looked for: the own words of a situation and of a request (not the choices ticked in them)."""
    return " ".join(
        (c.body or {}).get(box.id, "")
        for c in asked
        for box in state.protocol.kinds[c.kind].fields
        if box.type in {"line", "text"}
    )


def looked_for(state: State) -> str:
    """The words by which this room looks for what resembles, now; "" where nothing is recalled or there are none."""
    if not recalls_now(state) or state.course.closed:
        return ""
    situation = treated(state)
    requests = [c for kind in gate_kinds(state) for c in state.of_kind(kind, state.course.round)]
    asked = [c for c in (situation, *requests) if c is not None and not c.withdrawn and not c.hidden]
    return words(state, asked).strip()
