"""A posted form → a command of the engine. Unknown words are refused here, never guessed."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from secrets import token_urlsafe
from typing import Any

from cordee.engine.commands import COMMANDS, Command
from cordee.engine.decide import Refused

TRUE = {"1", "on", "true"}
NOT_BY_FORM = {"take_seat"}  # joining has its own page
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
    """A draft as (kind, fields)."""
    return form.get("kind", "")[:64], {k[5:]: v for k, v in form.items() if k.startswith("body.") and v.strip()}
