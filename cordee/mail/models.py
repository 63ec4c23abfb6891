"""Letters that wait to be sent, and what people wish of letters. No word of a room is ever in one."""

from django.db import models
from django.utils import timezone


class Letter(models.Model):
    """One letter to one address, sent by ``tick``: waiting, sent, or dead once it was tried in vain too often."""

    key = models.CharField(max_length=120, unique=True)  # what about, and to whom: written once however often asked
    kind = models.CharField(max_length=24)
    to = models.EmailField()
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    calendar = models.TextField(blank=True)  # an iCalendar object (RFC 5545) that goes with it
    method = models.CharField(max_length=10, blank=True)  # of that object: REQUEST, CANCEL
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)  # not before
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)  # somebody is sending it; after this, they died
    sent_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=120, blank=True)  # what kind of failure, never its words

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(sent_at=None, dead_at=None), name="letter_waiting")
        ]

    def __str__(self) -> str:
        return f"Letter {self.pk} ({self.kind})"


class Wish(models.Model):
    """What somebody wishes of our letters, by address: kinds that they do not want, a digest, quiet hours."""

    address = models.EmailField(unique=True)  # lower case
    without = models.JSONField(default=list)  # kinds
    digest = models.BooleanField(default=False)  # one letter a day
    quiet_from = models.TimeField(null=True)  # local to the reader
    quiet_until = models.TimeField(null=True)
    time_zone = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"Wish {self.pk}"
