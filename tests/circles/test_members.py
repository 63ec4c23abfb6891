"""Places in a circle: ten, given in order, held when offered; none is lost nor given twice."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cordee.accounts.models import Space
from cordee.circles.actions import circles, members
from cordee.circles.models import UTMOST, Circle, Membership
from cordee.circles.queries.circles import current, waiting
from cordee.circles.refused import Refused
from tests.circles.town import a_circle, a_space, named, place

pytestmark = pytest.mark.django_db
PEERS = ("Claire", "Karim", "Hélène", "Thomas", "Nadia", "Julien", "Aïcha", "Marc")
TEN = (*PEERS, "Pair 9", "Pair 10")


@pytest.fixture
def space() -> Space:
    return a_space()


@pytest.fixture
def full(space) -> Circle:
    return a_circle(space, *TEN)


def names(memberships) -> list[str]:
    return [each.person.name for each in memberships]


def test_the_eleventh_waits_and_a_facilitator_takes_no_place(space, full):
    assert names(current(full)) == ["Fanny", *sorted(TEN)]
    octave = members.add(full, named(space, "Octave"))
    assert octave.relation == "waiting" and names(waiting(full)) == ["Octave"]
    assert members.add(full, named(space, "Rose"), "facilitator").relation == "facilitator"


def test_adding_twice_is_adding_once(space, full):
    first = members.add(full, named(space, "Octave"))
    assert members.add(full, named(space, "Octave")) == first
    assert members.add(full, named(space, "Claire"), "facilitator").role == "member"
    assert full.memberships.count() == 12


def test_nobody_of_another_space_comes_in(full):
    with pytest.raises(Refused):
        members.add(full, named(Space.objects.create(name="Ailleurs"), "Octave"))


def test_who_leaves_gives_their_place_to_who_waits_first_and_it_is_held(space, full):
    for name in ("Octave", "Paule"):
        members.wait(full, named(space, name))
    members.leave(place(full, "Claire"))
    assert place(full, "Octave").offered_at and not place(full, "Paule").offered_at
    assert members.add(full, named(space, "Rose")).relation == "waiting", "the place is held for Octave"
    members.accept(place(full, "Octave"))
    assert "Octave" in names(current(full)) and place(full, "Claire").relation == "former"


def test_who_declines_leaves_the_list_and_the_next_is_asked(space, full):
    for name in ("Octave", "Paule"):
        members.wait(full, named(space, name))
    members.leave(place(full, "Claire"))
    members.leave(place(full, "Octave"))
    assert not full.memberships.filter(person__name="Octave").exists()
    assert place(full, "Paule").offered_at


def test_a_place_that_was_not_offered_cannot_be_taken(space, full):
    members.wait(full, named(space, "Octave"))
    with pytest.raises(Refused):
        members.accept(place(full, "Octave"))


def test_the_newcomer_takes_the_place_and_the_role_and_the_former_keeps_a_row(space, full):
    newcomer = members.replace(place(full, "Karim"), named(space, "Octave"))
    assert newcomer.current and newcomer.replaces.person.name == "Karim"
    assert place(full, "Karim").relation == "former"
    leader = members.replace(place(full, "Fanny"), named(space, "Rose"))
    assert leader.role == "facilitator"


def test_a_replacement_by_who_was_offered_a_place_gives_that_place_to_the_next(space, full):
    for name in ("Octave", "Paule"):
        members.wait(full, named(space, name))
    members.leave(place(full, "Claire"))
    members.replace(place(full, "Karim"), named(space, "Octave"))
    assert place(full, "Paule").offered_at


def test_a_place_is_replaced_once(space, full):
    members.replace(place(full, "Karim"), named(space, "Octave"))
    with pytest.raises(Refused):
        members.replace(place(full, "Karim"), named(space, "Paule"))
    with pytest.raises(Refused):
        members.replace(place(full, "Nadia"), named(space, "Claire"))


def test_the_last_facilitator_stays_until_another_is_named(space, full):
    for act in (members.leave, lambda each: members.set_role(each, "member")):
        with pytest.raises(Refused):
            act(place(full, "Fanny"))
    members.set_role(place(full, "Karim"), "facilitator")
    members.leave(place(full, "Fanny"))
    assert names(current(full).filter(role="facilitator")) == ["Karim"]


def test_who_left_may_come_back_or_wait(space, full):
    members.leave(place(full, "Claire"))
    members.add(full, named(space, "Octave"))
    back = members.add(full, named(space, "Claire"))
    assert back.relation == "waiting"
    members.leave(back)
    assert place(full, "Claire").relation == "former", "who was in the circle keeps their row"


def test_an_ended_circle_changes_no_more(space, full):
    members.wait(full, named(space, "Octave"))
    circles.end(full)
    for act in (
        lambda: members.add(full, named(space, "Paule")),
        lambda: members.wait(full, named(space, "Paule")),
        lambda: members.leave(place(full, "Claire")),
        lambda: members.replace(place(full, "Claire"), named(space, "Paule")),
        lambda: circles.edit(full, name="Autre"),
        lambda: circles.end(full),
    ):
        with pytest.raises(Refused):
            act()


ACTS = ("add", "wait", "leave", "replace", "accept", "lead", "follow")
MOVES = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 14), st.integers(0, 14)), max_size=60)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_whatever_is_asked_in_whatever_order_no_place_is_lost_or_doubled(space, moves):
    circle = a_circle(space)
    people = [named(space, f"Pair {number}") for number in range(15)]
    for act, one, other in moves:
        mine = circle.memberships.filter(person=people[one]).first()
        try:
            if act in {"add", "wait"}:
                getattr(members, act)(circle, people[one])
            elif mine and act == "leave":
                before = members.taken(circle), waiting(circle).filter(offered_at=None).count()
                members.leave(mine)
                check_nothing_lost(circle, mine, before)
            elif mine and act == "replace":
                members.replace(mine, people[other])
            elif mine and act == "accept":
                members.accept(mine)
            elif mine:
                members.set_role(mine, "facilitator" if act == "lead" else "member")
        except Refused:
            pass
        check_the_places(circle)


def check_the_places(circle: Circle) -> None:
    assert members.taken(circle) <= UTMOST
    assert current(circle).filter(role=Membership.FACILITATOR).exists()
    for each in circle.memberships.all():
        assert not (each.offered_at and each.relation != "waiting"), (
            "a place is offered to who waits, and to nobody else"
        )
        assert each.relation != "waiting" or not each.current


def check_nothing_lost(circle: Circle, left: Membership, before: tuple[int, int]) -> None:
    """A place that was held or taken is free only if nobody was waiting for it."""
    taken, queue = before
    freed = (left.current and left.role == Membership.MEMBER) or left.offered_at
    if freed and queue:
        assert members.taken(circle) == taken, "somebody waits, and the place stays empty"
