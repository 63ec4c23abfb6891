"""Ids are made by browsers: two meetings may have the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from cordee.circles.models import Meeting
from cordee.followup.models import Commitment, Learning


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that a room leaves, under the id that a browser gave it."""

    id: str


K = TypeVar("K", bound=Kept)


def told_apart(meeting: Meeting, found: Sequence[K], table: type[Commitment] | type[Learning]) -> list[K]:
    """The same, under another id where an earlier meeting has this one: ids are made by browsers."""
    ids = [one.id for one in found]
    taken = set(table._base_manager.filter(pk__in=ids).exclude(meeting=meeting).values_list("pk", flat=True))
    return [replace(one, id=f"{meeting.pk}-{one.id}"[:64]) if one.id in taken else one for one in found]
