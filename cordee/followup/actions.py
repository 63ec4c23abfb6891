"""What a meeting's room leaves to its circle, written as the room tells it: see cordee/room/harvest.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar

from cordee.circles.models import Circle, Meeting, Situation
from cordee.followup import published
from cordee.followup.models import Commitment, Help, Learning, Publication


@dataclass(frozen=True, slots=True)
class Promise:
    """A commitment as it was shown in the room. ``words``: if, then, witness (a name)."""

    id: str
    person: int
    witness: int | None
    due_on: date | None
    made_at: datetime
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Learnt:
    """A learning as it was shown. ``words``: text, theme, value; from (a name) where ``person`` is nobody we know."""

    id: str
    person: int | None
    learnt_at: datetime
    words: Mapping[str, str]


K = TypeVar("K", Promise, Learnt)


def keep_commitments(meeting: Meeting, key: bytes, promises: Sequence[Promise]) -> None:
    """What stands of this meeting's commitments. Those taken back go; what their authors said of the others since,
    and the reminders they set, stay. Words erased since are not brought back."""
    promises = _told_apart(meeting, promises, Commitment)
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


def keep_learnings(meeting: Meeting, key: bytes, learnings: Sequence[Learnt]) -> None:
    """What stands of this meeting's learnings. One whose author's data was erased since stays as it then was left."""
    learnings = _told_apart(meeting, learnings, Learning)
    stored = {one.pk: one for one in Learning.objects.filter(meeting=meeting)}
    gone = stored.keys() - {learnt.id for learnt in learnings}
    published.withdraw(Publication.objects.filter(learning__in=gone))
    Learning.objects.filter(pk__in=gone).delete()
    for learnt in learnings:
        learning = stored.get(learnt.id)
        if learning is None:
            made = Learning(pk=learnt.id, circle=meeting.circle, meeting=meeting, learnt_at=learnt.learnt_at)
            made.person_id = learnt.person
            made.hold(key, learnt.words)
            made.save(force_insert=True)
        elif learning.sealed is not None and learning.words(key) != dict(learnt.words):
            learning.person_id = learnt.person
            learning.hold(key, learnt.words)
            learning.save(update_fields=["person", "sealed"])


def _told_apart(meeting: Meeting, found: Sequence[K], table: type[Commitment] | type[Learning]) -> list[K]:
    """The same, under another id where an earlier meeting has this one: ids are made by browsers."""
    ids = [one.id for one in found]
    taken = set(table._default_manager.filter(pk__in=ids).exclude(meeting=meeting).values_list("pk", flat=True))
    return [replace(one, id=f"{meeting.pk}-{one.id}"[:64]) if one.id in taken else one for one in found]


def keep_outcome(circle: Circle, key: bytes, commitment: str, state: str, gave: str, said_at: datetime) -> None:
    """What its author has said of a commitment at the opening of a later meeting; what they said since holds."""
    stored = Commitment.objects.filter(pk=commitment, circle=circle).first()
    if stored is None or stored.sealed is None or (stored.answered_at and stored.answered_at >= said_at):
        return
    before = stored.outcome(key)
    if state in dict(Commitment.STATES) and state != stored.state:
        stored.state = state
    if gave != before.get("gave", ""):
        stored.tell(key, gave, before.get("learnt", ""))
    stored.answered_at = said_at
    stored.save(update_fields=["state", "answered_at"])


def helps(learning: Learning, situation: Situation, *, yes: bool) -> None:
    """The author of a situation says that this learning helps them with it, or does not after all; counted once."""
    if yes:
        Help.objects.get_or_create(learning=learning, situation=situation, person_id=situation.person_id)
    else:
        Help.objects.filter(learning=learning, situation=situation, person=situation.person_id).delete()
