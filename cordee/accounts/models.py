"""People: who signs in (User), and what a space knows of them (Person). One user may be a person of several spaces,
which learn nothing of each other."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _


def server_zone() -> str:
    return settings.TIME_ZONE


def server_language() -> str:
    return settings.LANGUAGE_CODE


class Users(BaseUserManager["User"]):
    def create_user(self, email: str, **fields: Any) -> "User":
        """Somebody who signs in by code, passkey or OpenID Connect: there is never a password."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_unusable_password()
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """Who signs in. What they may do comes from their persons' relations to things, never from here, but for the
    operator of the server."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=5, default=server_language)
    time_zone = models.CharField(max_length=40, default=server_zone)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    # Part of what the seats' links and the calendar's feed are made of: one more, and the former open nothing.
    links_epoch = models.PositiveIntegerField(default=0)

    objects: ClassVar[Users] = Users()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return f"User {self.pk}"  # whoever prints one, in a log for instance, tells no address

    @cached_property
    def spaces(self) -> dict[int, tuple[int, frozenset[str]]]:
        """Space id -> (their person there, what they are there). Read once a request."""
        here = self.persons.filter(left_at=None, erased_at=None).prefetch_related("roles")
        return {
            person.space_id: (person.pk, frozenset({"person"} | {role.role for role in person.roles.all()}))
            for person in here
        }

    def person_in(self, space_id: int | None) -> int | None:
        """The id of their person in this space."""
        return self.spaces[space_id][0] if space_id in self.spaces else None

    def relations_in(self, space_id: int | None) -> frozenset[str]:
        """person, organiser, sponsor of this space; nothing if they are not of it."""
        return self.spaces[space_id][1] if space_id in self.spaces else frozenset()


class Space(models.Model):
    """A training provider or an organisation on this server. Nothing crosses from one space to another."""

    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name

    def relations(self, user: User) -> frozenset[str]:
        return user.relations_in(self.pk)


class Value(models.Model):
    """What a space says it holds to: its rooms offer these words to mark a learning with. What is marked keeps the word
    that was said, sealed with its circle's key: a value that is renamed or taken away here changes nothing there."""

    MOST, LONGEST = 12, 60  # of a space; characters

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="values")
    name = models.CharField(max_length=LONGEST)
    plain = models.TextField()  # the name without case and accents, by which it is known again
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "plain"], name="one_value_a_word")]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """Somebody in a space, with or without an account: what is needed to form circles. Only the name is required."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="people")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="persons"
    )
    name = models.CharField(_("nom"), max_length=120)
    email = models.EmailField(_("adresse e-mail"), blank=True)  # lower case
    organisation = models.CharField(_("organisation"), max_length=120, blank=True)
    site = models.CharField(_("site"), max_length=120, blank=True)
    branch = models.CharField(_("branche d’activité"), max_length=120, blank=True)
    team = models.CharField(_("équipe"), max_length=120, blank=True)
    level = models.CharField(_("niveau"), max_length=60, blank=True)
    manager = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="reports")
    # What helps them take part (a ramp, large print, breaks): read by themselves, their facilitators and organisers.
    needs = models.TextField(_("besoins d’accessibilité"), max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)  # gone from the space; their name stays where it is needed
    erased_at = models.DateTimeField(null=True, blank=True)  # their data was erased at their wish

    class Meta:
        constraints = [
            models.UniqueConstraint("space", Lower("email"), condition=~Q(email=""), name="one_person_an_address"),
            models.UniqueConstraint(
                fields=["space", "user"], condition=Q(user__isnull=False), name="one_person_a_user"
            ),
        ]
        indexes = [models.Index(fields=["space", "name"], name="person_by_name")]

    def __str__(self) -> str:
        return f"Person {self.pk}"

    def relations(self, user: User) -> frozenset[str]:
        here = user.relations_in(self.space_id)
        return here | {"self"} if here and user.person_in(self.space_id) == self.pk else here - {"person", "sponsor"}


class Role(models.Model):
    """What somebody is in a space beyond the circles they belong to."""

    ORGANISER, SPONSOR = "organiser", "sponsor"
    ROLES = ((ORGANISER, _("organisateur·rice")), (SPONSOR, _("commanditaire")))

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=12, choices=ROLES)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "role"], name="one_role_once")]

    def __str__(self) -> str:
        return f"{self.person_id}/{self.role}"


class Tries(models.Model):
    """How often something was tried of late, and when that is forgotten (seconds since the epoch). See limits.py."""

    name = models.CharField(primary_key=True, max_length=64)  # a keyed digest
    count = models.PositiveIntegerField()
    until = models.FloatField(db_index=True)

    def __str__(self) -> str:
        return self.name[:8]


class Upload(models.Model):
    """A list of people that somebody has given and not yet confirmed; nothing of it is taken before it is read anew."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="uploads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    content = models.BinaryField()  # the file, compressed
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "by"], name="one_upload_at_a_time")]

    def __str__(self) -> str:
        return f"{self.space_id}/{self.pk}"
