"""What was worked out of a room's earlier states and still holds. It makes views fast and never changes one.

A thing is kept with the causes it was made from, and given again only when they are equal. Comparing is quick because
the states of a room share whatever did not change, and Python compares an object with itself at once.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

E = TypeVar("E")
T = TypeVar("T")


class Memory:
    """Of one room. A new one is empty: whoever has none to give gets the same views, more slowly."""

    __slots__ = ("_kept", "_lists")

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Any, Any]] = {}
        self._lists: dict[Hashable, tuple[Any, tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]] = {}

    def once(self, name: Hashable, causes: object, make: Callable[[], T]) -> T:
        """``make()``, or what it gave last time under this name if its causes were equal."""
        kept = self._kept.get(name)
        if kept is not None and kept[0] == causes:
            return kept[1]  # type: ignore[no-any-return]
        value = make()
        if kept is not None and kept[1] == value:
            value = kept[1]  # the very same object: whoever compares it later is done at once
        self._kept[name] = causes, value
        return value

    def last(self, name: Hashable, default: T) -> T:
        """What was given last under this name, whether it still holds or not."""
        return self._kept.get(name, (None, default))[1]  # type: ignore[no-any-return]

    def each(
        self, name: Hashable, causes: object, entries: tuple[E, ...], make: Callable[[E], T | None]
    ) -> tuple[T, ...]:
        """What ``make`` gives for each entry, without the ``None``; made for the new entries only."""
        before, known, made, shown = self._lists.get(name, (None, (), (), ()))
        if before != causes:
            known, made, shown = (), (), ()
        elif entries == known:
            return shown
        if entries[: len(known)] == known:
            added = tuple(map(make, entries[len(known) :]))
            made, shown = made + added, shown + tuple(value for value in added if value is not None)
        else:
            of_entry = {id(entry): value for entry, value in zip(known, made, strict=True)}
            made = tuple(of_entry[id(entry)] if id(entry) in of_entry else make(entry) for entry in entries)
            shown = tuple(value for value in made if value is not None)
        if len(shown) == len(made):  # none is left out: one list is kept, not two
            shown = made
        self._lists[name] = causes, entries, made, shown
        return shown

    def clear(self) -> None:
        """Nobody looks any more."""
        self._kept.clear()
        self._lists.clear()
