"""A circle of peers: its people, its charter, its meetings, what its members bring. Its key seals every text, of its
rooms and of these tables, and is destroyed at the charter's date."""

from datetime import date, timedelta

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cordee.accounts.models import Person, Space, User, Value, server_zone
from cordee.circles import crypto

GUEST_DAYS = 30  # how long the words of a room opened without a circle are kept
UTMOST = 10  # members in a circle: others wait. What is said of fewer is in compose.py


def _guest_date() -> date:
    return timezone.localdate() + timedelta(days=GUEST_DAYS)


class Circle(models.Model):
    """Peers who meet several times; or, without a space, the guests of one room."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, null=True, blank=True, related_name="circles")
    name = models.CharField(_("nom"), max_length=120, blank=True)
    purpose = models.CharField(_("pourquoi ce cercle"), max_length=400, blank=True)
    protocol = models.CharField(_("méthode"), max_length=40, default="mentor")
    place = models.CharField(_("lieu"), max_length=200, blank=True)
    video_link = models.URLField(_("lien de visioconférence"), max_length=400, blank=True)
    time_zone = models.CharField(max_length=40, default=server_zone)
    quorum = models.PositiveSmallIntegerField(_("présents nécessaires"), default=4, validators=[MinValueValidator(2)])
    # The key, wrapped by the server's key ring; null once destroyed. See cordee/circles/crypto.py.
    wrapped_key = models.BinaryField(null=True)
    erase_on = models.DateField(default=_guest_date)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    balance_shown = models.BooleanField(default=True)  # the picture of giving and receiving

    def __str__(self) -> str:
        return self.name or f"Circle {self.pk}"

    def relations(self, user: User) -> frozenset[str]:
        """organiser, sponsor, person of its space; member, facilitator, waiting, former of the circle itself."""
        of_space = user.relations_in(self.space_id)
        return of_space | self._own_relations(user) if of_space else of_space

    def _own_relations(self, user: User) -> frozenset[str]:
        """Asked once a request: a page asks about many abilities, and each about the same two."""
        known: dict[int, frozenset[str]] = self.__dict__.setdefault("_relations_of", {})
        if user.pk not in known:
            mine = self.memberships.filter(person=user.person_in(self.space_id)).first()
            known[user.pk] = frozenset({mine.relation}) if mine else frozenset()
        return known[user.pk]

    def key(self) -> bytes | None:
        """What seals its texts; ``None`` once destroyed. Raises :class:`crypto.Unreadable` when it cannot be opened."""
        return crypto.unwrap(self.wrapped_key) if self.wrapped_key else None

    def show_balance(self, shown: bool) -> None:
        """Whether its people see the picture of giving and receiving."""
        self.balance_shown = shown
        self.save(update_fields=["balance_shown"])

    def destroy_key(self) -> None:
        """Make every text of this circle unreadable, for ever. What happened can still be counted."""
        self.wrapped_key = None
        self.save(update_fields=["wrapped_key"])


class Membership(models.Model):
    """Somebody's place in a circle. One who left keeps the row: what they did stays countable."""

    MEMBER, FACILITATOR = "member", "facilitator"
    ROLES = ((MEMBER, _("participant·e")), (FACILITATOR, _("animateur·rice")))

    circle = models.ForeignKey(Circle, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=ROLES, default=MEMBER)
    waiting_since = models.DateTimeField(null=True, blank=True)  # on the waiting list
    offered_at = models.DateTimeField(null=True, blank=True)  # a place is held for them until they answer
    joined_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replaced_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["circle", "person"], name="one_membership_a_person")]

    def __str__(self) -> str:
        return f"{self.circle_id}/{self.person_id}"

    @property
    def current(self) -> bool:
        return self.joined_at is not None and self.left_at is None

    @property
    def relation(self) -> str:
        """What they are to the circle: member, facilitator, waiting (some had been in it before) or former."""
        if self.waiting_since:
            return "waiting"
        return "former" if self.left_at else self.role


class Charter(models.Model):
    """The rules of a circle. A changed charter is a new version, and is signed again. The latest is in force."""

    circle = models.ForeignKey(Circle, on_delete=models.CASCADE, related_name="charters")
    version = models.PositiveSmallIntegerField()
    text = models.TextField(_("texte"), max_length=8000)
    scope = models.CharField(_("qui est tenu au secret, et sur quoi"), max_length=400)
    erase_on = models.DateField(_("date d’effacement"))
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["circle", "version"], name="one_charter_a_version")]

    def __str__(self) -> str:
        return f"{self.circle_id} v{self.version}"

    def relations(self, user: User) -> frozenset[str]:
        return self.circle.relations(user)


class Signature(models.Model):
    charter = models.ForeignKey(Charter, on_delete=models.CASCADE, related_name="signatures")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="signatures")
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["charter", "person"], name="one_signature_a_person")]

    def __str__(self) -> str:
        return f"{self.charter_id}/{self.person_id}"


class Meeting(models.Model):
    """A dated gathering of a circle. Without a date it is being polled for."""

    circle = models.ForeignKey(Circle, on_delete=models.CASCADE, related_name="meetings")
    number = models.PositiveSmallIntegerField()  # 1 for the first of the circle; stays when others are cancelled
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    place = models.CharField(_("lieu"), max_length=200, blank=True)  # blank: the circle's
    video_link = models.URLField(_("lien de visioconférence"), max_length=400, blank=True)  # blank: the circle's
    rounds = models.PositiveSmallIntegerField(_("consultations prévues"), default=1)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    kept_at = models.DateTimeField(null=True, blank=True)  # it will take place, though fewer come than the quorum
    # RFC 5545: a change of date or place, or a cancellation, is a later SEQUENCE of the same UID.
    uid = models.CharField(max_length=64, unique=True)
    sequence = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["circle", "number"], name="one_meeting_a_number"),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True, ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="a_meeting_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["starts_at"], name="meeting_by_date")]

    def __str__(self) -> str:
        return f"{self.circle_id} n° {self.number}"

    @property
    def polled(self) -> bool:
        """Its date is being looked for."""
        return self.starts_at is None and self.cancelled_at is None

    @property
    def over(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()

    @property
    def to_come(self) -> bool:
        """It can still be moved, cancelled, answered."""
        return self.cancelled_at is None and not self.over

    @property
    def where(self) -> str:
        return self.place or self.circle.place

    @property
    def call(self) -> str:
        """The link of its video call."""
        return self.video_link or self.circle.video_link

    def relations(self, user: User) -> frozenset[str]:
        return self.circle.relations(user)


class Reply(models.Model):
    """Whether somebody comes to a meeting. The reason of an absence is for its author alone, sealed like a room's."""

    COMING, ABSENT = "coming", "absent"
    ANSWERS = ((COMING, _("je viens")), (ABSENT, _("je ne peux pas venir")))

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="replies")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="replies")
    answer = models.CharField(max_length=8, choices=ANSWERS)
    sealed_reason = models.BinaryField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "person"], name="one_reply_a_person")]

    def __str__(self) -> str:
        return f"{self.meeting_id}/{self.person_id}"


class Slot(models.Model):
    """A date proposed for a meeting that has none yet."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="slots")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "starts_at"], name="one_slot_a_start")]

    def __str__(self) -> str:
        return f"{self.meeting_id} {self.starts_at:%Y-%m-%d %H:%M}"


class Availability(models.Model):
    YES, IF_NEEDED, NO = "yes", "if_needed", "no"
    ANSWERS = ((YES, _("oui")), (IF_NEEDED, _("s’il le faut")), (NO, _("non")))

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="answers")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="availabilities")
    answer = models.CharField(max_length=10, choices=ANSWERS)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["slot", "person"], name="one_availability_a_person")]

    def __str__(self) -> str:
        return f"{self.slot_id}/{self.person_id}"


class Attendance(models.Model):
    """When somebody was in the room of a meeting, as the room itself recorded it. Times and nothing else."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="attendances")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="attendances")
    arrived_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    minutes = models.PositiveIntegerField(default=0)  # in the room, absences taken off

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "person"], name="one_attendance_a_person")]

    def __str__(self) -> str:
        return f"{self.meeting_id}/{self.person_id}"


class Situation(models.Model):
    """What a member prepares: theirs alone until they bring it to a meeting. Sealed with the circle's key.

    ``sealed`` holds nature, title, text, urgency, as the protocol's kind ``situation``, and tried, expected.
    """

    DRAFT, BROUGHT, SET_ASIDE, TREATED = "draft", "brought", "set_aside", "treated"
    STATES = (
        (DRAFT, _("brouillon")),
        (BROUGHT, _("apportée")),
        (SET_ASIDE, _("mise de côté")),
        (TREATED, _("traitée")),
    )

    id = models.CharField(primary_key=True, max_length=24)  # made by chance: part of what is sealed
    circle = models.ForeignKey(Circle, on_delete=models.CASCADE, related_name="situations")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="situations")
    state = models.CharField(max_length=10, choices=STATES, default=DRAFT)
    meeting = models.ForeignKey(Meeting, on_delete=models.SET_NULL, null=True, blank=True, related_name="situations")
    reserve = models.BooleanField(default=False)  # kept for a meeting where nobody brings one
    sealed = models.BinaryField(null=True)  # null once its words were erased
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.circle_id}/{self.id}"

    def relations(self, user: User) -> frozenset[str]:
        """Its author is one: nobody else, member or organiser, stands near somebody's draft."""
        of_circle = self.circle.relations(user)
        mine = bool(of_circle) and user.person_in(self.circle.space_id) == self.person_id
        return frozenset({"author"}) if mine else frozenset()


class Turn(models.Model):
    """The ledger of client turns: who was client, in which round of which meeting."""

    circle = models.ForeignKey(Circle, on_delete=models.CASCADE, related_name="turns")
    meeting = models.ForeignKey(Meeting, on_delete=models.SET_NULL, null=True, related_name="turns")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="turns")
    situation = models.ForeignKey(Situation, on_delete=models.SET_NULL, null=True, blank=True, related_name="turns")
    round = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    sealed = models.BinaryField(null=True)  # title: what the room showed of the situation; null where it shows none

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "round"], name="one_turn_a_round")]

    def __str__(self) -> str:
        return f"{self.meeting_id}/{self.round}"

    def hold(self, key: bytes, title: str) -> None:
        """Seal the title of the situation, or nothing. Not saved."""
        self.sealed = crypto.seal(key, {"title": title}, self.about) if title else None

    def title(self, key: bytes | None) -> str:
        """Of the situation; "" once erased, or where the room shows none. Raises :class:`crypto.Unreadable`."""
        return (crypto.unseal(key, self.sealed, self.about) or {}).get("title", "") if self.meeting_id else ""

    @property
    def about(self) -> str:
        return f"turn/{self.meeting_id}/{self.round}"


class ValueCount(models.Model):
    """How often a value of the space was put on what was learnt at one meeting, by its very word: neither what nor who.

    Another word than the values of the space is counted nowhere. A value that is taken away takes its counts with it.
    """

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="value_counts")
    value = models.ForeignKey(Value, on_delete=models.CASCADE, related_name="counts")
    learnings = models.PositiveSmallIntegerField()
    people = models.PositiveSmallIntegerField()  # who had learnt that: each once

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "value"], name="one_count_a_value")]

    def __str__(self) -> str:
        return f"{self.meeting_id}/{self.value_id}"


class Voice(models.Model):
    """How often somebody spoke and wrote in one round, as its room recorded it: counts of what the group was shown.

    What the client did with it is not among them. ``written``: kind → how many.
    """

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="voices")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="voices")
    round = models.PositiveSmallIntegerField()
    floor = models.PositiveSmallIntegerField(default=0)  # times they were given it
    helped = models.BooleanField(default=False)  # gave the client of this round something: words, or the time they had
    written = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "round", "person"], name="one_voice_a_round")]

    def __str__(self) -> str:
        return f"{self.meeting_id}/{self.round}/{self.person_id}"
