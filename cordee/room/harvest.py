"""What is kept of a meeting once its room has closed: promises, learnings, client turns, presence. Sealed, or counted.

It is worked out from the whole log each time and put in place of what was kept before, so that it may be done twice,
late, or again after the room was opened again: nothing is lost by it, and a word withdrawn is withdrawn there too.
"""

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import time

from django.db import close_old_connections, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery

from cordee.accounts.models import Value
from cordee.circles import crypto
from cordee.circles.actions import situations
from cordee.circles.models import Attendance, Meeting, Membership, Situation, Turn, ValueCount, Voice
from cordee.engine import events as e
from cordee.engine.recall import plain
from cordee.engine.state import Contribution, State
from cordee.followup.actions import commitments, learnings, successes
from cordee.room import access, store, voices
from cordee.room.models import Entry, Seat, Session

LEFT_OPEN = timedelta(hours=12)  # after which a room that nobody closed is harvested as it is
PRESENCE = ("SeatTaken", "SeatAdmitted", "SeatAway", "SeatBack", "SeatHeld", "SeatRevoked")
TOLD = (*PRESENCE, "Closed", "Marked", "ClientChosen", "RoundStarted")
USEFUL = "useful"  # the mark by which a group says that an earlier learning helps
log = logging.getLogger(__name__)
_thread = ThreadPoolExecutor(1, thread_name_prefix="harvest")


def soon(room: str, again: bool = False) -> None:
    """Harvest this room in the background: nobody waits for it, and ``tick`` does it if this process dies first."""
    _thread.submit(_quietly, room, again)


def _quietly(room: str, again: bool) -> None:
    close_old_connections()
    try:
        harvest(room, again)
    except Exception as error:  # the type alone: a message could hold words
        log.warning("A room is not harvested yet: %s", type(error).__name__)
    finally:
        close_old_connections()


def left_over() -> int:
    """Harvest what no process has: rooms closed, or left open for hours, of which something is not kept. How many."""
    last = Entry.objects.filter(session=OuterRef("pk")).order_by("-seq")
    rooms = Session.objects.filter(meeting__isnull=False, circle__wrapped_key__isnull=False)
    rooms = rooms.annotate(seq=Subquery(last.values("seq")[:1]), at=Subquery(last.values("at")[:1]))
    closed = Exists(Entry.objects.filter(session=OuterRef("pk"), kind="Closed"))
    waiting = rooms.filter(closed | Q(at__lt=time() - LEFT_OPEN.total_seconds()), seq__gt=F("harvested"))
    return sum(map(_harvested, list(waiting.values_list("pk", flat=True))))


def _harvested(room: str) -> bool:
    """False where it cannot be: a key is missing (doctor says which), or the room was taken away meanwhile."""
    try:
        return harvest(room)
    except (crypto.Unreadable, store.NoSuchRoom):
        return False
    finally:
        store.forget(room)


def harvest(room_id: str, again: bool = False) -> bool:
    """Keep what this room's log holds by now; whether there was anything new. ``again``: even what was kept before.

    A room of guests, or whose key was destroyed, has nothing to give. Raises :class:`crypto.Unreadable`,
    :class:`store.NoSuchRoom`.
    """
    session = Session.objects.select_related("meeting", "circle").filter(pk=room_id).first()
    if session is None or session.meeting is None:
        return False
    room = store.load(room_id)
    if room.key is None or (room.state.version <= session.harvested and not again) or not room.state.seats:
        return False
    with transaction.atomic():
        held = Session.objects.select_for_update(of=("self",)).get(pk=room_id)
        if room.state.version <= held.harvested and not again:
            return False
        _Harvest(session, session.meeting, room.key, room.state).keep()
        Session.objects.filter(pk=room_id).update(harvested=max(room.state.version, held.harvested))
    return True


@dataclass(frozen=True, slots=True)
class Told:
    """A row of the log without its words."""

    kind: str
    at: float
    seat: str
    plain: Mapping[str, object]


class _Harvest:
    """One room's, in the caller's transaction."""

    def __init__(self, session: Session, meeting: Meeting, key: bytes, state: State) -> None:
        self.session, self.meeting, self.circle, self.key, self.state = session, meeting, session.circle, key, state
        self.people = people(session)
        rows = Entry.objects.filter(session=session, seq__lte=state.version, kind__in=TOLD).order_by("seq")
        self.told = [Told(*row) for row in rows.values_list("kind", "at", "seat", "plain")]

    def keep(self) -> None:
        commitments.keep_commitments(self.meeting, self.key, list(self._promises()))
        learnt = list(self._learnings())
        learnings.keep_learnings(self.meeting, self.key, learnt)
        self._values(learnt)
        learnings.keep_helps(self.meeting, set(self._helps()))
        self._outcomes()
        successes.celebrate(self.meeting, [c.id for c in self.state.of_kind("success", 0)])
        self._turns()
        self._situations()
        self._attendance()
        self._voices()

    # ------------------------------------------------------------ words

    def _stands(self, c: Contribution) -> bool:
        """What the group was shown and nobody took back."""
        kind = self.state.protocol.kinds[c.kind]
        shown = kind.sealed is None or (c.round, c.step) in self.state.course.revealed
        return shown and not c.withdrawn and not c.hidden and bool(c.body) and c.round > 0

    def _promises(self) -> Iterable[commitments.Promise]:
        for c in self.state.of_kind("commitment"):
            author = self.people.get(c.author)
            if author and self._stands(c):
                body = dict(c.body or {})
                witness = body.get("witness", "")
                named = self.state.seats.get(witness)
                words = {name: text for name, text in body.items() if name in {"if", "then"}}
                words |= {"witness": named.name} if named and named.name else {}
                person = self.people.get(witness)
                yield commitments.Promise(c.id, author, person, _day(body.get("date", "")), _moment(c.at), words)

    def _learnings(self) -> Iterable[learnings.Learnt]:
        for c in self.state.of_kind("learning"):
            if self._stands(c):
                words = {"text": (c.body or {}).get("text", "")}
                for name in ("theme", "value"):
                    put = [mark.value for mark in self.state.marked(c.id, name).values() if mark.value]
                    words |= {name: put[-1]} if put else {}
                author = self.people.get(c.author)
                seat = self.state.seats.get(c.author)
                words |= {"from": seat.name} if author is None and seat and seat.name else {}
                yield learnings.Learnt(c.id, author, _moment(c.at), words)
        yield from self._noted()

    def _noted(self) -> Iterable[learnings.Learnt]:
        """What its author noted for themselves where learnings are written: theirs alone."""
        steps = {step.id for step in self.state.protocol.steps if step.write("learning")}
        for c in self.state.of_kind("note"):
            author, text = self.people.get(c.author), (c.body or {}).get("text", "")
            if author and text and c.step in steps and not c.scribe:
                yield learnings.Learnt(c.id, author, _moment(c.at), {"text": text}, alone=True)

    def _helps(self) -> Iterable[tuple[str, int]]:
        """What was marked « Utile ici », by whom: earlier learnings of the circle, and what the space lent."""
        for (id_, mark, owner, _round), _put in self.state.marks.items():
            marked = self.state.contributions.get(id_)
            if mark == USEFUL and owner in self.people and marked and not marked.withdrawn and marked.round == 0:
                yield id_, self.people[owner]

    def _outcomes(self) -> None:
        """Where those who had promised stand now, as they have just said; what they said later elsewhere holds."""
        said_at: dict[str, dict[str, float]] = {}
        for one in self.told:
            if one.kind == "Marked":
                said_at.setdefault(str(one.plain["id"]), {})[str(one.plain["mark"])] = one.at
        for c in self.state.contributions.values():
            if c.round > 0 or c.kind != "carried":
                continue
            known = [name for name in ("standing", "gave", "learnt") if name in said_at.get(c.id, {})]
            put = {name: self.state.marked(c.id, name).get(c.author) for name in known}
            said: dict[str, tuple[str, datetime]] = {
                name: (one.value if one else "", _moment(said_at[c.id][name])) for name, one in put.items()
            }
            commitments.keep_outcome(self.circle, c.id, said)

    # ------------------------------------------------------------ counts

    def _turns(self) -> None:
        chosen: dict[int, float] = {}
        number = 1
        for one in self.told:
            if one.kind == "RoundStarted":
                number = int(str(one.plain["round"]))
            if one.kind == "RoundStarted" or (one.kind == "ClientChosen" and not one.plain.get("ahead")):
                chosen[number] = one.at
        turns = {
            number: (self.people[client], situation)
            for number, client, situation in self.state.course.treated
            if client in self.people
        }
        # Those whose data was erased are known to nobody any more, and still counted.
        Turn.objects.filter(meeting=self.meeting, person__erased_at=None).exclude(round__in=turns).delete()
        known = set(Situation.objects.filter(pk__in=[id_ for _, id_ in turns.values()]).values_list("pk", flat=True))
        for number, (person, situation) in turns.items():
            turn = Turn(meeting=self.meeting, round=number)
            turn.hold(self.key, self._title(situation))
            Turn.objects.update_or_create(
                meeting=self.meeting,
                round=number,
                defaults={
                    "sealed": turn.sealed,
                    "circle": self.circle,
                    "person_id": person,
                    "situation_id": situation if situation in known else None,
                    "at": _moment(chosen.get(number, self.state.began_at)),
                },
            )

    def _title(self, situation: str) -> str:
        """What the group was shown of a situation, if it stands."""
        shown = self.state.contributions.get(situation)
        return (shown.body or {}).get("title", "") if shown and self._stands(shown) else ""

    def _situations(self) -> None:
        """What was brought here was treated, or waits for another time."""
        treated = {situation for _, _, situation in self.state.course.treated}
        brought = Situation.objects.filter(circle=self.circle).select_related("circle")
        for situation in brought.filter(Q(meeting=self.meeting, state=Situation.BROUGHT) | Q(pk__in=treated)):
            if situation.pk in treated:
                situations.treated(situation, self.meeting)
            elif situation.pk in self.state.contributions:
                situations.set_aside(situation)

    def _attendance(self) -> None:
        found = attendance(self.told, self.state.course.closed)
        stays = {self.people[seat]: stay for seat, stay in found.items() if seat in self.people}
        Attendance.objects.filter(meeting=self.meeting, person__erased_at=None).exclude(person__in=stays).delete()
        for person, stay in stays.items():
            Attendance.objects.update_or_create(
                meeting=self.meeting,
                person_id=person,
                defaults={
                    "arrived_at": _moment(stay.arrived),
                    "left_at": _moment(stay.left),
                    "minutes": round(stay.seconds / 60),
                },
            )

    def _values(self, learnt: Iterable[learnings.Learnt]) -> None:
        """How often each value of the space was put on a learning of somebody we know. Other words stay sealed."""
        said: dict[str, list[int]] = {}
        for one in learnt:
            if one.person is not None and (word := one.words.get("value")):
                said.setdefault(plain(word), []).append(one.person)
        ValueCount.objects.filter(meeting=self.meeting).delete()
        for value in Value.objects.filter(space=self.circle.space_id, plain__in=said):
            by = said[value.plain]
            ValueCount.objects.create(meeting=self.meeting, value=value, learnings=len(by), people=len(set(by)))

    def _voices(self) -> None:
        rows = Entry.objects.filter(session=self.session, seq__lte=self.state.version).order_by("seq")
        log = (e.load(*row, None) for row in rows.values_list("kind", "at", "seat", "plain"))
        found: dict[tuple[int, int], Voice] = {}
        for (number, seat), heard in voices.voices(self.state, log, self._stands).items():
            if (person := self.people.get(seat)) is None:
                continue
            voice = found.setdefault(
                (number, person), Voice(meeting=self.meeting, person_id=person, round=number, written={})
            )
            voice.floor += heard.floor
            voice.helped |= heard.helped
            for kind, times in heard.written.items():
                voice.written[kind] = voice.written.get(kind, 0) + times
        Voice.objects.filter(meeting=self.meeting).delete()
        Voice.objects.bulk_create(found.values())


def people(session: Session) -> dict[str, int]:
    """seat -> the person of the circle's space whose it is, also where others act for them. Those erased are nobody."""
    everybody = Membership.objects.filter(circle=session.circle_id, person__erased_at=None)
    found = {access.seat_of(session.pk, person): person for person in everybody.values_list("person", flat=True)}
    theirs = Seat.objects.filter(session=session, person__isnull=False, person__erased_at=None)
    return found | dict(theirs.values_list("seat", "person"))


# ---------------------------------------------------------------- presence


@dataclass(slots=True)
class Stay:
    """Of one seat, in seconds since the epoch; ``seconds``: in the room, absences taken off."""

    arrived: float
    left: float = 0
    seconds: float = 0
    since: float | None = None

    def end(self, at: float) -> None:
        if self.since is not None:
            self.seconds += max(0.0, at - self.since)
            self.left, self.since = at, None


def attendance(told: Iterable[Told], closed: bool) -> dict[str, Stay]:
    """Who was in the room from when to when, by the times of the log. After its last closing nobody is."""
    rows = list(told)
    closings = [number for number, one in enumerate(rows) if one.kind == "Closed"]
    rows = rows[: closings[-1] + 1] if closed and closings else rows
    stays: dict[str, Stay] = {}
    for one in rows:
        seat = str(one.plain.get("target") or one.seat)
        if one.kind == "SeatAdmitted" or (one.kind == "SeatTaken" and not one.plain.get("waiting")):
            stays.setdefault(seat, Stay(arrived=one.at)).since = one.at
        elif one.kind in {"SeatAway", "SeatRevoked"} and seat in stays:
            stays[seat].end(one.at)
        elif one.kind in {"SeatBack", "SeatHeld"} and seat in stays and stays[seat].since is None:
            stays[seat].since = one.at
    for stay in stays.values():
        stay.end(rows[-1].at)
    return stays


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
