"""What becomes of a situation that a member prepares: typed, brought to a meeting, taken back, set aside, treated."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_urlsafe
from time import time

from django.db import transaction
from django.utils.translation import gettext as _

from cordee.accounts.models import Person
from cordee.circles import crypto
from cordee.circles.models import Circle, Meeting, Membership, Situation

FIELDS = ("nature", "title", "text", "tried", "expected", "urgency")
LONGEST_TITLE, LONGEST_TEXT = 160, 4000  # characters of what is brought: a room's card holds no more
LONGEST_DRAFT = 20_000  # characters of one field while it is being prepared
MOST_OTHERS = 5  # versions typed elsewhere that are kept beside the latest
OTHERS = "others"  # where the sealed body keeps them: a JSON list of bodies

Body = Mapping[str, str]


class Erased(Exception):
    """The circle's key was destroyed: nothing can be sealed or read any more."""

    reason = "erased"


class TooLong(Exception):
    """More than can be kept: nothing was written, and the page gives the words back."""

    reason = "too_much"


@dataclass(frozen=True, slots=True)
class Words:
    """What is written in a situation. ``version`` changes at each writing; ``others`` were typed on other devices."""

    body: dict[str, str]
    version: str
    others: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Brought:
    """A situation for the room of a meeting. ``body``: nature, title, text, tried, expected, urgency."""

    id: str
    person_id: int
    body: dict[str, str]

    @property
    def card(self) -> dict[str, str]:
        return card(self.body)


# ---------------------------------------------------------------- its words


def words(situation: Situation) -> Words | None:
    """What is written, for its author; ``None`` once its words are erased. Raises :class:`crypto.Unreadable`."""
    return _words(situation, situation.circle.key())


def begin(circle: Circle, person: Person) -> Situation:
    """An empty situation, for its author alone; the one they left empty, if they did."""
    for left in Situation.objects.filter(circle=circle, person=person, state=Situation.DRAFT).order_by("-created_at"):
        if (held := words(left)) and not held.body:
            return left
    situation = Situation(id=token_urlsafe(12), circle=circle, person=person)
    situation.sealed = _sealed(situation, {}, ())
    situation.save(force_insert=True)
    return situation


def save(situation: Situation, body: Body, seen: str = "", typed: float | None = None) -> bool:
    """Keep what its author typed; whether it is now the version in force.

    ``seen`` is the version that was on their screen, ``typed`` when they typed (seconds since the epoch). What was
    written elsewhere in between is not lost: the later of both is in force, the other is kept beside it.
    Raises :class:`Erased`, :class:`TooLong`.
    """
    new = {name: body[name].strip() for name in FIELDS if body.get(name, "").strip()}
    if any(len(text) > LONGEST_DRAFT for text in new.values()):
        raise TooLong
    at = datetime.fromtimestamp(min(typed or time(), time()), UTC)
    with transaction.atomic():
        stored = _locked(situation)
        was = words(stored)
        if was is None:
            raise Erased
        if new == was.body:
            return True
        later = at >= stored.changed_at
        if seen == was.version:
            later, others = True, was.others
        else:
            others = (*was.others, was.body if later else new)
        if later:
            stored.changed_at = max(at, stored.changed_at)
        kept = new if later else was.body
        stored.sealed = _sealed(stored, kept, _worth_keeping(kept, others))
        stored.save(update_fields=["sealed", "changed_at"])
    situation.sealed, situation.changed_at = stored.sealed, stored.changed_at
    return later


def take_up(situation: Situation, number: int) -> None:
    """Put another version (its place in ``others``) in force; what was in force is kept in its stead."""
    _swap(situation, number, keep=True)


def drop_other(situation: Situation, number: int) -> None:
    """Throw away a version typed elsewhere."""
    _swap(situation, number, keep=False)


def _swap(situation: Situation, number: int, *, keep: bool) -> None:
    with transaction.atomic():
        stored = _locked(situation)
        was = words(stored)
        if was is None or not 0 <= number < len(was.others):
            return
        chosen, rest = was.others[number], (*was.others[:number], *was.others[number + 1 :])
        body, others = (chosen, (*rest, was.body)) if keep else (was.body, rest)
        stored.sealed = _sealed(stored, body, others)
        stored.save(update_fields=["sealed"])


def _worth_keeping(body: Body, others: tuple[dict[str, str], ...]) -> tuple[dict[str, str], ...]:
    """Those that say something which neither the version in force nor a later one says."""
    kept: list[dict[str, str]] = []
    for other in reversed(others):
        if not any(all(text in held.get(name, "") for name, text in other.items()) for held in (body, *kept)):
            kept.insert(0, other)
    return tuple(kept[-MOST_OTHERS:])


def _locked(situation: Situation) -> Situation:
    return Situation.objects.select_for_update(of=("self",)).select_related("circle").get(pk=situation.pk)


def _sealed(situation: Situation, body: Body, others: tuple[dict[str, str], ...]) -> bytes:
    key = situation.circle.key()
    if key is None:
        raise Erased
    beside = {OTHERS: json.dumps(others, ensure_ascii=False)} if others else {}
    return crypto.seal(key, {**body, **beside}, _about(situation))


def _words(situation: Situation, key: bytes | None) -> Words | None:
    body = crypto.unseal(key, situation.sealed, _about(situation))
    if body is None or situation.sealed is None:
        return None
    others = json.loads(body.pop(OTHERS, "[]"))
    return Words(body, sha256(bytes(situation.sealed)).hexdigest()[:16], tuple(others))


def _about(situation: Situation) -> str:
    return f"situation/{situation.pk}"


# ---------------------------------------------------------------- what becomes of it


def bring(situation: Situation, meeting: Meeting) -> str:
    """Bring it to this meeting, in whose room the circle will read it. Gives what hinders it, as :func:`hindrance`."""
    reason = hindrance(situation)
    if not reason:
        _become(situation, Situation.BROUGHT, meeting=meeting)
    return reason


def hindrance(situation: Situation) -> str:
    """Why it cannot be brought: erased, treated, untitled, title_too_long, too_long; or ""."""
    held = words(situation)
    if held is None:
        return "erased"
    if situation.state == Situation.TREATED:
        return "treated"
    if not held.body.get("title"):
        return "untitled"
    if len(held.body["title"]) > LONGEST_TITLE:
        return "title_too_long"
    return "too_long" if len(card(held.body)["text"]) > LONGEST_TEXT else ""


def card(body: Body) -> dict[str, str]:
    """The situation as a room's card holds it, which has one text: nature, title, text, urgency."""
    parts = [
        body.get("text", ""),
        _("Ce que j’ai tenté : %(text)s") % {"text": body["tried"]} if body.get("tried") else "",
        _("Ce que j’attends : %(text)s") % {"text": body["expected"]} if body.get("expected") else "",
    ]
    held = {name: " ".join(body[name].split()) for name in ("nature", "title", "urgency") if body.get(name)}
    return held | {"text": "\n\n".join(filter(None, parts))}


def take_back(situation: Situation) -> None:
    """It is its author's draft again."""
    if situation.state != Situation.TREATED:
        _become(situation, Situation.DRAFT)


def set_aside(situation: Situation) -> None:
    """Not now; its author may bring it later."""
    if situation.state != Situation.TREATED:
        _become(situation, Situation.SET_ASIDE)


def keep_in_reserve(situation: Situation, on: bool = True) -> str:
    """For a meeting where nobody brings one: its author agrees that it is then read there. As :func:`bring`."""
    reason = hindrance(situation) if on else ""
    if not reason:
        situation.reserve = on
        situation.save(update_fields=["reserve"])
    return reason


def treated(situation: Situation, meeting: Meeting | None = None) -> None:
    """A round was about it."""
    _become(situation, Situation.TREATED, meeting=meeting or situation.meeting, reserve=False)


def throw_away(situation: Situation) -> None:
    """As its author wishes: a treated one keeps its place in the ledger, without a word."""
    if situation.state != Situation.TREATED:
        situation.delete()
        return
    situation.sealed = None
    situation.save(update_fields=["sealed"])


def _become(situation: Situation, state: str, *, meeting: Meeting | None = None, reserve: bool | None = None) -> None:
    situation.state, situation.meeting = state, meeting
    if reserve is not None:
        situation.reserve = reserve
    situation.save(update_fields=["state", "meeting", "reserve"])


# ---------------------------------------------------------------- for the room of a meeting


def brought(meeting: Meeting) -> list[Brought]:
    """What the circle's members bring to this meeting, oldest first; if nobody does, what they keep in reserve."""
    key = meeting.circle.key()
    current = Membership.objects.filter(circle=meeting.circle, joined_at__isnull=False, left_at=None)
    theirs = Situation.objects.filter(person__in=current.values("person")).order_by("created_at", "pk")
    theirs = theirs.select_related("circle")
    found = list(theirs.filter(circle=meeting.circle, meeting=meeting, state=Situation.BROUGHT))
    found = found or list(theirs.filter(circle=meeting.circle, reserve=True).exclude(state=Situation.TREATED))
    held = [(situation, _words(situation, key)) for situation in found]
    return [Brought(s.pk, s.person_id, w.body) for s, w in held if w is not None and w.body.get("title")]
