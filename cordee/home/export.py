"""Everything that this server keeps of one account, for the person to take home: one zip, JSON and a readable page.

Of others it holds what this person may read anyway: names of their circles' people are not listed, and of rooms only
what their own seat takes home.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from cordee.accounts.models import Person, User
from cordee.circles import crypto
from cordee.circles.actions import situations
from cordee.circles.models import Attendance, Availability, Charter, Meeting, Membership, Reply, Situation, Turn, Voice
from cordee.circles.queries.meetings import about
from cordee.followup.models import Commitment, Learning, Publication, Success
from cordee.home.phrases import LABELS
from cordee.mail.models import Letter, Wish
from cordee.room import belongings

Told = dict[str, Any]


def archive(user: User) -> bytes:
    """The zip: ``mes-donnees.json`` and ``mes-donnees.html``, which say the same."""
    told = everything(user)
    page = render_to_string("home/export.html", {"blocks": _blocks(told), "title": _("Mes données")})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("mes-donnees.json", json.dumps(told, ensure_ascii=False, indent=1, default=_plain))
        zipped.writestr("mes-donnees.html", page)
    return file.getvalue()


def everything(user: User) -> Told:
    persons = list(user.persons.select_related("space", "manager").order_by("pk"))
    ids = [person.pk for person in persons]
    return {
        "made_at": timezone.now(),
        "account": _account(user),
        "persons": [_person(person) for person in persons],
        "rooms": list(belongings.written_by(ids, user.pk)),
        "letters": _letters(user, persons),
        "preferences": _rows(Wish.objects.filter(address__in=_addresses(user, persons))),
    }


def _account(user: User) -> Told:
    return {
        **_row(user, without={"password", "id"}),
        "addresses": list(EmailAddress.objects.filter(user=user).values_list("email", flat=True)),
        "passkeys": [_dated(key) for key in Authenticator.objects.filter(user=user)],
        "organisations": list(SocialAccount.objects.filter(user=user).values_list("provider", flat=True)),
        "sessions": _rows(UserSession.objects.filter(user=user), without={"session_key", "data", "user", "id"}),
    }


def _dated(key: Authenticator) -> Told:
    return {"kind": str(key.type), "created_at": key.created_at, "last_used_at": key.last_used_at}


def _person(person: Person) -> Told:
    return {
        **_row(person, without={"id", "user", "space", "manager"}),
        "space": person.space.name,
        "manager": person.manager.name if person.manager else "",
        "roles": list(person.roles.values_list("role", flat=True)),
        "circles": [_membership(each) for each in person.memberships.select_related("circle").order_by("pk")],
        "charters": [_charter(each) for each in Charter.objects.filter(signatures__person=person).order_by("pk")],
        "replies": [_reply(each) for each in person.replies.select_related("meeting__circle").order_by("pk")],
        "availabilities": [
            _availability(each) for each in person.availabilities.select_related("slot__meeting__circle")
        ],
        "attendances": [_attendance(each) for each in person.attendances.select_related("meeting__circle")],
        "situations": [_situation(each) for each in person.situations.select_related("circle").order_by("created_at")],
        "turns": [_turn(each) for each in person.turns.select_related("circle", "meeting__circle").order_by("at")],
        "voices": [_voice(each) for each in person.voices.select_related("meeting__circle").order_by("pk")],
        "commitments": [_commitment(each) for each in person.commitments.select_related("circle").order_by("made_at")],
        "successes": [_success(each) for each in _successes().filter(commitment__person=person)],
        "thanks": [_thanks(each) for each in _thanking(person)],
        "learnings": [_learning(each) for each in _learnings(person)],
        "witness_of": person.witnessed.count(),
        "helped_by": person.helps.count(),
    }


def _membership(each: Membership) -> Told:
    return {"circle": each.circle.name, **_row(each, without={"id", "person", "circle", "replaces"})}


def _charter(each: Charter) -> Told:
    signed = each.signatures.values_list("signed_at", flat=True)[:1]
    return {"circle": each.circle.name, "version": each.version, "text": each.text, "signed_at": signed[0]}


def _meeting(meeting: Meeting | None) -> str:
    if meeting is None:
        return ""
    when = timezone.localtime(meeting.starts_at).isoformat(timespec="minutes") if meeting.starts_at else ""
    return f"{meeting.circle.name} · {meeting.number} · {when}".removesuffix(" · ")


def _reply(each: Reply) -> Told:
    where = about(each.meeting_id, each.person_id)
    reason = _unsealed(each.meeting.circle, each.sealed_reason, where)
    return {"meeting": _meeting(each.meeting), "answer": each.answer, "at": each.at, **reason}


def _availability(each: Availability) -> Told:
    return {"meeting": _meeting(each.slot.meeting), "starts_at": each.slot.starts_at, "answer": each.answer}


def _attendance(each: Attendance) -> Told:
    return {"meeting": _meeting(each.meeting), **_row(each, without={"id", "meeting", "person"})}


def _situation(each: Situation) -> Told:
    try:
        held = situations.words(each)
    except crypto.Unreadable:
        held = None
    words = {"words": held.body, "others": list(held.others)} if held else {}
    plain = _row(each, without={"id", "circle", "person", "meeting", "sealed"})
    return {"circle": each.circle.name, **plain, **words}


def _turn(each: Turn) -> Told:
    title = each.title(_key(each.circle))
    return {"meeting": _meeting(each.meeting), "round": each.round, "at": each.at, "title": title}


def _voice(each: Voice) -> Told:
    return {"meeting": _meeting(each.meeting), **_row(each, without={"id", "meeting", "person"})}


def _commitment(each: Commitment) -> Told:
    plain = _row(each, without={"id", "circle", "person", "meeting", "witness", "sealed", "sealed_outcome"})
    key = _key(each.circle)
    return {"circle": each.circle.name, **plain, "words": each.words(key), "outcome": each.outcome(key)}


def _successes() -> QuerySet[Success]:
    found = Success.objects.select_related("commitment__circle", "commitment__person", "celebrated__circle", "thanked")
    return found.order_by("told_at")


def _thanking(person: Person) -> QuerySet[Success]:
    """In circles they are still in: they read no others any more."""
    here = person.memberships.filter(joined_at__isnull=False, left_at=None).values("circle")
    return _successes().filter(thanked=person, commitment__circle__in=here)


def _success(each: Success) -> Told:
    circle, thanked = each.commitment.circle, each.thanked.name if each.thanked else ""
    plain = {"circle": circle.name, "told_at": each.told_at, "celebrated": _meeting(each.celebrated)}
    return {**plain, "thanked": thanked, "words": each.words(_key(circle))}


def _thanks(each: Success) -> Told:
    """What was said to them, which their circle reads too."""
    circle, by = each.commitment.circle, each.commitment.person.name
    word = each.words(_key(circle)).get("word", "")
    return {"circle": circle.name, "at": each.thanked_at, "author": by, "word": word}


def _learnings(person: Person) -> QuerySet[Learning]:
    """Those they keep for themselves too."""
    return Learning.everything.filter(person=person).select_related("circle").order_by("learnt_at")


def _learning(each: Learning) -> Told:
    plain = {
        "circle": each.circle.name,
        "learnt_at": each.learnt_at,
        "alone": each.alone,
        "words": each.words(_key(each.circle)),
    }
    shown = Publication.objects.filter(learning=each).first()
    return {**plain, "published": shown.text, "published_at": shown.published_at} if shown else plain


def _letters(user: User, persons: Sequence[Person]) -> list[Told]:
    sent = Letter.objects.filter(to__in=_addresses(user, persons)).order_by("created_at")
    return [{"kind": e.kind, "subject": e.subject, "text": e.text, "sent_at": e.sent_at} for e in sent]


def _addresses(user: User, persons: Iterable[Person]) -> set[str]:
    return ({user.email} | {person.email for person in persons}) - {""}


# ---------------------------------------------------------------- how it is read


def _key(circle: Any) -> bytes | None:
    try:
        key: bytes | None = circle.key()
    except crypto.Unreadable:
        return None
    return key


def _unsealed(circle: Any, sealed: bytes | memoryview | None, where: str) -> Told:
    return dict(crypto.unseal(_key(circle), sealed, where) or {})


def _row(found: Any, *, without: Iterable[str]) -> Told:
    """The columns of a row, by name."""
    fields = [field for field in found._meta.concrete_fields if field.name not in set(without)]
    return {field.name: getattr(found, field.attname) for field in fields}


def _rows(found: Iterable[Any], without: Iterable[str] = ("id",)) -> list[Told]:
    return [_row(each, without=without) for each in found]


def _plain(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _blocks(told: Told) -> list[Told]:
    return [_block(name, value) for name, value in told.items()]


def _block(name: str, value: Any) -> Told:
    """A piece of the page: a heading with pieces under it, or a line."""
    label = str(LABELS.get(name, name))
    if isinstance(value, dict):
        return {"label": label, "blocks": _blocks(value)}
    if isinstance(value, list | tuple) and any(isinstance(each, dict) for each in value):
        return {"label": label, "blocks": [{"label": "", "blocks": _blocks(each)} for each in value]}
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    if isinstance(value, datetime):
        value = timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
    return {"label": label, "text": "" if value is None else str(value)}
