"""What other pages list of rooms: dates and links, never a word."""

from dataclasses import dataclass
from datetime import date, datetime

from cordee.accounts.models import User
from cordee.room import access

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class RoomOf:
    """A room in which somebody has a seat. ``circle`` is "" for guests; ``erase_on``: until when words can be read."""

    id: str
    opened_at: datetime
    circle: str
    meeting: int | None
    erase_on: date
    readable: bool


def rooms_of(user: User) -> list[RoomOf]:
    """The rooms in which this user has a seat, the latest first: those of their circles, and those they claimed.

    The url ``room:mine`` (room=id) takes them to their place, and with ``?vers=bilan`` to their record.
    """
    rows = access.of_user(user).select_related("session__circle").order_by("-session__created_at", "-pk")[:MOST_LISTED]
    return [
        RoomOf(
            id=seat.session_id,
            opened_at=seat.session.created_at,
            circle=seat.session.circle.name,
            meeting=seat.session.meeting_id,
            erase_on=seat.session.circle.erase_on,
            readable=seat.session.circle.wrapped_key is not None,
        )
        for seat in rows
    ]
