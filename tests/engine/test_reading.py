"""A protocol that cannot be used says where, and what was expected."""

import copy
import tomllib

import pytest

from cordee.engine.reading import FOLDER, ProtocolError, builtin, declared, read

MENTOR = tomllib.loads(builtin("mentor"))


def broken(change) -> str:
    """What reading MENTOR says once ``change`` was done to it."""
    data = copy.deepcopy(MENTOR)
    change(data)
    with pytest.raises(ProtocolError) as error:
        declared(data)
    return str(error.value)


def step(data, name):
    return next(row for row in data["steps"] if row["id"] == name)


def set_in(name, key, value):
    return lambda data: step(data, name).__setitem__(key, value)


def set_kind(name, key, value):
    return lambda data: data["kinds"][name].__setitem__(key, value)


BROKEN = {
    "no id": (lambda d: d.pop("id"), ["“id”"]),
    "no name": (lambda d: d.pop("name"), ["“name”"]),
    "no kinds": (lambda d: d.pop("kinds"), ["“kinds”"]),
    "no steps at all": (lambda d: d.pop("steps"), ["“steps”"]),
    "an empty list of steps": (lambda d: d.update(steps=[]), ["at least one step"]),
    "two steps of one id": (set_in("recit", "id", "choix"), ["“choix”", "own id"]),
    "an unknown key of a step": (set_in("recit", "minuts", 3), ["step “recit”", "minuts", "minutes"]),
    "a step without a title": (lambda d: step(d, "recit").pop("title"), ["step “recit”", "title"]),
    "a step without an id": (lambda d: step(d, "recit").pop("id"), ["step “3”", "id"]),
    "a step without an instruction": (lambda d: step(d, "recit").pop("instruction"), ["step “recit”", "instruction"]),
    "an instruction that is no table": (set_in("recit", "instruction", "Parlez"), ["step “recit”", "instruction"]),
    "minutes in words": (set_in("recit", "minutes", "huit"), ["step “recit”", "minutes", "a number"]),
    "minutes below one": (set_in("recit", "minutes", 0), ["step “recit”", "minutes", "above 0"]),
    "minutes that are no number": (set_in("recit", "minutes", float("nan")), ["step “recit”", "minutes"]),
    "a floor nobody knows": (set_in("recit", "floor", "boss"), ["step “recit”", "floor", "boss", "ring"]),
    "a ring of unknown roles": (
        set_in("questions", "ring", ["boss"]),
        ["step “questions”", "ring", "boss", "consultant"],
    ),
    "a ring that is no list": (set_in("questions", "ring", "consultant"), ["step “questions”", "ring", "list"]),
    "a ring of numbers": (set_in("questions", "ring", [3]), ["step “questions”", "ring"]),
    "a ring within a ring": (set_in("questions", "ring", [["member"]]), ["step “questions”", "ring"]),
    "nobody to reveal": (lambda d: step(d, "ressentis").pop("reveal_by"), ["“ressentis”", "feeling", "reveal_by"]),
    "a write of an unknown kind": (
        set_in("recit", "writes", [{"kind": "x", "by": ["client"]}]),
        ["“recit”", "“x”", "story"],
    ),
    "a write of no kind": (set_in("recit", "writes", [{"by": ["client"]}]), ["step “recit”", "writes", "kind"]),
    "a write of a list": (set_in("recit", "writes", [{"kind": ["story"], "by": ["client"]}]), ["“recit”", "writes"]),
    "a write by nobody": (set_in("recit", "writes", [{"kind": "story", "by": []}]), ["step “recit”", "“by”"]),
    "a write without by": (set_in("recit", "writes", [{"kind": "story"}]), ["step “recit”", "“by”"]),
    "a write by an unknown role": (
        set_in("recit", "writes", [{"kind": "story", "by": ["manager"]}]),
        ["step “recit”", "manager", "groups are"],
    ),
    "an unknown turn": (
        set_in("recit", "writes", [{"kind": "story", "by": ["client"], "turn": "sometimes"}]),
        ["step “recit”", "turn", "sometimes", "always"],
    ),
    "an unknown key of a write": (
        set_in("recit", "writes", [{"kind": "story", "by": ["client"], "when": "now"}]),
        ["step “recit”", "when", "behalf"],
    ),
    "a truth in words": (
        set_in("recit", "writes", [{"kind": "story", "by": ["client"], "behalf": "yes"}]),
        ["step “recit”", "behalf", "true or false"],
    ),
    "shows an unknown kind": (set_in("recit", "shows", ["novel"]), ["step “recit”", "shows", "novel"]),
    "recalls an unknown kind": (set_in("recit", "recalls", "novel"), ["step “recit”", "recalls", "novel"]),
    "themes of what is not shown": (
        set_in("recit", "themes", {"kind": "learning", "by": ["facilitator"], "readers": ["all"]}),
        ["“recit”", "“learning”", "show"],
    ),
    "themes given by a mark of one's own": (
        lambda d: step(d, "ouvertures")["marks"][0].update(shared=False),
        ["“ouvertures”", "“theme”", "shared"],
    ),
    "themes that nobody may ask for": (
        lambda d: step(d, "ouvertures")["themes"].pop("by"),
        ["the themes of step “ouvertures”", "“by”"],
    ),
    "votes of an unknown kind": (set_in("choix", "votes", "ballot"), ["step “choix”", "votes", "ballot"]),
    "protects an unknown kind": (set_in("ouvertures", "protected", "novel"), ["“ouvertures”", "protected", "novel"]),
    "protects what nobody writes there": (set_in("recit", "protected", "learning"), ["“recit”", "learning"]),
    "a gate of an unknown key": (set_in("demande", "gate", {"door": 1}), ["gate of step “demande”", "door", "mark"]),
    "a gate that asks nothing": (set_in("demande", "gate", {}), ["gate of step “demande”", "never open"]),
    "a gate whose mark nobody puts": (
        set_in("demande", "gate", {"kind": "request", "mark": "signed"}),
        ["gate of step “demande”", "never open"],
    ),
    "a gate of an unknown kind": (set_in("demande", "gate", {"kind": "x", "mark": "validated"}), ["“demande”", "open"]),
    "a mark on an unknown kind": (
        lambda d: step(d, "demande")["marks"][0].update(kind="novel"),
        ["step “demande”", "marks", "novel"],
    ),
    "a mark nobody reads": (lambda d: step(d, "demande")["marks"][0].pop("readers"), ["step “demande”", "readers"]),
    "a mark that needs an unknown mark": (
        lambda d: step(d, "demande")["marks"][1].update(needs="applauded"),
        ["step “demande”", "validated", "applauded"],
    ),
    "a mark at an unknown step": (lambda d: d["marks_anywhere"][0].update(at=["nowhere"]), ["useful", "nowhere"]),
    "a right anywhere of an unknown kind": (lambda d: d["anywhere"][0].update(kind="novel"), ["anywhere", "novel"]),
    "a kind without fields": (set_kind("story", "fields", []), ["kind “story”", "field"]),
    "a kind without readers": (lambda d: d["kinds"]["story"].pop("readers"), ["kind “story”", "readers"]),
    "a kind sealed for nobody": (set_kind("feeling", "sealed", []), ["kind “feeling”", "sealed"]),
    "a kind read by an unknown role": (set_kind("story", "readers", ["boss"]), ["kind “story”", "readers", "boss"]),
    "a kind of an unknown key": (set_kind("story", "colour", "red"), ["kind “story”", "colour", "single"]),
    "a kind without a label": (lambda d: d["kinds"]["story"].pop("label"), ["kind “story”", "label"]),
    "a kind that is no table": (lambda d: d["kinds"].update(story="text"), ["expected shape"]),
    "a field without a label": (set_kind("story", "fields", [{"id": "text"}]), ["a field of kind “story”", "label"]),
    "a field of an unknown type": (
        set_kind("story", "fields", [{"id": "text", "label": "x", "type": "colour"}]),
        ["kind “story”", "“text”", "colour", "date"],
    ),
    "a choice without choices": (
        set_kind("story", "fields", [{"id": "text", "label": "x", "type": "choice"}]),
        ["kind “story”", "choices"],
    ),
    "a longest in words": (
        set_kind("story", "fields", [{"id": "text", "label": "x", "longest": "long"}]),
        ["kind “story”", "longest", "a number"],
    ),
    "a group of unknown roles": (lambda d: d["groups"].update(all=["bosses"]), ["“all”", "bosses", "consultant"]),
    "groups that are a list": (lambda d: d.update(groups=["all"]), ["expected shape"]),
    "steps that are a table": (lambda d: d.update(steps={"id": "x"}), ["expected shape"]),
    "the next round starts nowhere": (lambda d: d.update(start_of_next="nowhere"), ["start_of_next", "nowhere"]),
    "a signal at an unknown step": (
        lambda d: d["signals"][0].update(step="nowhere"),
        ["story-long", "nowhere", "recit"],
    ),
    "a signal of an unknown rule": (
        lambda d: d["signals"][0].update(rule="psychic"),
        ["story-long", "psychic", "silent"],
    ),
    "a signal about an unknown kind": (lambda d: d["signals"][1].update(kind="novel"), ["no-question", "novel"]),
    "a signal about no kind": (lambda d: d["signals"][1].pop("kind"), ["no-question", "kind"]),
    "a card without a text": (lambda d: d["cards"][0].pop("text"), ["cards", "text"]),
    "a client chosen without situations": (
        lambda d: (
            d["kinds"].pop("situation"),
            [row.update(shows=[], writes=[]) for row in d["steps"] if row["id"] in {"choix", "recit", "renforcement"}],
        ),
        ["“choix”", "situation"],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_protocol_says_where_and_what_was_expected(case):
    change, words = BROKEN[case]
    message = broken(change)
    assert [word for word in words if word not in message] == [], message


def test_what_is_not_toml_says_so_with_its_line():
    with pytest.raises(ProtocolError, match=r"not valid TOML.*line 2"):
        read("id = 'x'\nname = =\n")


def test_an_empty_text_is_no_protocol():
    with pytest.raises(ProtocolError, match="“id”"):
        read("")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_what_we_ship_can_be_read_and_hashed(path):
    protocol = read(builtin(path.stem))
    assert protocol.id == path.stem
    assert hash(protocol.steps) == hash(read(path.read_text(encoding="utf-8")).steps)


def test_a_protocol_that_nobody_ships_is_not_found():
    with pytest.raises(FileNotFoundError):
        builtin("yoga")


def test_groups_are_spelt_out_as_roles():
    protocol = read(builtin("mentor"))
    assert protocol.kinds["feeling"].sealed == {"author", "scribe"}
    assert "screen" in protocol.kinds["feeling"].readers
    assert protocol.kinds["note"].readers == {"author"}
