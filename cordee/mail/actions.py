"""What is done to letters that are already written."""

from datetime import timedelta

from django.utils import timezone

from cordee.mail.models import Letter, Wish
from cordee.mail.outbox import KEPT_TRYING

WORDS_DAYS = 30  # what a letter said, and to whom, is kept that long
NOTHING = {"to": "", "reply_to": "", "subject": "", "text": "", "html": "", "gist": {}, "calendar": ""}


def try_again(letter: Letter) -> bool:
    """Bring a dead letter back to life, with as many tries as a new one. Whether there was one to bring back."""
    now = timezone.now()
    dead = Letter.objects.filter(pk=letter.pk, dead_at__isnull=False).exclude(to="").exclude(text="")
    return bool(
        dead.update(dead_at=None, error="", tries=0, claimed_until=None, due_at=now, expires_at=now + KEPT_TRYING)
    )


def erase_old() -> int:
    """Erase what old letters said, and to whom; that they were written remains, by their key. How many."""
    now = timezone.now()
    before = now - timedelta(days=WORDS_DAYS)
    ended = Letter.objects.exclude(to="")
    old = ended.filter(sent_at__lt=before) | ended.filter(dead_at__lt=before)
    codes = ended.filter(kind="sign_in_code", sent_at=None, expires_at__lt=now)
    return old.update(**NOTHING) + codes.update(**NOTHING, dead_at=now, error="expired")


def forget(address: str) -> int:
    """Erase every letter to this address, sent or not, and what it wished of letters. How many letters."""
    letters = Letter.objects.filter(to__iexact=address)
    letters.filter(sent_at=None, dead_at=None).update(dead_at=timezone.now(), error="unwanted")
    Wish.objects.filter(address=address.lower()).delete()
    return letters.update(**NOTHING)
