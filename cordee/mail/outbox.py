"""The outbox: a letter is written in the transaction of what it tells, and sent later.

If the transaction is rolled back, there is no letter. Nothing here is sent (see cordee/mail/delivery.py).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from cordee.mail import delivery
from cordee.mail.message import one_line
from cordee.mail.models import Letter
from cordee.mail.reader import Reader

AT_ONCE = 4.0  # seconds a page may wait for the mail server
MANY = 500  # keys asked for in one question
KEPT_TRYING = timedelta(days=4)  # after which a letter that could not be sent is dead


def post(
    key: str,
    kind: str,
    reader: Reader,
    subject: str,
    text: str,
    html: str = "",
    *,
    calendar: str = "",
    method: str = "",
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    urgent: bool = False,
    reply_to: str = "",
    gist: Mapping[str, Any] | None = None,
) -> bool:
    """Write a letter, in the caller's transaction, to be sent from ``due_at`` on. False if this key was already posted.

    ``key`` says what about and to whom, as ``prepare:12:34:7d``. ``method`` is the calendar's (REQUEST, CANCEL).
    ``urgent`` passes quiet hours and digest. After ``expires_at`` (four days, unless said) it is not sent any more.
    """
    written = timezone.now()
    due = due_at or written
    _letter, new = Letter.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "to": reader.address.strip(),
            "reply_to": reply_to,
            "language": reader.language,
            "time_zone": reader.time_zone,
            "subject": one_line(subject)[:200],
            "text": text,
            "html": html,
            "gist": dict(gist or {}),
            "calendar": calendar,
            "method": method,
            "urgent": urgent,
            "created_at": written,
            "due_at": due,
            "expires_at": expires_at or due + KEPT_TRYING,
        },
    )
    return new


def now(key: str, kind: str, reader: Reader, subject: str, text: str, html: str = "", **more: Any) -> None:
    """Post a letter that somebody waits for, and try to send it as soon as the transaction is over, in this thread.

    For ``AT_ONCE`` seconds at most; what does not leave is sent with the others. Takes what :func:`post` takes.
    """
    if post(key, kind, reader, subject, text, html, urgent=True, **more):
        transaction.on_commit(lambda: delivery.deliver_one(key, AT_ONCE))


def unposted(keys: Iterable[str]) -> set[str]:
    """Those of these keys under which nothing was posted: what is computed every hour is written once."""
    left = set(keys)
    asked = sorted(left)
    for first in range(0, len(asked), MANY):
        left -= set(Letter.objects.filter(key__in=asked[first : first + MANY]).values_list("key", flat=True))
    return left
