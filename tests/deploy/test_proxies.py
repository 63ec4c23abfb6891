"""The committed proxy settings in front of the real server, over HTTPS and HTTP/2, where nginx or Caddy is installed.

bin/test does not install them: it skips these. ``apt-get install nginx-light caddy``, then bin/test tests/deploy.
"""

import re
import shlex
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cordee.live.hub import BEAT
from cordee.room.limits import LIMITS
from tests import services
from tests.faults.nodes import nodes
from tests.live.people import Person

ROOT = services.ROOT
NAME = "cordee.example.org"


class Proxy(services.Service):
    """nginx or Caddy with our file, its name, ports and certificate replaced. ``url`` is where it answers."""

    def __init__(self, command: list[str], folder: Path, port: int) -> None:
        super().__init__(command, folder / "proxy.log", env={"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder)})
        self.port = port
        self.url = f"https://localhost:{port}"

    def answers(self) -> bool:
        refused = ssl.create_default_context()
        refused.check_hostname, refused.verify_mode = False, ssl.CERT_NONE
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as plain:
                refused.wrap_socket(plain, server_hostname="localhost").close()
        except OSError:
            return False
        return True


def replaced(text: str, pairs: dict[str, str]) -> str:
    for old, new in pairs.items():
        assert old in text, f"{old} is not in the committed file any more"
        text = text.replace(old, new)
    return text


def nginx(folder: Path, upstreams: list[int], port: int, plain: int) -> list[str]:
    one = "    server 127.0.0.1:8000 fail_timeout=2s;\n"
    server = replaced(
        (ROOT / "deploy/nginx.conf").read_text(),
        {
            "listen [::]:80;": "",
            "listen [::]:443 ssl http2;": "",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            NAME + ";": "localhost;",
            f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(folder / "cert.pem"),
            f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(folder / "key.pem"),
            one: "".join(one.replace("8000", str(each)) for each in upstreams),
            "$host": "$http_host",  # the test's port is part of the name
        },
    )
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off; pid {folder}/pid; error_log stderr; events {{ worker_connections 256; }}"
    whole = f"{head} http {{ {paths} {server} }}"
    (folder / "nginx.conf").write_text(whole)
    return [shutil.which("nginx") or "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def caddy(folder: Path, upstreams: list[int], port: int, plain: int) -> list[str]:
    to = " ".join(f"127.0.0.1:{each}" for each in upstreams)
    tls = f"https://localhost:{port} {{\n\ttls {folder}/cert.pem {folder}/key.pem\n"
    site = replaced(
        (ROOT / "deploy/Caddyfile").read_text(),
        {"{$SITE:" + NAME + "} {\n": tls, "{$CORDEE:127.0.0.1:8000}": to},
    )
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n\thttp_port {plain}\n}}\n{site}")
    return [shutil.which("caddy") or "caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


BEHIND = {"CORDEE_HTTPS": "1", "CORDEE_SSL_REDIRECT": "0"}


@contextmanager
def in_front(made, servers: list[services.Server]) -> Iterator[Proxy]:  # type: ignore[no-untyped-def]
    """That proxy, with a certificate of its own, in front of these servers."""
    if not (shutil.which(made.__name__) and shutil.which("openssl") and shutil.which("curl")):
        pytest.skip(f"{made.__name__}, openssl or curl is not installed; bin/test does not install them")
    with services.private_folder() as folder:
        key = shlex.split("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost")
        key += ["-days", "2", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
        subprocess.run(key, check=True, capture_output=True)
        port = services.free_port()
        proxy = Proxy(made(folder, [each.port for each in servers], port, services.free_port()), folder, port)
        try:
            proxy.start()
            yield proxy
        finally:
            proxy.stop()


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxied(request, template) -> Iterator[tuple[Proxy, services.Server]]:
    with template.server(**BEHIND) as server, in_front(request.param, [server]) as proxy:
        yield proxy, server


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def two_nodes(request, template) -> Iterator[tuple[Proxy, list[services.Server]]]:
    """Two nodes on one PostgreSQL behind the proxy."""
    with nodes(template, **BEHIND) as servers, in_front(request.param, servers) as proxy:
        yield proxy, servers


def browser(proxy: Proxy, address: str = "127.0.0.1") -> httpx.Client:
    """Somebody at that address of this machine; all of 127.0.0.0/8 is."""
    way = httpx.HTTPTransport(verify=False, local_address=address)
    return httpx.Client(base_url=proxy.url, follow_redirects=True, timeout=20, transport=way)


class Visitor(Person):
    """A person who comes through the proxy."""

    def __init__(self, proxy: Proxy, start: str, name: str) -> None:
        self.server = proxy
        self.http = browser(proxy)
        self.http.get(start)
        form = {"name": name, "csrfmiddlewaretoken": self.http.cookies["__Host-csrftoken"]}
        answer = self.http.post(start, data=form, headers={"Origin": proxy.url, "Referer": f"{proxy.url}/"})
        assert answer.status_code == 200, answer.text[:800]
        self.path, self.page = answer.url.path, answer.text

    @property
    def seat_cookie(self) -> str:
        name = f"__Host-place-{self.path.split('/')[2]}"
        return f"{name}={self.http.cookies[name]}"


def curl(proxy: Proxy, path: str, *options: str) -> list[str]:
    return ["curl", "-skN", "--http2", "--max-time", "60", *options, f"{proxy.url}{path}"]


def said(proxy: Proxy, path: str, *options: str) -> str:
    return subprocess.run(curl(proxy, path, *options), capture_output=True, text=True, check=True).stdout


def test_an_event_passes_at_once_over_http_2_uncompressed_and_many_streams_share_one_connection(proxied):
    proxy, _server = proxied
    fanny = Visitor(proxy, "/salles/nouvelle/", "Fanny")
    cookie = ["-b", fanny.seat_cookie, "-H", "Accept-Encoding: gzip, br", "-D", "-"]
    with subprocess.Popen(
        curl(proxy, f"{fanny.path}stream", *cookie), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as stream:
        try:
            lines = iter(stream.stdout.readline, b"")
            head = [next(lines).decode().lower().strip()]
            while head[-1]:
                head.append(next(lines).decode().lower().strip())
            assert head[0].startswith("http/2 200"), head
            assert not [line for line in head if line.startswith("content-encoding")], head
            for line in lines:
                if line.startswith(b"data:"):
                    break
            asked = time.monotonic()
            fanny.do("rename", name="Fanny la guide")
            for line in lines:
                if b"Fanny la guide" in line:
                    break
            took = time.monotonic() - asked
        finally:
            stream.kill()
    # Held back by a proxy, it would come with the next beat, 15 seconds later, or never.
    assert took < 8, f"the event took {took:.1f} s"


def test_the_visitor_s_own_claims_are_not_believed_and_the_limits_hold(proxied):
    proxy, _server = proxied
    head = said(proxy, "/", "-D", "-", "-o", "/dev/null").lower()
    assert "strict-transport-security: max-age=31536000" in head
    cookies = said(proxy, "/rejoindre/", "-D", "-", "-o", "/dev/null", "-H", "X-Forwarded-Proto: http").lower()
    assert "; secure" in cookies.split("set-cookie: __host-csrftoken", 1)[1].split("\n")[0]
    big = ["-X", "POST", "--data-binary", "@-", "-o", "/dev/null", "-w", "%{http_code}"]
    done = subprocess.run(curl(proxy, "/rejoindre/", *big), input=b"x" * 1_000_000, capture_output=True)
    # nginx answers; Caddy ends the request without a word (curl says 000), unless Django refused it unread.
    assert done.stdout.decode()[-3:] in {"413", "502", "000", "403"}, done.stdout
    pages = said(proxy, "/", "-D", "-", "-o", "/dev/null", "-H", "Accept-Encoding: gzip").lower()
    assert pages.count("content-encoding: gzip") == 1


def test_wrong_codes_are_counted_by_the_address_they_come_from_whatever_it_says_of_itself(proxied):
    """Believed, ``X-Forwarded-For`` would give whoever writes it as many tries as they like, or shut others out."""
    proxy, _server = proxied
    most, _seconds = LIMITS["code"]
    with browser(proxy, "127.0.0.2") as guesses, browser(proxy, "127.0.0.3") as other:
        for n in range(most):
            claim = {"X-Forwarded-For": f"203.0.113.{n}", "Forwarded": f"for=203.0.113.{n}"}
            assert guesses.get("/s/ABCDEFGHJK/", headers=claim).status_code == 404
        assert guesses.get("/s/ABCDEFGHJK/", headers={"X-Forwarded-For": "203.0.113.99"}).status_code == 429
        assert other.get("/s/ABCDEFGHJK/", headers={"X-Forwarded-For": "127.0.0.2"}).status_code == 404


@pytest.mark.postgres
def test_when_one_of_two_nodes_dies_words_pass_again_within_seconds_and_then_nobody_gets_an_error(two_nodes):
    """What was on its way to the one that died is a 502 or a 503, which the page sends again by itself."""
    proxy, servers = two_nodes
    fanny = Visitor(proxy, "/salles/nouvelle/", "Fanny")
    karim = Visitor(proxy, f"/s/{fanny.code}/", "Karim")
    for number, server in enumerate(servers):
        server.kill9()
        died = time.monotonic()
        while (status := karim.post(do="rename", name=f"Karim {number}").status_code) != 204:
            assert status in {502, 503} and time.monotonic() < died + 8
            time.sleep(0.2)
        time.sleep(2.5)  # nginx asks a dead one again after 2 s, and Caddy every second
        for turn in range(6):  # each of them would be asked, by turns or at random
            karim.do("rename", name=f"Karim {number}-{turn}")
            assert f"Karim {number}-{turn}" in fanny.look()
        server.start()
        time.sleep(2.5)


@pytest.mark.postgres
def test_an_act_through_either_node_reaches_a_stream_through_the_proxy(two_nodes):
    proxy, _servers = two_nodes
    fanny = Visitor(proxy, "/salles/nouvelle/", "Fanny")
    stream = subprocess.Popen(
        curl(proxy, f"{fanny.path}stream", "-b", fanny.seat_cookie), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert stream.stdout
        for turn in range(6):
            fanny.do("rename", name=f"Fanny {turn}")
            asked = time.monotonic()
            while f"Fanny {turn}".encode() not in stream.stdout.readline():
                assert time.monotonic() - asked < 8, "nothing came"  # with the next beat it would be 15 s
    finally:
        stream.kill()
        stream.communicate()


def test_the_stream_s_signs_of_life_come_well_within_what_the_proxies_wait_for():
    """Caddy waits for ever. A stream of twelve minutes without an event was watched by hand through both."""
    waits = re.findall(r"proxy_read_timeout (\d+)s;", (ROOT / "deploy/nginx.conf").read_text())
    assert waits and all(int(seconds) >= 4 * BEAT for seconds in waits)
    assert "timeout" not in (ROOT / "deploy/Caddyfile").read_text()
