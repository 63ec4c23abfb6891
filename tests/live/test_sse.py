"""Events on the wire, read back as the HTML Standard says a browser reads them."""

import pytest

from cordee.live import sse


def read(stream: bytes) -> list[tuple[str, str]]:
    """(event, data) of each message, by the algorithm of the HTML Standard, section 9.2.6."""
    found, event, data = [], "", []
    text = stream.decode().replace("\r\n", "\n").replace("\r", "\n")
    for line in text.split("\n"):
        if not line:
            if data:
                found.append((event, "\n".join(data)))
            event, data = "", []
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                event = value
            elif name == "data":
                data.append(value)
    return found


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ("un mot", "un mot"),
        ("deux\nlignes", "deux\nlignes"),
        ("deux\r\nlignes", "deux\nlignes"),
        ("deux\rlignes", "deux\nlignes"),
        ("\n", "\n"),
        ("fin\n\n", "fin\n\n"),
        ("data: event: bye", "data: event: bye"),
        ("x\nevent: bye\ndata: y", "x\nevent: bye\ndata: y"),
        ("x\n\nevent: bye\ndata: y\n\n", "x\n\nevent: bye\ndata: y\n\n"),
        (" espace devant", " espace devant"),
        ("é🧗\u2028", "é🧗\u2028"),
    ],
)
def test_a_message_is_read_back_whole_and_what_was_typed_makes_no_event_of_its_own(data, kept):
    assert read(sse.message(data)) == [("", kept)]
    assert read(sse.message(data, event="named") + sse.message("next")) == [("named", kept), ("", "next")]


def test_a_beat_is_an_event_that_carries_nothing():
    assert read(sse.BEAT) == [("beat", "")]


def test_the_headers_forbid_keeping_and_changing():
    headers = dict(sse.HEADERS)
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert b"no-store" in headers[b"cache-control"] and b"no-transform" in headers[b"cache-control"]
    assert headers[b"x-accel-buffering"] == b"no"
