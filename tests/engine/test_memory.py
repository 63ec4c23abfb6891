"""What was worked out before makes a view fast and never another view."""

from hypothesis import given

from cordee.engine.memory import Memory
from cordee.engine.reading import builtin, read
from cordee.engine.state import apply, initial
from cordee.engine.view import view_for
from tests.characters import SCREEN
from tests.engine.test_always import always, everyone, session, starts, wishes
from tests.leaks import SEATS, play_with_canaries


def test_every_seat_sees_the_same_with_and_without_a_memory_all_along_two_rounds():
    events, _ = play_with_canaries()
    state, memory = initial(read(builtin("mentor"))), Memory()
    for n, event in enumerate(events):
        state = apply(state, event)
        for seat in (*SEATS, SCREEN) if n % 5 == 0 else (event.seat, SCREEN):
            assert view_for(state, seat, memory) == view_for(state, seat), (n, seat)


@always
@given(starts, wishes)
def test_whatever_people_do_a_memory_changes_no_view(start, numbers):
    room, memory = session(start, numbers), Memory()
    state = initial(room.state.protocol)
    for event in room.events:
        state = apply(state, event)
        for seat in everyone(room.state)[-4:] if len(room.events) - state.version > 12 else everyone(room.state):
            assert view_for(state, seat, memory) == view_for(state, seat), seat


def test_a_thing_is_made_again_when_its_cause_is_another():
    memory, made = Memory(), []

    def make() -> str:
        made.append(1)
        return "thing"

    assert [memory.once("it", cause, make) for cause in (1, 1, 2, 1)] == ["thing"] * 4
    assert len(made) == 3


def test_of_a_list_only_what_is_new_is_made():
    memory, made = Memory(), []

    def make(entry: tuple[str]) -> str | None:
        made.append(entry[0])
        return entry[0].upper() if entry[0] != "hidden" else None

    a, b, hidden, c = ("a",), ("b",), ("hidden",), ("c",)
    assert memory.each("list", 0, (a, b), make) == ("A", "B")
    assert memory.each("list", 0, (a, b, hidden), make) == ("A", "B")
    assert memory.each("list", 0, (a, c, hidden), make) == ("A", "C")
    assert made == ["a", "b", "hidden", "c"]
    assert memory.each("list", 1, (a,), make) == ("A",)
    assert made == ["a", "b", "hidden", "c", "a"]
