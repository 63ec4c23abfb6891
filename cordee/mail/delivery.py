"""What is due is sent: by the server itself, every half minute, and by ``manage.py tick``, however many at once.

A letter is claimed by a compare-and-swap (its number of tries), so that no two send it at once. Whoever dies between
the sending and the noting of it leaves a claim that ends: it is then sent again, with the same Message-ID. At least
once, therefore, and hardly ever twice.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.db import Error, OperationalError
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from cordee.mail import wishes
from cordee.mail.message import Unaddressable, message
from cordee.mail.models import Letter
from cordee.mail.roads import Blocked, NotNow, Refused, Road, road

CLAIM = timedelta(minutes=5)  # more than one letter may take (ALTOGETHER of roads.py)
PAUSES = [timedelta(minutes=m) for m in (1, 5, 30, 120, 480)]  # before the second try, the third…; then the last
LONGEST_WAIT = timedelta(hours=26)  # between two tries, whatever held it: beyond, a clock has lied
AT_ONCE = 50  # letters read together
MOST = 5_000  # letters of one round
SOON = timedelta(seconds=30)
BREATH = 1.0  # seconds before a database that was busy is asked again
SECONDS = 300.0  # a round ends after that: the next one goes on
log = logging.getLogger(__name__)


def deliver(seconds: float = SECONDS) -> Counter[str]:
    """Send what is due, for at most so many seconds. What became of how many: sent, dead, later, unwanted, blocked."""
    done: Counter[str] = Counter()
    way = road(settings.MAIL)
    if way is None or not waiting().exists():
        return done
    until = monotonic() + seconds
    try:
        with way:
            for letter in _due():
                done[_treat(letter, way)] += 1
                if monotonic() > until:
                    break
    except Blocked as trouble:
        done["blocked"] += 1
        due = waiting().order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE]
        Letter.objects.filter(pk__in=list(due)).update(error=str(trouble))
        log.warning("Letters cannot leave: %s", trouble)
    return done


def deliver_one(key: str, seconds: float) -> None:
    """Try this letter at once, in this thread; if it does not leave, it waits like the others."""
    way = road(settings.MAIL, seconds)
    letter = waiting().filter(key=key).first() if way else None
    if way is None or letter is None:
        return
    try:
        with way:
            _treat(letter, way)
    except (Blocked, Error) as trouble:
        log.warning("A letter could not leave at once: %s", trouble if isinstance(trouble, Blocked) else type(trouble))


# ---------------------------------------------------------------- which ones


def waiting(now: datetime | None = None) -> QuerySet[Letter]:
    """What is due and that nobody is sending. A date that only a wrong clock can have set counts for nothing."""
    now = now or timezone.now()
    due = Q(due_at__lte=now) | Q(created_at__gt=now + CLAIM) | Q(tries__gt=0, due_at__gt=now + LONGEST_WAIT)
    free = Q(claimed_until=None) | Q(claimed_until__lt=now) | Q(claimed_until__gt=now + 2 * CLAIM)
    return Letter.objects.filter(due & free, sent_at=None, dead_at=None)


def _due() -> Iterator[Letter]:
    """What is due now, the urgent first. What becomes due meanwhile is for the next round."""
    due = list(waiting().order_by("-urgent", "due_at", "pk").values_list("pk", flat=True)[:MOST])
    for first in range(0, len(due), AT_ONCE):
        found = waiting().in_bulk(due[first : first + AT_ONCE])
        yield from (found[pk] for pk in due[first : first + AT_ONCE] if pk in found)


# ---------------------------------------------------------------- one letter


def _treat(letter: Letter, way: Road) -> str:
    """What became of it. Raises :class:`Blocked`, and the letter waits as before."""
    now = timezone.now()
    said = wishes.verdict(letter, wishes.of({letter.to}).get(letter.to.lower()), now)
    if said.why:
        return _dead(letter, said.why)
    if said.later:
        return _put_off(letter, said.later, said.held)
    if not _claim(letter, now):
        return "taken"
    try:
        made = message(letter)
        way.send(made, made["To"].addresses[0].addr_spec)
    except Blocked:
        _mine(letter).update(claimed_until=None, tries=F("tries") - 1)
        raise
    except (Refused, Unaddressable) as trouble:
        return _dead(letter, str(trouble) or type(trouble).__name__)
    except NotNow as trouble:
        pause = SOON if letter.urgent and letter.tries == 1 else PAUSES[min(letter.tries, len(PAUSES)) - 1]
        _mine(letter).update(claimed_until=None, error=str(trouble), due_at=timezone.now() + pause)
        return "later"
    return _sent(letter)


def _claim(letter: Letter, now: datetime) -> bool:
    """Whether it is ours: nobody has claimed it since it was read."""
    if (
        not waiting(now)
        .filter(pk=letter.pk, tries=letter.tries)
        .update(claimed_until=now + CLAIM, tries=F("tries") + 1)
    ):
        return False
    letter.tries += 1
    return True


def _mine(letter: Letter) -> QuerySet[Letter]:
    return Letter.objects.filter(pk=letter.pk, tries=letter.tries, sent_at=None, dead_at=None)


def _sent(letter: Letter) -> str:
    """It has left: a database that is busy is asked several times, for it would leave again otherwise."""
    secret = letter.kind == "sign_in_code" and settings.MAIL["road"] != "demo"
    erased = {"text": "", "html": "", "gist": {}} if secret else {}
    for wait in (BREATH, BREATH, BREATH, 0):
        try:
            _note_sent(letter, erased)
            break
        except OperationalError:
            if not wait:
                raise
            sleep(wait)
    return "sent"


def _note_sent(letter: Letter, erased: Mapping[str, Any]) -> None:
    # Whoever has claimed it since.
    unsent = Letter.objects.filter(pk=letter.pk, sent_at=None)
    unsent.update(sent_at=timezone.now(), claimed_until=None, error="", **erased)


def _dead(letter: Letter, why: str) -> str:
    _mine(letter).update(dead_at=timezone.now(), claimed_until=None, error=why)
    return "unwanted" if why == "unwanted" else "dead"


def _put_off(letter: Letter, until: datetime, held: bool) -> str:
    _mine(letter).filter(claimed_until=letter.claimed_until).update(due_at=until, held=held)
    return "held" if held else "later"
