"""What is not needed any more goes by itself: run by ``manage.py tick``, each act being done once."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from cordee.accounts.models import Person, User
from cordee.circles.models import Reply, Slot
from cordee.home.erasure import erase_account, erase_persons
from cordee.home.models import Erasure
from cordee.room.belongings import Choice

REASON_DAYS = 30  # after a meeting: why somebody was absent, and when they would have been free
MONTH = timedelta(days=30.44)
AT_ONCE = 200  # persons or accounts in one run: the next run goes on
# They are not there to be asked: nothing of what they alone could read stays, what the circle read loses their name.
LONG_GONE = Choice(keep=True, keep_learnings=True)


def run() -> int:
    """How many persons and accounts were erased."""
    forget_reasons()
    return erase_long_gone() + erase_unused_accounts()


def forget_reasons() -> None:
    """The reasons of absences and the dates that were proposed, some weeks after the meeting, or its cancellation."""
    before = timezone.now() - timedelta(days=REASON_DAYS)
    over = Q(meeting__ends_at__lt=before) | Q(meeting__cancelled_at__lt=before)
    Reply.objects.filter(over, sealed_reason__isnull=False).update(sealed_reason=None)
    Slot.objects.filter(over).delete()


def erase_long_gone() -> int:
    """Persons who left their space longer ago than CORDEE_KEEP_MONTHS; how many."""
    gone = list(Person.objects.filter(left_at__lt=_long_ago(), erased_at=None).order_by("left_at")[:AT_ONCE])
    for person in gone:
        with transaction.atomic():
            counts = erase_persons([person], LONG_GONE)
            Erasure.objects.create(kind=Erasure.LEFT, counts=dict(counts))
    return len(gone)


def erase_unused_accounts() -> int:
    """Accounts of no space, to which nobody has signed in for as long; how many. The operators' stay."""
    persons = Person.objects.filter(user=OuterRef("pk"))
    seen = Q(last_login__lt=_long_ago()) | Q(last_login=None, created_at__lt=_long_ago())
    unused = User.objects.filter(~Exists(persons), seen, is_operator=False).order_by("pk")[:AT_ONCE]
    for user in (found := list(unused)):
        with transaction.atomic():
            Erasure.objects.create(kind=Erasure.UNUSED, counts=dict(erase_account(user)))
    return len(found)


def _long_ago() -> datetime:
    return timezone.now() - settings.KEEP_MONTHS * MONTH
