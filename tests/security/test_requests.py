"""Requests that no page of ours makes, from other sites, to other names, in odd forms and bytes: they do no harm."""

import json
import re
from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from cordee.room import access, actions, limits, store
from cordee.room.models import Draft, Entry, Session
from tests import services
from tests.conftest import Template
from tests.live.people import Person
from tests.room.clean import clean_memory  # noqa: F401
from tests.room.rooms import ORIGIN, House, join, open_room
from tests.security.wire import as_person, exchange, head, statuses

PLAIN = "application/x-www-form-urlencoded"
OTHERS = [
    None,
    "null",
    "https://elsewhere.example",
    "http://testserver.evil.example",
    "http://evil-testserver",
    "http://testserver:81",
    "http://user@testserver",
    "http://testserver/",
    "ftp://testserver",
    "http://[",
    "http://testserver http://elsewhere.example",
]


@pytest.fixture
def house(db) -> House:
    return open_room()[0]


@pytest.fixture
def unlimited(monkeypatch) -> None:
    for what in limits.LIMITS:
        monkeypatch.setitem(limits.LIMITS, what, (10**6, 300))
    for what in limits.PACES:
        monkeypatch.setitem(limits.PACES, what, (10**6, 1))


def forms(house: House) -> dict[str, dict[str, str]]:
    """Every address that takes a form, and one that it would take."""
    code = actions.links(store.load(house.id))["code"]
    return {
        "/salles/nouvelle/": {"name": "Octave"},
        "/rejoindre/": {"code": code},
        f"/s/{code}/": {"name": "Octave"},
        f"{house.address}contributions": {"do": "pause"},
        f"{house.address}brouillon": {"kind": "note", "body.text": "Un mot."},
        f"{house.address}code": {},
        f"{house.address}sortir": {},
        "/setlang/": {"language": "en"},
    }


def kept(house: House) -> tuple[object, ...]:
    """Whatever a form could have changed."""
    return (
        Entry.objects.count(),
        Draft.objects.count(),
        list(Session.objects.values_list("pk", "code_digest").order_by("pk")),
    )


# ---------------------------------------------------------------- forms of other sites


def browser(house: House, **headers: str) -> Client:
    """Fanny's browser, which sends her cookies whoever's page the form is on, and does check tokens."""
    client = Client(enforce_csrf_checks=True, **{"HTTP_HOST": "testserver", **headers})
    client.get(f"/place/{house.tokens[house.state.facilitator()]}/")
    client.get("/salles/nouvelle/")
    return client


@pytest.mark.parametrize("origin", OTHERS)
def test_a_form_on_another_sites_page_changes_nothing(house, origin):
    before = kept(house)
    client = browser(house, **({} if origin is None else {"HTTP_ORIGIN": origin}))
    for address, form in forms(house).items():
        answer = client.post(address, form)
        assert answer.status_code in {403, 409}, address
        assert set(answer.cookies) <= {"csrftoken"}, address
    assert kept(house) == before


@pytest.mark.parametrize("origin", [o for o in OTHERS if o])
def test_nor_does_one_that_has_found_a_token(house, origin):
    """A token planted by a neighbour is not enough: the page's origin counts as well."""
    before = kept(house)
    client = browser(house, HTTP_ORIGIN=origin)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get("/salles/nouvelle/").content.decode())[1]
    for address, form in forms(house).items():
        assert client.post(address, {**form, "csrfmiddlewaretoken": token}).status_code in {403, 409}, address
    assert kept(house) == before


def test_the_same_forms_on_our_own_pages_do_change_something(house):
    """What the tests above rely on."""
    client = browser(house, **ORIGIN)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get("/salles/nouvelle/").content.decode())[1]
    for address, form in forms(house).items():
        client.get(f"/place/{house.tokens[house.state.facilitator()]}/")  # who comes by the code sits elsewhere
        assert client.post(address, {**form, "csrfmiddlewaretoken": token}).status_code in {200, 302, 204}, address


@pytest.mark.parametrize(
    ("https", "origin", "ours"),
    [
        (False, "http://cordee.example", True),
        (False, "https://cordee.example", True),  # a proxy that speaks HTTPS, of which we were not told
        (True, "https://cordee.example", True),
        (True, "HTTPS://Cordee.Example", True),
        (True, "http://cordee.example", False),
        (True, "https://cordee.example:444", False),
        (True, "https://cordee.example.evil.example", False),
        (True, "https://", False),
        (True, "https://[", False),
        (True, "null", False),
    ],
)
def test_under_https_a_page_that_came_over_http_is_not_ours(https, origin, ours):
    with override_settings(HTTPS=https):
        assert access.same_origin({b"origin": origin.encode(), b"host": b"cordee.example"}) is ours
        assert not access.same_origin({b"origin": origin.encode()})


def test_the_private_hint_keeps_nothing_and_no_other_site_can_read_it(house):
    before = kept(house)
    answer = browser(house, HTTP_ORIGIN="https://elsewhere.example").post(f"{house.address}indice", {"text": "Et si ?"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert kept(house) == before


# ---------------------------------------------------------------- forms in odd forms


def parts(*given: tuple[bytes, bytes]) -> bytes:
    return b"".join(b"--x\r\n" + head_ + b"\r\n\r\n" + value + b"\r\n" for head_, value in given) + b"--x--\r\n"


def named(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return b'Content-Disposition: form-data; name="' + name + b'"', value


CHARSETS = [
    "utf-7", "utf-16", "utf-32", "unicode_escape", "raw_unicode_escape", "hex", "base64", "zlib", "bz2", "rot13",
    "idna", "punycode", "undefined", "mbcs", "latin-1", "cp037", "x" * 3000, "", "utf-8;charset=hex",
    "../../etc/passwd",
]  # fmt: skip
TYPES = [
    *(f"multipart/form-data; boundary=x; charset={charset}" for charset in CHARSETS),
    *(f"{PLAIN}; charset={charset}" for charset in CHARSETS),
    "multipart/form-data; boundary=x; charset*=utf-8''utf-7", f"{PLAIN}; charset*=x'", "multipart/form-data",
    "multipart/form-data; boundary=", "multipart/form-data; boundary=x", "multipart/form-data; boundary=" + "x" * 300,
    "multipart/form-data; boundary=\xe9", "multipart/mixed; boundary=x", "application/json", "text/xml", "", ";;;",
]  # fmt: skip
HALF = b"+2AA- \\ud800 \xed\xa0\x80 %ED%A0%80 "  # half a character, as each codec would have it
ACT = [named(b"do", b"write"), named(b"kind", b"note"), named(b"id", b"aaaaaaaa1"), named(b"body.text", HALF + b"z")]
BODIES = {
    "nothing": b"",
    "only a boundary": b"--x",
    "halves in a form": b"name=%ED%A0%80abc&code=%ED%A0%80&do=write&kind=note&id=aaaaaaaa2&body.text=%ED%A0%80z",
    "halves in parts": parts(named(b"name", HALF + b"a"), named(b"code", HALF), *ACT),
    "halves refused": parts(named(b"name", HALF), named(b"do", b"nothing"), named(b"kind", b"note"), ACT[3]),
    "a file": parts((b'Content-Disposition: form-data; name="name"; filename="../../etc/passwd"', b"x")),
    "not base64": parts((b'Content-Disposition: form-data; name="name"\r\nContent-Transfer-Encoding: base64', b"!x")),
    "a base64 of halves": parts((ACT[0][0] + b"\r\nContent-Transfer-Encoding: base64", b"7aCA")),
    "no name": parts((b"Content-Disposition: form-data", b"x")),
    "garbage": parts((b"garbage", b"x")),
    "a name in hex": parts((b"Content-Disposition: form-data; name*=hex''%ff", b"x")),
    "a name in UTF-7": parts((b"Content-Disposition: form-data; name*=utf-7''%2B2AA-", b"x")),
    "a file name in hex": parts((b"Content-Disposition: form-data; name=\"name\"; filename*=hex''%ff", b"x")),
    "many fields": b"&".join(b"a%d=1" % n for n in range(1500)),
    "many parts": parts(*[named(b"f%d" % n, b"1") for n in range(1200)]),
    "percents": b"name=" + b"%" * 500,
    "a NUL": b"name=\x00&code=\x00&do=write&kind=note&id=aaaaaaaa3&body.text=\x00z\x00",
}


def test_a_form_in_whatever_form_never_breaks_a_page(house, unlimited):
    seat = house.state.facilitator()
    client = house.browser(seat)
    client.raise_request_exception = False
    broken = []
    for address in [*forms(house), f"{house.address}indice"]:
        if address.endswith(("/code", "/sortir")) or address == "/salles/nouvelle/":
            continue  # the first two take no field; the third is as /s/…/, and would make a room each time
        for kind in TYPES:
            for name, body in BODIES.items():
                status = client.generic("POST", address, body, content_type=kind).status_code
                broken += [(status, address, kind[:60], name)] if status >= 500 else []
        client.cookies.pop(access.COOKIE, None)
        client.get(f"/place/{house.tokens[seat]}/")  # a form of /s/…/ may have seated this browser elsewhere
    assert broken == []
    store.forget()
    names = "".join(s.name or "" for s in store.load(house.id).state.seats.values())
    texts = "".join("".join((entry.body or {}).values()) for entry in house.state.contributions.values())
    (names + texts).encode()  # no half of a character came in
    assert house.browser(seat).get(house.address).status_code == 200


def test_a_form_in_another_writing_is_refused_whoever_sends_it(house):
    karim = house.browser(join(house, "Karim"))
    before = kept(house)
    for charset in ("utf-7", "hex", "latin-1"):
        kind = f"multipart/form-data; boundary=x; charset={charset}"
        answer = karim.generic("POST", f"{house.address}contributions", parts(*ACT), content_type=kind)
        assert answer.status_code == 415
    assert kept(house) == before
    plain = karim.generic(
        "POST",
        f"{house.address}contributions",
        parts(*ACT),
        content_type="multipart/form-data; boundary=x; charset=UTF-8",
    )
    assert plain.status_code == 302
    assert Entry.objects.count() == before[0] + 1


# ---------------------------------------------------------------- the real server


@pytest.fixture(scope="module")
def door(template: Template) -> Iterator[services.Server]:
    """The real server, which says all it can in JSON."""
    with template.server(CORDEE_LOG_FORMAT="json", CORDEE_LOG_LEVEL="DEBUG") as server:
        yield server


@pytest.fixture(scope="module")
def fanny(door) -> Iterator[Person]:
    person = Person(door, "/salles/nouvelle/", "Fanny")
    yield person
    person.http.close()


def once(person: Person, method: str, path: str, *lines: str) -> bytes:
    """All that is answered to this one request."""
    return exchange(person.server, as_person(person, method, path, *lines, "Connection: close"))


def act(person: Person, *lines: str, body: bytes = b"do=pause", script: bool = True) -> bytes:
    own = ["X-Cordee: 1"] if script else []
    return as_person(
        person,
        "POST",
        f"{person.path}contributions",
        *own,
        *lines,
        "Connection: close",
        f"Content-Type: {PLAIN}",
        f"Content-Length: {len(body)}",
    ) + body  # fmt: skip


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize(
    "origin", ["http://[", "http://[::1", "http://\xe9", "http://127.0.0.1:99999999", "//", "[", ""]
)
def test_an_origin_that_cannot_be_read_is_another(fanny, script, origin):
    answer = exchange(fanny.server, act(fanny, f"Origin: {origin}", script=script), quiet=1)
    assert statuses(answer)[0] in {400, 403, 409}
    assert "Reprendre" not in fanny.look()  # nothing was paused


def test_a_name_that_is_not_ours_gets_no_page_and_no_link(fanny):
    port = fanny.server.port
    for lines in (
        ["Host: evil.example"],
        ["Host: evil.example:80"],
        [f"Host: 127.0.0.1:{port}", "Host: evil.example"],
        ["Host: evil.example", f"Host: 127.0.0.1:{port}"],
        [f"Host: 127.0.0.1:{port}@evil.example"],
        ["Host: 127.0.0.1:evil"],
        ["Host: "],
    ):
        answer = once(fanny, "GET", fanny.path, *lines)
        assert statuses(answer) == [400], lines
        assert b"Fanny" not in answer


@pytest.mark.parametrize(
    "line",
    [
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Server: evil.example",
        "X-Host: evil.example",
        "X-Original-URL: /evil.example",
        "X-Rewrite-URL: /evil.example",
        "X-Forwarded-Prefix: /evil.example",
        "X-Forwarded-Port: 6666",
        "Forwarded: host=evil.example;proto=https",
    ],
)
def test_links_are_made_of_the_host_alone(fanny, line):
    answer = once(fanny, "GET", fanny.path, line, "Accept-Encoding: identity")
    assert statuses(answer) == [200]
    page = answer.decode()
    assert f"http://127.0.0.1:{fanny.server.port}/s/" in page and f":{fanny.server.port}/place/" in page
    assert "evil.example" not in page and "6666" not in page


def test_an_absolute_address_changes_neither_the_host_nor_the_page(fanny):
    answer = once(fanny, "GET", f"http://evil.example{fanny.path}")
    assert b"evil.example" not in answer
    answer = exchange(
        fanny.server, head("GET", f"http://127.0.0.1:{fanny.server.port}/", fanny.server, "Host: evil.example"), quiet=1
    )
    assert statuses(answer) == [400]


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\r\nX: y", "%0d%0aX: y"],
)
def test_choosing_a_language_leads_nowhere_else(fanny, elsewhere):
    page = fanny.http.get("/").text
    form = {"language": "en", "next": elsewhere}
    form["csrfmiddlewaretoken"] = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)[1]
    answer = fanny.http.post("/setlang/", data=form, headers={"Origin": fanny.server.url}, follow_redirects=False)
    assert answer.status_code == 302
    location = answer.headers["location"]
    assert not location.startswith(("//", "/\\", "\\")) and not re.match(r"[a-z][a-z0-9+.-]*:", location, re.IGNORECASE)
    assert "evil" not in location and "x" not in answer.headers
    fanny.http.cookies.delete("langue")


def test_no_name_and_no_text_reaches_a_header(door):
    """A name that ends a header and begins another, in whose name everything is then asked for."""
    octave = Person(door, "/salles/nouvelle/", "Octave\r\nX-Evil: 1\r\n\r\n<script>")
    octave.do("write", kind="note", id="note-number-1", body_text="x\r\nX-Evil: 1\r\n\r\n")
    for end in ("", "bilan/", "bilan/mine.md", "bilan/mine.pdf", "maintenant"):
        answer = octave.http.get(f"{octave.path}{end}")
        assert answer.status_code == 200, end
        assert "x-evil" not in answer.headers and "evil" not in str(answer.headers).lower()
    disposition = octave.http.get(f"{octave.path}bilan/mine.md").headers["content-disposition"]
    assert disposition == 'attachment; filename="cordee-mine.md"'
    octave.http.close()


TRAVERSALS = [
    "/static/../cordee_secret_key",
    "/static/..%2fcordee_secret_key",
    "/static/%2e%2e/cordee_secret_key",
    "/static/%2e%2e%2fcordee_key_ring",
    "/static/..%5ccordee_secret_key",
    "/static/....//cordee_secret_key",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/web/..%00/../../cordee.sqlite3",
    "/static/%252e%252e%252fcordee_secret_key",
    "/static/..;/cordee_secret_key",
    "//etc/passwd",
    "/../../../../etc/passwd",
    "/ateliers/images/../../../cordee_secret_key",
    "/ateliers/images/..%2f..%2f..%2fetc%2fpasswd",
    "/ateliers/images/%2fetc%2fpasswd",
    "/ateliers/images/....//....//etc/passwd",
    "/ateliers/..%2f..%2fREADME/",
    "{room}bilan/..%2f..%2fcordee_secret_key",
    "{room}bilan/../../cordee_secret_key",
    "{room}bilan/mine.md%00.pdf",
    "{room}bilan/mine.html",
    "{room}bilan/%2fetc%2fpasswd.md",
    "{room}bilan/mine.md/../../../etc/passwd",
    "/.well-known/../cordee_secret_key",
    "/static/staticfiles.json/../../cordee_secret_key",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_address_leads_to_a_file_that_is_not_for_visitors(fanny, path):
    secret = (fanny.server.var / "cordee_secret_key").read_bytes().strip()
    assert len(secret) > 20
    for method in ("GET", "HEAD"):
        answer = once(fanny, method, path.replace("{room}", fanny.path))
        assert statuses(answer)[0] in {400, 404}, answer[:200]
        assert secret not in answer and b"root:" not in answer and b"SQLite format" not in answer


# ---------------------------------------------------------------- requests within requests


def hidden_request(server: services.Server) -> bytes:
    return f"GET /hidden HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()


CHUNKED = "Transfer-Encoding: chunked"
END = b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("lines", "before"),
    [
        (["Content-Length: 200", CHUNKED], END),
        ([CHUNKED, "Content-Length: 4"], b"3f\r\n"),
        (["Content-Length: 0", "Content-Length: 6"], b""),
        (["Content-Length: 0", "Content-Length: 0"], b""),
        (["Content-Length: 0, 6"], b""),
        (["Content-Length: +0"], b""),
        (["Content-Length: -1"], b""),
        (["Content-Length: 0x10"], b""),
        (["Content-Length: 0 0"], b""),
        (["Transfer-Encoding : chunked", "Content-Length: 5"], END),
        (["Transfer-Encoding: xchunked", "Content-Length: 5"], END),
        ([CHUNKED, "Transfer-Encoding: identity"], END),
        (["Transfer-Encoding: chunked, identity"], END),
        (["Transfer-Encoding: identity, chunked, identity"], END),
        (["Transfer-Encoding:\tchunked", "Content-Length: 5"], END),
        (["Transfer-Encoding:\r\n chunked", "Content-Length: 5"], END),
        (["X: y\nTransfer-Encoding: chunked", "Content-Length: 5"], END),
        (["X: y\rTransfer-Encoding: chunked", "Content-Length: 5"], END),
        (["X: y\x00", "Content-Length: 0"], b""),
        ([CHUNKED], b"0;x=\n\r\n\r\n"),
        ([CHUNKED], b"-1\r\n"),
        ([CHUNKED], b"FFFFFFFFFFFFFFFFF\r\n"),
        ([CHUNKED], b"0\n\n"),
        ([CHUNKED], b"0x0\r\n\r\n"),
        ([CHUNKED], b" 0\r\n\r\n"),
    ],
)
def test_a_request_hidden_in_anothers_body_is_never_answered(fanny, lines, before):
    """What two servers in a row could read in two ways is refused by ours, and the connection ends."""
    hidden = hidden_request(fanny.server)
    sent = as_person(fanny, "POST", "/rejoindre/", f"Content-Type: {PLAIN}", *lines) + before + hidden
    assert statuses(exchange(fanny.server, sent + END + hidden, quiet=1)) == [400]


def test_a_request_after_another_is_answered_and_one_in_a_body_is_not(fanny):
    """What the test above would see."""
    hidden = hidden_request(fanny.server)
    last = head("GET", "/nowhere", fanny.server, "Connection: close")
    assert statuses(exchange(fanny.server, hidden + last)) == [404, 404]
    body = as_person(fanny, "POST", "/rejoindre/", f"Content-Type: {PLAIN}", f"Content-Length: {len(hidden)}") + hidden
    assert statuses(exchange(fanny.server, body, quiet=1)) == [403]


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "MKCOL", "LOCK", "PURGE"])
def test_methods_that_we_do_not_have(fanny, method):
    for path in (
        "/",
        fanny.path,
        f"{fanny.path}stream",
        f"{fanny.path}contributions",
        "/static/",
        "/healthz",
        "/nowhere",
    ):
        answer = once(fanny, method, path, "Content-Length: 0", "X-Cordee: 1")
        assert statuses(answer) == [405], path
        assert fanny.token.encode() not in answer


@pytest.mark.parametrize(
    "override", ["X-HTTP-Method-Override: DELETE", "X-Method-Override: PUT", "X-HTTP-Method: POST"]
)
def test_no_header_makes_a_method_of_another(fanny, override):
    assert statuses(once(fanny, "GET", f"{fanny.path}contributions", override)) == [405]


@pytest.mark.parametrize(
    "sent",
    [
        b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_not_http_of_ours_is_refused(fanny, sent):
    assert statuses(exchange(fanny.server, sent, quiet=1)) == [400]


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
def test_no_other_protocol_is_spoken(fanny, protocol):
    lines = ["Connection: Upgrade", f"Upgrade: {protocol}", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    answer = once(fanny, "GET", "/", *lines, "Sec-WebSocket-Version: 13")
    assert statuses(answer) == [200]  # as if it had not been asked for


# ---------------------------------------------------------------- lines of the log


FORGED = '{"time":"2026-01-01T00:00:00","level":"CRITICAL","logger":"forged","message":"x"}'


def test_nothing_that_is_sent_makes_a_line_of_the_log_or_colours_one(door, fanny):
    esc = "\x1b[31m\x07\x9b"
    quoted = FORGED.replace('"', "%22")
    exchange(
        door,
        head("GET", f"/nowhere%0A{quoted}%0d%1b[31m%E2%80%A8x", door),
        quiet=0.3,
    )
    exchange(
        door, head("GET", "/nowhere", door, f"User-Agent: {esc}{FORGED}", f"Referer: http://x/{FORGED}"), quiet=0.3
    )
    exchange(door, head("GET", "/", door, f"Host: evil{esc}{FORGED}"), quiet=0.3)
    exchange(door, head("GET", "/", door, f"Cookie: langue={FORGED}{esc}; place=\xff"), quiet=0.3)
    exchange(door, act(fanny, f"Origin: http://{FORGED}"), quiet=0.3)
    exchange(door, act(fanny, "Origin: null", script=False), quiet=0.3)
    exchange(door, b"GET /\n" + FORGED.encode() + b"\n HTTP/1.1\r\n\r\n", quiet=0.3)
    octave = Person(door, "/salles/nouvelle/", f"Octave {FORGED[:30]}")
    octave.post(do="write", kind=f"\n{FORGED}\n", id=f"\n{FORGED}", body_text=f"\n{FORGED}\n")
    octave.http.close()
    lines = door.log.split("\n")
    assert lines.pop() == ""
    assert len(lines) > 5
    for line in lines:
        told = json.loads(line)  # every line is one object
        assert told["logger"] != "forged"
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", line), line


def test_a_code_or_a_link_typed_wrongly_is_not_in_the_log(door, fanny):
    code, token = fanny.code, fanny.token
    for path in (
        f"/s/{code[:5]}%20{code[5:]}/x",
        f"/s/{code[:5]}'{code[5:]}/x",
        f"/S/{code}/",
        f"//s//{code}/",
        f"/place/{token}%20/",
        f"/place/%22{token}%22/",
        f"/PLACE/{token}/",
        f"/{token}/",
        f"/salle/{token}/",
        f"/nowhere?/place/{token}/",
    ):
        assert statuses(exchange(door, head("GET", path, door, "Connection: close")))[0] == 404, path
    log = door.log
    assert "/s/…" in log and "/place/…" in log.lower()
    for secret in (code, code[5:], token):
        assert secret not in log


def test_none_of_all_this_was_an_error_of_ours(door, fanny):
    """Runs last in this file: whatever was sent above, nothing broke."""
    assert fanny.http.get(fanny.path).status_code == 200
    assert [
        line
        for line in map(json.loads, door.log.splitlines())
        if "error" in line and "DisallowedHost" not in line["logger"]
    ] == []
