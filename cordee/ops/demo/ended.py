"""A circle of the demo that has ended: what its rooms would have left, kept as they leave it. Words: ``ended.toml``."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.utils import timezone

from cordee.accounts.models import Person
from cordee.circles.models import Attendance, Circle, Meeting, Turn, Voice
from cordee.followup import published
from cordee.followup.models import Commitment, Learning, Success
from cordee.ops.demo import circle as outside
from cordee.ops.demo.scene import FACILITATOR

GIVEN = {"question": 1, "feeling": 1, "suggestion": 2, "learning": 1}  # by each, in each round


@cache
def words() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("ended.toml").read_text(encoding="utf-8"))


def build(now: datetime, everybody: Mapping[str, Person]) -> Circle:
    """The circle with all that it keeps; it ended some weeks before ``now``."""
    said = words()
    made = outside.circle(said["name"], said["kept_days"], everybody, said["people"], said["purpose"])
    key = made.key() or b""
    meetings = [_meeting(made, number, row, now, everybody, key) for number, row in enumerate(said["meetings"], 1)]
    for number, row in enumerate(said["commitments"]):
        _commitment(number, row, meetings, everybody, key)
    for number, row in enumerate(said["learnings"]):
        _learning(number, row, meetings, everybody, key)
    for number, row in enumerate(said["successes"]):
        _success(number, row, made, everybody, key)
    made.ended_at = now - timedelta(days=said["ended_days_ago"])
    made.save(update_fields=["ended_at"])
    return made


def _meeting(
    made: Circle, number: int, row: Mapping[str, Any], now: datetime, everybody: Mapping[str, Person], key: bytes
) -> Meeting:
    begins = timezone.localtime(now - timedelta(days=row["days_ago"])).replace(hour=9, minute=0, second=0)
    meeting = outside.meeting(made, number, begins)
    turn = Turn(circle=made, meeting=meeting, person=everybody[row["client"]], round=1, at=begins)
    turn.hold(key, row["title"])
    turn.save()
    for name in words()["people"]:
        there = {"meeting": meeting, "person": everybody[name]}
        Attendance.objects.create(**there, arrived_at=begins, left_at=meeting.ends_at, minutes=120)
        if name not in {FACILITATOR, row["client"]}:
            Voice.objects.create(**there, round=1, floor=4, helped=True, written=GIVEN)
    return meeting


def _commitment(
    number: int, row: Mapping[str, Any], meetings: Sequence[Meeting], everybody: Mapping[str, Person], key: bytes
) -> None:
    meeting, witness = meetings[row["meeting"] - 1], everybody[row["witness"]]
    made = Commitment(id=f"ended-{meeting.circle_id}-{number}", circle=meeting.circle, meeting=meeting)
    made.person, made.witness, made.made_at = everybody[row["by"]], witness, meeting.ends_at or timezone.now()
    made.hold(key, {"if": row["if"], "then": row["then"], "witness": witness.name})
    made.save()
    made.stand(state=row["state"], gave=row.get("gave"), learnt=row.get("learnt"))
    Commitment.objects.filter(pk=made.pk).update(answered_at=made.made_at + timedelta(days=30))


def _learning(
    number: int, row: Mapping[str, Any], meetings: Sequence[Meeting], everybody: Mapping[str, Person], key: bytes
) -> None:
    meeting = meetings[row["meeting"] - 1]
    made = Learning(id=f"ended-{meeting.circle_id}-{number}", circle=meeting.circle, meeting=meeting)
    made.person, made.learnt_at = everybody[row["by"]], meeting.ends_at or timezone.now()
    made.alone = row.get("alone", False)
    made.hold(key, {name: row[name] for name in ("text", "theme") if name in row})
    made.save()
    if row.get("published"):
        published.publish(made, row["published"])


def _success(number: int, row: Mapping[str, Any], made: Circle, everybody: Mapping[str, Person], key: bytes) -> None:
    kept = Commitment.objects.get(circle=made, person=everybody[row["of"]])
    told = Success(id=f"ended-{made.pk}-{number}", commitment=kept, thanked=everybody[row["thanked"]])
    told.told_at = told.thanked_at = ((kept.meeting and kept.meeting.ends_at) or timezone.now()) + timedelta(days=40)
    told.hold(key, {name: row[name] for name in ("situation", "did", "gave", "word")})
    told.save()
