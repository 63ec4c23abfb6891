"""A posted form becomes one command in the name of whoever posted it, or is refused: nothing is guessed."""

import pytest

from cordee.engine import commands as c
from cordee.engine.refusal import Refused
from cordee.engine.rules.judgements import ID
from cordee.room import forms


def command(**posted: str):
    return forms.command("karim", [(name.replace("body_", "body."), value) for name, value in posted.items()])


def test_each_command_of_the_engine_can_be_asked_by_a_form_but_taking_a_seat_and_lending():
    values = {"bool": "1", "int": "3", "float": "2.5"}
    for name, cls in c.COMMANDS.items():
        posted = {"do": name}
        for field in cls.__dataclass_fields__.values():
            if field.name not in {"seat", "body"}:
                posted[field.name] = next((v for k, v in values.items() if k in str(field.type)), "abcdefgh")
        asked = forms.command("karim", posted.items())
        if name in {"take_seat", "lend"}:
            assert asked == Refused("unknown")
        else:
            assert type(asked) is cls
            assert asked.seat == "karim"


@pytest.mark.parametrize(
    "posted", [{}, {"do": ""}, {"do": "sudo"}, {"do": "__class__"}, {"do": "Write"}, {"do": "take_seat", "name": "X"}]
)
def test_an_unknown_word_is_refused(posted):
    assert forms.command("karim", posted.items()) == Refused("unknown")


def test_nobody_speaks_in_the_name_of_another_seat():
    assert command(do="pause", seat="fanny").seat == "karim"
    assert command(do="write", id="12345678", kind="note", seat="fanny", body_text="x").seat == "karim"


def test_a_missing_field_is_refused_and_a_field_with_a_default_is_not():
    assert command(do="admit") == Refused("unknown")
    assert command(do="extend") == c.Extend(seat="karim", minutes=2)


@pytest.mark.parametrize("minutes", ["deux", "", "1e", "0x10"])
def test_a_number_that_is_none_is_refused(minutes):
    assert command(do="extend", minutes=minutes) == Refused("unknown")


@pytest.mark.parametrize(
    ("typed", "on"), [("1", True), ("on", True), ("TRUE", True), ("0", False), ("", False), ("no", False)]
)
def test_a_box_is_ticked_or_not(typed, on):
    assert command(do="free_floor", on=typed).on is on


def test_only_the_fields_of_the_body_make_the_body():
    asked = command(do="write", id="12345678", kind="note", body_text="Pour moi", other="x", **{"body.": "vide"})
    assert asked.body == {"text": "Pour moi", "": "vide"}


def test_what_a_page_without_javascript_writes_gets_an_id_of_its_own():
    one, two = (command(do="write", id="", kind="vote", body_choice="x") for _ in range(2))
    assert ID.fullmatch(one.id) and ID.fullmatch(two.id)
    assert one.id != two.id
    assert command(do="edit", id="", body_text="x").id == ""


def test_the_last_of_two_equal_fields_counts():
    assert forms.command("karim", [("do", "pause"), ("do", "resume")]) == c.Resume(seat="karim")


def test_a_draft_is_its_kind_and_the_fields_that_are_not_empty():
    form = {"kind": "question.for", "body.text": "Un mot", "body.title": "  ", "name": "x"}
    assert forms.draft(form) == ("question.for", {"text": "Un mot"})
    assert forms.draft({}) == ("", {})
