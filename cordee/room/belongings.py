"""What somebody has in the rooms they hold a seat in: given to them whole, or taken away at their choice.

Nothing is given but what their seat sees. Taking away is two things at once: facts that say it to every open page (a
new name, contributions withdrawn), and the former texts of those facts erased where they are stored: folding a log
never depends on a text. See docs/adr/0014-erasing-one-person.md
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils.timezone import localtime
from django.utils.translation import gettext

from cordee.circles import crypto
from cordee.circles.models import Circle, Meeting
from cordee.engine import events as e
from cordee.engine.policy import SCREEN, sees, sees_mark
from cordee.engine.record import Entry as RecordEntry
from cordee.engine.record import Record, Section, records_for
from cordee.engine.state import Contribution, State
from cordee.live.hub import ASK
from cordee.room import access, actions, store
from cordee.room.documents import OutlineRound, outline
from cordee.room.models import Draft, Entry, Seat, Session

PEER = "un pair"  # how what stays is signed: words of the log, in the group's language
TRIES = 5
NAMES, TEXTS = ("SeatTaken", "SeatRenamed"), ("Written", "Edited")
WORDS = ("StepEntered", "RoundStarted", "Closed")  # of who leads: why a step was left out

Row = tuple[int, str, str, dict[str, Any]]  # seq, kind, seat, plain


# ---------------------------------------------------------------- to take home


def written_by(persons: Collection[int], user: int | None) -> Iterator[dict[str, Any]]:
    """Of each room, what their seat takes home and what they were typing; rooms that cannot be read are left out."""
    for key in _keys(persons, user):
        try:
            state = store.load(key.room).state
            drafts = actions.drafts(key)
        except (crypto.Unreadable, store.NoSuchRoom):
            continue
        if key.seat in state.seats:
            yield {
                "began_at": _moment(state.began_at),
                "name": state.seats[key.seat].name or "",
                "records": [_record(record) for record in records_for(state, key.seat) if record.id != "circle"],
                "drafts": [_draft(state, kind, body) for kind, body in drafts.items()],
            }


def taken_home(circle: Circle, person: int) -> Iterator[tuple[Meeting, dict[str, dict[int, OutlineRound]]]]:
    """Of each meeting's room of this circle, what this person's seat takes home; not where it was taken away.

    Which record (client, circle, mine) → number of the round → what is told of it.
    """
    seats = Seat.objects.filter(session__circle=circle, session__meeting__isnull=False, person=person)
    rows = seats.exclude(seat=SCREEN).select_related("session__meeting").order_by("session__meeting__number", "pk")
    for place in rows:
        try:
            state = store.load(place.session_id).state
        except (crypto.Unreadable, store.NoSuchRoom):
            continue
        if place.session.meeting and place.seat in state.seats:
            yield place.session.meeting, {each.id: _rounds(each) for each in records_for(state, place.seat)}


def _rounds(record: Record) -> dict[int, OutlineRound]:
    return {round_.number: told for round_, told in zip(record.rounds, outline(record)["rounds"], strict=True)}


def _record(record: Record) -> dict[str, Any]:
    rounds = [
        {
            "number": each.number,
            "client": each.client or "",
            "situation": each.situation,
            "sections": [_section(section) for section in each.sections],
        }
        for each in record.rounds
    ]
    return {"title": gettext(record.title), "protocol": gettext(record.protocol), "rounds": rounds}


def _section(section: Section) -> dict[str, Any]:
    named = {"title": gettext(section.title)} | ({"group": section.group} if section.group else {})
    return named | {"entries": [_entry(entry) for entry in section.entries]}


def _entry(entry: RecordEntry) -> dict[str, Any]:
    told: dict[str, Any] = {"author": entry.author} | ({"scribe": entry.scribe} if entry.scribe else {})
    told |= {"at": _moment(entry.at)}
    told |= {gettext(line.label) if line.label else "text": line.value for line in entry.lines}
    return told | ({"marks": [f"{m.label} {m.value}".strip() for m in entry.marks]} if entry.marks else {})


def _draft(state: State, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    known = state.protocol.kinds.get(kind.partition(".")[0])
    words = "\n".join(str(text) for name, text in body.items() if name != "at")
    return {"kind": gettext(known.label) if known else "", "text": words, "at": _moment(float(body["at"]))}


def _moment(at: float) -> str:
    return localtime(datetime.fromtimestamp(at, UTC)).strftime("%Y-%m-%d %H:%M") if at else ""


def _keys(persons: Collection[int], user: int | None) -> list[access.Key]:
    """The seats that are theirs: in circles of their spaces, and as a guest."""
    mine = Q(person__in=persons) | (Q(user=user) if user else Q())
    seats = Seat.objects.filter(mine).exclude(seat=SCREEN).order_by("session__created_at", "pk")
    return [access.Key(*row) for row in seats.values_list("session", "seat")]


# ---------------------------------------------------------------- to take away


@dataclass(slots=True)
class Taken:
    """How much was taken away: rooms, and contributions whose words are gone."""

    rooms: int = 0
    contributions: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of what others have read: it stays, signed "un pair", or is withdrawn."""

    keep: bool
    keep_learnings: bool

    def keeps(self, kind: str) -> bool:
        return self.keep_learnings if kind == "learning" else self.keep


def erase(
    persons: Collection[int], user: int | None, names: Collection[str], ids: Collection[str], choice: Choice
) -> Taken:
    """Take these persons out of every room: no name, no link, no draft, nothing that they alone could read.

    ``names`` they were called, and ``ids`` of what the circle's book keeps of them, find what rooms were told of them.
    Inside the caller's transaction: all is erased, or nothing.
    """
    seats = _seats(persons, user)
    rooms = _rooms_of_circles(persons, seats)
    told = _Told(set(names), set(ids), set())
    for room, mine in seats.items():
        _gather(room, mine, told)
    taken = Taken()
    for room in rooms:
        # One writing a room: what is in memory never runs ahead of what is committed.
        taken.contributions += _retried(lambda room=room: _erase_in(room, seats.get(room, set()), told, choice))
        taken.rooms += room in seats
    return taken


@dataclass(frozen=True, slots=True)
class _Told:
    """By what somebody is known in rooms that were told of them from elsewhere."""

    names: set[str]
    ids: set[str]
    texts: set[str]

    def tells(self, c: Contribution) -> bool:
        body = c.body or {}
        return body.get("from") in self.names and (c.id in self.ids or body.get("text", "") in self.texts)


def _seats(persons: Collection[int], user: int | None) -> dict[str, set[str]]:
    """Room -> their seats in it; of a meeting's room, also the one that waited for them if they never came."""
    found: dict[str, set[str]] = {}
    for key in _keys(persons, user):
        found.setdefault(key.room, set()).add(key.seat)
    for person in persons:
        rooms = Session.objects.filter(circle__memberships__person=person, meeting__isnull=False)
        for room in rooms.values_list("pk", flat=True):
            found.setdefault(room, set()).add(access.seat_of(room, person))
    return found


def _rooms_of_circles(persons: Collection[int], seats: Collection[str]) -> list[str]:
    """Every room of the circles they are or were in, and those in which they have a seat, always in the same order."""
    circles = Circle.objects.filter(Q(memberships__person__in=persons) | Q(sessions__in=list(seats)))
    return list(Session.objects.filter(circle__in=circles).order_by("pk").values_list("pk", flat=True))


def _gather(room_id: str, seats: set[str], told: _Told) -> None:
    """What they were called in this room, and what they learnt there."""
    room = _readable(room_id)
    if room is None:
        return
    learnt = (c.body or {} for c in room.state.of_kind("learning") if c.author in seats)
    told.texts.update(filter(None, (body.get("text", "") for body in learnt)))
    mine = [seq for seq, kind, who, _ in _rows(room_id) if kind in NAMES and who in seats]
    for seq, sealed in Entry.objects.filter(session=room_id, seq__in=mine).values_list("seq", "sealed"):
        told.names.update((crypto.unseal(room.key, sealed, f"{room_id}#{seq}") or {}).values())


def _readable(room: str) -> store.Room | None:
    """The room as it is stored; ``None`` where a key of the ring is missing (doctor says which)."""
    store.forget(room)
    try:
        return store.load(room)
    except crypto.Unreadable:
        return None


def said_anew(circle: int, id_: str, body: Mapping[str, str] | None) -> None:
    """What rooms of this circle were told from its book now reads so; ``None``: it is withdrawn. Former texts go.

    Inside the caller's transaction.
    """
    told = Entry.objects.filter(session__circle=circle, kind="Written", plain__id=id_)
    for room in told.order_by("session").values_list("session", flat=True).distinct():
        _retried(lambda room=room: _say_anew(room, id_, body))


def _say_anew(room_id: str, id_: str, body: Mapping[str, str] | None) -> None:
    Session.objects.select_for_update().get(pk=room_id)
    room, rows = _readable(room_id), _rows(room_id)
    c = room.state.contributions.get(id_) if room else None
    if room and room.key and c and not c.withdrawn:
        now, by = time(), c.author
        anew = e.Edited(at=now, seat=by, id=id_, body=body) if body else e.Withdrawn(at=now, seat=by, id=id_)
        store.append(room_id, [anew])
    former = [seq for seq, kind, _, plain in rows if kind in TEXTS and plain["id"] == id_]
    Entry.objects.filter(session=room_id, seq__in=former).update(sealed=None)
    _announce(room_id)


def _retried(act: Any) -> Any:
    """A room that somebody writes to at the same time is read again."""
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return act()
        except IntegrityError:
            if attempt == TRIES - 1:
                raise
    raise AssertionError


def _erase_in(room_id: str, seats: set[str], told: _Told, choice: Choice) -> int:
    """How many contributions of theirs have no words any more."""
    Session.objects.select_for_update().get(pk=room_id)
    room, rows = _readable(room_id), _rows(room_id)
    if room is None:  # what they wrote goes unread
        gone = [seq for seq, kind, who, _ in rows if who in seats and kind in (*NAMES, *TEXTS, *WORDS, "Marked")]
        facts: list[e.Event] = []
        erased = len(gone)
    else:
        mine = [c for c in room.state.contributions.values() if c.author in seats or told.tells(c)]
        stays = {c.id: c for c in mine if choice.keeps(c.kind) and _read_by_others(room.state, c)}
        anew = {id_: c for id_, c in stays.items() if (c.body or {}).get("from")}
        facts = list(_facts(room.state, seats, [c for c in mine if c.id not in stays], anew.values()))
        gone = _to_erase(room.state, seats, rows, {c.id for c in mine}, set(stays) - set(anew), choice.keep)
        erased = len(mine) - len(stays)
    if facts and room is not None and room.key:
        store.append(room_id, facts)
    Entry.objects.filter(session=room_id, seq__in=gone).update(sealed=None)
    Draft.objects.filter(session=room_id, seat__in=seats).delete()
    Seat.objects.filter(session=room_id, seat__in=seats).delete()
    if gone or seats:
        _announce(room_id)
    return erased


def _read_by_others(state: State, c: Contribution) -> bool:
    return not c.withdrawn and any(
        sees(state, other, c) for other in (*state.seats, SCREEN) if other not in {c.author, c.scribe}
    )


def _rows(room: str) -> list[Row]:
    found = Entry.objects.filter(session=room, sealed__isnull=False).order_by("seq")
    return list(found.values_list("seq", "kind", "seat", "plain"))


def _facts(
    state: State, seats: set[str], gone: Iterable[Contribution], anew: Iterable[Contribution]
) -> Iterator[e.Event]:
    """For every open page, now and later: what is withdrawn, what is signed anew, who is no longer there."""
    now = time()
    for c in gone:
        if not c.withdrawn:
            yield e.Withdrawn(at=now, seat=c.author, id=c.id)
    for c in anew:
        yield e.Edited(at=now, seat=c.author, id=c.id, body={**(c.body or {}), "from": PEER})
    for seat in sorted(seats & set(state.seats)):
        yield e.SeatRenamed(at=now, seat=seat, body={"name": PEER})
        if not state.course.closed:  # who leads keeps the lead, or nobody could hand it over
            leads = state.facilitator() == seat
            yield (e.SeatAway if leads else e.SeatRevoked)(at=now, seat=seat, target=seat)


def _to_erase(state: State, seats: set[str], rows: list[Row], mine: set[str], stays: set[str], keep: bool) -> list[int]:
    """The places in the log, as it was, of texts that must go: of what stays, all but the last version."""
    last = {plain["id"]: seq for seq, kind, _, plain in rows if kind in TEXTS}
    gone = []
    for seq, kind, who, plain in rows:
        if kind in NAMES:
            erased = who in seats
        elif kind in TEXTS:
            erased = plain["id"] in mine and (plain["id"] not in stays or seq != last[plain["id"]])
        elif kind == "Marked":
            theirs = who in seats or plain["owner"] in seats
            erased = theirs and not (keep and _mark_read_by_others(state, seats, plain))
        else:
            erased = kind in WORDS and who in seats and not keep
        if erased:
            gone.append(seq)
    return gone


def _mark_read_by_others(state: State, seats: set[str], plain: dict[str, Any]) -> bool:
    c = state.contributions.get(plain["id"])
    mark = state.marks.get((plain["id"], plain["mark"], plain["owner"], plain["round"]))
    if c is None or mark is None:
        return False
    return any(sees_mark(state, other, c, mark) for other in (*state.seats, SCREEN) if other not in seats)


def _announce(room: str) -> None:
    """Once it is durable: nothing of what was read before stays in this process, and the open pages are drawn anew."""

    def now() -> None:
        store.forget_words([room])
        access.forget()
        latest = Entry.objects.filter(session=room).aggregate(latest=Max("seq"))["latest"]
        actions.hub.announce_from_thread({store.topic(room): latest or ASK})

    transaction.on_commit(now)
