"""Themes of what a step shows, once somebody has asked for them: those people gave, then those that are proposed.

A proposal is worked out from what is open to all whom it is for, and kept nowhere; the log holds what people accept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cordee.engine.grouping import group
from cordee.engine.memory import Memory
from cordee.engine.policy import audience
from cordee.engine.protocol import LONGEST_VALUE, MarkRow, Themes
from cordee.engine.state import Contribution, State

FEWEST = 2  # texts of a theme that is proposed
MOST = 120  # texts that are looked at: each is compared with each


@dataclass(frozen=True, slots=True)
class Pile:
    """Texts under one heading: a theme that people gave (``kept``), or one that is ``proposed``. Oldest first."""

    label: str
    ids: tuple[str, ...]
    kept: bool = False


def asked(state: State) -> bool:
    """Whether themes are to be proposed at the step where the room stands."""
    return (state.course.round, state.course.step) in state.asked


def waits(state: State, row: MarkRow) -> bool:
    """Whether this mark may not be put before themes have been asked for, and they have not."""
    return row.asked and not asked(state)


def may_ask(state: State) -> bool:
    """Whether there is something to propose themes for: what all may read."""
    return state.step.themes is not None and (state.revealed or not state.step.reveal_by)


def piles(state: State, row: Themes, memory: Memory) -> tuple[Pile, ...]:
    """The themes people gave, then those proposed for what has none: each in the order of its first text."""
    texts = open_texts(state, row)
    given = {id_: theme_of(state, id_, row) for id_ in texts}
    kept: dict[str, list[str]] = {}
    for id_, label in given.items():
        if label:
            kept.setdefault(label.casefold(), []).append(id_)
    named = tuple(Pile(given[ids[0]], tuple(ids), kept=True) for ids in kept.values())
    free = {id_ for id_, label in given.items() if not label and id_ not in state.declined}
    left = (Pile(label, tuple(i for i in ids if i in free)) for label, ids in proposed(state, row, texts, memory))
    return named + tuple(pile for pile in left if pile.ids)


def proposed(
    state: State, row: Themes, texts: Mapping[str, str], memory: Memory
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(label, ids) of what goes together among the texts that were open when themes were asked for.

    What is written later changes no proposal under people's eyes: it waits until somebody asks again.
    """
    since = state.asked[state.course.round, state.course.step]
    then = dict([(id_, text) for id_, text in texts.items() if state.contributions[id_].at <= since][:MOST])
    return memory.once(("themes", row.kind), tuple(then.items()), lambda: _proposed(then, longest_of(state, row)))


def _proposed(texts: Mapping[str, str], longest: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    order = list(texts)
    found = sorted(group(texts), key=lambda theme: order.index(theme.ids[0]))  # the largest is not the first
    named = ((cut(theme.label, longest), theme.ids) for theme in found if len(theme.ids) >= FEWEST)
    return tuple((label, ids) for label, ids in named if label)


def cut(label: str, longest: int) -> str:
    """The label, without the last of its words where it would be longer than a theme may be."""
    words = label.split(" · ")
    while words and len(" · ".join(words)) > longest:
        words.pop()
    return " · ".join(words)


def open_texts(state: State, row: Themes) -> dict[str, str]:
    """id -> text, of this round, that everyone for whom these themes are may read now. Oldest first."""
    return {
        c.id: text
        for c in state.of_kind(row.kind, state.course.round)
        if row.readers <= audience(state, c) and (text := _text(c))
    }


def _text(c: Contribution) -> str:
    return " ".join(value for name, value in (c.body or {}).items() if name != "from")


def theme_of(state: State, id_: str, row: Themes) -> str:
    """The theme that people gave to this text, ``""`` if none."""
    put = state.marks.get((id_, row.mark, "", 0))
    return put.value if put else ""


def mark_of(state: State, row: Themes) -> MarkRow | None:
    """The right to give a theme at this step; ``None`` where themes only order what is read."""
    return state.step.mark(row.mark, row.kind) if row.mark else None


def longest_of(state: State, row: Themes) -> int:
    """Characters of a theme at most."""
    mark = mark_of(state, row)
    return mark.longest if mark else LONGEST_VALUE
