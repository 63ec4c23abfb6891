"""What a circle did together: what was treated, promised, kept and learnt, for its people and nobody else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from cordee.circles import crypto
from cordee.circles.models import Circle, Meeting, Turn
from cordee.followup.models import Commitment, Learning, times_helped
from cordee.followup.queries import successes
from cordee.followup.queries.commitments import Promise, read
from cordee.followup.queries.learnings import Learnt, by_theme, read_learnings


@dataclass(frozen=True, slots=True)
class Treated:
    """A situation that was worked on; ``title`` as the room shows it, "" where its author took it back."""

    turn: Turn
    title: str


@dataclass(frozen=True, slots=True)
class Closing:
    """``meetings`` have ``present``: how many were there. ``learnt``: theme → learnings, "" for those without one."""

    meetings: Sequence[Meeting]
    treated: Sequence[Treated]
    promises: Sequence[Promise]
    learnt: Mapping[str, Sequence[Learnt]]
    successes: Sequence[successes.Told]

    @property
    def kept(self) -> Sequence[Promise]:
        return [promise for promise in self.promises if promise.commitment.state == Commitment.KEPT]

    @property
    def others(self) -> Sequence[Promise]:
        return [promise for promise in self.promises if promise.commitment.state != Commitment.KEPT]


def closing(circle: Circle) -> Closing:
    """As it is today; empty of words once the key is destroyed, or where it cannot be opened (doctor says which)."""
    promised = Commitment.objects.filter(circle=circle, sealed__isnull=False, person__erased_at=None)
    promised = promised.select_related("circle", "person").order_by("made_at", "pk")
    learnt = Learning.objects.filter(circle=circle, sealed__isnull=False).annotate(helped=times_helped())
    learnt = learnt.select_related("circle", "person").order_by("learnt_at", "pk")
    readable = circle.wrapped_key is not None
    return Closing(
        list(_held(circle)),
        _treated(circle),
        [promise for promise in read(promised) if promise.words] if readable else [],
        by_theme([each for each in read_learnings(learnt) if each.words]) if readable else {},
        successes.read(successes.of_circle(circle).order_by("told_at", "pk")),
    )


def _held(circle: Circle) -> QuerySet[Meeting]:
    """The meetings that took place."""
    past = circle.meetings.filter(Q(ends_at__lte=timezone.now()) | Q(attendances__isnull=False), cancelled_at=None)
    return past.annotate(present=Count("attendances", distinct=True)).order_by("number")


def _treated(circle: Circle) -> list[Treated]:
    turns = Turn.objects.filter(circle=circle, meeting__isnull=False).select_related("meeting", "person")
    try:
        key = circle.key()
        return [Treated(turn, turn.title(key)) for turn in turns.order_by("meeting__number", "round")]
    except crypto.Unreadable:
        return []
