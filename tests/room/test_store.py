"""The log and what it folds to: decided in order, committed together, read again when another process wrote."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from cordee.circles import crypto
from cordee.circles.models import Circle
from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.reading import read
from cordee.engine.refusal import Refused
from cordee.engine.state import fold
from cordee.room import actions, store
from cordee.room.access import Key
from cordee.room.models import Draft, Entry, Session
from cordee.room.store import Job
from tests.characters import CLIENT, FACILITATOR, circle, play
from tests.room.rooms import House, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return settle(play(circle(("claire", "karim", "helene")), until="questions"))


def question(house: House, seat: str, id_: str, text: str = "Depuis quand ?") -> Job:
    return Job(house.id, c.Write(seat=seat, id=id_, kind="question", body={"text": text}))


def log_of(room_id: str) -> list[e.Event]:
    room = store._opened(room_id)
    return [store._event(room, *fact) for _, *fact in store._since(room)]


def folded(room_id: str):
    return fold(read(Session.objects.get(pk=room_id).protocol), log_of(room_id))


def test_a_whole_round_comes_back_from_the_database_as_it_was_played():
    room = play(circle())
    house = settle(room)
    assert log_of(house.id) == room.events
    assert house.state == room.state
    store.forget()
    assert house.state == room.state


def test_a_batch_of_nobody_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert store.transact([]) == []


def test_two_jobs_of_one_batch_see_each_other(house):
    answers = store.transact(
        [
            question(house, "karim", "question-1"),
            Job(house.id, c.Edit(seat="karim", id="question-1", body={"text": "Depuis quand, et où ?"})),
            Job(house.id, c.Mark(seat=CLIENT, id="question-1", mark="answered")),
            Job(house.id, c.Withdraw(seat="karim", id="question-1")),
            Job(house.id, c.Mark(seat=CLIENT, id="question-1", mark="touching")),
        ]
    )
    assert [type(a[0]).__name__ if isinstance(a, list) else a.reason for a in answers] == [
        "Written",
        "Edited",
        "Marked",
        "Withdrawn",
        "not_yours",
    ]
    assert [entry.kind for entry in Entry.objects.filter(session=house.id).order_by("seq")][-4:] == [
        "Written",
        "Edited",
        "Marked",
        "Withdrawn",
    ]


def test_rooms_of_one_batch_do_not_mix(house):
    other = settle(play(circle(("claire", "karim", "helene")), until="questions"))
    before = {h.id: h.state.version for h in (house, other)}
    store.transact([question(h, "karim", f"question-{n}") for n, h in enumerate((house, other, house, other, house))])
    assert house.state.version == before[house.id] + 3
    assert other.state.version == before[other.id] + 2
    assert house.state == folded(house.id)
    assert other.state == folded(other.id)


def test_a_refusal_and_an_exception_do_not_fail_their_neighbours(house, monkeypatch):
    class Unknown:
        """A wish that no rule answers."""

    answers = store.transact(
        [
            question(house, "karim", "question-1"),
            Job(house.id, Unknown()),
            question(house, "stranger", "question-2"),
            Job("no-such-room", c.Pause(seat="karim")),
            question(house, "karim", "question-3"),
        ]
    )
    assert isinstance(answers[1], KeyError)
    assert answers[2] == Refused("stranger")
    assert isinstance(answers[3], store.NoSuchRoom)
    assert {"question-1", "question-3"} <= set(house.state.contributions)
    assert "question-2" not in house.state.contributions
    assert house.state == folded(house.id)


def test_a_text_that_cannot_be_sealed_fails_alone_and_leaves_no_trace(house, monkeypatch):
    seal = crypto.seal

    def choosy(key, body, about):
        if "insealable" in body.get("text", ""):
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")
        return seal(key, body, about)

    monkeypatch.setattr(crypto, "seal", choosy)
    answers = store.transact(
        [
            question(house, "karim", "question-1"),
            question(house, "karim", "question-2", "insealable"),
            question(house, "karim", "question-3"),
        ]
    )
    assert isinstance(answers[1], UnicodeEncodeError)
    assert {"question-1", "question-3"} <= set(house.state.contributions)
    assert "question-2" not in house.state.contributions
    assert house.state == folded(house.id)


def test_the_same_contribution_is_written_once_in_one_batch_and_across_batches(house):
    again = [question(house, "karim", "question-1")] * 3
    first, *others = store.transact(again)
    assert len(first) == 1
    assert others == [[], []]
    store.forget()
    assert store.transact(again) == [[], [], []]
    assert [ev.id for ev in log_of(house.id) if isinstance(ev, e.Written)].count("question-1") == 1


def behind_its_back(house: House, fact: e.Event) -> None:
    """Another process writes this fact: this process's memory does not know."""
    room = store._opened(house.id)
    state = folded(house.id)
    room = replace(room, state=store.apply(state, fact))
    store._write([(store._entry(room, fact), [])])


def test_what_another_process_wrote_is_read_before_deciding(house):
    known = house.state.version
    asked = {"id": "question-2", "kind": "question", "round": 1, "step": "questions", "body": {"text": "Où ?"}}
    behind_its_back(house, e.Written(at=1.0, seat="helene", **asked))
    assert store.known(house.id).state.version == known
    assert store.transact([Job(house.id, c.Mark(seat=CLIENT, id="question-2", mark="answered"))])[0]
    assert house.state == folded(house.id)


def test_a_conflict_with_another_process_is_read_again_and_decided_again(house, monkeypatch):
    """Between reading and writing, another process takes the next place in the log and closes the room."""
    stale, current, tries = store.load(house.id), store._current, []
    behind_its_back(house, e.Closed(at=1.0, seat=FACILITATOR))

    def late(ids):
        tries.append(1)
        return {house.id: stale} if len(tries) == 1 else current(ids)

    monkeypatch.setattr(store, "_current", late)
    assert store.transact([question(house, "karim", "question-1")]) == [Refused("closed")]
    assert len(tries) == 2
    assert house.state.course.closed
    assert house.state == folded(house.id)


def test_after_a_conflict_what_still_may_be_is_written_at_the_next_place(house, monkeypatch):
    stale, current, tries = store.load(house.id), store._current, []
    behind_its_back(house, e.Paused(at=1.0, seat=FACILITATOR))

    def late(ids):
        tries.append(1)
        return {house.id: stale} if len(tries) < 3 else current(ids)

    monkeypatch.setattr(store, "_current", late)
    assert len(store.transact([question(house, "karim", "question-1")])[0]) == 1
    assert [entry.kind for entry in Entry.objects.filter(session=house.id).order_by("seq")][-2:] == [
        "Paused",
        "Written",
    ]
    assert house.state == folded(house.id)


def test_a_conflict_that_never_ends_is_an_error_and_writes_nothing(house, monkeypatch):
    stale = store.load(house.id)
    behind_its_back(house, e.Paused(at=1.0, seat=FACILITATOR))
    rows = Entry.objects.count()
    monkeypatch.setattr(store, "_current", lambda ids: {house.id: stale})
    with pytest.raises(IntegrityError):
        store.transact([question(house, "karim", "question-1")])
    assert Entry.objects.count() == rows


def test_a_failed_commit_leaves_the_memory_as_the_database_is_and_a_retry_works(house, monkeypatch):
    version = house.state.version
    with monkeypatch.context() as broken:

        def full(rows):
            raise DatabaseError("disk full")

        broken.setattr(store, "_write", full)
        with pytest.raises(DatabaseError):
            store.transact([question(house, "karim", "question-1")])
    assert store.known(house.id).state.version == version
    assert house.state == folded(house.id)
    assert len(store.transact([question(house, "karim", "question-1")])[0]) == 1
    assert house.state == folded(house.id)


def test_a_room_that_left_the_memory_comes_back_the_same(house, monkeypatch):
    monkeypatch.setattr(store, "MOST_ROOMS_IN_MEMORY", 2)
    before = house.state
    others = [settle(circle(("claire", "karim", "helene"))) for _ in range(3)]
    for other in others:
        assert other.state.seats
    assert len(store._rooms) == 2
    assert store.known(house.id) is None
    assert house.state == before
    assert store.known(house.id)


def test_an_older_reading_never_replaces_a_newer_one(house):
    old = store.load(house.id)
    store.transact([question(house, "karim", "question-1")])
    store._keep(old)
    assert store.known(house.id).state.version == old.state.version + 1


def test_facts_appended_in_a_transaction_that_rolls_back_leave_nothing_behind(house):
    before = house.state
    with pytest.raises(RuntimeError), transaction.atomic():
        store.append(house.id, [e.Paused(at=1.0, seat=FACILITATOR)])
        raise RuntimeError
    assert house.state == before == folded(house.id)


def test_no_room_is_told_as_such():
    with pytest.raises(store.NoSuchRoom):
        store.load("nowhere")
    (answer,) = store.transact([Job("nowhere", c.Pause(seat="x"))])
    assert isinstance(answer, store.NoSuchRoom)


def test_a_deleted_room_in_memory_fails_alone(house):
    other = settle(play(circle(("claire", "karim", "helene")), until="questions"))
    gone = house.id
    Session.objects.get(pk=gone).delete()
    answers = store.transact([question(house, "karim", "question-1"), question(other, "karim", "question-2")])
    assert isinstance(answers[0], store.NoSuchRoom)
    assert len(answers[1]) == 1


# ---------------------------------------------------------------- a destroyed key


def test_without_its_key_a_room_has_no_word_left_and_its_counts_are_whole():
    room = play(circle())
    house = settle(room)
    key = store.load(house.id).key
    assert key
    store.load(house.id).state  # noqa: B018  in memory, as in another process
    Session.objects.get(pk=house.id).circle.destroy_key()
    state = house.state
    assert store.load(house.id).key is None
    assert state.version == room.state.version
    assert len(state.contributions) == len(room.state.contributions)
    assert set(state.marks) == set(room.state.marks)
    assert state.course.treated == room.state.course.treated
    assert all(contribution.body is None for contribution in state.contributions.values())
    assert all(mark.body is None for mark in state.marks.values())
    assert all(seat.name is None for seat in state.seats.values())
    for seat in [*state.seats, "screen"]:
        assert house.view(seat)


def test_a_key_destroyed_by_another_process_takes_the_words_out_of_this_ones_memory(house):
    assert house.view("karim").name
    Circle.objects.update(wrapped_key=None)
    assert house.view("karim").name == ""
    assert house.state == folded(house.id)


def test_nothing_is_taken_in_a_room_whose_key_is_gone(house):
    assert house.state.version
    Circle.objects.update(wrapped_key=None)
    rows = Entry.objects.count()
    assert store.transact([question(house, "karim", "question-1")]) == [Refused("closed")]
    assert Entry.objects.count() == rows


def test_the_charters_date_destroys_the_key_and_the_drafts_of_that_circle_alone(house):
    kept = settle(circle(("claire", "karim")))
    for one in (house, kept):
        assert actions.save_draft(Key(one.id, "karim"), "note", {"text": "brouillon"})
    due = Session.objects.get(pk=house.id).circle
    due.erase_on = timezone.localdate() - timedelta(days=1)
    due.save()
    assert actions.erase_due() == 1
    assert actions.erase_due() == 0
    assert house.view("karim").name == ""
    assert actions.drafts(Key(house.id, "karim")) == {}
    assert actions.links(store.load(house.id)) == {}
    assert kept.view("karim").name == "Karim"
    assert actions.drafts(Key(kept.id, "karim"))["note"]["text"] == "brouillon"
    assert Draft.objects.count() == 1
