"""Rooms share what is drawn of them, and each keeps its own words."""

import pytest

from cordee.engine import commands as c
from cordee.engine.view import view_for
from cordee.room import blanks, render
from tests.characters import FACILITATOR, Room, play
from tests.room.test_parts import Watched, fresh

SEATS = (FACILITATOR, "claire", "karim", "helene")
PLAIN = ("Fanny", "Claire", "Karim", "Hélène")
OTHERS = ("Rose", "Anne-Marie", "O’Neil-Dupont des Ormes et du Bois", "Nadia")
HOSTILE = ("<b>gras</b>", "{{ view.seat }} &amp;", "client", "z0z %s \\1")


def drawn_right(names: tuple[str, ...]) -> int:
    """Plays a room of these people, compares each of its parts with its template, and counts what was drawn anew."""
    before = render._shape.cache_info().misses

    def watch(room: Room) -> None:
        for view in filter(None, (view_for(room.state, seat) for seat in SEATS)):
            for name in render.BLANKED:
                assert render.part(name, view, "fr") == fresh(name, view), (name, view.position)

    room = Watched(watch)
    for seat, name in zip(SEATS, names, strict=True):
        room.do(c.TakeSeat(seat=seat, name=name))
    play(room, until="demande")
    room.write("claire", "request", f"Je voudrais que vous m’aidiez, {names[2]}, à dire non.")
    return render._shape.cache_info().misses - before


def test_rooms_of_other_people_are_drawn_once_and_keep_their_own_names():
    render.forget()
    assert drawn_right(PLAIN) > 0
    assert drawn_right(OTHERS) == drawn_right(HOSTILE) == 0


def test_who_has_the_name_of_a_word_of_the_page_is_not_taken_for_it():
    render.forget()
    assert drawn_right(("client", "facilitator", "question", "text")) > 0
    assert drawn_right(PLAIN) == 0


@pytest.mark.parametrize("guess", ["z{}z0z", "z{}z1z"])
def test_what_stands_for_a_word_cannot_be_written(guess):
    written = guess.format("0" * 16)
    form = blanks.Blanks()
    drawn = blanks.cut(f"{written} {form.word('Karim')} {form.name('Anne-Marie')} {form.word('Karim')}")
    assert blanks.filled(drawn, form.escaped()) == f"{written} Karim Anne-Marie Karim"
