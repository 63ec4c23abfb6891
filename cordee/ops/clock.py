"""Whether the clock may be believed before anything is erased by it.

A machine whose clock leaps a year ahead, at boot for instance, must not destroy the keys of every circle: nothing
brings them back. So what erases asks how far the clock has come since it was last believed, and by which steps: the
recurring work runs every hour, rooms write meanwhile, and a step of more than ``LEAP_DAYS`` is a leap, or a server that
was off for that long. A person says which.
"""

from itertools import pairwise
from time import time

from django.core.management.base import CommandError
from django.db.models import F, IntegerField, Max
from django.db.models.functions import Cast, Floor
from django.utils.translation import gettext as _

from cordee.ops import recurring
from cordee.room.models import Entry

LEAP_DAYS = 7
DAY = 86_400  # seconds


def leap() -> int:
    """By how many days at once the clock has gone ahead since it was last believed; 0 for ``LEAP_DAYS`` or less.

    What was written after a leap is no proof of it: every step counts, not the last one alone.
    """
    now = time()
    believed = recurring.last_done(recurring.CLOCK) or recurring.last_done(recurring.TICK)
    if believed is None:
        latest = Entry.objects.filter(at__lte=now).aggregate(latest=Max("at"))["latest"]
        marks = [latest or now, now]
    else:
        written = Entry.objects.filter(at__gt=believed, at__lte=now)
        days = written.annotate(day=Cast(Floor(F("at") / DAY), IntegerField())).values_list("day", flat=True)
        marks = [believed, *(day * DAY for day in sorted(set(days.distinct()))), now]
    longest = max(after - before for before, after in pairwise(marks))
    return int(longest // DAY) if longest > LEAP_DAYS * DAY else 0


def require_believable(trusted: bool) -> None:
    """Raises ``CommandError`` after a leap, unless the operator has ``trusted`` the clock; it is believed from now."""
    days = 0 if trusted else leap()
    if days:
        raise CommandError(leapt(days))
    recurring.done(recurring.CLOCK)


def leapt(days: int) -> str:
    return _(
        "L’horloge a avancé de %(days)d jours d’un coup : rien n’est effacé. Si elle est juste (le serveur était "
        "éteint), lancez une fois manage.py tick --trust-clock ; sinon mettez-la à l’heure."
    ) % {"days": days}
