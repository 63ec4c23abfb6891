"""Settings read from the environment, with errors that say what was expected and what to do."""

import os
import re
from email.utils import getaddresses
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

WAIT = 5  # seconds for a lock or a connection: less than the page waits for an answer, and then a sentence is said


def text(name: str, default: str) -> str:
    return os.environ.get(name, default)


def flag(name: str, default: bool) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw.lower() in {"1", "true", "yes", "on"}:
        return True
    if raw.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r} is not a yes or a no. Write {name}=1 or {name}=0.")


def number(name: str, default: int, least: int) -> int:
    raw = os.environ.get(name, "").strip() or str(default)
    if not raw.isdecimal() or int(raw) < least:
        raise ImproperlyConfigured(f"{name}={raw!r} is not a number of at least {least}. Write {name}={default}.")
    return int(raw)


def words(name: str, default: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def strict_transport(subdomains: str, preload: str) -> tuple[bool, bool]:
    """The two choices of HSTS; asking to be preloaded without the subdomains is refused by those who keep that list."""
    chosen = flag(subdomains, False), flag(preload, False)
    if chosen == (False, True):
        raise ImproperlyConfigured(f"{preload}=1 goes with {subdomains}=1. Set both, or none.")
    return chosen


def contact(name: str) -> str:
    """An address to write to, as security.txt wants it (RFC 9116): a URI; empty for none."""
    raw = os.environ.get(name, "").strip()
    if raw and (not raw.startswith(("mailto:", "https://", "tel:")) or any(not ch.isprintable() for ch in raw)):
        raise ImproperlyConfigured(f"{name}={raw!r} is not an address. Write {name}=mailto:security@example.org.")
    return raw


def address(name: str, default: str) -> str:
    """The address of a site, without the slash at its end."""
    raw = os.environ.get(name, default).strip().rstrip("/")
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(not ch.isprintable() for ch in raw):
        raise ImproperlyConfigured(
            f"{name}={raw!r} is not the address of a site. Write {name}=https://cordee.example.org."
        )
    return raw


def issuer(name: str) -> str:
    """The address of an OpenID Connect issuer, without its end; empty for none."""
    raw = os.environ.get(name, "").strip().removesuffix("/.well-known/openid-configuration").rstrip("/")
    parts = urlsplit(raw)
    here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    safe = parts.scheme == "https" or (here and parts.scheme == "http")
    if raw and (not parts.hostname or parts.query or not safe):
        raise ImproperlyConfigured(
            f"{name}={raw!r} is not understood. Write the issuer's address, in https, without "
            "/.well-known/openid-configuration: for instance https://login.example.org/realms/ours."
        )
    return raw


def all_or_none(*names: str) -> bool:
    """Whether these are set. Some without the others are of no use."""
    missing = [name for name in names if not os.environ.get(name, "").strip()]
    if 0 < len(missing) < len(names):
        raise ImproperlyConfigured(f"{' and '.join(missing)} missing. Set {', '.join(names)} together, or none.")
    return not missing


MAIL_FORMS = (
    "Write smtp://user:password@host:587, smtps://user:password@host:465, file:///a/folder, or none; a sign of a name "
    "or a password that is none of a-z 0-9 - . _ ~ is written %XX (@ is %40)."
)
MAIL_OPTIONS = {"tls": {"starttls", "none"}}


def mail(name: str, https: bool, hosts: list[str]) -> dict[str, Any]:
    """How letters leave: ``road`` is none, demo, file or smtp; the rest is what that one needs.

    A wrong address is never repeated: it may hold a password.
    """
    raw = os.environ.get(name, "").strip() or "none"
    found = {"none": {"road": "none"}, "demo": {"road": "demo"}}.get(raw) or _mail_road(name, raw)
    if found["road"] == "demo" and (https or any(not _this_machine(host) for host in hosts)):
        raise ImproperlyConfigured(
            f"{name}=demo shows every letter, sign-in codes too, to whoever comes: it goes neither with CORDEE_HTTPS=1 "
            f"nor with the name of a site in CORDEE_HOSTS. {MAIL_FORMS}"
        )
    return found


def _mail_road(name: str, raw: str) -> dict[str, Any]:
    try:
        parts = urlsplit(raw)
        port, options = parts.port, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ImproperlyConfigured(f"{name} is not understood. {MAIL_FORMS}") from None
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/") and len(parts.path) > 1:
        return {"road": "file", "folder": unquote(parts.path)}
    unknown = [key for key, value in options.items() if value not in MAIL_OPTIONS.get(key, ())]
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"} or unknown:
        raise ImproperlyConfigured(f"{name} is not understood. {MAIL_FORMS} After smtp://…, only ?tls=none may follow.")
    here = _this_machine(parts.hostname)
    tls = "implicit" if parts.scheme == "smtps" else options.get("tls", "none" if here else "starttls")
    if tls == "none" and parts.password and not here:
        raise ImproperlyConfigured(f"{name} would send its password in clear: take ?tls=none away.")
    return {
        "road": "smtp",
        "host": parts.hostname,
        "port": port or {"implicit": 465, "starttls": 587, "none": 25}[tls],
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "tls": tls,
    }


def _this_machine(host: str) -> bool:
    """A name of this machine, or an address of it or of its local network."""
    name = host.strip("[]")
    try:
        return ip_address(name).is_private
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def sender(name: str, needed: bool) -> tuple[str, str]:
    """The name and the address that letters are from."""
    raw = os.environ.get(name, "").strip()
    if not raw and not needed:
        return "Cordée", "cordee@localhost"
    (shown, address), *others = getaddresses([raw]) or [("", "")]
    if (
        others
        or not re.fullmatch(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+", address)
        or not raw.isprintable()
        or not address.isascii()
    ):
        raise ImproperlyConfigured(
            f"{name}={raw!r} is not who a letter may be from. Write {name}='Cordée <cordee@example.org>', an address "
            "of a domain for which your mail server may send."
        )
    return shown or "Cordée", address


SHORTEST_TOKEN = 32  # characters


def token(name: str) -> str:
    """A token that whoever asks must bring; empty for none. Its value is never repeated."""
    raw = os.environ.get(name, "").strip()
    if raw and (len(raw) < SHORTEST_TOKEN or not raw.isascii() or not raw.isprintable() or " " in raw):
        raise ImproperlyConfigured(
            f"{name} is not understood. Expected a token of at least {SHORTEST_TOKEN} letters and digits, for instance "
            "the output of: python -c 'import secrets;print(secrets.token_urlsafe(32))'. Leave it out for none."
        )
    return raw


def secret(name: str, folder: Path, make) -> str:  # type: ignore[no-untyped-def]
    """The secret of that name: from the environment, else from a private file made on first use."""
    if name in os.environ:
        return os.environ[name]
    path = folder / name.lower()
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # O_EXCL: two processes that start at once must not each keep their own secret.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is not set and {folder} cannot be written ({error.strerror}). "
            f"Set {name}, or point CORDEE_VAR to a folder this user may write."
        ) from error
    value = str(make())
    with os.fdopen(handle, "w") as file:
        file.write(value)
    return value


# A connection whose other end vanished without a word is given up after some 20 s, not after the two hours of Linux.
WHEN_LOST = {
    "connect_timeout": "5",  # seconds
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "20000",  # milliseconds
}


def database(url: str) -> dict[str, object]:
    """Django's settings for ``sqlite:///path`` or ``postgres://user:password@host:port/name``."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path[1:]) or ":memory:",
            "CONN_MAX_AGE": None,  # opening a file and its settings again costs more than most queries
            "OPTIONS": {
                # FULL: what was acknowledged survives a power cut. IMMEDIATE: a writer never fails half-way.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                # What is erased, a circle's key first of all, is overwritten (Debian's SQLite does it anyway).
                "PRAGMA secure_delete=ON;",
                "transaction_mode": "IMMEDIATE",
                "timeout": WAIT,
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        patience = {"options": f"-c lock_timeout={WAIT}s"}
        options = patience | WHEN_LOST | dict(parse_qsl(parts.query))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": options.pop("host", parts.hostname or ""),
            "PORT": str(parts.port or options.pop("port", "")),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": options,
        }
    raise ImproperlyConfigured(
        f"DATABASE_URL={url!r} is not understood. Write sqlite:////var/lib/cordee/cordee.sqlite3 "
        "or postgres://user:password@host:5432/name."
    )
