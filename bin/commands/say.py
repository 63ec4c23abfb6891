"""What the commands of bin/ say: one sentence, in French when the terminal is French, else in English."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn


def language() -> str:
    """ "fr" or "en", from the terminal's locale."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "fr" if locale.startswith("fr") else "en"


def either(french: str, english: str) -> str:
    return french if language() == "fr" else english


def tell(french: str, english: str) -> None:
    print(either(french, english), flush=True)


class Sentence(Exception):
    """The command cannot go on; its message is the one sentence to show."""

    def __init__(self, french: str, english: str) -> None:
        super().__init__(either(french, english))


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a command to its end: after a Sentence it exits with 1, after Ctrl-C with 130, without a traceback."""
    try:
        sys.exit(main() or 0)
    except Sentence as sentence:
        print(sentence, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
