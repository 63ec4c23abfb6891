"""What every answer of the real server carries, marked as a browser's site scanner marks it, over HTTPS behind a proxy.

The marks are those of Mozilla's Observatory (CSP, cookies, CORS, redirection, HSTS, referrer, integrity of scripts,
X-Content-Type-Options, X-Frame-Options, CORP): each answer must lose none.
"""

import re
import socket

import httpx
import pytest

from cordee.live.headers import EVERYWHERE, METHODS, completed, strict_transport
from tests.conftest import Template

YEAR = 31_536_000


@pytest.fixture(scope="module")
def https(template: Template):
    """The real server told that it is behind HTTPS."""
    with template.server(CORDEE_HTTPS="1", CORDEE_SECURITY_CONTACT="mailto:securite@example.org") as server:
        yield server


class Visitor:
    """A browser behind the proxy: what it asks comes over HTTPS."""

    def __init__(self, server) -> None:
        secure = {"X-Forwarded-Proto": "https"}
        self.http = httpx.Client(base_url=server.url, headers=secure, timeout=30)
        self.origin = server.url
        self.jar: dict[str, str] = {}  # httpx rightly keeps no Secure cookie for http://

    def ask(self, method: str, path: str, data: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}
        sent |= {
            "Origin": self.origin.replace("http:", "https:"),
            "Referer": self.origin.replace("http:", "https:") + "/",
        }
        answer = self.http.request(method, path, data=data, headers=sent | headers)
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            self.jar[name] = rest.partition(";")[0]
        return answer

    def opened(self) -> str:
        """Opens a room as Fanny; the address of its stage."""
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.ask("GET", "/salles/nouvelle/").text)[1]
        answer = self.ask("POST", "/salles/nouvelle/", {"name": "Fanny", "csrfmiddlewaretoken": token})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


@pytest.fixture(scope="module")
def answers(https) -> dict[str, httpx.Response]:
    """One answer of every kind that the server gives."""
    fanny, stranger = Visitor(https), Visitor(https)
    stage = fanny.opened()
    act, script = f"{stage}contributions", {"X-Cordee": "1"}
    page = fanny.ask("GET", stage)
    static = re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css|svg))"', page.text)
    made = {
        "home": stranger.ask("GET", "/"),
        "catalogue": stranger.ask("GET", "/ateliers/"),
        "new room": stranger.ask("GET", "/salles/nouvelle/"),
        "code": stranger.ask("GET", "/rejoindre/"),
        "wrong code": stranger.ask("GET", "/s/ABCDEFGHJK/"),
        "lost place": stranger.ask("GET", "/place/nothing/"),
        "nowhere": stranger.ask("GET", "/nowhere"),
        "redirection": stranger.ask("GET", "/ateliers"),
        "security.txt": stranger.ask("GET", "/.well-known/security.txt"),
        "language without a token": stranger.ask("POST", "/setlang/", {"language": "en"}),
        "stage": page,
        "stage of a stranger": stranger.ask("GET", stage),
        "record": fanny.ask("GET", f"{stage}bilan/"),
        "act done": fanny.ask("POST", act, {"do": "pause"}, **script),
        "act refused": fanny.ask("POST", act, {"do": "nothing"}, **script),
        "act of a stranger": stranger.ask("POST", act, {"do": "pause"}, **script),
        "act of another site": fanny.ask("POST", act, {"do": "pause"}, **(script | {"Origin": "https://evil.example"})),
        "act too large": fanny.ask("POST", act, {"do": "x" * 70_000}, **script),
        "plain act": fanny.ask("POST", act, {"do": "nothing"}),
        "hint": fanny.ask("POST", f"{stage}indice", {"text": "As-tu pensé à lui parler ?"}),
        "draft": fanny.ask("POST", f"{stage}brouillon", {"kind": "note", "body.text": "x"}),
        "draft of a stranger": stranger.ask("POST", f"{stage}brouillon", {"kind": "note"}),
        "stream of a stranger": stranger.ask("GET", f"{stage}stream"),
        "trace": stranger.ask("TRACE", "/"),
        "options": stranger.ask("OPTIONS", "/"),
        "bad host": stranger.ask("GET", "/", Host="evil.example"),
        **{f"static {name.rpartition('/')[2]}": stranger.ask("GET", name) for name in static},
    }
    with fanny.http.stream("GET", f"{stage}stream", headers={"Cookie": cookies(fanny)}) as stream:
        assert stream.status_code == 200
        made["stream"] = stream
    return made


def cookies(visitor: Visitor) -> str:
    return "; ".join(f"{name}={value}" for name, value in visitor.jar.items())


def policy(answer: httpx.Response) -> dict[str, set[str]]:
    rows = (row.split() for row in answer.headers["content-security-policy"].split(";") if row.strip())
    return {row[0]: set(row[1:]) for row in rows}


# ---------------------------------------------------------------- what is taken off, by name of the scanner's test


def marks_lost(answer: httpx.Response) -> list[str]:
    """What the scanner would hold against this answer."""
    headers, lost = answer.headers, []
    csp = policy(answer) if "content-security-policy" in headers else {}
    if csp.get("default-src") != {"'none'"}:
        lost.append("csp: not closed by default")
    loose = {"*", "http:", "https:", "'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "'wasm-unsafe-eval'"}
    if any(loose & values for values in csp.values()):
        lost.append("csp: loose")
    if any("data:" in csp.get(name, ()) for name in ("script-src", "object-src", "default-src", "style-src")):
        lost.append("csp: data: where it can run")
    for name in ("object-src", "base-uri", "frame-ancestors"):
        if csp.get(name) != {"'none'"}:
            lost.append(f"csp: {name}")
    if csp.get("form-action") not in ({"'none'"}, {"'self'"}):
        lost.append("csp: form-action")
    age = re.match(r"max-age=(\d+)", headers.get("strict-transport-security", ""))
    if not age or int(age[1]) < YEAR:
        lost.append("hsts")
    for line in headers.get_list("set-cookie"):
        name, parts = line.partition("=")[0], {part.strip().lower() for part in line.split(";")[1:]}
        if not name.startswith("__Host-") or not {"secure", "path=/"} <= parts or any("domain" in p for p in parts):
            lost.append(f"cookie {name}: not __Host-")
        if "httponly" not in parts or not {"samesite=lax", "samesite=strict"} & parts:
            lost.append(f"cookie {name}: attributes")
    if headers.get("access-control-allow-origin") is not None:
        lost.append("cors")
    if headers.get("referrer-policy") not in {"same-origin", "no-referrer", "strict-origin-when-cross-origin"}:
        lost.append("referrer")
    for name in ("x-content-type-options", "x-frame-options"):
        if headers.get(name, "").lower() != EVERYWHERE[name.encode()].decode().lower():
            lost.append(name)
    for name in ("cross-origin-resource-policy", "cross-origin-opener-policy"):
        if headers.get(name) != EVERYWHERE[name.encode()].decode():
            lost.append(name)
    if "camera=()" not in headers.get("permissions-policy", ""):
        lost.append("permissions")
    if not headers.get("cache-control"):
        lost.append("cache: unsaid")
    return lost


def test_no_answer_loses_a_mark(answers):
    assert len(answers) > 30
    lost = {name: found for name, answer in answers.items() if (found := marks_lost(answer))}
    assert lost == {}


def test_no_header_comes_twice(answers):
    for name, answer in answers.items():
        names = [key.lower() for key, _ in answer.headers.multi_items() if key.lower() != "set-cookie"]
        assert len(names) == len(set(names)), name


def test_the_marks_can_be_lost():
    bad = httpx.Response(200, headers=[
        ("content-security-policy", "default-src 'none'; script-src 'self' 'unsafe-inline'"),
        ("set-cookie", "place=x; Path=/salle/x/"),
        ("access-control-allow-origin", "*"),
    ])  # fmt: skip
    lost = " ".join(marks_lost(bad))
    for word in (
        "csp: loose",
        "csp: object-src",
        "hsts",
        "cookie place",
        "cors",
        "referrer",
        "x-frame-options",
        "cache",
    ):
        assert word in lost, word
    assert marks_lost(httpx.Response(200))


def test_what_is_private_may_not_be_kept_and_only_static_files_may(answers):
    public = {name for name, answer in answers.items() if "no-store" not in answer.headers["cache-control"]}
    assert {name for name in public if not name.startswith("static ")} == set()
    assert any(name.startswith("static ") for name in public)


def test_what_is_no_page_may_do_nothing_in_a_browser(answers):
    for name in ("stream", "act done", "act refused", "act of a stranger", "trace"):
        assert "script-src" not in policy(answers[name]), name
        assert policy(answers[name])["form-action"] == {"'none'"}


def test_every_body_says_its_type_and_its_character_set(answers):
    for name, answer in answers.items():
        kind = answer.headers.get("content-type", "")
        if name == "stream" or (answer.content and answer.status_code not in {301, 302}):
            assert kind, name
        if re.match(r"text/(?!javascript)|.*xml\b", kind) and not kind.startswith("image/"):
            assert "charset=utf-8" in kind.lower().replace('"', ""), (name, kind)


def test_no_page_holds_inline_script_or_style_or_handlers(answers):
    for name, answer in answers.items():
        if answer.headers.get("content-type", "").startswith("text/html") and name != "stream":
            assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text), name
            assert not re.search(r"<style\b|<[^>]+\s(?:style|on\w+)=", answer.text), name
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//(?!127\.0\.0\.1)', answer.text), name


def test_methods_that_we_do_not_have_are_refused_and_said(answers):
    for name in ("trace", "options"):
        assert answers[name].status_code == 405
        assert answers[name].headers["allow"] == "GET, HEAD, POST"
        assert answers[name].content == b""
    assert METHODS == ("GET", "HEAD", "POST")


def test_over_http_we_send_browsers_to_https_and_the_live_line_sends_nobody_anywhere(https):
    plain = httpx.Client(base_url=https.url)
    for path in ("/", "/rejoindre/", "/salle/x/"):
        answer = plain.get(path)
        assert answer.status_code == 301 and answer.headers["location"].startswith("https://"), path
        assert "strict-transport-security" not in answer.headers
    assert plain.get("/salle/x/stream").status_code == 404
    for origin, status in ((https.url, 403), (https.url.replace("http:", "https:"), 404)):
        answer = plain.post("/salle/x/contributions", headers={"X-Cordee": "1", "Origin": origin})
        assert answer.status_code == status


def test_a_header_in_underscores_does_not_pass_for_the_proxys_word(https):
    port = int(https.url.rpartition(":")[2])
    asked = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX_Forwarded_Proto: https\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(asked)
        assert line.recv(4096).startswith(b"HTTP/1.1 301")


def test_who_is_no_trusted_proxy_chooses_neither_address_nor_https(template: Template):
    """The limits on guessing count the address of the connection, whatever X-Forwarded-For says."""
    with template.server(CORDEE_HTTPS="1", CORDEE_SSL_REDIRECT="0", FORWARDED_ALLOW_IPS="192.0.2.1") as server:
        client = httpx.Client(base_url=server.url, headers={"X-Forwarded-Proto": "https"}, timeout=30)
        assert "strict-transport-security" not in client.get("/").headers
        codes = [
            client.get("/s/ABCDEFGHJK/", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(22)
        ]
        assert codes[0] == 404 and codes[-1] == 429


def test_security_txt_says_whom_to_tell_and_until_when(answers, server):
    text = answers["security.txt"].text
    assert "Contact: mailto:securite@example.org\n" in text
    assert re.search(r"^Expires: 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$", text, re.MULTILINE)
    assert answers["security.txt"].headers["content-type"] == "text/plain; charset=utf-8"
    assert httpx.get(f"{server.url}/.well-known/security.txt").status_code == 404  # nobody was named


@pytest.mark.parametrize("bad", ["securite@example.org", "javascript:x", "mailto:a@b\nX: y"])
def test_a_contact_that_is_no_address_stops_the_start(bad, monkeypatch):
    from django.core.exceptions import ImproperlyConfigured

    from config import env

    monkeypatch.setenv("CORDEE_SECURITY_CONTACT", bad)
    with pytest.raises(ImproperlyConfigured):
        env.contact("CORDEE_SECURITY_CONTACT")


def test_hsts_binds_other_sites_of_the_domain_only_when_the_operator_says_so(monkeypatch):
    from django.core.exceptions import ImproperlyConfigured

    from config import env

    names = ("CORDEE_HSTS_SUBDOMAINS", "CORDEE_HSTS_PRELOAD")
    assert env.strict_transport(*names) == (False, False)
    monkeypatch.setenv(names[1], "1")
    with pytest.raises(ImproperlyConfigured):
        env.strict_transport(*names)
    monkeypatch.setenv(names[0], "1")
    assert strict_transport(YEAR, *env.strict_transport(*names)) == b"max-age=31536000; includeSubDomains; preload"
    assert strict_transport(YEAR, False, False) == b"max-age=31536000"
    assert strict_transport(0, True, True) == b""


def test_a_header_that_is_there_is_left_as_it_is():
    given = [(b"Cache-Control", b"public"), (b"x", b"1")]
    assert completed(given, [(b"cache-control", b"no-store"), (b"y", b"2")]) == [*given, (b"y", b"2")]
