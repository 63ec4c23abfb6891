"""What pages read of commitments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from cordee.accounts.models import User
from cordee.followup.models import Commitment
from cordee.followup.queries.reading import Keys, circles_in, persons

OPEN = (Commitment.PROMISED, Commitment.TRIED)
# Those that are open first, each by its date; those without a date last.
IN_ORDER = (
    Case(When(state__in=OPEN, then=Value(0)), default=Value(1)),
    F("due_on").asc(nulls_last=True),
    "-made_at",
    "pk",
)
ASKED_DAYS = 14  # how long a home page tells a witness that a date has come


@dataclass(frozen=True, slots=True)
class Promise:
    """A commitment and its words (if, then, witness), what it gave and what was learnt; empty once erased."""

    commitment: Commitment
    words: dict[str, str]
    outcome: dict[str, str]

    @property
    def open(self) -> bool:
        return self.commitment.state in OPEN

    @property
    def due(self) -> bool:
        """Its date has come."""
        return self.commitment.due_on is not None and self.commitment.due_on <= timezone.localdate()


def commitments_of(user: User) -> QuerySet[Commitment]:
    """Theirs, of the circles they are or were in; those that are open first, by their date."""
    found = Commitment.objects.filter(person__in=persons(user), sealed__isnull=False)
    return found.select_related("circle").order_by(*IN_ORDER)


def still_open(user: User) -> QuerySet[Commitment]:
    return commitments_of(user).filter(state__in=OPEN, circle__wrapped_key__isnull=False)


def witnessed_by(user: User) -> QuerySet[Commitment]:
    """Those of others for which they are the witness, in circles they are still in."""
    found = Commitment.objects.filter(witness__in=persons(user), sealed__isnull=False, circle__in=circles_in(user))
    return found.select_related("circle", "person").order_by(*IN_ORDER)


def to_ask_about(user: User) -> QuerySet[Commitment]:
    """Of those they witness, the ones whose date has lately come and whose authors have not said where they stand."""
    today = timezone.localdate()
    lately = {"due_on__lte": today, "due_on__gt": today - timedelta(days=ASKED_DAYS)}
    return witnessed_by(user).filter(state=Commitment.PROMISED, circle__wrapped_key__isnull=False, **lately)


def read(commitments: Iterable[Commitment]) -> Sequence[Promise]:
    keys = Keys()
    return [Promise(each, each.words(keys.of(each)), each.outcome(keys.of(each))) for each in commitments]
