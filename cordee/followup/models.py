"""What a circle keeps of its rooms: what its members promised and what they learnt, sealed with the circle's key."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar, Literal

from django.db import models, transaction
from django.db.models import Count, Q
from django.db.models.expressions import Combinable
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cordee.accounts.models import Person, Space, User
from cordee.circles import crypto
from cordee.circles.models import Circle, Meeting, Situation


class Commitment(models.Model):
    """An if–then plan of a client. Dates and states are plain, for reminders; every word is sealed.

    ``sealed`` holds if, then, witness (a name); ``sealed_outcome`` gave and learnt.
    """

    PROMISED, TRIED, KEPT, ADAPTED, LET_GO = "promised", "tried", "kept", "adapted", "let_go"
    DONE = (KEPT, ADAPTED)  # what may be told as a success
    OVER = (KEPT, LET_GO)  # of what nobody is to be reminded
    STATES = (
        (PROMISED, _("promis")),
        (TRIED, _("essayé")),
        (KEPT, _("tenu")),
        (ADAPTED, _("adapté")),
        (LET_GO, _("laissé")),
    )

    id = models.CharField(primary_key=True, max_length=64)  # the contribution's, in the room where it was made
    circle = models.ForeignKey(Circle, on_delete=models.CASCADE, related_name="commitments")
    meeting = models.ForeignKey(Meeting, on_delete=models.SET_NULL, null=True, related_name="commitments")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="commitments")
    witness = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="witnessed")
    state = models.CharField(max_length=10, choices=STATES, default=PROMISED)
    due_on = models.DateField(null=True, blank=True)
    remind_on = models.DateField(null=True, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    sealed = models.BinaryField(null=True)
    sealed_outcome = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"Commitment {self.pk}"

    def hold(self, key: bytes, words: Mapping[str, str]) -> None:
        """Seal what was promised: if, then, witness. Not saved."""
        self.sealed = crypto.seal(key, words, f"commitment/{self.pk}")

    def words(self, key: bytes | None) -> dict[str, str]:
        """What was promised; nothing once erased. Raises :class:`crypto.Unreadable`."""
        return crypto.unseal(key, self.sealed, f"commitment/{self.pk}") or {}

    def outcome(self, key: bytes | None) -> dict[str, str]:
        """What it gave and what was learnt (``gave``, ``learnt``); nothing where nothing was said or all is erased."""
        return crypto.unseal(key, self.sealed_outcome, f"commitment/{self.pk}/outcome") or {}

    def stand(
        self,
        *,
        state: str | None = None,
        gave: str | None = None,
        learnt: str | None = None,
        remind_on: date | Literal["same"] | None = "same",
        at: datetime | None = None,
    ) -> None:
        """Its author says where they stand; said again, the latest holds. What is left out stays as it was.

        Of what is kept or let go nobody is reminded. Once the circle's key is destroyed no word is kept.
        ``at``: when it was said, if not now. Said from two devices at once, neither takes away what the other said.
        """
        with transaction.atomic():
            self._lock()
            self._stand(state, gave, learnt, remind_on, at or timezone.now())

    def say_first(self, state: str, gave: str, learnt: str) -> bool:
        """As :meth:`stand`, where no word was written yet and one can be kept; whether it was said."""
        with transaction.atomic():
            self._lock()
            if not self.may_say_first:
                return False
            self._stand(state, gave, learnt, "same", timezone.now())
            return True

    @property
    def may_say_first(self) -> bool:
        return self.sealed_outcome is None and self.sealed is not None and bool(self.circle.wrapped_key)

    def _lock(self) -> None:
        """Read again what its author says of it, and nobody else writes it before the transaction ends."""
        stored = Commitment.objects.select_for_update()
        self.refresh_from_db(fields=["state", "answered_at", "remind_on", "sealed_outcome"], from_queryset=stored)

    def _stand(
        self,
        state: str | None,
        gave: str | None,
        learnt: str | None,
        remind_on: date | Literal["same"] | None,
        at: datetime,
    ) -> None:
        self.state = state or self.state
        if state or gave is not None or learnt is not None:
            self.answered_at = at
        self.remind_on = self.remind_on if remind_on == "same" else remind_on
        if self.state in self.OVER:
            self.remind_on = None
        key = self.circle.key() if gave is not None or learnt is not None else None
        if key:
            said = self.outcome(key)
            self._seal_outcome(
                key,
                said.get("gave", "") if gave is None else gave,
                said.get("learnt", "") if learnt is None else learnt,
            )
        self.save(update_fields=["state", "answered_at", "remind_on", "sealed_outcome"])

    def _seal_outcome(self, key: bytes, gave: str, learnt: str) -> None:
        said = {name: text for name, text in (("gave", gave), ("learnt", learnt)) if text}
        self.sealed_outcome = crypto.seal(key, said, f"commitment/{self.pk}/outcome") if said else None

    def relations(self, user: User) -> frozenset[str]:
        of_circle = self.circle.relations(user)
        mine = bool(of_circle) and user.person_in(self.circle.space_id) == self.person_id
        return of_circle | {"author"} if mine else of_circle


class Success(models.Model):
    """A commitment that was kept, or adapted, as its author tells it to their circle in three lines.

    Its author may thank a peer in it for their lead. ``sealed`` holds situation, did, gave; word: what is added to the
    thanks. ``id`` is that of its card in the rooms that were told of it: one told again after a withdrawal has another.
    """

    id = models.CharField(primary_key=True, max_length=64)
    commitment = models.OneToOneField(Commitment, on_delete=models.CASCADE, related_name="success")
    thanked = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="thanks")
    thanked_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(default=timezone.now)
    celebrated = models.ForeignKey(Meeting, on_delete=models.SET_NULL, null=True, blank=True, related_name="celebrated")
    sealed = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"Success {self.pk}"

    def hold(self, key: bytes, words: Mapping[str, str]) -> None:
        """Seal what is told: situation, did, gave, word. Not saved."""
        self.sealed = crypto.seal(key, words, f"success/{self.pk}")

    def words(self, key: bytes | None) -> dict[str, str]:
        """What is told; nothing once erased. Raises :class:`crypto.Unreadable`."""
        return crypto.unseal(key, self.sealed, f"success/{self.pk}") or {}


class Shared(models.Manager["Learning"]):
    """Those of a circle. What somebody keeps for themselves alone must be asked for by name."""

    def get_queryset(self) -> models.QuerySet["Learning"]:
        return super().get_queryset().filter(alone=False)


class Learning(models.Model):
    """What a member said they learnt, shown to the circle in the room; or kept for themselves (``alone``).

    ``sealed`` holds text, theme, value. ``objects`` are those of circles; ``everything`` has the others too.
    """

    id = models.CharField(primary_key=True, max_length=64)  # the contribution's, in the room where it was said
    circle = models.ForeignKey(Circle, on_delete=models.CASCADE, related_name="learnings")
    meeting = models.ForeignKey(Meeting, on_delete=models.SET_NULL, null=True, related_name="learnings")
    # Null: said by somebody without an account, or by "un pair" once its author's data was erased.
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="learnings")
    learnt_at = models.DateTimeField(default=timezone.now)
    alone = models.BooleanField(default=False)  # its author's until they share it, and nobody else's
    sealed = models.BinaryField(null=True)

    objects = Shared()
    everything: ClassVar[models.Manager["Learning"]] = models.Manager()

    def __str__(self) -> str:
        return f"Learning {self.pk}"

    def share(self) -> None:
        """From now on it is the circle's."""
        self.alone = False
        self.save(update_fields=["alone"])

    def throw_away(self) -> None:
        """Its author keeps it no more. Of one that a room left an empty row stays: no harvest brings it back."""
        if self.meeting_id is None:
            self.delete()
        else:
            self.sealed = None
            self.save(update_fields=["sealed"])

    def hold(self, key: bytes, words: Mapping[str, str]) -> None:
        """Seal what was learnt: text, theme, value. Not saved."""
        self.sealed = crypto.seal(key, words, f"learning/{self.pk}")

    def words(self, key: bytes | None) -> dict[str, str]:
        """What was learnt; nothing once erased. Raises :class:`crypto.Unreadable`."""
        return crypto.unseal(key, self.sealed, f"learning/{self.pk}") or {}

    def relations(self, user: User) -> frozenset[str]:
        of_circle = self.circle.relations(user)
        mine = bool(of_circle) and user.person_in(self.circle.space_id) == self.person_id
        if self.alone:
            return frozenset({"author"}) if mine else frozenset()
        return of_circle | {"author"} if mine else of_circle


class Help(models.Model):
    """A learning that helped again: somebody said so, of a situation that they prepare or at a meeting."""

    learning = models.ForeignKey(Learning, on_delete=models.CASCADE, related_name="helps")
    situation = models.ForeignKey(Situation, on_delete=models.SET_NULL, null=True, blank=True, related_name="helps")
    meeting = models.ForeignKey(Meeting, on_delete=models.SET_NULL, null=True, blank=True, related_name="helps")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="helps")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["learning", "person", "situation"], name="helps_a_situation_once"),
            models.UniqueConstraint(fields=["learning", "person", "meeting"], name="helps_at_a_meeting_once"),
        ]

    def __str__(self) -> str:
        return f"Help {self.pk}"


def times_helped(helps: str = "helps") -> Combinable:
    """How often a learning helped again: a meeting counts once, and each situation that somebody prepared."""
    alone = Count(helps, filter=Q(**{f"{helps}__meeting": None}), distinct=True)
    return alone + Count(f"{helps}__meeting", distinct=True)


class Publication(models.Model):
    """What its author shows of a learning to their space, without a name: a text of its own, in plain words.

    Written once: another text is another row, with another id. Its author is the learning's, for as long as it has one.
    """

    id = models.CharField(primary_key=True, max_length=64)
    learning = models.OneToOneField(Learning, on_delete=models.CASCADE, related_name="publication")
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="publications")
    text = models.TextField()
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["space", "-published_at"], name="published_in_a_space")]

    def __str__(self) -> str:
        return f"Publication {self.pk}"
