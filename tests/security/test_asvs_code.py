"""What the code does not contain, and small things that an auditor asks and no other test shows."""

import ast
import json
import re
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from cordee.accounts.models import User
from cordee.circles import crypto
from cordee.engine.refusal import Refused
from cordee.room import access, actions, phrases
from cordee.room.views import acts
from tests.room.rooms import ORIGIN

ROOT = Path(__file__).resolve().parents[2]
CODE = [path for folder in ("cordee", "config") for path in sorted((ROOT / folder).rglob("*.py"))]
SCRIPT = (ROOT / "cordee/web/static/web/room.js").read_text(encoding="utf-8")
TEMPLATES = sorted((ROOT / "cordee").rglob("templates/**/*.html"))

MODULES = {
    "xml", "lxml", "pickle", "marshal", "shelve", "dill", "ldap", "ldap3", "smtplib", "imaplib", "ftplib", "telnetlib",
    "requests", "httpx", "aiohttp", "urllib3", "urllib.request", "http.client", "jinja2", "pylibmc", "pymemcache",
    "random", "django.core.mail", "django.core.cache", "ctypes",
}  # fmt: skip
SPEAKS = {"cordee/mail/roads.py": ["smtplib"]}  # the one place that speaks to a mail server
CALLS = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {
    ("os", "system"), ("os", "popen"), ("hashlib", "md5"), ("hashlib", "sha1"), ("hashlib", "new"),
    ("Engine", "from_string"), ("asyncio", "create_subprocess_shell"), ("subprocess", "getoutput"),
    ("yaml", "unsafe_load"), ("yaml", "full_load"), ("yaml", "UnsafeLoader"), ("yaml", "FullLoader"),
    ("yaml", "Loader"),
}  # fmt: skip


def absent(tree: ast.AST) -> Iterator[str]:
    """What this code holds of what is said to be absent: modules, functions, shells, templates made of a text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if forbidden(alias.name))
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            yield from (name for name in names if forbidden(name))
            yield from (alias.name for alias in node.names if (node.module, alias.name) in ATTRIBUTES)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in ATTRIBUTES:
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in {*CALLS, "Template"}:
                yield node.func.id
            yield from ("shell" for keyword in node.keywords if keyword.arg == "shell")


def forbidden(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in MODULES)


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_code_holds_none_of_what_is_said_to_be_absent(path: Path) -> None:
    allowed = SPEAKS.get(path.relative_to(ROOT).as_posix(), [])
    assert list(absent(ast.parse(path.read_text(encoding="utf-8")))) == allowed


@pytest.mark.parametrize("bad", [
    "import pickle", "from xml.etree import ElementTree", "import urllib.request", "from urllib import request",
    "eval(text)", "os.system(text)", "subprocess.run(text, shell=True)", "Template(text)", "hashlib.md5(text)",
    "from hashlib import sha1", "import random", "from django.core import mail", "yaml.load(text, yaml.Loader)",
])  # fmt: skip
def test_what_is_said_to_be_absent_would_be_found(bad: str) -> None:
    assert list(absent(ast.parse(bad)))


# ---------------------------------------------------------------- the database


def loose_statements(tree: ast.AST) -> Iterator[str]:
    """Statements put together where they are executed, of anything but names of ours and places for values."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in {"raw", "extra"} and node.args:
            yield ast.unparse(node)
        if node.func.attr in {"execute", "executemany"} and node.args:
            yield from (ast.unparse(node) for part in ast.walk(node.args[0]) if not ours(part))


def ours(part: ast.AST) -> bool:
    if isinstance(part, ast.FormattedValue):
        return isinstance(part.value, ast.Name) and part.value.id.isupper()
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "format":
        return any(isinstance(inner, ast.Constant) and inner.value == "%s" for inner in ast.walk(part))
    return not (isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mod | ast.Add))


@pytest.mark.parametrize(
    "path", [path for path in CODE if "cordee/ops" not in str(path)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_statement_is_made_of_what_somebody_sent(path: Path) -> None:
    """The operator's commands (cordee/ops) name tables and settings of ours; nobody's text reaches them."""
    assert list(loose_statements(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("bad", [
    'cursor.execute(f"SELECT {name}")', 'cursor.execute("SELECT " + name)', 'cursor.execute("SELECT %s" % name)',
    'cursor.execute(ROW.format(name))', "Seat.objects.raw(name)", "Seat.objects.extra(where=name, *[name])",
])  # fmt: skip
def test_a_statement_made_of_what_somebody_sent_would_be_found(bad: str) -> None:
    assert list(loose_statements(ast.parse(bad)))


# ---------------------------------------------------------------- the browser

HTML_OF_TEXT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|DOMParser|postMessage|\beval\(|new Function|"
    r"createContextualFragment|setHTML"
)
WRITES_UNDER_A_NAME = re.compile(
    r"__proto__|\bfor \((?:const|let|var) \w+ in |[\w)\]]\[(?!['\"`\d])[^\]\n]+\]\s*=(?![=>])"
)
PLUGINS = re.compile(r"<(?:object|embed|applet|iframe|frame|param)\b", re.IGNORECASE)


def test_the_script_makes_no_html_of_texts() -> None:
    assert HTML_OF_TEXT.findall(SCRIPT) == []
    assert "textContent" in SCRIPT
    assert HTML_OF_TEXT.search("place.innerHTML = text")


def test_the_script_writes_into_no_object_under_a_name_it_received() -> None:
    assert WRITES_UNDER_A_NAME.findall(SCRIPT) == []
    assert WRITES_UNDER_A_NAME.search("kept[name] = value")
    assert "new Map()" in SCRIPT


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_page_asks_for_a_plugin(path: Path) -> None:
    assert not PLUGINS.search(path.read_text(encoding="utf-8"))


def test_a_plugin_would_be_found() -> None:
    assert PLUGINS.search("<Object data=x>")


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "view", [acts.act, acts.draft, acts.private_hint, acts.renew, acts.leave], ids=lambda view: view.__name__
)
@pytest.mark.parametrize("method", ["get", "head"])
def test_reading_an_address_that_writes_is_refused(view, method: str) -> None:
    assert view(getattr(RequestFactory(), method)("/"), room="x").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example/", "https:evil.example", r"\\evil.example", "javascript:1"]
)
def test_nobody_is_sent_to_another_site(where: str) -> None:
    for form, headers in (({"next": where}, {}), ({}, {"HTTP_REFERER": where})):
        answer = Client().post("/setlang/", {"language": "en", **form}, **headers)
        assert answer.status_code == 302
        assert answer["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/static/", "/static/web/", "/static/web", "/ateliers/images/", "/.git/config", "/admin/"]
)
def test_no_folder_is_listed(path: str) -> None:
    assert Client().get(path).status_code == 404


@pytest.mark.django_db
def test_there_is_no_account_by_default_and_no_page_of_administration() -> None:
    assert "django.contrib.admin" not in settings.INSTALLED_APPS
    assert not User.objects.exists() and not hasattr(User, "is_staff")
    assert Client().get("/admin/").status_code == 404


@pytest.mark.django_db
def test_a_download_has_a_name_of_ours() -> None:
    client = Client(**ORIGIN)
    stage = client.post("/salles/nouvelle/", {"name": "Fanny"})["Location"]
    found = re.findall(r'href="([^"]+\.md)"', client.get(f"{stage}bilan/").content.decode())
    assert found
    for path in found:
        answer = client.get(path, {"filename": 'x".html'})
        assert answer.status_code == 200
        assert re.fullmatch(r'attachment; filename="cordee-[a-z0-9-]+\.md"', answer["Content-Disposition"])
    for name in ("x%22y", "x%0d%0aSet-Cookie:y", "..%2f..%2fsettings", "cercle.html%00"):
        assert client.get(f"{stage}bilan/{name}.md").status_code == 404


def test_a_name_in_braces_or_percents_stays_a_name() -> None:
    name = "{0.__class__} {name.__init__} %(x)s %s %n"
    assert name in phrases.sentence(Refused("name_taken", {"name": name}))


# ---------------------------------------------------------------- secrets


def test_every_secret_is_drawn_by_the_system_and_long_enough() -> None:
    assert access.token_urlsafe is secrets.token_urlsafe
    assert actions.choice is secrets.choice
    assert crypto.token_bytes is secrets.token_bytes
    assert crypto.AESGCM.__module__.startswith("cryptography.")
    assert len(urlsafe_b64decode(access.new_token())) * 8 == 192
    assert len(crypto.unwrap(crypto.new_wrapped_key())) * 8 == 256
    assert crypto.NONCE * 8 == 96
    assert len(access.digest("x")) * 4 == 256
    made = (ROOT / "config/settings.py").read_text(encoding="utf-8")
    assert "token_urlsafe(50)" in made and "token_bytes(32)" in made


def test_the_body_sealed_is_the_body_that_comes_back_and_nothing_else() -> None:
    key = crypto.unwrap(crypto.new_wrapped_key())
    sealed = crypto.seal(key, {"text": "Comment le dire ?"}, "room#1")
    assert (
        len(sealed)
        == crypto.NONCE + len(json.dumps({"text": "Comment le dire ?"}, separators=(",", ":")).encode()) + 16
    )


def test_no_example_of_deployment_holds_a_password() -> None:
    secret = re.compile(r"(?:PASSWORD|SECRET_KEY|KEY_RING|CORDEE_METRICS)\s*[:=]\s*(?![?$])\S", re.IGNORECASE)
    for path in sorted((ROOT / "deploy").iterdir()):
        assert not secret.findall(path.read_text(encoding="utf-8")), path.name
    assert secret.search("POSTGRES_PASSWORD: cordee")
