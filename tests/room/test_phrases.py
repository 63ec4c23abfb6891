"""Every refusal that the engine or the transport can give has its own sentence."""

import re
from pathlib import Path

from cordee.engine import decide, rules
from cordee.engine.refusal import Refused
from cordee.room import forms, phrases

ROOM = Path(forms.__file__).parent
RULES = Path(rules.__file__).parent
SOURCES = [Path(decide.__file__), *RULES.glob("*.py"), *ROOM.glob("**/*.py")]


def reasons() -> set[str]:
    return {reason for path in SOURCES for reason in re.findall(r'Refused\(\s*"(\w+)"', path.read_text())}


def test_every_reason_has_its_own_sentence():
    assert len(reasons()) > 30
    assert reasons() <= set(phrases.REFUSALS)


def test_no_sentence_is_left_for_a_reason_that_nobody_gives():
    transport = {"origin", "too_large", "unavailable", "unknown"}
    written = "\n".join(path.read_text() for path in SOURCES)
    assert {reason for reason in phrases.REFUSALS if f'"{reason}"' not in written} <= transport


def test_a_sentence_names_whom_it_speaks_of():
    said = phrases.sentence(Refused("not_your_turn", {"name": "Karim"}))
    assert "Karim" in said
    assert "{" not in said
