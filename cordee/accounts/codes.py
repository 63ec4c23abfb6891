"""The code of a letter: who types it can read what is sent to that address. What is kept of it waits in the session.

A purpose ("sign_in", "confirm") keeps codes apart: one asked for to sign in confirms nothing.
"""

from hmac import compare_digest
from secrets import choice, token_urlsafe
from time import time

from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import salted_hmac

from cordee.accounts import limits
from cordee.mail import letters

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0/O, 1/I/L, U
LENGTH = 6  # 30^6: 29 bits
SECONDS = letters.CODE_MINUTES * 60
RIGHT, WRONG, OVER = "right", "wrong", "over"


def ask(session: SessionBase, purpose: str, address: str) -> str:
    """A new code for this address; the former one of this browser is void."""
    code = "".join(choice(ALPHABET) for _ in range(LENGTH))
    id_ = token_urlsafe(12)
    session[_name(purpose)] = {"id": id_, "address": address, "digest": _digest(id_, code), "at": time()}
    return code


def address(session: SessionBase, purpose: str) -> str:
    """To whom this browser's code was sent; empty when it has none, or it is over."""
    pending = session.get(_name(purpose))
    if not pending or not 0 <= time() - pending["at"] < SECONDS:
        return ""
    return str(pending["address"])


def check(session: SessionBase, purpose: str, typed: str) -> str:
    """RIGHT once, then OVER; WRONG while there are tries left, OVER when there are none or it is too late."""
    pending = session.get(_name(purpose))
    most, _ = limits.LIMITS["tries"]
    if pending is None or not address(session, purpose) or limits.count("tries", pending["id"]) > most:
        forget(session, purpose)
        return OVER
    if not compare_digest(_digest(pending["id"], plain(typed)), pending["digest"]):
        return WRONG
    forget(session, purpose)
    return RIGHT


def forget(session: SessionBase, purpose: str) -> None:
    session.pop(_name(purpose), None)


def plain(typed: str) -> str:
    """What was typed, without what a letter or a keyboard adds."""
    return "".join(ch for ch in typed.upper()[:60] if ch in ALPHABET)


def shown(code: str) -> str:
    """The code in two halves, as people read it aloud."""
    return f"{code[: LENGTH // 2]} {code[LENGTH // 2 :]}"


def _name(purpose: str) -> str:
    return f"code.{purpose}"


def _digest(id_: str, code: str) -> str:
    """Who reads the sessions' table has no code."""
    return salted_hmac("cordee.accounts.codes", f"{id_}:{code}", algorithm="sha256").hexdigest()
