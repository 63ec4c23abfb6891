"""Letters that wait to be sent, and what people wish of letters. No word of a room is ever in one."""

from datetime import time

from django.db import models
from django.utils import timezone


class Letter(models.Model):
    """One letter to one address: waiting, sent, or dead once it was refused, or tried in vain for too long.

    ``text`` and ``html`` are what is sent; ``gist`` is the same in pieces (see cordee/mail/letters.py), for a digest.
    """

    key = models.CharField(max_length=120, unique=True)  # what about, and to whom: written once however often asked
    kind = models.CharField(max_length=24)
    to = models.EmailField(blank=True)  # blank once it was erased
    reply_to = models.EmailField(blank=True)
    language = models.CharField(max_length=5)
    time_zone = models.CharField(max_length=40, blank=True)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    gist = models.JSONField(default=dict)
    calendar = models.TextField(blank=True)  # an iCalendar object (RFC 5545) that goes with it
    method = models.CharField(max_length=10, blank=True)  # of that object: REQUEST, CANCEL
    urgent = models.BooleanField(default=False)  # neither quiet hours nor a digest hold it
    held = models.BooleanField(default=False)  # for the digest of its reader
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)  # not before
    expires_at = models.DateTimeField(null=True)  # of no use to anybody after that
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)  # somebody is sending it; after this, they died
    sent_at = models.DateTimeField(null=True)
    inside = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="holds"
    )  # the digest it is in
    dead_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=120, blank=True)  # what kind of failure, never its words

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(sent_at=None, dead_at=None), name="letter_waiting"),
            models.Index(fields=["to"], name="letter_by_address"),
        ]

    def __str__(self) -> str:
        return f"Letter {self.pk} ({self.kind})"


QUIET_FROM, QUIET_UNTIL = time(20), time(7)  # local to the reader, unless they wish otherwise


class Wish(models.Model):
    """What somebody wishes of our letters, by address: kinds that they do not want, a digest, quiet hours."""

    address = models.EmailField(unique=True)  # lower case
    without = models.JSONField(default=list)  # kinds
    digest = models.BooleanField(default=False)  # one letter a day
    quiet_from = models.TimeField(null=True, default=QUIET_FROM)  # local to the reader; null for no quiet hours
    quiet_until = models.TimeField(null=True, default=QUIET_UNTIL)
    time_zone = models.CharField(max_length=40, blank=True)  # blank: that of each letter

    def __str__(self) -> str:
        return f"Wish {self.pk}"
