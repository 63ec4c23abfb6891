"""A circle of peers. Its key seals every text of its rooms, and is destroyed at the charter's date."""

from datetime import date, timedelta

from django.db import models
from django.utils import timezone

GUEST_DAYS = 30  # how long the words of a room opened without a circle are kept


def _guest_date() -> date:
    return timezone.localdate() + timedelta(days=GUEST_DAYS)


class Circle(models.Model):
    name = models.CharField(max_length=120, blank=True)
    # The key, wrapped by the server's key ring; null once destroyed. See cordee/circles/crypto.py.
    wrapped_key = models.BinaryField(null=True)
    erase_on = models.DateField(default=_guest_date)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name or f"Circle {self.pk}"

    def destroy_key(self) -> None:
        """Make every text of this circle unreadable, for ever. What happened can still be counted."""
        self.wrapped_key = None
        self.save(update_fields=["wrapped_key"])
