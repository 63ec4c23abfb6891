"""A tiny OpenID Connect provider over HTTP, which says what a test wants it to say and remembers what it was asked."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

CLIENT_ID, CLIENT_SECRET = "cordee", "le-secret-de-cordee"


class Provider:
    """``claims``: of the user's page; ``token``: of the ID token, over the usual ones; ``config``: over discovery's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.claims: dict[str, Any] = {"sub": "k-1", "email": "karim@example.org", "email_verified": True}
        self.token: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.challenge = ""  # of PKCE, as the browser brought it
        self.broken = False
        self.elsewhere = ""  # where it sends on who asks for its configuration

    @property
    def env(self) -> dict[str, str]:
        return {
            "CORDEE_OIDC_NAME": "Le Pont",
            "CORDEE_OIDC_URL": self.url,
            "CORDEE_OIDC_CLIENT_ID": CLIENT_ID,
            "CORDEE_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        }

    def visited(self, address: str) -> dict[str, str]:
        """What a browser that opens this page brings; the person there agrees."""
        brought = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.challenge = brought.get("code_challenge", "")
        return brought

    def answer(self, path: str, form: dict[str, str], headers: Any) -> tuple[int, dict[str, Any]]:
        self.asked.append((path, form))
        if self.broken:
            return 500, {}
        if path == "/.well-known/openid-configuration":
            names = {"issuer": "", "authorization_endpoint": "/authorize", "token_endpoint": "/token",
                     "userinfo_endpoint": "/userinfo", "jwks_uri": "/jwks"}  # fmt: skip
            own = {name: self.url + end for name, end in names.items()}
            return 200, own | {"token_endpoint_auth_methods_supported": ["client_secret_post"]} | self.config
        if path == "/token":
            return self._token(form)
        if path == "/userinfo" and headers.get("Authorization") == "Bearer jeton":
            return 200, self.claims
        return 404, {}

    def _token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        digest = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        known = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if form.get("code") != "le-code" or digest != self.challenge or not known:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "sub": self.claims["sub"], "iat": now, "exp": now + 60}
        id_token = jwt.encode(claims | self.token, "k" * 32, "HS256")
        return 200, {"access_token": "jeton", "token_type": "Bearer", "expires_in": 60, "id_token": id_token}


@contextmanager
def provider() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            self.reply({name: values[0] for name, values in parse_qs(body).items()})

        def reply(self, form: dict[str, str]) -> None:
            status, said = made.answer(urlsplit(self.path).path, form, self.headers)
            body = json.dumps(said).encode()
            self.send_response(302 if made.elsewhere and self.path.startswith("/.well-known") else status)
            if made.elsewhere:
                self.send_header("Location", made.elsewhere)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
