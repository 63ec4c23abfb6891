"""A posted form → a command of the engine. Unknown words are refused here, never guessed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from secrets import token_urlsafe
from time import time
from typing import Any

from cordee.engine.commands import COMMANDS, Command
from cordee.engine.refusal import Refused
from cordee.room.store import Typing

KIND = re.compile(r"[\w.-]{1,64}", re.ASCII)  # a kind of the protocol, "kind.for", "edit-" and an id
TRUE = {"1", "on", "true"}
NOT_BY_FORM = {"take_seat", "lend"}  # joining has its own page; what is lent, nobody asks for
NEW = {"write", "add_seat"}  # what makes something new, whose id the browser gives when it has JavaScript


def command(seat: str, form: Iterable[tuple[str, str]]) -> Command | Refused:
    """The command that this form asks for, in the name of ``seat`` and of nobody else."""
    posted = dict(form)
    name = posted.get("do", "")
    cls = COMMANDS.get(name)
    if cls is None or name in NOT_BY_FORM:
        return Refused("unknown")
    values: dict[str, Any] = {"seat": seat}
    for field in fields(cls):
        if field.name == "seat":
            continue
        if field.name == "body":
            values["body"] = {key[5:]: value for key, value in posted.items() if key.startswith("body.")}
        elif field.name in posted:
            value = _typed(str(field.type), posted[field.name])
            if value is None:
                return Refused("unknown")
            values[field.name] = value
        elif field.default is MISSING and field.default_factory is MISSING:
            return Refused("unknown")
    if name in NEW and not values["id"]:
        values["id"] = token_urlsafe(18)
    return cls(**values)


def _typed(kind: str, value: str) -> str | bool | int | float | None:
    if "bool" in kind:
        return value.lower() in TRUE
    if "int" in kind or "float" in kind:
        try:
            return int(value) if "int" in kind else float(value)
        except ValueError:
            return None
    return value


def moment(value: str) -> float | None:
    """Seconds since the epoch as a page's script tells them; ``None`` for anything else."""
    try:
        at = float(value)
    except ValueError:
        return None
    return at if 0 < at < 1e11 else None


def draft(form: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """A draft as (kind, fields). The kind is kept in clear: one that no form of ours has is empty here, and refused."""
    kind = form.get("kind", "")
    fields_ = {k[5:]: v for k, v in form.items() if k.startswith("body.") and v.strip()}
    return kind if KIND.fullmatch(kind) else "", fields_


def typing(seat: str, form: Iterable[tuple[str, str]]) -> Typing:
    """What this seat is typing, as the script of its page tells it."""
    posted = dict(form)
    kind, body = draft(posted)
    return Typing(seat, kind, body, moment(posted.get("at", "")) or time())
