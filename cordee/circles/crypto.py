"""Texts at rest: AES-256-GCM with a key per circle; circles' keys are wrapped by the server's key ring.

The ring is ``id:base64url(32 bytes)``, newest first, separated by commas: the first wraps, all unwrap. Formats are
``nonce (12 bytes) + ciphertext + tag``; a wrapped key is preceded by its ring id and a colon. What a text is about
(its room and place in the log) is authenticated with it, so that it cannot be moved elsewhere.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from functools import lru_cache
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from cordee.live.tally import Tally

NONCE = 12
Stored = bytes | memoryview  # what a BinaryField gives, by database


unreadable = Tally("text", "key")


class Unreadable(Exception):
    """The text or the key cannot be opened with what this server holds. Says nothing of its content."""


@lru_cache(maxsize=4)
def _ring(text: str) -> dict[str, AESGCM]:
    ring = {}
    for number, entry in enumerate(text.split(","), 1):
        name, colon, encoded = entry.strip().partition(":")
        try:
            key = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError:
            key = b""
        if not name or not colon or len(key) != 32:
            raise ImproperlyConfigured(
                f"Entry {number} of CORDEE_KEY_RING is not understood. Expected id:base64url of 32 bytes, for instance "
                "the output of: python -c 'import secrets,base64;"
                'print("k2:"+base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())\'.'
            )
        ring[name] = AESGCM(key)
    return ring


def new_wrapped_key() -> bytes:
    return wrap(AESGCM.generate_key(256))


def wrap(key: bytes) -> bytes:
    name, cipher = next(iter(_ring(settings.KEY_RING).items()))
    nonce = token_bytes(NONCE)
    return name.encode() + b":" + nonce + cipher.encrypt(nonce, key, name.encode())


def unwrap(wrapped: Stored) -> bytes:
    """The circle's key. Raises :class:`Unreadable` when the ring lacks its wrapping key."""
    name, _, sealed = bytes(wrapped).partition(b":")
    cipher = _ring(settings.KEY_RING).get(name.decode("ascii", "replace"))
    if cipher is None:
        unreadable.add("key")
        raise Unreadable(
            f"The key ring has no key “{name.decode('ascii', 'replace')}”: put it back in CORDEE_KEY_RING."
        )
    try:
        return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], name)
    except (InvalidTag, ValueError):  # ValueError: cut short
        unreadable.add("key")
        raise Unreadable(f"Key “{name.decode()}” of the ring is not the one that wrapped this circle's key.") from None


def wrapped_by_newest(wrapped: Stored) -> bool:
    newest = next(iter(_ring(settings.KEY_RING)))
    return bytes(wrapped).partition(b":")[0] == newest.encode()


@lru_cache(maxsize=2048)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def forget() -> None:
    """Let go of every circle's key that was in use: they are made ready again when needed."""
    _cipher.cache_clear()


def seal(key: bytes, body: Mapping[str, str], about: str) -> bytes:
    nonce = token_bytes(NONCE)
    plain = json.dumps(dict(body), ensure_ascii=False, separators=(",", ":")).encode()
    return nonce + _cipher(key).encrypt(nonce, plain, about.encode())


def unseal(key: bytes | None, sealed: Stored | None, about: str) -> dict[str, str] | None:
    """The body, or ``None`` if there is none or the key was destroyed. Raises :class:`Unreadable` if tampered with."""
    if key is None or sealed is None:
        return None
    sealed = bytes(sealed)
    try:
        plain = _cipher(key).decrypt(sealed[:NONCE], sealed[NONCE:], about.encode())
    except (InvalidTag, ValueError):  # ValueError: cut short
        unreadable.add("text")
        raise Unreadable(f"The text at {about} cannot be opened with its circle's key.") from None
    body: dict[str, str] = json.loads(plain)
    return body
