"""What pages read of successes, and of the thanks in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from cordee.accounts.models import Person, User
from cordee.circles import crypto
from cordee.circles.actions import situations
from cordee.circles.models import Attendance, Circle, Situation
from cordee.circles.queries import circles
from cordee.followup.models import Commitment, Success
from cordee.followup.queries.commitments import Promise
from cordee.followup.queries.reading import Keys, circles_in, persons

LONGEST = 300  # characters of each line
FRESH = timedelta(days=30)  # how long a home page speaks of thanks, and of what could be told


@dataclass(frozen=True, slots=True)
class Told:
    """A success and its words (situation, did, gave; word: to whom is thanked); empty once erased."""

    success: Success
    words: dict[str, str]


def of_circle(circle: Circle) -> QuerySet[Success]:
    """The circle's wall: the latest first."""
    return _readable().filter(commitment__circle=circle)


def thanks_to(user: User) -> QuerySet[Success]:
    """Those of the last days in which somebody thanks them, in circles they are in."""
    mine = _readable().filter(thanked__in=persons(user), thanked_at__gt=timezone.now() - FRESH)
    return mine.filter(commitment__circle__in=circles_in(user)).order_by("-thanked_at", "pk")


def to_tell(user: User) -> QuerySet[Commitment]:
    """What they have lately kept and not told."""
    lately = Commitment.objects.filter(state__in=Commitment.DONE, answered_at__gt=timezone.now() - FRESH)
    mine = lately.filter(person__in=persons(user), sealed__isnull=False, success=None)
    return mine.filter(circle__wrapped_key__isnull=False).select_related("circle").order_by("-answered_at", "pk")


def _readable() -> QuerySet[Success]:
    kept = Success.objects.filter(sealed__isnull=False, commitment__circle__wrapped_key__isnull=False)
    found = kept.select_related("commitment__circle", "commitment__person", "thanked", "celebrated")
    return found.order_by("-told_at", "pk")


def read(successes: Iterable[Success]) -> Sequence[Told]:
    keys = Keys()
    return [Told(each, each.words(keys.of(each.commitment))) for each in successes]


def card(told: Told) -> dict[str, str]:
    """What a room shows of it: its lines, who tells it, and whom they thank."""
    success, words = told.success, told.words
    lines = {name: words.get(name, "") for name in ("situation", "did", "gave")}
    thanks = " : ".join(filter(None, (success.thanked.name, words.get("word")))) if success.thanked else ""
    return lines | {"from": success.commitment.person.name} | ({"thanks": thanks} if thanks else {})


def peers(commitment: Commitment) -> list[Person]:
    """Whom its author may thank: those of the circle, and first those who were there when it was promised.

    Who is thanked already stays among them, even once they have left.
    """
    there = set(Attendance.objects.filter(meeting=commitment.meeting_id).values_list("person", flat=True))
    others = {each.person for each in circles.current(commitment.circle) if each.person_id != commitment.person_id}
    others |= set(Person.objects.filter(thanks__commitment=commitment))
    return sorted(others, key=lambda person: (person.pk not in there, person.name))


def prefilled(promise: Promise) -> dict[str, str]:
    """Its three lines, from what its author has already written."""
    words, title = promise.words, _title(promise.commitment)
    did = f"{words.get('if', '')}, {words.get('then', '')}".strip(", ") if title else words.get("then", "")
    told = {"situation": title or words.get("if", "").rstrip(" ,"), "did": did, "gave": promise.outcome.get("gave", "")}
    return {name: text[:LONGEST] for name, text in told.items()}


def _title(commitment: Commitment) -> str:
    """That of the situation that was treated when this was promised, if it was prepared."""
    turns = Situation.objects.filter(turns__meeting=commitment.meeting_id, turns__person=commitment.person_id)
    treated = turns.filter(person=commitment.person_id).select_related("circle").first()
    try:
        held = situations.words(treated) if treated else None
    except crypto.Unreadable:
        return ""
    return held.body.get("title", "") if held else ""
