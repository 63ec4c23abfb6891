"""What is stored of a room. Everything anybody typed is sealed with the circle's key (see crypto.py)."""

from django.db import models
from django.db.models import Q

from cordee.accounts.models import Person, User
from cordee.circles.models import Circle, Meeting


class Session(models.Model):
    """A live gathering: an ordered log, and the protocol text it is played by, pinned for ever."""

    id = models.CharField(primary_key=True, max_length=24)
    circle = models.ForeignKey(Circle, on_delete=models.CASCADE, related_name="sessions")
    meeting = models.OneToOneField(Meeting, on_delete=models.SET_NULL, null=True, blank=True, related_name="session")
    harvested = models.PositiveIntegerField(default=0)  # up to which seq what is kept was taken out (see harvest.py)
    protocol = models.TextField()
    code_digest = models.CharField(max_length=64, unique=True)
    links = models.BinaryField()  # sealed: the room code and the shared screen's link, shown to the facilitator
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.id


class Seat(models.Model):
    """A link that opens one seat (or the shared screen). The token itself is never stored, only its digest.

    Somebody's with an account is theirs by ``person`` (in a circle of a space) or by ``user`` (a guest who claimed it,
    where they are a person of no space, or the circle has none); its token is then computed: see access.py.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="seats")
    seat = models.CharField(max_length=24)
    # Whose it is, for somebody with an account; several rooms' seats, one of each room.
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="seats")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="seats")
    # Its token is computed from its owner's account: once that is gone, nothing opens it.
    owned = models.BooleanField(default=False)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "seat"], name="one_link_a_seat"),
            models.UniqueConstraint(
                fields=["session", "person"], condition=Q(person__isnull=False), name="one_seat_a_person"
            ),
            models.UniqueConstraint(
                fields=["session", "user"], condition=Q(user__isnull=False), name="one_seat_a_user"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.seat}"


class Entry(models.Model):
    """One fact of the log. ``plain`` holds ids and flags; ``sealed`` the confidential body."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="entries")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=24)
    at = models.FloatField()
    seat = models.CharField(max_length=64)
    plain = models.JSONField()
    sealed = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "seq"], name="one_entry_a_seq")]

    def __str__(self) -> str:
        return f"{self.session_id}#{self.seq}"


class Draft(models.Model):
    """What a seat is typing and has not submitted, sealed like the rest."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="drafts")
    seat = models.CharField(max_length=24)
    kind = models.CharField(max_length=64)
    sealed = models.BinaryField()
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "seat", "kind"], name="one_draft_a_kind")]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.seat}/{self.kind}"


class Tries(models.Model):
    """How often something was tried of late, and when that is forgotten (seconds since the epoch). See limits.py."""

    name = models.CharField(primary_key=True, max_length=64)  # a keyed digest
    count = models.PositiveIntegerField()
    until = models.FloatField(db_index=True)

    def __str__(self) -> str:
        return self.name[:8]
