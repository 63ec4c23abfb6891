"""A protocol is data: a round of any of them is played by doing what the views offer, knowing none of its steps."""

import pytest

from cordee.engine import commands as c
from cordee.engine.protocol import Kind
from cordee.engine.reading import FOLDER, builtin, read
from cordee.engine.rules.judgements import position
from tests.characters import FACILITATOR, Room, circle

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.toml"))


def body_for(room: Room, kind: Kind, seat: str) -> dict[str, str]:
    """Whatever the form of this kind accepts."""
    by_type = {
        "choice": lambda box: next(iter(box.choices)),
        "seat": lambda box: next(iter(room.consultants())),
        "contribution": lambda box: room.state.of_kind("situation")[0].id,
        "date": lambda box: "2026-12-04",
    }
    return {box.id: by_type.get(box.type, lambda box: f"{kind.id} de {seat}")(box) for box in kind.fields}


def play_what_is_offered(room: Room) -> list[str]:
    """One round, by the forms, marks and buttons that each seat is shown; gives the steps gone through."""
    walked = []
    while True:
        walked.append(room.step)
        for seat in [*room.members(), FACILITATOR]:
            write_what_is_offered(room, seat)
        hand = room.view(FACILITATOR).hand
        if hand.may_choose and not room.client:
            choose_first(room)
            for seat in room.members():
                write_what_is_offered(room, seat)
        for seat in [*room.members(), FACILITATOR]:
            if room.view(seat).reveal:
                room.reveal(seat)
        for mark in ("acknowledged", "validated", "answered", "sorted"):
            for seat in room.members():
                mark_what_is_offered(room, seat, mark)
        for _ in room.members():
            if room.view(FACILITATOR).hand.holder:
                write_what_is_offered(room, room.view(FACILITATOR).hand.holder)
                room.pass_floor()
        if room.view(FACILITATOR).hand.last:
            return walked
        room.next()


def write_what_is_offered(room: Room, seat: str) -> None:
    for form in room.view(seat).forms:
        if form.own and form.my_turn and not form.edits:
            room.write(seat, form.kind.id, body_for(room, form.kind, seat))


def mark_what_is_offered(room: Room, seat: str, mark: str) -> None:
    for group in room.view(seat).groups:
        for card in group.cards:
            for offered in card.marks:
                if offered.mark == mark and offered.settable and not offered.on:
                    value = offered.values[0][0] if offered.values else ""
                    room.mark(seat, card.id, mark, value)


def choose_first(room: Room) -> None:
    cards = [card for group in room.view(FACILITATOR).groups for card in group.cards if card.choosable]
    room.do(c.Choose(seat=FACILITATOR, situation=cards[0].id))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_round_of_every_protocol_we_ship_is_played_by_what_the_views_offer(name):
    room = circle(protocol=name)
    walked = play_what_is_offered(room)
    assert walked == [step.id for step in room.state.steps]
    assert room.client and room.of("learning") and room.view("karim").request
    room.do(c.NextRound(seat=FACILITATOR, seen=position(room.state)))
    assert room.state.course.round == 2


def test_the_six_steps_take_the_hour_and_three_quarters_they_announce():
    protocol = read(builtin("payette-champagne"))
    assert [step.title for step in protocol.steps] == [
        "Exposé",
        "Clarification",
        "Contrat",
        "Consultation",
        "Synthèse et plan d’action",
        "Conclusion et apprentissages",
    ]
    assert protocol.minutes == 105


def test_mentor_takes_ninety_minutes():
    assert read(builtin("mentor")).minutes == 90
