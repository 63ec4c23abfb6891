"""Who takes what home: each character's records, in a round that is played and in one that is not."""

from dataclasses import replace

import pytest

from cordee.engine import commands as c
from cordee.engine.policy import SCREEN
from cordee.engine.reading import read
from cordee.engine.record import Record, Section, records_for
from cordee.engine.state import fold
from tests.characters import Room, circle, next_round, play
from tests.engine.test_opening import meeting

CONSULTANTS = ("karim", "helene")
MARC = "marc-without-a-screen"


def small(until: str = "", through: str = "") -> Room:
    return play(circle(("claire", *CONSULTANTS)), until, through=through)


def records(room: Room, seat: str) -> dict[str, Record]:
    return {record.id: record for record in records_for(room.state, seat)}


def sections(record: Record, kind: str) -> list[Section]:
    return [s for r in record.rounds for s in r.sections if s.kind == kind]


def said(record: Record, kind: str) -> list[str]:
    return [line.value for s in sections(record, kind) for entry in s.entries for line in entry.lines]


def written(room: Room, kind: str) -> list[str]:
    return [found.body["text"] for found in room.of(kind)]


# ---------------------------------------------------------------- who takes which record


def test_the_client_takes_three_records_and_the_others_two():
    room = small()
    assert list(records(room, "claire")) == ["client", "circle", "mine"]
    for seat in (*CONSULTANTS, "fanny"):
        assert list(records(room, seat)) == ["circle", "mine"]


def test_an_observer_takes_the_record_of_the_circle():
    room = small(until="recit")
    room.seat("rose", role="observer")
    play(room)
    assert said(records(room, "rose")["circle"], "suggestion") == written(room, "suggestion")


def test_strangers_the_screen_the_waiting_and_the_revoked_take_nothing():
    room = small()
    room.do(c.Revoke(seat="fanny", target="helene"))
    room.do(c.SetDoor(seat="fanny", waiting=True))
    room.seat("octave")
    for seat in ("rose", SCREEN, "", "octave", "helene"):
        assert records_for(room.state, seat) == ()


def test_a_session_in_which_nothing_happened_gives_empty_records():
    room = circle(("claire", "karim"))
    assert list(records(room, "claire")) == ["circle", "mine"]
    assert all(record.rounds == () for record in records(room, "claire").values())
    assert records(room, "claire")["circle"].began_at == room.state.began_at > 0


# ---------------------------------------------------------------- the client's own record


def test_the_client_finds_the_round_word_for_word():
    room = small()
    record = records(room, "claire")["client"]
    (round_,) = record.rounds
    assert (round_.number, round_.client) == (1, "Claire")
    assert round_.situation == room.state.contributions[room.situation_of("claire")].body["title"]
    for kind in ("story", "question", "request", "feeling", "takeaway"):
        assert said(record, kind) == written(room, kind)
    assert sorted(said(record, "suggestion")) == sorted(written(room, "suggestion"))
    leads = {e.lines[0].value: e.author for s in sections(record, "suggestion") for e in s.entries}
    assert leads == {lead.body["text"]: room.state.seats[lead.author].name for lead in room.of("suggestion")}


def test_the_leads_lie_in_the_piles_of_the_client_and_the_unsorted_come_last():
    room = small(until="traitement")
    first, second = room.of("suggestion")
    extra = "Une piste dont je ne sais que faire."
    room.go("suggestions")
    room.write("karim", "suggestion", extra)
    room.go("traitement")
    room.mark("claire", first.id, "sorted", "leave")
    room.mark("claire", second.id, "sorted", "keep")
    piles = sections(records(room, "claire")["client"], "suggestion")
    assert [(pile.group, pile.rest) for pile in piles] == [("Je garde", False), ("Je laisse", False), ("", True)]
    assert [[e.lines[0].value for e in pile.entries] for pile in piles] == [
        [second.body["text"]],
        [first.body["text"]],
        [extra],
    ]


def test_a_commitment_keeps_its_fields_its_date_and_the_name_of_its_witness():
    record = records(small(), "claire")["client"]
    lines = {line.field: line for e in sections(record, "commitment")[0].entries for line in e.lines}
    assert list(lines) == ["if", "then", "date", "witness"]
    assert (lines["date"].value, lines["date"].date) == ("2026-12-04", True)
    assert lines["witness"].value == "Karim"


def test_the_questions_that_touched_are_marked():
    (questions,) = sections(records(small(), "claire")["client"], "question")
    assert [[mark.mark for mark in e.marks] for e in questions.entries] == [["touching"], []]


def test_what_was_written_for_someone_says_by_whom():
    room = small(until="recit")
    room.do(c.AddSeat(seat="fanny", id=MARC, name="Marc"))
    play(room, until="questions")
    while room.view("fanny").ring.holder != MARC:
        room.pass_floor()
    room.write("fanny", "question", "Qui d’autre le sait ?", behalf=MARC)
    (questions,) = sections(records(room, "claire")["client"], "question")
    assert [(e.author, e.scribe) for e in questions.entries] == [("Marc", "Fanny")]


def test_whoever_was_client_in_the_second_round_has_that_round_alone():
    room = small()
    next_round(room, "karim")
    play(room)
    assert [r.number for r in records(room, "karim")["client"].rounds] == [2]
    assert [r.number for r in records(room, "claire")["client"].rounds] == [1]
    assert [(r.number, r.client) for r in records(room, "helene")["circle"].rounds] == [(1, "Claire"), (2, "Karim")]


# ---------------------------------------------------------------- what must not be found


def test_nobody_but_the_client_finds_the_sorting():
    room = small()
    piles = {s.group for s in sections(records(room, "claire")["client"], "suggestion")}
    assert piles == {"Je garde", "J’y réfléchis"}
    for seat in ("claire", *CONSULTANTS, "fanny"):
        for record in records(room, seat).values():
            if record.id != "client":
                assert {(s.group, s.rest) for s in sections(record, "suggestion")} <= {("", False)}
                assert not {"Je garde", "J’y réfléchis", "Je laisse"} & {
                    mark.value for r in record.rounds for s in r.sections for e in s.entries for mark in e.marks
                }


def test_the_circle_finds_neither_notes_nor_kept_seeds_nor_votes():
    room = small()
    for seat in ("claire", *CONSULTANTS, "fanny"):
        for record in records(room, seat).values():
            assert not sections(record, "vote")
            if record.id != "mine":
                assert not sections(record, "note") and not sections(record, "seed")


def test_everyone_takes_the_same_record_of_the_circle():
    for until in ("suggestions", "traitement", "ouvertures", "renforcement"):
        room = small(until=until)
        assert len({records(room, seat)["circle"] for seat in ("claire", *CONSULTANTS, "fanny")}) == 1


@pytest.mark.parametrize("kind,step", [("suggestion", "suggestions"), ("feeling", "ressentis")])
def test_before_the_reveal_a_text_is_in_its_authors_own_record_only(kind, step):
    room = small(until=step)
    room.write("karim", kind, "Encore fermé.")
    assert "Encore fermé." in said(records(room, "karim")["mine"], kind)
    for seat in ("claire", *CONSULTANTS, "fanny"):
        for id_, record in records(room, seat).items():
            assert (seat, id_) == ("karim", "mine") or not said(record, kind)
    room.reveal()
    assert said(records(room, "claire")["client"], kind) == ["Encore fermé."]


def test_what_the_client_has_not_shown_stays_in_their_record():
    room = small(until="traitement")
    room.write("claire", "takeaway", "Pour moi d’abord.")
    assert said(records(room, "claire")["client"], "takeaway") == ["Pour moi d’abord."]
    assert all(not said(records(room, seat)["circle"], "takeaway") for seat in ("claire", *CONSULTANTS, "fanny"))
    room.reveal("claire")
    assert said(records(room, "karim")["circle"], "takeaway") == ["Pour moi d’abord."]


def test_the_hidden_and_the_withdrawn_leave_the_records_of_the_others():
    room = small(through="suggestions")
    hidden, withdrawn = room.of("suggestion")
    room.do(c.Hide(seat="fanny", id=hidden.id, on=True))
    room.do(c.Withdraw(seat=withdrawn.author, id=withdrawn.id))
    for seat in ("claire", *CONSULTANTS, "fanny"):
        for id_, record in records(room, seat).items():
            kept = [hidden.body["text"]] if (seat, id_) == (hidden.author, "mine") else []
            assert said(record, "suggestion") == kept


# ---------------------------------------------------------------- the circle's learnings, and one's own


def test_learnings_are_gathered_by_theme_with_their_value():
    room = small(through="ouvertures")
    first, second, third = room.of("learning")
    room.mark("karim", third.id, "theme", "  oser DEMANDER ")
    piles = sections(records(room, "fanny")["circle"], "learning")
    assert [(pile.group, pile.rest) for pile in piles] == [("Oser demander", False), ("", True)]
    assert [e.lines[0].value for e in piles[0].entries] == [first.body["text"], third.body["text"]]
    assert [e.lines[0].value for e in piles[1].entries] == [second.body["text"]]
    assert [(m.mark, m.value) for m in piles[0].entries[0].marks] == [("value", "La confiance")]


def test_each_person_finds_their_own_notes_first():
    room = small()
    mine = records(room, "karim")["mine"]
    assert [s.kind for s in mine.rounds[0].sections][:2] == ["note", "seed"]
    assert said(mine, "suggestion") == [lead.body["text"] for lead in room.of("suggestion", "karim")]
    room.write("fanny", "note", "Le silence a tenu.")
    assert said(records(room, "fanny")["mine"], "note") == ["Le silence a tenu."]


# ---------------------------------------------------------------- after the charter's date


def test_once_the_key_is_destroyed_the_records_count_and_name_nobody():
    room = small()
    purged = fold(
        read(room.text), [replace(event, body=None) if hasattr(event, "body") else event for event in room.events]
    )
    for seat in ("claire", *CONSULTANTS, "fanny"):
        before = records(room, seat)
        after = {record.id: record for record in records_for(purged, seat)}
        assert list(before) == list(after)
        for id_, record in after.items():
            entries = [e for r in record.rounds for s in r.sections for e in s.entries]
            assert record.erased == bool(entries) and not before[id_].erased
            assert len(entries) == sum(len(s.entries) for r in before[id_].rounds for s in r.sections)
            assert all(e.erased and not e.lines and not e.author for e in entries)
            assert {(r.client, r.situation) for r in record.rounds} <= {("", "")}


# ---------------------------------------------------------------- what the meeting opened on


def test_the_circle_takes_home_what_was_carried_and_where_its_authors_stand():
    room = meeting("claire", "karim")
    play(room)
    card = room.state.of_kind("carried", author="claire")[0]
    gave = room.state.marked(card.id, "gave")["claire"].value
    for seat in ("claire", "karim", "nadia", "fanny"):
        taken = records(room, seat)
        (opening,) = [round_ for round_ in taken["circle"].rounds if round_.number == 0]
        entries = {entry.author: entry for entry in opening.sections[0].entries}
        assert list(entries) == ["Claire", "Karim"] and opening.client is None
        assert {"Adapté", gave} <= {mark.value for mark in entries["Claire"].marks}
        assert all(round_.number for id_ in ("client", "mine") if id_ in taken for round_ in taken[id_].rounds)


def test_a_meeting_that_opened_on_nothing_has_no_such_chapter():
    assert [round_.number for round_ in records(small(), "karim")["circle"].rounds] == [1]
