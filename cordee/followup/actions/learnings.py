"""What a meeting's room leaves to its circle of what was learnt, and what of it helps again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe

from cordee.accounts.models import Person
from cordee.circles.models import Circle, Meeting, Situation
from cordee.followup import published
from cordee.followup.actions.ids import Kept, told_apart
from cordee.followup.models import Help, Learning, Publication


@dataclass(frozen=True, slots=True)
class Learnt(Kept):
    """A learning as it was shown, or noted by its author ``alone``. ``words``: text, theme, value; from (a name) where
    ``person`` is nobody we know."""

    person: int | None
    learnt_at: datetime
    words: Mapping[str, str]
    alone: bool = False


def keep_learnings(meeting: Meeting, key: bytes, learnings: Sequence[Learnt]) -> None:
    """What stands of this meeting's learnings. One whose author's data was erased since stays as it then was left."""
    learnings = told_apart(meeting, learnings, Learning)
    stored = {one.pk: one for one in Learning.everything.filter(meeting=meeting)}
    gone = stored.keys() - {learnt.id for learnt in learnings}
    published.withdraw(Publication.objects.filter(learning__in=gone))
    Learning.everything.filter(pk__in=gone).delete()
    for learnt in learnings:
        learning = stored.get(learnt.id)
        if learning is None:
            made = Learning(pk=learnt.id, circle=meeting.circle, meeting=meeting, learnt_at=learnt.learnt_at)
            made.person_id, made.alone = learnt.person, learnt.alone
            made.hold(key, learnt.words)
            made.save(force_insert=True)
        elif learning.sealed is not None and learning.words(key) != dict(learnt.words):
            learning.person_id = learnt.person
            learning.hold(key, learnt.words)
            learning.save(update_fields=["person", "sealed"])


def keep_alone(circle: Circle, person: Person, text: str) -> Learning | None:
    """Something that this member has learnt, for themselves; ``None`` once the circle's key is destroyed."""
    key = circle.key()
    if key is None:
        return None
    made = Learning(pk=token_urlsafe(12), circle=circle, person=person, alone=True)
    made.hold(key, {"text": text})
    made.save(force_insert=True)
    return made


def keep_helps(meeting: Meeting, said: Collection[tuple[str, int]]) -> None:
    """What the people of this meeting marked as useful to it: (the id that the room knows, person). Each counts once.

    What is published no more keeps the help that was counted before.
    """
    ids = {id_ for id_, _ in said}
    own = {id_: id_ for id_ in Learning.objects.filter(pk__in=ids, circle=meeting.circle).values_list("pk", flat=True)}
    shown = dict(Publication.objects.filter(pk__in=ids, space=meeting.circle.space).values_list("pk", "learning"))
    known = shown | own
    helped = {(known[id_], person) for id_, person in said if id_ in known}
    for one in Help.objects.filter(meeting=meeting).select_related("learning__publication"):
        still_told = one.learning.circle_id == meeting.circle_id or hasattr(one.learning, "publication")
        if still_told and (one.learning_id, one.person_id) not in helped:
            one.delete()
    for learning, person in sorted(helped):
        Help.objects.get_or_create(learning_id=learning, person_id=person, meeting=meeting)


def helps(learning: Learning, situation: Situation, *, yes: bool) -> None:
    """The author of a situation says that this learning helps them with it, or does not after all; counted once."""
    if yes:
        Help.objects.get_or_create(learning=learning, situation=situation, person_id=situation.person_id)
    else:
        Help.objects.filter(learning=learning, situation=situation, person=situation.person_id).delete()
