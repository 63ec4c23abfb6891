"""Make a circle, change it, end it. Nothing here erases a word: the key goes at the charter's date, and only then."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cordee.accounts.models import Person, Space
from cordee.circles import crypto, default_charter
from cordee.circles.models import Charter, Circle, Membership
from cordee.circles.refused import Refused

WORDS_DAYS = 365  # how long the words of a circle are kept when nobody says otherwise


def usual_date() -> date:
    return timezone.localdate() + timedelta(days=WORDS_DAYS)


def create(space: Space, by: Person, facilitators: Iterable[Person] = (), **fields: Any) -> Circle:
    """A circle with its key and the first version of its charter; ``fields`` are columns of Circle.

    ``by`` invites; it gives them no place in the circle, and no right to its room. Raises :class:`Refused`.
    """
    from cordee.circles.actions import members

    with transaction.atomic():
        fields.setdefault("erase_on", usual_date())
        circle = Circle.objects.create(space=space, wrapped_key=crypto.new_wrapped_key(), **fields)
        Charter.objects.create(
            circle=circle,
            version=1,
            text=default_charter.text(),
            scope=default_charter.scope(),
            erase_on=circle.erase_on,
        )
        for person in facilitators:
            members.add(circle, person, Membership.FACILITATOR, by=by)
    return circle


def locked(circle: Circle, *, change: bool = True) -> Circle:
    """The circle as it is now, held until the transaction ends, so that two requests never share its last place.

    SQLite holds the whole database from the transaction's first word (IMMEDIATE). Raises :class:`Refused` when the
    circle has ended.
    """
    now = Circle.objects.select_for_update().get(pk=circle.pk)
    if change and now.ended_at:
        raise Refused(_("Ce cercle est clos : on peut le relire, plus le changer."))
    return now


def edit(circle: Circle, **fields: Any) -> None:
    """Change its name, purpose, method, place, link, quorum or time zone. Raises :class:`Refused`."""
    with transaction.atomic():
        now = locked(circle)
        for name, value in fields.items():
            setattr(now, name, value)
        now.save(update_fields=list(fields))


def end(circle: Circle) -> None:
    """No more meetings nor members: the circle is kept to be read until its charter's date. Raises :class:`Refused`."""
    with transaction.atomic():
        now = locked(circle)
        now.ended_at = timezone.now()
        now.save(update_fields=["ended_at"])
        now.memberships.update(offered_at=None)
