"""Writes that touch several rows: accounts, spaces, people. What a list of people changes is in :mod:`.lists`."""

from datetime import timedelta

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language

from cordee.accounts import limits, lists
from cordee.accounts.models import Person, Role, Space, Upload, User, Value
from cordee.engine.recall import plain

import_people = lists.import_people

# ---------------------------------------------------------------- accounts


def account_of(address: str, name: str = "") -> User:
    """The account of an address that somebody has just proved to be theirs, made if there is none."""
    address = address.strip().lower()
    if known := User.objects.filter(email=address).first():
        return known
    try:
        with transaction.atomic():
            return User.objects.create_user(address, name=name[:60], language=get_language() or "fr")
    except IntegrityError:  # made by another request in the meantime
        return User.objects.get(email=address)


def welcome(user: User) -> None:
    """Whom the spaces know by this address is this account, from now on."""
    unclaimed = Person.objects.filter(email=user.email, user=None, erased_at=None)
    unclaimed = unclaimed.exclude(space__people__user=user)
    name = unclaimed.values_list("name", flat=True).first()
    unclaimed_ids = list(unclaimed.values_list("pk", flat=True))
    if unclaimed_ids:
        Person.objects.filter(pk__in=unclaimed_ids, user=None).update(user=user)
    if name and not user.name:
        user.name = name.split()[0][:60]
        user.save(update_fields=["name"])
    user.__dict__.pop("spaces", None)


def sign_in(request: HttpRequest, user: User, then: str = "") -> HttpResponse:
    """Sign this browser in, in a new session, and send it on. Who was closed out is told so."""
    if user.is_active:
        welcome(user)
    answer: HttpResponse = perform_login(request, Login(user=user, redirect_url=then or None))
    return answer


def end_session(user: User, session: int) -> None:
    """Sign one of this person's devices out; another person's is left alone."""
    if mine := UserSession.objects.filter(user_id=user.pk, pk=session).first():
        mine.end()


def sign_out_everywhere(user: User) -> None:
    """End every session and every link that was made for this account: what was opened with them is shut."""
    with transaction.atomic():
        user.set_unusable_password()  # what a session is signed with: those that no list knows end too
        user.save(update_fields=["password"])
        User.objects.filter(pk=user.pk).update(links_epoch=F("links_epoch") + 1)
        keys = list(UserSession.objects.filter(user_id=user.pk).values_list("session_key", flat=True))
        Session.objects.filter(pk__in=keys).delete()
        UserSession.objects.filter(user_id=user.pk).delete()
    user.refresh_from_db(fields=["links_epoch"])


def forget_old() -> int:
    """Throw away what waited in vain: codes never typed and sessions that are over, lists never confirmed. How many."""
    over, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    alive = Session.objects.values("session_key")
    UserSession.objects.exclude(session_key__in=alive).delete()
    Upload.objects.filter(created_at__lt=timezone.now() - timedelta(days=1)).delete()
    limits.forget_old()
    return over


# ---------------------------------------------------------------- spaces


def create_space(name: str, organiser: str, address: str) -> Space:
    """A space and its first organiser, by name and address."""
    with transaction.atomic():
        space = Space.objects.create(name=name)
        name_organiser(add_person(space, name=organiser, email=address))
    return space


def set_values(space: Space, names: list[str]) -> None:
    """These are its values from now on, in this order. One whose word stays, but for case and accents, is the same."""
    with transaction.atomic():
        Space.objects.select_for_update().get(pk=space.pk)
        Value.objects.filter(space=space).exclude(plain__in=map(plain, names)).delete()
        for position, name in enumerate(names):
            said = {"name": name, "position": position}
            Value.objects.update_or_create(space=space, plain=plain(name), defaults=said)


def add_person(space: Space, **profile: object) -> Person:
    """Somebody new in a space; the account of their address, if there is one, is theirs at once."""
    address = str(profile.get("email") or "").lower()
    profile["email"] = address
    user = User.objects.filter(email=address).first() if address else None
    return Person.objects.create(space=space, user=user, **profile)


def name_organiser(person: Person) -> None:
    Role.objects.get_or_create(person=person, role=Role.ORGANISER)


def set_roles(person: Person, roles: set[str]) -> bool:
    """Name somebody organiser, sponsor, both or neither. ``False``, and nothing, if nobody would organise any more."""
    with transaction.atomic():
        Space.objects.select_for_update().get(pk=person.space_id)
        if Role.ORGANISER not in roles and _last_organiser(person):
            return False
        person.roles.exclude(role__in=roles).delete()
        for role in roles:
            Role.objects.get_or_create(person=person, role=role)
    return True


def leave_space(person: Person) -> bool:
    """Somebody is no more of the space: they see nothing of it. ``False``, and nothing, for its last organiser."""
    with transaction.atomic():
        Space.objects.select_for_update().get(pk=person.space_id)
        if _last_organiser(person):
            return False
        person.roles.all().delete()
        person.left_at = timezone.now()
        person.save(update_fields=["left_at"])
    return True


def _last_organiser(person: Person) -> bool:
    here = Role.objects.filter(person__space=person.space_id, person__left_at=None, role=Role.ORGANISER)
    return here.filter(person=person).exists() and not here.exclude(person=person).exists()
