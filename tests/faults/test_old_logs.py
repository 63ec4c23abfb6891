"""New code folds old logs: each kept in logs/ by the version that wrote it gives every reader the same words."""

import copy
import json
from pathlib import Path

import pytest

from cordee.engine import events as e
from tests.faults.record_log import LOGS, folded, seen

KEPT = sorted(LOGS.glob("*.json"))


@pytest.fixture(params=KEPT, ids=lambda path: path.stem)
def kept(request) -> dict:
    return json.loads(Path(request.param).read_text())


def test_an_old_log_shows_everybody_what_it_showed_when_it_was_written(kept):
    assert seen(folded(kept["protocol"], kept["log"])) == kept["seen"]


def test_the_check_itself_notices_a_fact_that_is_lost(kept):
    written = next(row for row in reversed(kept["log"]) if row["kind"] == "Written" and row["body"])
    without = [row for row in kept["log"] if row is not written]
    assert seen(folded(kept["protocol"], without)) != kept["seen"]


def test_a_field_that_a_later_version_added_is_passed_over(kept):
    later = copy.deepcopy(kept["log"])
    for row in later:
        row["plain"]["of_a_later_version"] = 1
    assert seen(folded(kept["protocol"], later)) == kept["seen"]


def test_a_kind_of_fact_that_this_version_does_not_know_is_refused_and_not_passed_over(kept):
    log = [*kept["log"], {"kind": "OfALaterVersion", "at": 1.0, "seat": "claire", "plain": {}, "body": None}]
    with pytest.raises(KeyError):
        folded(kept["protocol"], log)


def test_the_logs_hold_most_kinds_of_facts():
    told = {row["kind"] for path in KEPT for row in json.loads(path.read_text())["log"]}
    assert told <= set(e.KINDS)
    assert len(told) >= 18, sorted(set(e.KINDS) - told)
