"""The committed proxy settings in front of the real server, over HTTPS and HTTP/2, where nginx or Caddy is installed.

bin/test does not install them: it skips these. ``apt-get install nginx-light caddy``, then bin/test tests/deploy.
"""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import services
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


def nginx(folder: Path, upstream: int, port: int, plain: int) -> list[str]:
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
            "127.0.0.1:8000": f"127.0.0.1:{upstream}",
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


def caddy(folder: Path, upstream: int, port: int, plain: int) -> list[str]:
    tls = f"https://localhost:{port} {{\n\ttls {folder}/cert.pem {folder}/key.pem\n"
    site = replaced(
        (ROOT / "deploy/Caddyfile").read_text(),
        {NAME + " {\n": tls, "127.0.0.1:8000": f"127.0.0.1:{upstream}"},
    )
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n\thttp_port {plain}\n}}\n{site}")
    return [shutil.which("caddy") or "caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxied(request, template) -> Iterator[tuple[Proxy, services.Server]]:
    if not (shutil.which(request.param.__name__) and shutil.which("openssl") and shutil.which("curl")):
        pytest.skip(f"{request.param.__name__}, openssl or curl is not installed; bin/test does not install them")
    with services.private_folder() as folder, template.server(CORDEE_HTTPS="1", CORDEE_SSL_REDIRECT="0") as server:
        made = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]
        made += ["-subj", "/CN=localhost", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
        subprocess.run(made, check=True, capture_output=True)
        port = services.free_port()
        proxy = Proxy(request.param(folder, server.port, port, services.free_port()), folder, port)
        try:
            proxy.start()
            yield proxy, server
        finally:
            proxy.stop()


class Visitor(Person):
    """A person who comes through the proxy."""

    def __init__(self, proxy: Proxy, start: str, name: str) -> None:
        self.server = proxy
        self.http = httpx.Client(base_url=proxy.url, follow_redirects=True, timeout=20, verify=False)
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
