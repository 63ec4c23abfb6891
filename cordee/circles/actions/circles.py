"""Make a circle, change it, end it. Nothing here erases a word: the key goes at the charter's date, and only then."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from cordee.accounts.models import Person, Space
from cordee.circles import crypto, default_charter
from cordee.circles.actions import letters, meetings, members
from cordee.circles.actions.locking import locked
from cordee.circles.models import Charter, Circle, Membership
from cordee.circles.queries.circles import not_begun

WORDS_DAYS = 365  # how long the words of a circle are kept when nobody says otherwise


def usual_date() -> date:
    return timezone.localdate() + timedelta(days=WORDS_DAYS)


def create(space: Space, by: Person, facilitators: Iterable[Person] = (), **fields: Any) -> Circle:
    """A circle with its key and the first version of its charter; ``fields`` are columns of Circle.

    ``by`` invites; it gives them no place in the circle, and no right to its room. Raises :class:`Refused`.
    """
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


def edit(circle: Circle, **fields: Any) -> None:
    """Change its name, purpose, method, place, link, quorum or time zone. Raises :class:`Refused`."""
    with transaction.atomic():
        now = locked(circle)
        moved = any(name in fields and fields[name] != getattr(now, name) for name in ("place", "video_link"))
        for name, value in fields.items():
            setattr(now, name, value)
        now.save(update_fields=list(fields))
        if moved:
            meetings.circle_moved(now)


def end(circle: Circle) -> None:
    """No more meetings nor members, and everybody is told; one that has begun goes on. Raises :class:`Refused`."""
    with transaction.atomic():
        now = locked(circle)
        for meeting in not_begun(now):
            meetings.cancel(meeting)
        now.ended_at = timezone.now()
        now.save(update_fields=["ended_at"])
        now.memberships.update(offered_at=None)
        letters.ended(now)
