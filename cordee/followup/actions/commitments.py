"""What a meeting's room leaves to its circle of what was promised: see cordee/room/harvest.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cordee.circles.models import Circle, Meeting
from cordee.followup.actions.ids import Kept, told_apart
from cordee.followup.models import Commitment


@dataclass(frozen=True, slots=True)
class Promise(Kept):
    """A commitment as it was shown in the room. ``words``: if, then, witness (a name)."""

    person: int
    witness: int | None
    due_on: date | None
    made_at: datetime
    words: Mapping[str, str]


def keep_commitments(meeting: Meeting, key: bytes, promises: Sequence[Promise]) -> None:
    """What stands of this meeting's commitments. Those taken back go; what their authors said of the others since,
    and the reminders they set, stay. Words erased since are not brought back."""
    promises = told_apart(meeting, promises, Commitment)
    stored = {one.pk: one for one in Commitment.objects.filter(meeting=meeting)}
    Commitment.objects.filter(pk__in=stored.keys() - {promise.id for promise in promises}).delete()
    for promise in promises:
        commitment = stored.get(promise.id)
        if commitment is None:
            made = Commitment(pk=promise.id, circle=meeting.circle, meeting=meeting, made_at=promise.made_at)
            _write(made, promise, key)
            made.save(force_insert=True)
        elif commitment.sealed is not None:
            _write(commitment, promise, key)
            commitment.save(update_fields=["person", "witness", "due_on", "sealed"])


def _write(commitment: Commitment, promise: Promise, key: bytes) -> None:
    commitment.person_id, commitment.witness_id = promise.person, promise.witness
    commitment.due_on = promise.due_on
    commitment.hold(key, promise.words)


def keep_outcome(circle: Circle, commitment: str, said: Mapping[str, str], said_at: datetime) -> None:
    """What its author has said of a commitment at the opening of a later meeting; what they said since holds.

    ``said``: standing, gave, learnt; what the room did not ask for is left out.
    """
    stored = Commitment.objects.filter(pk=commitment, circle=circle).select_related("circle").first()
    if stored is None or stored.sealed is None or (stored.answered_at and stored.answered_at >= said_at):
        return
    standing = said.get("standing") or stored.state
    words = {name: said[name] for name in ("gave", "learnt") if name in said}
    before = {"gave": "", "learnt": "", **stored.outcome(stored.circle.key())}
    if standing in dict(Commitment.STATES) and (standing != stored.state or before != before | words):
        stored.stand(state=standing, gave=words.get("gave"), learnt=words.get("learnt"), at=said_at)
