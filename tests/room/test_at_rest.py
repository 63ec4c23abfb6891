"""What lies in the database says nothing: no word, no name, no code and no link can be read there."""

from collections.abc import Iterator

import pytest
from django.db import connection

from cordee.circles import crypto
from cordee.engine import events as e
from cordee.engine.state import LENT
from cordee.room import actions, store
from cordee.room.access import Key
from cordee.room.models import Entry
from tests import leaks
from tests.characters import SCREEN
from tests.room.rooms import House, join, open_room, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def played() -> House:
    return settle_canaries()


def settle_canaries() -> House:
    events, _ = leaks.play_with_canaries()
    room = leaks.Table(leaks.Canaries())
    room.events = events
    for event in events:
        room.state = store.apply(room.state, event)
    return settle(room)


def every_row() -> Iterator[str]:
    """Every value of every table, as text, with binary as UTF-8 and as UTF-16 where it can be read so."""
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for value in row:
                    if isinstance(value, memoryview | bytes):
                        yield bytes(value).decode("utf-8", "ignore")
                        yield bytes(value).decode("utf-16-le", "ignore")
                    else:
                        yield str(value)


def dump() -> str:
    return "\n".join(every_row())


def test_every_kind_and_field_that_can_be_written_is_among_the_canaries(played):
    """The search below proves something only if everything that people write has a canary in it."""
    events, _ = leaks.play_with_canaries()
    written = {
        (ev.kind, name)
        for ev in events
        if isinstance(ev, e.Written)
        for name in ev.body
        if leaks.canaries(ev.body[name])
    }
    protocol = played.state.protocol
    texts = {(k.id, box.id) for k in protocol.kinds.values() for box in k.fields if box.type in {"text", "line"}}
    texts -= {(LENT, "text")}  # lent by the space, with no word of its own in the log: tests/room/test_lent.py
    assert written == texts
    assert any(leaks.canaries(ev.body["value"]) for ev in events if isinstance(ev, e.Marked) and ev.body)


def test_no_word_is_readable_in_any_table(played):
    for kind in played.state.protocol.kinds:
        assert actions.save_draft(Key(played.id, "karim"), kind, {"text": "zqaaaaqz brouillon"})
    rows = dump()
    assert len(rows) > 10_000
    assert leaks.canaries(rows) == set()


def test_the_search_would_find_a_word_left_in_clear(played):
    entry = Entry.objects.filter(session=played.id, kind="Written").first()
    entry.sealed = b"nonce" + b'{"text":"zqaaaaqz"}'
    entry.save()
    assert leaks.canaries(dump()) == {"zqaaaaqz"}


def test_no_name_no_choice_no_value_and_no_link_is_readable_in_any_table():
    house, fanny = open_room("Zébulonne")
    octave = join(house, "Bartholomé")
    actions.submit(house.id, actions_write(octave))
    code = actions.links(store.load(house.id))
    rows = dump()
    for word in (
        "Zébulonne",
        "Bartholomé",
        *house.tokens.values(),
        code["code"],
        code["screen"],
    ):
        assert word not in rows, word
    for table in ("room_entry", "room_draft"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            assert "preoccupation" not in str(cursor.fetchall())
    assert fanny in rows  # ids are in clear: the search does look at the right rows


def actions_write(seat: str):
    from cordee.engine.commands import Write

    body = {"nature": "preoccupation", "title": "Comment ?", "urgency": "soon"}
    return Write(seat=seat, id="situation-1", kind="situation", body=body)


def test_what_is_in_clear_is_ids_flags_and_words_of_the_protocol_only(played):
    state = played.state
    ids = {*state.seats, *state.contributions, *state.protocol.kinds, SCREEN, ""}
    ids |= {step.id for step in state.protocol.steps} | {card.id for card in state.protocol.cards}
    ids |= {mark for _, mark, _, _ in state.marks} | {"member", "facilitator", "observer"}
    marks = {row.mark for step in state.protocol.steps for row in step.marks}
    for entry in Entry.objects.filter(session=played.id):
        for name, value in entry.plain.items():
            assert isinstance(value, bool | int | float) or value in ids | marks, (entry.kind, name)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="a file of SQLite")
def test_the_bytes_of_the_database_file_hold_no_word(played):
    with connection.cursor() as cursor:
        content = cursor.connection.serialize()
    assert played.id.encode() in content
    assert b"zq" not in content or leaks.canaries(content.decode("latin-1")) == set()


def test_a_text_moved_to_another_place_of_the_log_is_refused(played):
    one, two = Entry.objects.filter(session=played.id, kind="Written").order_by("seq")[:2]
    one.sealed, two.sealed = two.sealed, one.sealed
    one.save()
    two.save()
    store.forget()
    with pytest.raises(crypto.Unreadable) as error:
        store.load(played.id)
    assert leaks.canaries(str(error.value)) == set()
