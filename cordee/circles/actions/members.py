"""Who is in a circle: places are counted under the circle's lock, so that none is lost nor given twice."""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cordee.accounts.models import Person
from cordee.circles.actions import convocations, letters
from cordee.circles.actions.locking import locked
from cordee.circles.models import UTMOST, Circle, Membership
from cordee.circles.queries.circles import current
from cordee.circles.refused import Refused


def add(circle: Circle, person: Person, role: str = Membership.MEMBER, by: Person | None = None) -> Membership:
    """Give them a place; when the ten are taken or offered, a place on the waiting list. Raises :class:`Refused`.

    Somebody who waits, or who had left, is found again; somebody who is already here stays what they are.
    """
    with transaction.atomic():
        circle = locked(circle)
        membership = _of(circle, person)
        if membership.current:
            return membership
        membership.role = role
        if role == Membership.MEMBER and not membership.offered_at and taken(circle) >= UTMOST:
            return _wait(membership)
        return _invited(_join(membership), by)


def wait(circle: Circle, person: Person) -> Membership:
    """Put them at the end of the waiting list, unless they are here or wait already. Raises :class:`Refused`."""
    with transaction.atomic():
        membership = _of(locked(circle), person)
        return membership if membership.current or membership.waiting_since else _wait(membership)


def leave(membership: Membership) -> None:
    """They leave the circle, or its waiting list; the place goes to who waits first. Raises :class:`Refused`."""
    with transaction.atomic():
        circle = locked(membership.circle)
        membership = _fresh(membership)
        if not membership.current and not membership.waiting_since:
            return
        if membership.current and membership.role == Membership.FACILITATOR:
            _require_another_leads(membership)
        frees = membership.role == Membership.MEMBER and (membership.current or membership.offered_at is not None)
        _depart(membership)
        if frees:
            offer_next(circle)


def replace(membership: Membership, person: Person, by: Person | None = None) -> Membership:
    """``person`` takes the place and the role; what the former did and wrote stays theirs. Raises :class:`Refused`."""
    with transaction.atomic():
        circle = locked(membership.circle)
        former = _fresh(membership)
        newcomer = _of(circle, person)
        if newcomer.current:
            raise Refused(_("%(name)s est déjà dans ce cercle : choisissez quelqu’un d’autre.") % {"name": person.name})
        if not former.current:
            raise Refused(_("Cette place a déjà changé de mains : relisez la liste des membres."))
        held = newcomer.offered_at is not None
        newcomer.role, newcomer.replaces = former.role, former
        _depart(former)
        _invited(_join(newcomer), by)
        if held:
            offer_next(circle)
        return newcomer


def accept(membership: Membership) -> None:
    """Who was offered a place takes it. Raises :class:`Refused` when it is no longer theirs."""
    with transaction.atomic():
        locked(membership.circle)
        membership = _fresh(membership)
        if membership.current:
            return
        if not membership.offered_at:
            raise Refused(_("Cette place n’est plus proposée : vous gardez votre rang dans la liste d’attente."))
        _join(membership)


def set_role(membership: Membership, role: str) -> None:
    """Make them facilitator, or member again. Raises :class:`Refused`: the last facilitator; no place for a member."""
    with transaction.atomic():
        circle = locked(membership.circle)
        membership = _fresh(membership)
        if not membership.current or membership.role == role:
            return
        if role == Membership.MEMBER:
            _require_another_leads(membership)
            if taken(circle) >= UTMOST:
                raise Refused(_("Les dix places sont prises ou proposées : libérez-en une d’abord."))
        membership.role = role
        membership.save(update_fields=["role"])
        if role == Membership.FACILITATOR:
            offer_next(circle)


def offer_next(circle: Circle) -> Membership | None:
    """Offer a free place to who has waited longest; it is held for them until they answer, or leave the list."""
    if taken(circle) >= UTMOST:
        return None
    queue = circle.memberships.filter(waiting_since__isnull=False, offered_at=None, person__left_at=None)
    first = queue.select_related("person").order_by("waiting_since", "pk").first()
    if first is not None:
        first.offered_at = timezone.now()
        first.save(update_fields=["offered_at"])
        letters.offer(first)
    return first


def taken(circle: Circle) -> int:
    """How many of the ten places are taken, or held for who was offered one. Facilitators take none."""
    here = Q(joined_at__isnull=False, left_at=None, waiting_since=None)
    return circle.memberships.filter(here | Q(offered_at__isnull=False), role=Membership.MEMBER).count()


def free(circle: Circle) -> int:
    return max(0, UTMOST - taken(circle))


def _of(circle: Circle, person: Person) -> Membership:
    if person.space_id != circle.space_id:
        raise Refused(_("Cette personne n’est pas de cet espace."))
    found = circle.memberships.filter(person=person).first()
    return found or Membership(circle=circle, person=person)


def _fresh(membership: Membership) -> Membership:
    return Membership.objects.select_related("person", "circle").get(pk=membership.pk)


def _require_another_leads(membership: Membership) -> None:
    others = current(membership.circle).filter(role=Membership.FACILITATOR).exclude(pk=membership.pk)
    if not others.exists():
        raise Refused(_("Nommez d’abord un·e autre animateur·rice : un cercle en a toujours un·e."))


def _join(membership: Membership) -> Membership:
    membership.joined_at = timezone.now()
    membership.waiting_since = membership.offered_at = membership.left_at = None
    membership.save()
    convocations.welcome(membership)
    return membership


def _invited(membership: Membership, by: Person | None) -> Membership:
    letters.invite(membership, by)
    return membership


def _wait(membership: Membership) -> Membership:
    membership.waiting_since = timezone.now()
    membership.role = Membership.MEMBER
    membership.offered_at = None
    membership.save()
    return membership


def _depart(membership: Membership) -> None:
    if membership.joined_at is None:
        membership.delete()  # who only waited leaves nothing behind
        return
    membership.left_at = membership.left_at or timezone.now()
    membership.waiting_since = membership.offered_at = None
    membership.save(update_fields=["left_at", "waiting_since", "offered_at"])
