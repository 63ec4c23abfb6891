"""TOML text → :class:`~cordee.engine.protocol.Protocol`. Errors name the step or the kind, and what was expected."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields as fields_of
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from cordee.engine.protocol import Card, Field, Gate, Kind, MarkRow, Protocol, Roles, Signal, Step, Table, Themes, Write
from cordee.engine.signals import RULES

FOLDER = Path(__file__).parent / "protocols"
ROLES = frozenset({"member", "client", "consultant", "facilitator", "observer", "screen", "author", "scribe"})
TYPES = ("text", "line", "date", "choice", "seat", "contribution")
T = TypeVar("T")


class ProtocolError(ValueError):
    """A protocol that cannot be used; the message says where and what was expected."""


def builtin(name: str) -> str:
    """The text of a protocol shipped with Cordée. ``FileNotFoundError`` if there is none of that name."""
    return (FOLDER / f"{name}.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def read(text: str) -> Protocol:
    """The protocol that this TOML text declares. Raises :class:`ProtocolError`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProtocolError(f"This protocol is not valid TOML: {error}") from error
    return declared(data)


def declared(data: dict[str, Any]) -> Protocol:
    """The protocol that this parsed TOML declares. Raises :class:`ProtocolError`."""
    try:
        return _Reader(data).protocol()
    except (AttributeError, KeyError, TypeError) as error:  # a value where a table or a list should be, or the reverse
        raise ProtocolError(f"This protocol is not of the expected shape (compare mentor.toml): {error}") from error


class _Reader:
    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.groups = {name: frozenset(roles) for name, roles in data.get("groups", {}).items()}
        for name, roles in self.groups.items():
            if unknown := roles - ROLES:
                raise ProtocolError(f"Group “{name}” names unknown roles {sorted(unknown)}; roles are {sorted(ROLES)}.")

    def protocol(self) -> Protocol:
        for key in ("id", "name", "steps", "kinds"):
            if key not in self.data:
                raise ProtocolError(f"A protocol needs “{key}”; this one has {sorted(self.data)}.")
        self.kinds = {name: self._kind(name, row) for name, row in self.data["kinds"].items()}
        steps = tuple(self._step(row, number) for number, row in enumerate(self.data["steps"], 1))
        self._check_steps(steps)
        where = "rights that hold anywhere"
        made = Protocol(
            id=self.data["id"],
            name=self.data["name"],
            summary=self.data.get("summary", ""),
            steps=steps,
            kinds=self.kinds,
            start_of_next=self._start_of_next(steps),
            anywhere=tuple(self._write(row, where) for row in self.data.get("anywhere", ())),
            marks_anywhere=tuple(self._mark(row, where) for row in self.data.get("marks_anywhere", ())),
            signals=tuple(self._make(Signal, row, f"signal “{row.get('id')}”") for row in self.data.get("signals", ())),
            cards=tuple(self._make(Card, row, "creativity cards") for row in self.data.get("cards", ())),
            values=tuple(self.data.get("values", ())),
        )
        self._check_marks(made)
        self._check_signals(made)
        return made

    def _start_of_next(self, steps: tuple[Step, ...]) -> str:
        start = self.data.get("start_of_next", next((step.id for step in steps if not step.opens_on), steps[0].id))
        if start not in {step.id for step in steps}:
            raise ProtocolError(f"“start_of_next” names the step “{start}”, which is not declared.")
        return str(start)

    def _check_steps(self, steps: tuple[Step, ...]) -> None:
        if all(step.opens_on for step in steps):
            raise ProtocolError("A protocol needs at least one step that every round has.")
        ids = [step.id for step in steps]
        for name in ids:
            if ids.count(name) > 1:
                raise ProtocolError(f"Two steps are called “{name}”; each needs its own id.")
        for step in steps:
            sealed = [row.kind for row in step.writes if self.kinds[row.kind].sealed is not None]
            if sealed and not step.reveal_by:
                raise ProtocolError(
                    f"Step “{step.id}” writes sealed {sealed} and nobody may reveal it: add “reveal_by”."
                )
            if step.protected and step.write(step.protected) is None:
                raise ProtocolError(f"Step “{step.id}” protects “{step.protected}”, which nobody may write there.")
            if (step.chooses or step.chooses_next) and "situation" not in self.kinds:
                raise ProtocolError(f"In step “{step.id}” a client is chosen by a situation: add a kind “situation”.")

    def _check_marks(self, protocol: Protocol) -> None:
        for step in protocol.steps:
            gate = step.gate
            if gate and not gate.client and not (gate.kind and step.mark(gate.mark, gate.kind)):
                raise ProtocolError(
                    f"The gate of step “{step.id}” can never open: expected “client = true”, or a “kind” and a “mark” "
                    f"that someone may put on it at this step."
                )
            for row in step.marks:
                if row.needs and step.mark(row.needs, row.kind) is None:
                    raise ProtocolError(
                        f"In step “{step.id}”: “{row.mark}” needs the mark “{row.needs}”, which nobody may put there."
                    )
            self._check_themes(step)
        ids = {step.id for step in protocol.steps}
        for row in protocol.marks_anywhere:
            if unknown := set(row.at) - ids:
                raise ProtocolError(f"The mark “{row.mark}” holds at unknown steps {sorted(unknown)}.")

    def _check_themes(self, step: Step) -> None:
        themes = step.themes
        if themes and themes.kind not in step.shows:
            raise ProtocolError(f"Step “{step.id}” groups “{themes.kind}” by themes and does not show it.")
        given = step.mark(themes.mark, themes.kind) if themes and themes.mark else None
        if (
            themes
            and themes.mark
            and not (given and given.free and given.shared and not given.per_round and themes.readers <= given.readers)
        ):
            raise ProtocolError(
                f"The themes of step “{step.id}” are given by the mark “{themes.mark}”: expected a mark put there on "
                f"“{themes.kind}” that is “free” and “shared”, and that all “readers” of the themes read."
            )

    def _check_signals(self, protocol: Protocol) -> None:
        ids = {step.id for step in protocol.steps}
        for signal in protocol.signals:
            where = f"signal “{signal.id}”"
            if signal.step not in ids:
                raise ProtocolError(f"In {where}: there is no step “{signal.step}”; steps are {sorted(ids)}.")
            if signal.rule not in RULES:
                raise ProtocolError(f"In {where}: there is no rule “{signal.rule}”; rules are {sorted(RULES)}.")
            if signal.kind or signal.rule != "minutes":
                self._known_kind(signal.kind, where, "kind")

    def _kind(self, name: str, row: dict[str, Any]) -> Kind:
        where = f"kind “{name}”"
        rest = {k: v for k, v in row.items() if k not in {"fields", "readers", "sealed"}}
        if not row.get("fields"):
            raise ProtocolError(f"In {where}: at least one field is needed.")
        return self._make(
            Kind,
            rest
            | {
                "id": name,
                "fields": tuple(self._field(field, where) for field in row["fields"]),
                "readers": self._roles(row.get("readers"), where, "readers"),
                "sealed": self._roles(row["sealed"], where, "sealed") if "sealed" in row else None,
            },
            where,
        )

    def _field(self, row: dict[str, Any], where: str) -> Field:
        made = self._make(Field, row, f"a field of {where}")
        if made.type not in TYPES:
            raise ProtocolError(f"In field “{made.id}” of {where}: “type” is one of {TYPES}, not “{made.type}”.")
        if made.type == "choice" and not made.choices:
            raise ProtocolError(f"In field “{made.id}” of {where}: a choice needs “choices”.")
        return made

    def _step(self, row: dict[str, Any], number: int) -> Step:
        where = f"step “{row.get('id', number)}”"
        made = dict(row)
        for key in ("ring", "reveal_by", "chooses", "chooses_next", "cards"):
            if key in row:
                made[key] = self._roles(row[key], where, key)
        made["writes"] = tuple(self._write(write, where) for write in row.get("writes", ()))
        made["marks"] = tuple(self._mark(mark, where) for mark in row.get("marks", ()))
        made["say"] = tuple(row.get("say", ()))
        made["shows"] = tuple(self._known_kind(kind, where, "shows") for kind in row.get("shows", ()))
        recalls = row.get("recalls") or ()
        recalls = (recalls,) if isinstance(recalls, str) else recalls  # as rooms opened before have it
        made["recalls"] = tuple(self._known_kind(kind, where, "recalls") for kind in recalls)
        if "gate" in row:
            made["gate"] = self._make(Gate, row["gate"], f"the gate of {where}")
        if "themes" in row:
            made["themes"] = self._themes(row["themes"], f"the themes of {where}")
        opens_on = row.get("opens_on") or ()  # one kind, or several
        opens_on = [opens_on] if isinstance(opens_on, str) else opens_on
        made["opens_on"] = tuple(self._known_kind(kind, where, "opens_on") for kind in opens_on)
        for key in ("protected", "votes", "ring_of"):
            if row.get(key):
                self._known_kind(row[key], where, key)
        if row.get("floor", "all") not in {"all", "client", "ring"}:
            raise ProtocolError(f"In {where}: “floor” is all, client or ring, not “{row['floor']}”.")
        step = self._make(Step, made, where)
        if not step.minutes > 0:
            raise ProtocolError(f"In {where}: “minutes” is a number above 0, not {step.minutes}.")
        return step

    def _themes(self, row: dict[str, Any], where: str) -> Themes:
        self._known_kind(row.get("kind", ""), where, "kind")
        roles = {key: self._roles(row.get(key), where, key) for key in ("by", "readers")}
        return self._make(Themes, row | roles, where)

    def _write(self, row: dict[str, Any], where: str) -> Write:
        kind = self._known_kind(row.get("kind", ""), where, "writes")
        if row.get("turn", "never") not in {"never", "always", "revealed"}:
            raise ProtocolError(f"In {where}: “turn” is never, always or revealed, not “{row['turn']}”.")
        return self._make(Write, row | {"kind": kind, "by": self._roles(row.get("by"), where, "by")}, where)

    def _mark(self, row: dict[str, Any], where: str) -> MarkRow:
        self._known_kind(row.get("kind", ""), where, "marks")
        roles = {key: self._roles(row.get(key), where, key) for key in ("by", "readers")}
        return self._make(MarkRow, row | roles | {"at": tuple(row.get("at", ()))}, where)

    def _known_kind(self, kind: str, where: str, key: str) -> str:
        if not isinstance(kind, str) or kind not in self.kinds:
            raise ProtocolError(f"In {where}: “{key}” names the kind “{kind}”; kinds are {sorted(self.kinds)}.")
        return kind

    def _roles(self, names: Any, where: str, key: str) -> Roles:
        if not isinstance(names, list) or not names:
            raise ProtocolError(f"In {where}: “{key}” must be a list of roles or groups, not {names!r}.")
        roles: set[str] = set()
        for name in names:
            if not isinstance(name, str) or (name not in self.groups and name not in ROLES):
                raise ProtocolError(
                    f"In {where}: “{key}” names “{name}”; roles are {sorted(ROLES)}, groups are {sorted(self.groups)}."
                )
            roles |= self.groups.get(name, {name})
        return frozenset(roles)

    def _make(self, cls: type[T], row: Mapping[str, Any], where: str) -> T:
        known = {field.name for field in fields_of(cls)}  # type: ignore[arg-type]
        if unknown := set(row) - known:
            raise ProtocolError(f"In {where}: {sorted(unknown)} is not understood; expected some of {sorted(known)}.")
        for field in fields_of(cls):  # type: ignore[arg-type]
            if field.name in row and not _is(field.type, row[field.name]):
                raise ProtocolError(f"In {where}: “{field.name}” is {_wanted(field.type)}, not {row[field.name]!r}.")
        made = {key: Table(value) if isinstance(value, dict) else value for key, value in row.items()}
        try:
            return cls(**made)
        except TypeError as error:
            raise ProtocolError(f"In {where}: {str(error).split('() ')[-1]}.") from error


def _is(expected: Any, value: Any) -> bool:
    """Whether a TOML value fits this annotation; rows within rows were made and checked before."""
    if expected in (int, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected in (str, bool):
        return isinstance(value, expected)
    if expected is Table:
        return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    if expected == tuple[str, ...]:
        return isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)
    return True


def _wanted(expected: Any) -> str:
    names = {int: "a number", float: "a number", str: "a text", bool: "true or false", Table: "a table of texts"}
    return names.get(expected, "a list of texts")
