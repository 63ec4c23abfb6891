"""One letter a day instead of several, for who wishes it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from cordee.mail import letters, wishes
from cordee.mail.models import Letter


def gather(now: datetime) -> int:
    """Make a letter of what was held for each reader whose hour has come. How many were made."""
    waiting = Letter.objects.filter(held=True, sent_at=None, dead_at=None, claimed_until=None)
    due = waiting.filter(due_at__lte=now, expires_at__gt=now)
    by_address: defaultdict[str, list[Letter]] = defaultdict(list)
    for letter in due.order_by("pk"):
        by_address[letter.to.lower()].append(letter)
    wished = wishes.of(set(by_address))
    made = 0
    for address, wish in wished.items():
        held = [letter for letter in by_address[address] if letter.kind not in wish.without]
        if wish.digest and len(held) > 1:  # one alone goes as it is
            made += _one(held, now)
    return made


def _one(held: Sequence[Letter], now: datetime) -> bool:
    last = held[-1]
    reader = letters.Reader(last.to, "", last.language, last.time_zone)
    with transaction.atomic():
        if not letters.digest(f"digest:{held[0].pk}", reader, held=[letter.gist for letter in held]):
            return False  # another node is faster
        made = Letter.objects.get(key=f"digest:{held[0].pk}")
        Letter.objects.filter(pk__in=[letter.pk for letter in held], sent_at=None).update(sent_at=now, inside=made)
    return True
