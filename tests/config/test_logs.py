"""Logs say where something failed, never what was being said."""

import logging

from config.logs import Discreet

CANARY = "canari-7f3a"


def line(error: Exception) -> str:
    try:
        raise error from KeyError(CANARY)
    except Exception as raised:
        info = (type(raised), raised, raised.__traceback__)
        record = logging.LogRecord("cordee", logging.ERROR, __file__, 1, "failed", None, info)
        return Discreet("{message}", style="{").format(record)


def test_an_exception_is_logged_by_type_and_place_without_its_message():
    logged = line(ValueError(f"invalid literal: {CANARY}"))
    assert "ValueError" in logged
    assert "test_logs.py" in logged
    assert CANARY not in logged


def test_the_plain_formatter_would_have_leaked_it():
    error = ValueError(CANARY)
    record = logging.LogRecord("cordee", logging.ERROR, __file__, 1, "failed", None, (ValueError, error, None))
    assert CANARY in logging.Formatter("{message}", style="{").format(record)


def test_what_another_handler_formatted_is_not_reused():
    error = ValueError(CANARY)
    record = logging.LogRecord("cordee", logging.ERROR, __file__, 1, "failed", None, (ValueError, error, None))
    logging.Formatter("{message}", style="{").format(record)
    assert CANARY not in Discreet("{message}", style="{").format(record)


def test_private_links_and_room_codes_are_cut_from_the_line():
    record = logging.LogRecord("django", logging.ERROR, __file__, 1, f"Error: /place/{CANARY} /s/{CANARY}/", None, None)
    assert CANARY not in Discreet("{message}", style="{").format(record)
