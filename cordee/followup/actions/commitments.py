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


def keep_outcome(circle: Circle, commitment: str, said: Mapping[str, tuple[str, datetime]]) -> None:
    """What its author has said of a commitment at the opening of a later meeting; what they said since holds.

    ``said``: what was said of standing, gave and learnt, and when; what was not spoken of there is left out.
    """
    stored = Commitment.objects.filter(pk=commitment, circle=circle).select_related("circle").first()
    if stored is None or stored.sealed is None:
        return
    new = {name: one for name, one in said.items() if stored.answered_at is None or one[1] > stored.answered_at}
    if not new:
        return
    standing = new["standing"][0] if "standing" in new else ""
    words = {name: new[name][0] for name in ("gave", "learnt") if name in new}
    before = {"gave": "", "learnt": "", **stored.outcome(stored.circle.key())}
    changed = standing not in {"", stored.state} or before != before | words
    if changed and standing in {"", *dict(Commitment.STATES)}:
        said_at = max(at for _, at in new.values())
        stored.stand(state=standing or None, gave=words.get("gave"), learnt=words.get("learnt"), at=said_at)
