"""Extract every French sentence, compile the catalogues: ``manage.py translations``. Needs Debian's gettext."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from cordee.engine.reading import FOLDER, read

WORDS = Path(__file__).resolve().parents[3] / "web" / "protocol_words.py"
HEAD = '"""The sentences of the protocols, for gettext to find. Written by ``manage.py translations``."""\n'


def protocol_words() -> list[str]:
    """Every sentence of the shipped protocols that reaches a screen, once, in order."""
    words: dict[str, None] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        words.update(dict.fromkeys(word for word in _words(path) if word))
    return list(words)


def _words(path: Path) -> Iterator[str]:
    protocol = read(path.read_text(encoding="utf-8"))
    yield from (protocol.name, protocol.summary)
    for step in protocol.steps:
        yield from (
            step.title,
            step.aim,
            step.reveal_label,
            *step.instruction.values(),
            *step.once_revealed.values(),
            *step.say,
        )
        for row in step.marks:
            yield from (row.label, *row.values.values())
    for row in protocol.marks_anywhere:
        yield from (row.label, *row.values.values())
    for kind in protocol.kinds.values():
        yield from (kind.label, kind.plural)
        for box in kind.fields:
            yield from (box.label, box.help, *box.choices.values())
    yield from (signal.text for signal in protocol.signals)
    yield from (card.text for card in protocol.cards)
    yield from protocol.values


def written() -> str:
    """What ``protocol_words.py`` must hold."""
    lines = [f"    gettext_noop({word!r})," for word in protocol_words()]
    lines = [line.replace("gettext_noop('", 'gettext_noop("').replace("'),", '"),') for line in lines]
    return f"{HEAD}\nfrom django.utils.translation import gettext_noop\n\nWORDS = (\n" + "\n".join(lines) + "\n)\n"


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        WORDS.write_text(written(), encoding="utf-8")
        options = {"locale": ["en", "fr"], "ignore_patterns": [".venv", "var", "tests"]}
        call_command("makemessages", no_location=True, no_obsolete=True, **options)
        call_command("compilemessages", "-i", ".venv")
