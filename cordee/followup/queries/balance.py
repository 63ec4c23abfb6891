"""Giving and receiving in a circle: who was client, whom each helped, how often each spoke and wrote in each round.

Nothing is added up by person, and nobody stands before another for a number: see docs/subsystems/followup.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from cordee.accounts.models import Person
from cordee.circles.models import Circle, Meeting, Membership, Turn, Voice
from cordee.followup import phrases, ring
from cordee.followup.queries import successes

Round = tuple[int, int]  # (meeting, round)


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody of the circle, and names: whom they ``helped`` as a consultant, who thanked them for a lead since.

    A client says in a success that a lead served; nothing else is known of what became of leads.
    """

    person: Person
    current: bool
    times_client: int
    helped: Sequence[str]
    thanked_by: Sequence[str]


@dataclass(frozen=True, slots=True)
class Said:
    """What one person gave of themselves in one round: ``floor`` times, and sentences such as "2 questions"."""

    name: str
    client: bool
    floor: int
    written: Sequence[str]


@dataclass(frozen=True, slots=True)
class Consultation:
    meeting: Meeting
    round: int
    client: str
    said: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Balance:
    peers: Sequence[Peer]
    ring: ring.Ring
    consultations: Sequence[Consultation]


def balance(circle: Circle) -> Balance:
    """Everybody in the order in which they came into the circle; the rounds as they took place.

    Who only leads is in no picture of giving and receiving: no turn as a client waits for them.
    """
    turns = list(Turn.objects.filter(circle=circle, meeting__isnull=False).select_related("meeting", "person"))
    turns.sort(key=lambda turn: (turn.meeting.number if turn.meeting else 0, turn.round))
    voices = list(Voice.objects.filter(meeting__circle=circle, person__erased_at=None))
    told = {turn.person_id for turn in turns} | {voice.person_id for voice in voices}
    present = _people(circle, told)
    clients = {(turn.meeting_id or 0, turn.round): turn.person for turn in turns}
    helped, thanks = _helped(voices, clients), _thanks(circle)
    part = {person for pair in helped for person in pair} | {turn.person_id for turn in turns}
    people = [each for each in present if each.role == Membership.MEMBER or each.person_id in part]
    order = {each.person_id: number for number, each in enumerate(people)}
    peers = [_peer(each, turns, helped, order, clients, thanks) for each in people]
    pairs = {(order[one], order[other]) for one, other in helped if one in order and other in order}
    been = {order[turn.person_id] for turn in turns if turn.person_id in order}
    drawing = ring.drawn([each.person.name for each in people], been, pairs)
    return Balance(peers, drawing, [_consultation(turn, voices, present) for turn in turns])


def _people(circle: Circle, told: set[int]) -> list[Membership]:
    """The members, and whoever else was heard: who left, or who facilitates and said what they learnt."""
    everybody = circle.memberships.filter(waiting_since=None, joined_at__isnull=False, person__erased_at=None)
    part = Q(role=Membership.MEMBER, left_at=None) | Q(person__in=told)
    return list(everybody.filter(part).select_related("person").order_by("joined_at", "pk"))


def _helped(voices: Sequence[Voice], clients: Mapping[Round, Person]) -> set[tuple[int, int]]:
    """(who, whom)"""
    gave = [(voice, clients.get((voice.meeting_id, voice.round))) for voice in voices if voice.helped]
    return {(voice.person_id, client.pk) for voice, client in gave if client and client.pk != voice.person_id}


def _thanks(circle: Circle) -> Mapping[tuple[int, int], str]:
    """(who is thanked, who thanks) → the name of who thanks, in the successes that are told to the circle."""
    told = successes.of_circle(circle).filter(thanked__isnull=False).order_by("told_at", "pk")
    return {(one.thanked_id or 0, one.commitment.person_id): one.commitment.person.name for one in told}


def _peer(
    each: Membership,
    turns: Sequence[Turn],
    helped: set[tuple[int, int]],
    order: Mapping[int, int],
    clients: Mapping[Round, Person],
    thanks: Mapping[tuple[int, int], str],
) -> Peer:
    names = {client.pk: client.name for client in clients.values()}
    whom = sorted((other for one, other in helped if one == each.person_id), key=lambda pk: order.get(pk, len(order)))
    times = sum(turn.person_id == each.person_id for turn in turns)
    by = [name for (thanked, author), name in thanks.items() if thanked == each.person_id]
    return Peer(each.person, each.current, times, [names[pk] for pk in whom], by)


def _consultation(turn: Turn, voices: Sequence[Voice], people: Sequence[Membership]) -> Consultation:
    assert turn.meeting is not None
    here = {v.person_id: v for v in voices if v.meeting_id == turn.meeting_id and v.round == turn.round}
    said = [
        Said(each.person.name, each.person_id == turn.person_id, voice.floor, phrases.written(voice.written))
        for each in people
        if (voice := here.get(each.person_id))
    ]
    return Consultation(turn.meeting, turn.round, turn.person.name, said)
