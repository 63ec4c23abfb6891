"""What a link of a letter holds: sealed, so that no log and no proxy reads an address in it, and nobody makes one."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12


def seal(told: Mapping[str, str]) -> str:
    nonce = token_bytes(NONCE)
    plain = json.dumps(dict(told), separators=(",", ":")).encode()
    return urlsafe_b64encode(nonce + _cipher().encrypt(nonce, plain, None)).decode().rstrip("=")


def unseal(token: str) -> dict[str, str] | None:
    """What was sealed, or ``None`` if this server has not made it."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        told: dict[str, str] = json.loads(_cipher().decrypt(raw[:NONCE], raw[NONCE:], None))
    except (InvalidTag, ValueError):
        return None
    return told


def _cipher() -> AESGCM:
    return AESGCM(sha256(f"cordee.mail.tokens:{settings.SECRET_KEY}".encode()).digest())
