"""Texts meant to break what holds them, in every field of a room: shown as they were typed, run nowhere, never lost."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from html.parser import HTMLParser
from urllib.parse import quote_from_bytes, urlencode

import httpx
import pytest
from markdown_it import MarkdownIt

from cordee.engine import commands as c
from cordee.engine.hint import hint
from cordee.engine.protocol import LONGEST_VALUE
from cordee.engine.rules.judgements import tidied
from cordee.engine.rules.people import LONGEST_NAME
from cordee.room import documents, render, store
from cordee.room.models import Entry
from tests import services
from tests.browser.over_http import LiveRoom
from tests.characters import ACTS, FRENCH, NAMES, SCREEN, French, Room, circle, play
from tests.conftest import Template
from tests.live.test_sse import read
from tests.room.clean import clean_memory  # noqa: F401
from tests.room.rooms import House, settle

# Each is short enough for a first name.
SNIPPETS = [
    "<script>alert(1)</script>",
    "</script><b>x",
    "</textarea></form><h1>x",
    "\"'><img src=x onerror=alert(1)>",
    "' onfocus='alert(1)' autofocus='",
    "<svg onload=alert(1)></svg>",
    "<!-- <hx-partial hx-target='#say'>",
    "]]></template><iframe src=//x>",
    "{{7*7}}{% debug %}{# x #}",
    "{0.__class__} {name} %s %(x)s %n",
    '#read("/etc/passwd") #panic()',
    '$ \\u{0} #eval("1") `x` @ref ]',
    "[x](javascript:alert(1)) ![y](z)",
    "<javascript:alert(1)> **x** _y_ ~~z",
    "data: x\nevent: bye\nid: 1",
    "x\r\nX-Evil: 1\r\n\r\n<p>",
    "caf\u0065\u0301 A" + "\u0301\u0323\u0334" * 12,
    "👩‍👩‍👧‍👦🏴‍☠️ 🇫🇷 👋🏽",
    "\u202etxt.exe\u202c \u2066abc\u2069",
    "a\u200bb\u200c\u200d\ufeff\u2060c",
    "\u2028x\u2029y\u0085z\u00a0",
    "nul\x00 bel\x07 esc\x1b[31m del\x7f \x9b",
    "\ufffe\uffff\U0001fffe \ue000 ﷽",
    "שלום مرحبا \u0600x",
    "&lt;b&gt;&amp;amp;&#60;i&#x3e;",
    "\\x3cscript\\x3e \\u003c %3Cscript%3E",
    "=1+1|cmd' /C calc'!A0",
    "__proto__ constructor null NaN",
]
assert all(len(snippet) <= LONGEST_NAME for snippet in SNIPPETS)
SOUP = "\n".join(SNIPPETS)
GROUPS = 3  # plays: the short fields hold something else in each


class Hostile(French):
    """What the characters would write if they meant harm; ``said`` is all of it, as a page must show it."""

    def __init__(self, turn: int) -> None:
        self.next, self.said = turn * len(SNIPPETS) // GROUPS, set[str]()

    def snippet(self) -> str:
        self.next += 1
        return SNIPPETS[self.next % len(SNIPPETS)]

    def text(self, longest: int) -> str:
        text = SOUP if longest > len(SOUP) + 20 else self.snippet()
        text = f"{text} {self.next}"
        self.said |= {row.strip() for row in tidied(text).split("\n") if row.strip()}
        return text

    def body(self, room: Room, seat: str, kind: str) -> dict[str, str]:
        body = super().body(room, seat, kind)
        boxes = room.state.protocol.kinds[kind].fields
        return body | {box.id: self.text(box.longest) for box in boxes if box.type in {"text", "line"}}

    def value(self, room: Room, seat: str, mark: str) -> str:
        return self.text(LONGEST_VALUE) if mark in {"theme", "value"} else super().value(room, seat, mark)


class Page(HTMLParser):
    """What a browser would make of a page: its elements, their attributes, and all that can be read in them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.addresses: set[str] = set()
        self.texts: list[str] = []
        self.comments = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attributes:
            self.attributes.add((tag, name))
            self.texts.append(value or "")
            if name in {"href", "src", "action", "formaction", "data", "poster", "srcdoc", "xlink:href"}:
                self.addresses.add(value or "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments += 1

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


@dataclass
class Seen:
    """All that the people of a room were given."""

    elements: set[str]
    attributes: set[tuple[str, str]]
    comments: int
    text: str


def played(url: str, script: French, names: list[str]) -> tuple[LiveRoom, Seen]:
    """A whole round over HTTP, with everybody's pages looked at on the way."""
    room = LiveRoom(url, members=("claire", "karim", "nadia"))
    screen = room.clients[SCREEN] = httpx.Client(follow_redirects=True, timeout=30)
    screen.get(room.screen_url).raise_for_status()
    for seat, name in zip(("fanny", "claire", "karim", "nadia"), names, strict=False):
        room.do(c.Rename(seat=seat, name=name))
    room.do(c.AddSeat(seat="fanny", id="by-hand-01", name=names[4], role="observer"))
    seen = Seen(set(), set(), 0, "")
    for step in ACTS:
        room.write("karim", "note", script.body(room, "karim", "note"))
        play(room, through=step, script=script)
        look(room, seen)
        if step != list(ACTS)[-1]:
            room.next()
    room.do(c.Close(seat="fanny", reason=script.body(room, "fanny", "note")["text"][:400]))
    look(room, seen)
    return room, seen


def look(room: LiveRoom, seen: Seen) -> None:
    for seat, client in room.clients.items():
        stage = f"{room.url}/{'ecran' if seat == SCREEN else 'salle'}/{room.id}/"
        whole, now = client.get(stage), client.get(f"{stage}maintenant")
        assert (whole.status_code, now.status_code) == (200, 200), seat
        html = [whole.text, now.json()["html"]]
        if room.state.course.closed and seat != SCREEN:
            html.append(client.get(f"{stage}bilan/").raise_for_status().text)
        for one in html:
            page = Page(one)
            assert not {a for a in page.addresses if not re.match(r"(/|[\w./?=-]*$|http://127\.0\.0\.1:\d+/|#)", a)}
            seen.elements |= page.elements
            seen.attributes |= page.attributes
            seen.comments += page.comments
            seen.text += page.text


@pytest.fixture(scope="module")
def own_server(template: Template) -> Iterator[services.Server]:
    with template.server(CORDEE_LOG_LEVEL="DEBUG") as server:
        yield server


@pytest.fixture(scope="module")
def plain(own_server) -> Seen:
    """The elements and attributes of a room in which nobody means harm."""
    room, seen = played(own_server.url, FRENCH, [NAMES[s] for s in ("fanny", "claire", "karim", "nadia", "thomas")])
    room.close()
    return seen


def names_of(turn: int) -> list[str]:
    return [SNIPPETS[(turn * 4 + n * 3) % len(SNIPPETS)] for n in range(5)]


@pytest.mark.parametrize("turn", range(GROUPS))
def test_hostile_texts_in_every_field_are_shown_as_typed_and_make_nothing_of_a_page(own_server, plain, turn):
    script = Hostile(turn)
    room, seen = played(own_server.url, script, names_of(turn))
    assert seen.elements - plain.elements <= {"br"}  # the end of a line, in a record
    assert seen.attributes - plain.attributes == set()
    assert seen.comments == plain.comments == 0
    assert "49" not in re.findall(r"\d\d", "".join(re.findall(r"\{\{.*?\}\}", seen.text)) or "")
    lost = [said for said in script.said if said not in seen.text]
    assert lost == []
    read_back(room, script)
    room.close()


def read_back(room: LiveRoom, script: Hostile) -> None:
    """The documents, the stream, and the room after a restart of the process that held it."""
    stage = f"{room.url}/salle/{room.id}/"
    client = room.clients["claire"]
    for name in ("client", "circle", "mine"):
        markdown = client.get(f"{stage}bilan/{name}.md")
        if markdown.status_code == 404:
            continue
        tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown.text)
        inline = {child.type for token in tokens for child in token.children or ()}
        assert inline <= {"text", "text_special", "softbreak", "hardbreak", "strong_open", "strong_close",
                          "em_open", "em_close"}  # fmt: skip
        assert not {token.type for token in tokens} & {"html_block", "code_block", "fence", "table_open", "hr"}
        pdf = client.get(f"{stage}bilan/{name}.pdf").raise_for_status()
        assert pdf.content.startswith(b"%PDF-") and b"root:" not in pdf.content
    with client.stream("GET", f"{stage}stream") as stream:
        received = b""
        for chunk in stream.iter_raw():
            received += chunk
            if received.count(b"\n\n") >= 2:
                break
    events = [message for block in received.split(b"\n\n") if block for message in read(block + b"\n\n")]
    assert [event for event, _ in events][:2] == ["hello", "message"] or events[0][0] == "hello"
    assert "bye" not in {event for event, _ in events}
    assert events[1][1].split("\n") == client.get(f"{stage}maintenant").json()["html"].split("\n")


def test_a_room_of_hostile_texts_is_the_same_after_a_restart(own_server):
    """The log folds again; no contribution is lost, whatever it holds."""
    room, _ = played(own_server.url, Hostile(0), names_of(0))
    stage = f"{room.url}/salle/{room.id}/"
    before = {seat: room.clients[seat].get(f"{stage}maintenant").json()["html"] for seat in ("fanny", "claire")}
    own_server.kill9()
    own_server.start()
    after = {seat: room.clients[seat].get(f"{stage}maintenant").json()["html"] for seat in ("fanny", "claire")}
    assert after == before
    shown = set(re.findall(r'id="[cr]-([\w-]+)"', "".join(after.values())))
    public = {
        k for k, kind in room.state.protocol.kinds.items() if not kind.private and kind.id not in {"vote", "situation"}
    }
    written = {i for i, one in room.state.contributions.items() if one.kind in public and not one.withdrawn}
    assert len(written) > 10
    assert {i for i in written if i not in shown} == set()
    log = own_server.log
    assert "Traceback" not in log
    assert not [snippet for snippet in SNIPPETS if len(snippet) > 12 and snippet.split("\n")[0] in log]
    room.close()


def test_the_page_reader_sees_what_escaping_would_have_missed(monkeypatch):
    bad = Page("<p onclick=x>a</p><script>x</script><a href=javascript:alert(1)>y</a><!-- z -->")
    assert ("p", "onclick") in bad.attributes and "script" in bad.elements and bad.comments == 1
    assert "javascript:alert(1)" in bad.addresses


# ---------------------------------------------------------------- what is no text: ids, marks, names of fields


ODD = [
    b"\x00", b"a\x00b", b"\xed\xa0\x80", b"\xff\xfe", "\u202e".encode(), "é".encode() * 70, b"../../etc/passwd",
    b"' OR 1=1 --", b"<script>alert(1)</script>", b"9" * 5000, b"-1", b"1e999", b"nan", b"inf", b"-0", b"", b" ",
    "\u200b".encode(), "٣".encode(), b"A" * 20_000, b"\r\nX: y", b"{0.__class__}", b"%s%n", b"__proto__", b"true",
    b"None", b"screen", b"fanny",
]  # fmt: skip
OF_ANYONE = {"write", "edit", "withdraw", "mark", "rename", "draw_card", "pass_floor", "leave", "return", "reveal"}
BY_FORM = [name for name in c.COMMANDS if name != "take_seat"]


def posted(house: House, client, path: str, pairs: list[tuple[str, bytes]]) -> int:
    body = "&".join(f"{urlencode({name: ''})[:-1]}={quote_from_bytes(value)}" for name, value in pairs)
    answer = client.generic("POST", f"{house.address}{path}", body, content_type="application/x-www-form-urlencoded")
    if answer.status_code == 409:
        page = Page(answer.content.decode())
        assert not {name for _, name in page.attributes if name.startswith("on")}
        assert "alert(1)" not in "".join(re.findall(r"<script[^>]*>([^<]*)", answer.content.decode()))
    return int(answer.status_code)


@pytest.fixture
def house(db) -> House:
    return settle(play(circle(("claire", "karim", "nadia")), until="suggestions"))


@pytest.mark.parametrize("name", BY_FORM)
def test_odd_values_in_each_field_of_each_act_are_refused_or_harmless(house, name):
    known = house.state
    situation = next(iter(known.contributions))
    right: dict[str, bytes] = {"id": b"new-number-1", "kind": b"suggestion", "target": b"nadia", "step": b"demande",
                               "situation": situation.encode(), "mark": b"useful", "body.text": b"Un mot."}  # fmt: skip
    own = [field.name if field.name != "body" else "body.text" for field in fields(c.COMMANDS[name])]
    own = [field for field in own if field != "seat"]
    statuses = set()
    for seat in ["karim"] if name in OF_ANYONE else ["fanny"]:
        client = house.browser(seat)
        client.raise_request_exception = False
        for field in [*own, *(["do", "extra", "body.", "body.\x00", "body.at"] if name == "write" else [])]:
            for value in ODD:
                form = {"do": name.encode(), **{key: right[key] for key in own if key in right}, field: value}
                statuses.add((posted(house, client, "contributions", list(form.items())), field))
    assert {pair for pair in statuses if pair[0] not in {302, 409}} == set()
    store.forget()
    render.forget()
    assert Entry.objects.filter(session=house.id).count() == house.state.version
    for seat in ("fanny", "claire", "karim"):
        assert house.browser(seat).get(house.address).status_code == 200
    for text in [s.name or "" for s in house.state.seats.values()]:
        text.encode()
        assert "\x00" not in text and "\u202e" not in text


def test_odd_drafts_are_kept_as_typed_for_their_author_or_refused(house):
    client = house.browser("karim")
    client.raise_request_exception = False
    statuses = set()
    for value in ODD:
        for field in ("kind", "body.text", "at", "body.at", "body.\x00", "extra"):
            form = {"kind": b"suggestion", "body.text": b"x", field: value}
            statuses.add((posted(house, client, "brouillon", list(form.items())), field))
            assert client.get(house.address).status_code == 200, (field, value)
    assert {pair for pair in statuses if pair[0] not in {204, 409}} == set()
    plain = Page(client.get(house.address).content.decode())
    for snippet in SNIPPETS:
        typed = snippet.replace("\r\n", "\n")
        form = [("kind", b"suggestion"), ("body.text", typed.encode())]
        assert posted(house, client, "brouillon", form) == 204
        page = Page(client.get(house.address).content.decode())
        assert (page.elements, page.attributes) == (plain.elements, plain.attributes)
        assert typed in page.text


def test_what_is_given_back_of_a_refused_form_is_text(house):
    """Karim is late: the questions are closed, and the page gives him back what he typed."""
    client = house.browser("karim")
    plain = Page(client.get(house.address).content.decode())
    for snippet in SNIPPETS:
        form = [("do", b"write"), ("kind", b"question"), ("id", b"new-number-1"), ("body.text", snippet.encode())]
        assert posted(house, client, "contributions", form) == 409
        answer = client.post(f"{house.address}contributions", {"do": "write", "kind": "question", "body.text": snippet})
        page = Page(answer.content.decode())
        assert page.elements - plain.elements <= {"p", "div", "strong"}
        assert not {name for _, name in page.attributes if name.startswith("on")}
        assert snippet.replace("\r\n", "\n").split("\n")[0] in page.text.replace("\r\n", "\n")


@pytest.mark.parametrize("at", ["abc", "nan", "1e999", "\x00", "<b>"])
def test_a_field_that_passes_for_the_time_of_a_draft_breaks_no_page(house, at):
    client = house.browser("karim")
    client.raise_request_exception = False
    form = {"do": "write", "kind": "suggestion", "id": "new-number-1", "body.text": "x" * 5000, "body.at": at}
    answer = client.post(f"{house.address}contributions", form)
    assert answer.status_code == 409
    assert "x" * 5000 in answer.content.decode()


@pytest.mark.parametrize("seat", ["fanny", "karim"])
def test_a_text_larger_than_its_field_is_refused_and_leaves_nothing(house, seat):
    before = house.state.version
    client = house.browser(seat)
    for kind in house.state.protocol.kinds.values():
        for text in (b"x" * 20_000, "\u0301".encode() * 20_000, "👩‍👧".encode() * 2_000, b"<" * 20_000):
            form = [("do", b"write"), ("kind", kind.id.encode()), ("id", b"new-number-9")]
            form += [(f"body.{box.id}", text) for box in kind.fields]
            assert posted(house, client, "contributions", form) == 409, kind.id
    store.forget()
    assert house.state.version == before


@pytest.mark.parametrize(
    "text",
    ["?" * 2000, "tu " * 666, "as-tu pensé à " * 140, "a" * 2000, " " * 2000, "-t-il " * 333, "(" * 2000, SOUP[:2000]],
)
def test_no_question_keeps_the_private_hint_busy(text):
    began = time.process_time()
    hint(text)
    assert time.process_time() - began < 5


# ---------------------------------------------------------------- what Typst may read


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../../../../../etc/passwd", "../documents.py", "../../../config/settings.py"]
)
def test_typst_reads_no_file_outside_its_own_folder_even_if_it_were_made_to(path):
    """Were a text ever taken for Typst's own words, this is all that would stand in its way."""
    import typst

    asked = f'#let found = read("{path}")\n#found'.encode()
    compiler = typst.Compiler(root=documents.TEMPLATES, sys_inputs={})
    with pytest.raises(typst.TypstError):
        compiler.compile(asked, format="pdf")
    assert compiler.compile(b'#let found = read("record.typ")\n#found.len()', format="pdf")  # the question is well put


def test_the_data_that_typst_is_given_is_one_value_whatever_it_holds():
    given = json.loads(json.dumps(documents._breakable({"text": SOUP, "rows": [SOUP]})))
    assert given["text"].replace("\u200b", "") == SOUP.replace("\u200b", "")
