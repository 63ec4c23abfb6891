"""What a circle keeps of many meetings is read in as few questions as what it keeps of one."""

from collections.abc import Iterable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cordee.followup import published
from cordee.followup.models import Commitment, Help, Learning, Publication, Success
from tests.followup.world import ALIKE, World
from tests.people import signed_in

pytestmark = pytest.mark.django_db
MOST = 20
WHO = "claire", "karim"
APART = "/pdf/", "/archive/"  # drawn or packed beside the rooms


def add(world: World, first: int, last: int) -> None:
    """Claire promises, keeps, tells, learns and publishes once more for each number; Karim is her witness."""
    circle, claire, karim, now = world.circle, world.people["claire"], world.people["karim"], timezone.now()
    key, meeting = circle.key() or b"", world.meetings[0]
    of = {"circle": circle, "meeting": meeting, "person": claire}
    promises = [
        Commitment(id=f"p{n}", **of, witness=karim, due_on=timezone.localdate(), state=state, answered_at=now)
        for n in range(first, last)
        for state in (Commitment.KEPT if n % 2 else Commitment.PROMISED,)
    ]
    kept = [each for each in promises if each.state == Commitment.KEPT]
    successes = [Success(id=f"s{each.pk}", commitment=each, thanked=karim, thanked_at=now) for each in kept]
    learnings = [Learning(id=f"l{n}", **of, alone=n % 5 == 0) for n in range(first, last)]
    for each in promises:
        each.hold(key, {"if": ALIKE, "then": f"alors {each.pk}"})
    for each in successes:
        each.hold(key, {"situation": ALIKE, "did": each.pk, "gave": "Un oui", "word": "Merci"})
    for each in learnings:
        each.hold(key, {"text": f"{ALIKE} {each.pk}", "theme": f"Thème {each.pk}", "value": "Courage"})
    shown = [each for each in learnings if not each.alone]
    Commitment.objects.bulk_create(promises)
    Success.objects.bulk_create(successes)
    Learning.everything.bulk_create(learnings)
    Help.objects.bulk_create(Help(learning=each, meeting=meeting, person=karim) for each in shown)
    Publication.objects.bulk_create(
        Publication(id=f"x{each.pk}", learning=each, space=world.space, text=f"{ALIKE} {each.pk}") for each in shown
    )
    published.keep_shelves()


def counted(paths: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
    """(who, path, method) -> questions to the database, of each page that opens."""
    browsers, found = {who: signed_in(who) for who in WHO}, {}
    for who, path, method in paths:
        with CaptureQueriesContext(connection) as captured:
            answer = getattr(browsers[who], method)(path, {"text": ALIKE, "q": ALIKE} if method == "post" else None)
        if answer.status_code == 200:
            found[who, path, method] = len(captured)
    return found


def test_sixty_rows_ask_what_ten_ask_and_twenty_questions_at_most(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    world = World()
    paths = {path for package in ("cordee.followup", "cordee.home") for path in world.paths(package)}
    asked = [(who, path, "get") for who in WHO for path in sorted(paths) if not path.endswith(APART)]
    asked += [("claire", path, "post") for path in ("/apprentissages/", f"/apprentissages/publies/{world.space.pk}/")]
    add(world, 0, 10)
    ten = counted(asked)
    add(world, 10, 60)
    sixty = counted(ten)
    assert {page: (count, sixty.get(page)) for page, count in ten.items() if sixty.get(page) != count} == {}
    assert {page: count for page, count in sixty.items() if count > MOST} == {}
    assert len(sixty) > 24 and min(sixty.values()) >= 2, "questions are not counted"
