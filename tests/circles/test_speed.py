"""No guarded page asks the database more than twenty questions, with far more people than a page shows."""

import pytest

from bench import crowd, pages
from cordee.circles.models import Circle

MOST = 20


@pytest.mark.django_db
def test_no_page_asks_more_than_twenty_questions_at_1_000_people():
    crowd.gathered(people=1_000, circles=100)
    asked = list(pages.asked())
    assert len({route for route, _path, _who in asked}) > 12
    counts = {f"{who} {path}": pages.counted(path, who)[0] for _route, path, who in asked}
    assert min(counts.values()) >= 2, "questions are not counted"  # the session and who it is
    assert {page: count for page, count in counts.items() if count > MOST} == {}


@pytest.mark.django_db
def test_a_list_of_fifty_asks_no_more_than_a_list_of_one():
    space = crowd.gathered(people=600, circles=60)
    path = f"/espaces/{space.pk}/cercles/"
    fifty = pages.counted(path, "Rose")[0]
    assert pages.counted(f"{path}?q=0007", "Rose")[0] == fifty
    Circle.objects.exclude(name="Cercle n° 0007").delete()
    assert pages.counted(path, "Rose")[0] == fifty
