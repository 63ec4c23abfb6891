"""What a seat does in a room: every write goes through the one writer, and is durable when it answers."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from secrets import choice, token_urlsafe
from time import time
from typing import Any

from django.conf import settings
from django.db import DataError, Error, IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import override

from cordee.accounts.models import User
from cordee.circles import crypto
from cordee.circles.models import Circle
from cordee.engine import events as e
from cordee.engine.commands import Close, Command, Hide, Leave, Return, TakeSeat, Withdraw
from cordee.engine.policy import SCREEN, roles_of
from cordee.engine.reading import builtin, read
from cordee.engine.refusal import Decision, Refused
from cordee.engine.state import State
from cordee.followup import published
from cordee.live.asgi import Answer, Request
from cordee.live.hub import ASK, Hub
from cordee.live.tally import Tally
from cordee.live.writer import Writer
from cordee.room import access, forms, harvest, lent, limits, phrases, store
from cordee.room.models import Draft, Seat, Session
from cordee.web import incidents

log = logging.getLogger(__name__)
hub = Hub()
# What the database says of a value, or of a row decided anew on the room's latest state: sent again, it says it again.
REFUSED_FOR_GOOD = (DataError, IntegrityError, UnicodeError)
ASKED = {"contributions": forms.command, "brouillon": forms.typing}  # by the end of the address


def _committed(jobs: Sequence[store.Job], outcomes: Sequence[Decision | Exception]) -> None:
    """After COMMIT: wake every open seat of the rooms that changed, here and elsewhere."""
    for job, outcome in zip(jobs, outcomes, strict=True):
        wishes[_kind(job)].add(_end(outcome))
    changed = {job.room for job, outcome in zip(jobs, outcomes, strict=True) if outcome and isinstance(outcome, list)}
    rooms = {room: store.known(room) for room in changed}
    hub.announce_from_thread({store.topic(id_): room.state.version if room else ASK for id_, room in rooms.items()})
    for room_id in {job.room for job, outcome in zip(jobs, outcomes, strict=True) if _ripe(job, outcome)}:
        harvest.soon(room_id)
    for room_id in {job.room for job, outcome in zip(jobs, outcomes, strict=True) if lent.due(job.room, outcome)}:
        lent.soon(lent.bring, room_id, submit)


def _ripe(job: store.Job, outcome: Decision | Exception) -> bool:
    """Whether what is kept of a room may differ now: it has closed, or what it said was changed since."""
    if not isinstance(job.command, Close | Withdraw | Hide) or not outcome or not isinstance(outcome, list):
        return False
    room = store.known(job.room)
    return room is not None and room.state.meeting and room.state.course.closed


def _kind(job: store.Job) -> str:
    if isinstance(job.command, store.Typing):
        return "draft"
    return "presence" if isinstance(job.command, Leave | Return) else "act"


def _end(outcome: Decision | Exception) -> str:
    if isinstance(outcome, list):
        return "written" if outcome else "unchanged"
    return (
        "refused" if isinstance(outcome, Refused) else "no_room" if isinstance(outcome, store.NoSuchRoom) else "other"
    )


wishes = {kind: Tally("written", "unchanged", "refused", "no_room") for kind in ("act", "draft", "presence")}
writer = Writer(store.transact, _committed)


# ---------------------------------------------------------------- one contribution


async def receive(request: Request) -> Answer:
    """POST …/contributions or …/brouillon: 204 once it is durable, 409 and a sentence if refused, 404 to a stranger.

    429 to who goes too fast: the page keeps its words and sends them again later.
    """
    try:
        key = await access.seat_in_soon(request.where[0], request.cookies, screen=False)
        if key is None:
            incidents.noticed("stranger", room=request.where[0])
            return Answer(404, _said(Refused("stranger"), request.language))
        if limits.too_fast(request.where[1], key):
            incidents.noticed("too_often", room=key.room)
            return Answer(429, _said(Refused("too_often"), request.language))
        asked = ASKED[request.where[1]](key.seat, request.form)
        outcome = asked if isinstance(asked, Refused) else await writer.submit(store.Job(key.room, asked))
    except store.NoSuchRoom:
        return Answer(404, _said(Refused("stranger"), request.language))
    except REFUSED_FOR_GOOD:
        return Answer(409, _said(Refused("unkeepable"), request.language))
    except Error as error:
        log.error("A contribution could not be written: %s", type(error).__name__)
        return Answer(503, _said(Refused("unavailable"), request.language))
    if isinstance(outcome, Refused):
        if outcome.reason == "revoked":
            incidents.noticed("revoked", room=key.room)
        return Answer(409, _said(outcome, request.language))
    return Answer(204)


def _said(refused: Refused, language: str) -> dict[str, str]:
    with override(language_of(language)):
        return {"reason": refused.reason, "sentence": phrases.sentence(refused)}


def refused(reason: str, language: str) -> dict[str, str]:
    """What is answered to the script when something is refused before it reaches :func:`receive`."""
    if reason == "origin":
        incidents.noticed("other_site")
    return _said(Refused(reason), language)


def language_of(header: str) -> str:
    """The language of this reader among ours: a cookie's value or an Accept-Language header."""
    for part in header.split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in dict(settings.LANGUAGES):
            return code
    return str(settings.LANGUAGE_CODE)


def submit(room: str, command: Command | store.Typing) -> Decision:
    """The same from a thread: a page without JavaScript, joining, the demo. Raises what the writer raised.

    A database that does not take it raises Django's ``Error``: the web's 503 page gives back what was typed.
    """
    job = store.Job(room, command)
    try:
        if hub.serving:
            outcome: Decision | Exception = writer.submit_and_wait(job)
        else:  # no server in this process: a command line, a test
            outcome = store.transact([job])[0]
            if _ripe(job, outcome):
                harvest.harvest(room)
            if lent.due(room, outcome):
                lent.bring(room, submit)
        if isinstance(outcome, Exception):
            raise outcome
    except REFUSED_FOR_GOOD:
        return Refused("unkeepable")
    return outcome


def _withdrawn(space: int, ids: Sequence[str]) -> None:
    """A text that a space had published is withdrawn: pages that show it are told so."""
    (lent.soon if hub.serving else lent.quietly)(lent.take_back, space, ids, submit)


published.when_withdrawn(_withdrawn)


# ---------------------------------------------------------------- rooms and links


@dataclass(frozen=True, slots=True)
class Opened:
    """A seat just taken, and the token of its link, which is shown to its holder and never stored."""

    room: str
    seat: str
    token: str


def open_room(name: str, circle: Circle | None = None, protocol: str = "mentor") -> Opened | Refused:
    """A room, with its facilitator seated. Guests' rooms get a circle of their own, hence a key of their own."""
    text = builtin(protocol)
    read(text)
    guests = circle is None
    with transaction.atomic():
        if circle is None:
            circle = Circle.objects.create(wrapped_key=crypto.new_wrapped_key())
        session = Session(id=token_urlsafe(9), circle=circle, protocol=text)
        _new_links(session, Session.save)
        _carry_over(session)
    opened = join(session.pk, name)
    if isinstance(opened, Refused):
        session.delete()
        if guests:
            circle.delete()
    return opened


def join(room: str, name: str, role: str = "member") -> Opened | Refused:
    """A seat for somebody who came by the room's code; whoever comes first is the facilitator."""
    opened = Opened(room, seat=token_urlsafe(9), token=access.new_token())
    # The link first: a seat in the log that no link opens would be lost to its holder.
    link = Seat.objects.create(session_id=room, seat=opened.seat, digest=access.digest(opened.token))
    outcome = submit(room, TakeSeat(seat=opened.seat, name=name, role=role))
    if isinstance(outcome, Refused):
        link.delete()
        return outcome
    return opened


def claim(key: access.Key, user: User) -> Opened | Refused:
    """Make a guest's seat that of an account, with all that was said from it. Its former link opens nothing more.

    Once only, and one seat a room: what is somebody's already is refused to others. In a circle of a space whose person
    they are, what they promised and learnt there is then theirs in the circle's book too.
    """
    session = Session.objects.select_related("circle").filter(pk=key.room).first()
    if session is None or not roles_of(store.load(key.room).state, key.seat) or key.is_screen:
        return Refused("stranger")
    person = user.person_in(session.circle.space_id)
    token = access.token_of(key.room, key.seat, user.pk, user.links_epoch)
    opened = Opened(key.room, key.seat, token)
    digest = access.digest(token)
    theirs = {"person_id": person} if person else {"user": user}
    try:
        with transaction.atomic():
            free = Seat.objects.filter(session=session, seat=key.seat, owned=False)
            if not free.update(owned=True, digest=digest, **theirs):
                mine = Seat.objects.filter(session=session, seat=key.seat, digest=digest).exists()
                return opened if mine else Refused("claimed")
            if access.of_user(user).filter(session=session).count() > 1:
                raise IntegrityError
    except IntegrityError:
        return Refused("seated_twice")
    access.forget()
    if person and session.harvested and hub.serving:
        harvest.soon(key.room, again=True)
    elif person and session.harvested:
        harvest.harvest(key.room, again=True)
    return opened


def seat_of(room: str, user: User) -> Opened | None:
    """The seat of this user in this room, and the token that opens it now; nothing to who left the circle."""
    place = access.of_user(user).filter(session=room).first()
    if place is None:
        return None
    token = access.token_of(room, place.seat, user.pk, user.links_epoch)
    if place.digest != access.digest(token):  # they have signed out everywhere since
        Seat.objects.filter(pk=place.pk).update(digest=access.digest(token))
    return Opened(room, place.seat, token)


def is_owned(room: str, seat: str) -> bool:
    """Whether this seat is an account's."""
    return Seat.objects.filter(session=room, seat=seat, owned=True).exists()


def _new_links(session: Session, save: Callable[[Session], None]) -> None:
    """Give the room a new code and a new link for the shared screen; the former ones open nothing more."""
    code = "".join(choice(access.ALPHABET) for _ in range(access.CODE_LENGTH))
    screen = access.new_token()
    wrapped = session.circle.wrapped_key
    if wrapped is None:
        return
    session.code_digest = access.digest(code)
    session.links = crypto.seal(crypto.unwrap(wrapped), {"code": code, "screen": screen}, f"{session.pk}/links")
    save(session)
    Seat.objects.filter(session=session, seat=SCREEN).delete()
    Seat.objects.create(session=session, seat=SCREEN, digest=access.digest(screen))
    access.forget()


def links(room: store.Room) -> Mapping[str, str]:
    """The room's code and its shared screen's token; empty once the key is destroyed."""
    sealed = Session.objects.values_list("links", flat=True).get(pk=room.id)
    return crypto.unseal(room.key, sealed, f"{room.id}/links") or {}


def renew_code(room: str, seat: str) -> Refused | None:
    """A new code and a new screen link. Those seated stay seated; a shared screen must be opened again."""
    if "facilitator" not in roles_of(store.load(room).state, seat):
        return Refused("not_facilitator")
    with transaction.atomic():
        _new_links(Session.objects.select_related("circle").get(pk=room), Session.save)
        store.notify({room: ASK})
    hub.announce_from_thread({store.topic(room): ASK})
    return None


def room_of_code(code: str) -> str | None:
    wanted = "".join(ch for ch in code.upper() if ch in access.ALPHABET)
    if len(wanted) != access.CODE_LENGTH:
        return None
    return Session.objects.filter(code_digest=access.digest(wanted)).values_list("pk", flat=True).first()


def shown_code(code: str) -> str:
    half = len(code) // 2
    return f"{code[:half]}-{code[half:]}"


def _carry_over(session: Session) -> None:
    """What this circle learnt in its former rooms comes along, open to all, as round 0."""
    earlier = Session.objects.filter(circle=session.circle).exclude(pk=session.pk).order_by("created_at")
    learnt = [body for former in earlier for body in _learnings(store.load(former.pk).state)]
    step = next((s.id for s in read(session.protocol).steps if s.write("learning")), None)
    if not learnt or step is None:
        return
    now = time()
    facts: list[e.Event] = [
        e.Written(at=now, seat="", id=token_urlsafe(12), kind="learning", round=0, step=step, body=body)
        for body in learnt
    ]
    store.append(session.pk, [*facts, e.Revealed(at=now, seat="", round=0, step=step)])


def _learnings(state: State) -> list[dict[str, str]]:
    """The learnings that the group has shown each other, with their authors' names; none once purged."""
    names = {seat.id: seat.name or "" for seat in state.seats.values()}
    return [
        {**c.body, "from": names.get(c.author, "")}
        for c in state.of_kind("learning")
        if c.round > 0 and not c.hidden and (c.round, c.step) in state.course.revealed and c.body
    ]


# ---------------------------------------------------------------- drafts


def save_draft(key: access.Key, kind: str, body: Mapping[str, str], typed: float | None = None) -> bool:
    """Keep what is being typed; an empty one is thrown away. False when there is no room for it.

    ``typed``: when, in seconds since the epoch. What the same person typed later, on another device, stays.
    """
    asked = store.Typing(key.seat, kind, body, typed or time())
    return not isinstance(submit(key.room, asked), Refused)


def drafts(key: access.Key) -> dict[str, dict[str, Any]]:
    """What this seat was typing: kind -> fields, with ``at``, when it was typed (seconds since the epoch)."""
    room = store.load(key.room)
    rows = Draft.objects.filter(session=key.room, seat=key.seat)
    return {
        row.kind: (crypto.unseal(room.key, row.sealed, f"{key.room}/{key.seat}/{row.kind}") or {})
        | {"at": str(row.saved_at.timestamp())}
        for row in rows
    }


def erase(circle: Circle) -> None:
    """Destroy this circle's key, here and now: its words are gone, the counts stay."""
    circle.destroy_key()
    Draft.objects.filter(session__circle=circle).delete()
    rooms = list(Session.objects.filter(circle=circle).values_list("pk", flat=True))
    store.notify(dict.fromkeys(rooms, ASK))
    store.forget_words(rooms)
    hub.announce_from_thread({store.topic(room): ASK for room in rooms})


def erase_due() -> int:
    """Erase the circles whose charter's date has come; how many."""
    due = list(Circle.objects.filter(erase_on__lt=timezone.localdate(), wrapped_key__isnull=False))
    for circle in due:
        erase(circle)
    if due:
        empty_journal()
    return len(due)


def empty_journal() -> None:
    """Have SQLite empty its journal (-wal), which may hold keys as they were before they were destroyed.

    Where a transaction is open, or somebody reads for too long, it is left to the next time.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
