"""Whose words one may read, and the keys that unseal them."""

from django.db.models import QuerySet

from cordee.accounts.models import User
from cordee.circles import crypto
from cordee.circles.models import Membership
from cordee.followup.models import Commitment, Learning


def persons(user: User) -> list[int]:
    return [person for person, _roles in user.spaces.values()]


def circles_in(user: User) -> QuerySet[Membership, int]:
    here = Membership.objects.filter(person__in=persons(user), joined_at__isnull=False, left_at=None)
    return here.values_list("circle", flat=True)


class Keys:
    """The keys of some circles, each unwrapped once."""

    def __init__(self) -> None:
        self._known: dict[int, bytes | None] = {}

    def of(self, kept: Commitment | Learning) -> bytes | None:
        """``None`` for a circle whose key is destroyed, or cannot be opened with today's ring: doctor tells which."""
        if kept.circle_id not in self._known:
            try:
                self._known[kept.circle_id] = kept.circle.key()
            except crypto.Unreadable:
                self._known[kept.circle_id] = None
        return self._known[kept.circle_id]
