"""A refusal: a normal answer, with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cordee.engine import events as e


@dataclass(frozen=True, slots=True)
class Refused:
    """``reason`` names a sentence of ``room/phrases.py``; ``about`` fills its blanks."""

    reason: str
    about: Mapping[str, str] = field(default_factory=dict)


Decision = list[e.Event] | Refused
