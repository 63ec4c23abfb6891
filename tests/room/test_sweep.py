"""A key destroyed by another process: its words leave this one's memory, those that nobody looks at included."""

import gc
from collections.abc import Iterator

import pytest

from cordee.circles import crypto
from cordee.circles.models import Circle
from cordee.engine import commands as c
from cordee.engine import recall
from cordee.room import actions, cards, render, store, stream
from cordee.room.sweep import Sweep
from tests.room import rooms

pytestmark = pytest.mark.django_db
DRAWER = "zqedcbaqz"  # the canary, backwards: this file must not be what is found


def living_words(backwards: str = DRAWER) -> list[str]:
    """Every text that holds the canary and that some object of this process still holds."""
    gc.collect()
    wanted = backwards[::-1]
    found: list[str] = []
    seen: set[int] = set()
    ahead = gc.get_objects()
    while ahead:
        holder = ahead.pop()
        for held in gc.get_referents(holder):
            kind = type(held)  # what isinstance would ask of lazy objects wakes them
            if (issubclass(kind, str) and wanted in held) or (issubclass(kind, bytes) and wanted.encode() in held):
                found.append(f"{type(holder).__name__} of {kind.__name__}")
            elif kind in {dict, tuple} and not gc.is_tracked(held) and id(held) not in seen:
                seen.add(id(held))  # of plain values alone: the collector does not know it
                ahead.append(held)
    return found


@pytest.fixture
def looked() -> Iterator[str]:
    """A room with the canary in it, which has been loaded, drawn, sent and searched."""
    house, fanny = rooms.open_room()
    karim = rooms.join(house, "Karim")
    for seat in (fanny, karim):
        body = {"text": f"Un mot {DRAWER[::-1]} de trop."}
        done = actions.submit(house.id, c.Write(seat=seat, id=f"note-{seat}", kind="note", body=body))
        assert isinstance(done, list) and done
        view = store.load(house.id).view(seat)
        assert DRAWER[::-1] in "".join(stream.changes(None, view, "fr"))
        render.page(view, "fr", {"new_id": "x"})
        recall.recall(body["text"], {"a": body["text"]})
    del body, done, view
    assert len(living_words()) > 4
    yield house.id


def destroyed_elsewhere() -> None:
    Circle.objects.update(wrapped_key=None)


def test_no_living_object_holds_a_word_after_a_sweep(looked: str) -> None:
    sweep = Sweep()
    sweep.settle(*sweep.look())
    assert living_words()
    destroyed_elsewhere()
    sweep.settle(*sweep.look())
    assert living_words() == []
    assert crypto._cipher.cache_info().currsize == 0 and not store.with_key()


def test_nor_when_the_room_itself_had_long_left_memory(looked: str) -> None:
    sweep = Sweep()
    sweep.settle(*sweep.look())
    store.forget(looked)
    assert living_words()
    destroyed_elsewhere()
    sweep.settle(*sweep.look())
    assert living_words() == []


def test_nor_once_somebody_reads_the_room(looked: str) -> None:
    destroyed_elsewhere()
    assert store.load(looked).key is None
    assert living_words() == []


def test_nor_at_once_in_the_process_that_destroys_it(looked: str) -> None:
    actions.erase(Circle.objects.get())
    assert living_words() == []


def test_what_was_drawn_in_between_goes_at_the_next_turn(looked: str) -> None:
    sweep = Sweep()
    sweep.settle(*sweep.look())
    destroyed_elsewhere()
    sweep.settle(*sweep.look())
    recall.terms(f"tard {DRAWER[::-1]}")
    assert living_words()
    sweep.settle(*sweep.look())
    assert living_words() == []


def test_while_no_key_is_destroyed_nothing_is_forgotten(looked: str) -> None:
    sweep = Sweep()
    drawn = cards._drawn.cache_info().currsize + render._part.cache_info().currsize
    for _ in range(3):
        sweep.settle(*sweep.look())
    assert cards._drawn.cache_info().currsize + render._part.cache_info().currsize == drawn > 0
    assert store.known(looked)
