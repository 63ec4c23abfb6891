"""The room of a circle's meeting: it opens for the first to come, and gives everybody of the circle their own place."""

from collections.abc import Iterable
from datetime import timedelta
from secrets import token_urlsafe
from time import time

from django.db import IntegrityError, transaction
from django.utils import timezone

from cordee.accounts import queries as accounts
from cordee.accounts.models import Person, User
from cordee.circles.actions import situations
from cordee.circles.models import Circle, Meeting, Membership
from cordee.circles.queries import circles
from cordee.engine import events as e
from cordee.engine.commands import Revoke, TakeSeat, Write
from cordee.engine.protocol import Protocol
from cordee.engine.reading import builtin, read
from cordee.engine.refusal import Refused
from cordee.followup.models import Commitment, Learning, times_helped
from cordee.followup.queries import successes
from cordee.room import access, actions, harvest, store
from cordee.room.models import Seat, Session

BEFORE, AFTER = timedelta(hours=2), timedelta(hours=12)  # around a meeting, when coming opens its room at once


def is_time(meeting: Meeting) -> bool:
    """Whether to come is to open the room; at another time one is asked first."""
    if Session.objects.filter(meeting=meeting).exists():
        return True
    if meeting.starts_at is None or meeting.ends_at is None:
        return False
    return meeting.starts_at - BEFORE <= timezone.now() <= meeting.ends_at + AFTER


def enter(meeting: Meeting, person: Person) -> actions.Opened | Refused:
    """Their place in this meeting's room: the same on any device, and however often they come.

    ``person`` is a current member or facilitator of the circle, with an account. The first to come opens the room.
    """
    if meeting.cancelled_at or not meeting.circle.wrapped_key or person.user is None:
        return Refused("meeting_cancelled" if meeting.cancelled_at else "closed")
    session = _room_of(meeting)
    _see_off(session)
    place = _place_of(session, person)
    role = Membership.objects.values_list("role", flat=True).get(circle=meeting.circle, person=person)
    wish = TakeSeat(seat=place.seat, name=person.name, role=role, appointed=True)
    outcome = actions.submit(session.pk, wish)
    if isinstance(outcome, Refused):
        return outcome
    _bring(session, meeting, place)
    return actions.Opened(session.pk, place.seat, token(place, person.user))


def token(place: Seat, user: User) -> str:
    """What opens this place, which is its owner's."""
    return access.token_of(place.session_id, place.seat, user.pk, user.links_epoch)


# ---------------------------------------------------------------- the room


def _room_of(meeting: Meeting) -> Session:
    """The room of this meeting, opened if nobody came before; however many come at once, there is one."""
    known = Session.objects.filter(meeting=meeting).first()
    if known:
        return known
    for former in Session.objects.filter(circle=meeting.circle, meeting__isnull=False):
        harvest.harvest(former.pk)  # what was said last time is brought along, even if nobody closed that room
    try:
        with transaction.atomic():
            return _opened(meeting)
    except IntegrityError:
        return Session.objects.get(meeting=meeting)


def _opened(meeting: Meeting) -> Session:
    text = builtin(meeting.circle.protocol)
    session = Session(id=token_urlsafe(9), circle=meeting.circle, meeting=meeting, protocol=text)
    actions._new_links(session, lambda new: new.save(force_insert=True))
    store.append(session.pk, list(_opening(session, meeting)))
    return session


def _opening(session: Session, meeting: Meeting) -> Iterable[e.Event]:
    """What a meeting opens on: what its circle learnt, what its members told, promised and bring."""
    now, protocol = time(), read(session.protocol)
    yield e.RoomOpened(at=now, seat="", body=_values(meeting.circle))
    yield from _learnt(meeting.circle, protocol, now)
    opening = [*_successes(session, meeting, protocol, now), *_promised(session, meeting, protocol, now)]
    yield from opening
    yield from _brought(session, meeting, protocol, now)
    first = next((step.id for step in protocol.steps if step.opens_on), None)
    if opening and first:
        yield e.StepEntered(at=now, seat="", round=1, step=first)


def _values(circle: Circle) -> e.Body:
    """What its space holds to, as it is said now; a room that is open keeps the words it opened with."""
    names = accounts.values(circle.space) if circle.space else []
    return {str(position): name for position, name in enumerate(names)} or None


def _learnt(circle: Circle, protocol: Protocol, now: float) -> Iterable[e.Event]:
    step = next((step.id for step in protocol.steps if step.write("learning")), None)
    kept = Learning.objects.filter(circle=circle, sealed__isnull=False).select_related("person")
    kept = kept.annotate(helped=times_helped())
    key = circle.key()
    bodies = [(learning, learning.words(key)) for learning in kept.order_by("learnt_at", "pk")]
    if step is None or not bodies:
        return
    for learning, words in bodies:
        author = learning.person.name if learning.person else words.get("from", "")
        body = {"text": words.get("text", ""), "from": author, "helped": str(learning.helped)}
        yield e.Written(at=now, seat="", id=learning.pk, kind="learning", round=0, step=step, body=body)
    yield e.Revealed(at=now, seat="", round=0, step=step)


def _successes(session: Session, meeting: Meeting, protocol: Protocol, now: float) -> Iterable[e.Event]:
    """What was told and not celebrated yet, by those who are still of the circle."""
    step = next((step for step in protocol.steps if "success" in step.opens_on), None)
    if step is None:
        return
    current = circles.current(meeting.circle).values("person")
    fresh = successes.of_circle(meeting.circle).filter(celebrated=None, commitment__person__in=current)
    for told in successes.read(fresh.order_by("told_at", "pk")):
        seat, body = access.seat_of(session.pk, told.success.commitment.person_id), successes.card(told)
        yield e.Written(at=now, seat=seat, id=told.success.pk, kind="success", round=0, step=step.id, body=body)


def _promised(session: Session, meeting: Meeting, protocol: Protocol, now: float) -> Iterable[e.Event]:
    """The commitments of the last meeting, with what their authors have said of them since; earlier ones that are
    still promised. Each keeps its id."""
    step = next((step for step in protocol.steps if "carried" in step.opens_on), None)
    key = meeting.circle.key()
    if step is None:
        return
    for commitment in _commitments(meeting):
        words, due = commitment.words(key), commitment.due_on
        seat = access.seat_of(session.pk, commitment.person_id)
        body = {name: words[name] for name in ("if", "then", "witness") if words.get(name)}
        body |= {"from": commitment.person.name} | ({"date": due.isoformat()} if due else {})
        yield e.Written(at=now, seat=seat, id=commitment.pk, kind="carried", round=0, step=step.id, body=body)
        standing = commitment.state if commitment.state != Commitment.PROMISED else ""
        for mark, value in {"standing": standing, **commitment.outcome(key)}.items():
            if value:
                yield e.Marked(at=now, seat=seat, id=commitment.pk, mark=mark, owner=seat, body={"value": value})


def _commitments(meeting: Meeting) -> list[Commitment]:
    current = circles.current(meeting.circle).values("person")
    kept = Commitment.objects.filter(circle=meeting.circle, sealed__isnull=False, person__in=current)
    kept = kept.select_related("person", "meeting").order_by("made_at", "pk")
    latest = max((c.meeting.number for c in kept if c.meeting), default=None)
    return [c for c in kept if c.state == Commitment.PROMISED or (c.meeting and c.meeting.number == latest)]


def _brought(session: Session, meeting: Meeting, protocol: Protocol, now: float) -> Iterable[e.Event]:
    """The situations brought to this meeting, as their members' cards: nobody types twice."""
    step = next((step.id for step in protocol.steps if step.write("situation")), None)
    names = {member.person_id: member.person.name for member in circles.current(meeting.circle)}
    for one in situations.brought(meeting) if step else ():
        seat = access.seat_of(session.pk, one.person_id)
        body = one.card | {"from": names.get(one.person_id, "")}
        yield e.Written(at=now, seat=seat, id=one.id, kind="situation", round=1, step=step or "", body=body)


def _bring(session: Session, meeting: Meeting, place: Seat) -> None:
    """What they brought after the room had opened, if it is still the moment and they have typed none here."""
    state = store.load(session.pk).state
    if not state.step.write("situation") or state.of_kind("situation", author=place.seat):
        return
    for one in situations.brought(meeting):
        if one.person_id == place.person_id and one.id not in state.contributions:
            actions.submit(session.pk, Write(seat=place.seat, id=one.id, kind="situation", body=one.card))


# ---------------------------------------------------------------- places


def _place_of(session: Session, person: Person) -> Seat:
    """The row of this person's place, whose link is that of their account as it is now."""
    known = Seat.objects.filter(session=session, person=person).first()
    place = known or Seat(session=session, seat=access.seat_of(session.pk, person.pk), person=person, owned=True)
    assert person.user is not None
    digest = access.digest(token(place, person.user))
    if known is None:
        try:
            with transaction.atomic():
                place.digest = digest
                place.save(force_insert=True)
        except IntegrityError:  # on another of their devices, at the same instant
            place = Seat.objects.get(session=session, person=person)
    if place.digest != digest:
        place.digest = digest
        place.save(update_fields=["digest"])
    return place


def _see_off(session: Session) -> None:
    """Those who have left the circle since lose their place in its open room."""
    former = Membership.objects.filter(circle=session.circle_id, left_at__isnull=False).values("person")
    places = Seat.objects.filter(session=session, person__in=former).values_list("seat", flat=True)
    for seat in places:
        state = store.load(session.pk).state
        if seat in state.seats and not state.seats[seat].revoked and state.facilitator() not in {"", seat}:
            actions.submit(session.pk, Revoke(seat=state.facilitator(), target=seat))


def absent(session: str) -> list[tuple[str, str]]:
    """(seat, name) of those of the circle who have no place yet in this meeting's room, for who acts for them."""
    found = Session.objects.select_related("circle").filter(pk=session, meeting__isnull=False).first()
    if found is None:
        return []
    seats = store.load(session).state.seats
    rows = circles.current(found.circle).filter(role=Membership.MEMBER)
    places = [(access.seat_of(session, row.person_id), row.person.name) for row in rows]
    taken = dict(Seat.objects.filter(session=session, person__isnull=False).values_list("person", "seat"))
    has = {access.seat_of(session, person) for person, seat in taken.items() if seat in seats}
    return [(seat, name) for seat, name in places if seat not in seats and seat not in has]
