"""Logs say where something failed, never what was being said."""

import json
import logging

import pytest

from config.logs import Discreet, OneObject

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


@pytest.mark.parametrize("formatter", [OneObject(), Discreet("{message}", style="{")])
@pytest.mark.parametrize(
    "path",
    [
        "/s/ABCDE {}/",
        "/s/'{}",
        '/place/"{}"/',
        "/PLACE/{}/",
        "//s//{}/x",
        "/place/a{}?x=1",
        "/oops/{}" + "x" * 21,
    ],
)
def test_a_code_or_a_link_is_cut_however_it_was_typed(formatter, path):
    said = "Not Found: %s"
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, said, (path.format(CANARY),), None)
    assert "Not Found" in formatter.format(record)
    assert CANARY not in formatter.format(record)


def test_a_json_line_is_one_object_without_the_message_of_the_exception():
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("cordee", logging.ERROR, __file__, 1, f"failed\n/place/{CANARY}/", None, info)
    line = OneObject().format(record)
    assert CANARY not in line and "\n" not in line
    told = json.loads(line)
    assert told["level"] == "ERROR" and told["logger"] == "cordee" and "ValueError" in told["error"]


@pytest.mark.parametrize("formatter", [OneObject(), Discreet("{message}", style="{")])
def test_what_asyncio_repeats_of_a_failed_task_is_cut(formatter):
    message = f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{CANARY}')>"
    record = logging.LogRecord("asyncio", logging.ERROR, __file__, 1, message, None, None)
    assert CANARY not in formatter.format(record)
    assert "never retrieved" in formatter.format(record)


def test_django_prints_nothing_by_handlers_of_its_own():
    assert logging.getLogger("django").handlers == []


@pytest.mark.parametrize("formatter", [OneObject(), Discreet("{asctime} {message}", style="{")])
def test_a_line_says_when_in_utc(formatter):
    record = logging.LogRecord("cordee", logging.ERROR, __file__, 1, "failed", None, None)
    record.created = 1_700_000_000.25
    assert "2023-11-14T22:13:20.250+00:00" in formatter.format(record)


@pytest.mark.parametrize("formatter", [OneObject(), Discreet("{levelname} {message}", style="{")])
@pytest.mark.parametrize("ending", ["\n", "\r", "\x85", "\u2028", "\x1b[2K", "\x08", "\u202e", "\x00"])
def test_a_line_cannot_be_forged(formatter, ending):
    forged = f"Not Found: /x{ending}2026-11-24 ERROR all is well"
    line = formatter.format(logging.LogRecord("django", logging.WARNING, __file__, 1, forged, None, None))
    assert len(line.splitlines()) == 1
    assert ending not in line
    assert "all is well" in line
