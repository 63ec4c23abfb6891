"""What an operator may write in CORDEE_MAIL_URL, CORDEE_MAIL_FROM and CORDEE_URL, and what is said of the rest."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

HERE = ["localhost", "127.0.0.1", "[::1]"]


def mail(monkeypatch, value: str | None, https: bool = False, hosts: list[str] = HERE):
    monkeypatch.delenv("X", raising=False)
    if value is not None:
        monkeypatch.setenv("X", value)
    return env.mail("X", https, hosts)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, {"road": "none"}), ("", {"road": "none"}), ("none", {"road": "none"}), ("demo", {"road": "demo"}),
        ("file:///var/spool/cordee%20out", {"road": "file", "folder": "/var/spool/cordee out"}),
        ("smtp://mail.example.org", {"host": "mail.example.org", "port": 587, "tls": "starttls", "user": ""}),
        ("smtp://a%40b:p%2Fw@mail.example.org:2525", {"port": 2525, "user": "a@b", "password": "p/w"}),
        ("smtps://u:p@mail.example.org", {"port": 465, "tls": "implicit"}),
        ("smtp://localhost", {"port": 25, "tls": "none"}), ("smtp://10.0.0.3:25?tls=starttls", {"tls": "starttls"}),
        ("smtp://mail.example.org?tls=none", {"tls": "none"}), ("smtp://[::1]:1025", {"host": "::1", "tls": "none"}),
    ],
)  # fmt: skip
def test_what_is_understood(monkeypatch, url, said):
    found = mail(monkeypatch, url)
    assert said.items() <= found.items()


@pytest.mark.parametrize(
    "url",
    ["mail.example.org", "http://u:s3cret@x", "smtp://", "smtp://u:s3cret@x:port", "smtp://u:s3cret@x/path",
     "smtp://u:s3cret@x?ssl=1", "smtp://u:s3cret@x?tls=maybe", "smtp://u:s3cret@x:99999", "file://relative", "file:///",
     "smtp://u:s3cret@mail.example.org?tls=none", "DEMO", "smtp://u:s3/cret@x"],
)  # fmt: skip
def test_what_is_not_is_said_without_the_password(monkeypatch, url):
    with pytest.raises(ImproperlyConfigured, match=r"^X ") as raised:
        mail(monkeypatch, url)
    assert "s3" not in str(raised.value).replace("smtps", "")


@pytest.mark.parametrize(
    ("https", "hosts"),
    [(True, HERE), (False, [*HERE, "cordee.example.org"]), (False, ["*"]), (False, [".example.org"])],
)
def test_the_demos_mailbox_is_refused_to_a_site_that_is_open_to_others(monkeypatch, https, hosts):
    with pytest.raises(ImproperlyConfigured, match="sign-in codes"):
        mail(monkeypatch, "demo", https, hosts)


def test_it_is_not_refused_to_the_local_network(monkeypatch):
    assert mail(monkeypatch, "demo", False, [*HERE, "192.168.1.20", "demo.localhost"]) == {"road": "demo"}


@pytest.mark.parametrize(
    ("value", "said"),
    [("cordee@example.org", ("Cordée", "cordee@example.org")), ("Le Lac <a@b.example>", ("Le Lac", "a@b.example"))],
)
def test_whom_letters_are_from(monkeypatch, value, said):
    monkeypatch.setenv("X", value)
    assert env.sender("X", needed=True) == said


@pytest.mark.parametrize("value", ["", "cordee", "a@b\nBcc: c@d", "a@b, c@d", "château@b.c", "<>"])
def test_whom_letters_cannot_be_from(monkeypatch, value):
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match=r"X=.*Write X="):
        env.sender("X", needed=True)


@pytest.mark.parametrize("value", ["cordee.example.org", "ftp://x", "http://", "https://x/\u202e"])
def test_where_the_site_is(monkeypatch, value):
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match="Write X=https://"):
        env.address("X", "")


def test_its_last_slash_is_taken_away(monkeypatch):
    monkeypatch.setenv("X", "https://cordee.example.org/")
    assert env.address("X", "") == "https://cordee.example.org"
