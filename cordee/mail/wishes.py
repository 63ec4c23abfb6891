"""What people wish of letters: which kinds, at which hours, one by one or once a day. Times alone, no table."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cordee.mail import tokens
from cordee.mail.models import QUIET_FROM, QUIET_UNTIL, Letter, Wish
from cordee.mail.reader import absolute, zone

# What one may do without. The others come whatever is wished: a code that was asked for, a meeting that is set,
# changed or cancelled (its calendar would be wrong without them).
OPTIONAL = {
    "circle_invitation": _("Invitations dans un cercle"),
    "charter_to_sign": _("Charte à signer"),
    "place_free": _("Place libre dans un cercle que j’attends"),
    "circle_ended": _("Fin d’un cercle"),
    "availability": _("Demandes de disponibilités"),
    "quorum_in_doubt": _("Séances où il manque du monde (pour qui anime)"),
    "prepare": _("Rappels pour préparer une situation"),
    "commitment_due": _("Rappels de mes engagements"),
    "witnessed_kept": _("Engagements tenus dont je suis le témoin"),
    "thanks_wait": _("Mercis qui m’attendent"),
}
NECESSARY = {
    "sign_in_code": _("Codes d’entrée"),
    "convocation": _("Séances fixées"),
    "meeting_changed": _("Séances changées"),
    "meeting_cancelled": _("Séances annulées"),
}
DIGEST = "digest"
NAMES = OPTIONAL | NECESSARY | {DIGEST: _("Lettre du jour")}
DIGEST_AT = time(7, 30)  # local to the reader
KINDS = frozenset(OPTIONAL) | {DIGEST}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Send now; or not before ``later``, within a digest if ``held``; or not at all, if ``why`` says why not."""

    later: datetime | None = None
    held: bool = False
    why: str = ""


SEND = Verdict()


def verdict(letter: Letter, wish: Wish | None, now: datetime) -> Verdict:
    """What becomes of a letter that is due."""
    if letter.expires_at and letter.expires_at <= now:
        return Verdict(why=letter.error or "expired")
    if wish is not None and letter.kind in wish.without:
        return Verdict(why="unwanted")
    if letter.urgent:
        return SEND
    local = zone((wish.time_zone if wish else "") or letter.time_zone)
    start, end = (wish.quiet_from, wish.quiet_until) if wish else (QUIET_FROM, QUIET_UNTIL)
    if later := quiet_end(now, local, start, end):
        return _unless_too_late(letter, Verdict(later))
    if wish is not None and wish.digest and letter.kind in OPTIONAL and not letter.held:
        return _unless_too_late(letter, Verdict(next_at(now, local, DIGEST_AT), held=True))
    return SEND


def _unless_too_late(letter: Letter, hold: Verdict) -> Verdict:
    """Better early than of no use."""
    return SEND if letter.expires_at and hold.later and letter.expires_at <= hold.later else hold


def quiet_end(now: datetime, local: tzinfo, start: time | None, end: time | None) -> datetime | None:
    """When the quiet hours in which ``now`` is end; ``None`` if it is in none. Clocks that change are followed."""
    if start is None or end is None or not _quiet(now, local, start, end):
        return None
    return next(at for at in _times(now, local, end) if not _quiet(at, local, start, end))


def next_at(now: datetime, local: tzinfo, wanted: time) -> datetime:
    """The next moment when it is this time there."""
    return next(_times(now, local, wanted))


def _quiet(now: datetime, local: tzinfo, start: time, end: time) -> bool:
    clock = now.astimezone(local).time()
    return start <= clock < end if start <= end else clock >= start or clock < end


def _times(now: datetime, local: tzinfo, wanted: time) -> Iterator[datetime]:
    """The moments after ``now`` when it is this time there, in UTC. Twice on a day when clocks go back over it; on one
    when they go forward over it, as long after midnight as on other days."""
    today = now.astimezone(local).date()
    for days in range(-1, 4):
        day = datetime.combine(today + timedelta(days=days), wanted)
        both = {day.replace(tzinfo=local, fold=fold).astimezone(UTC) for fold in (0, 1)}
        real = {at for at in both if at.astimezone(local).time() == wanted} or {max(both)}
        yield from sorted(at for at in real if at > now)


def of(addresses: set[str]) -> dict[str, Wish]:
    """The wishes of these addresses, by address in lower case."""
    return {wish.address: wish for wish in Wish.objects.filter(address__in={address.lower() for address in addresses})}


def stop_url(address: str, kind: str) -> str:
    """Where one says that one wants no more letters of this kind, without signing in."""
    return absolute(reverse("mail:stop", args=[tokens.seal({"to": address.lower(), "kind": kind})]))


def stop(address: str, kind: str) -> None:
    """Of the digest: no more of all that one may do without. Twice is once."""
    wish, _new = Wish.objects.get_or_create(address=address.lower())
    wish.without = sorted({*wish.without, *_kinds(kind)})
    wish.save(update_fields=["without"])


def resume(address: str, kind: str) -> None:
    wish, _new = Wish.objects.get_or_create(address=address.lower())
    wish.without = sorted({*wish.without} - _kinds(kind))
    wish.save(update_fields=["without"])


def _kinds(kind: str) -> set[str]:
    return set(OPTIONAL) if kind == DIGEST else {kind}
