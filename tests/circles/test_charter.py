"""The charter: versions, signatures, and the date of erasure that nobody can put off in another's name."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cordee.accounts.models import Space
from cordee.circles.actions import charter, circles, members
from cordee.circles.models import Circle, Signature
from cordee.circles.queries.circles import charter_in_force, current, has_signed
from cordee.circles.refused import Refused
from tests.circles.town import a_circle, a_space, named, place

pytestmark = pytest.mark.django_db
FIRST = date(2027, 6, 30)
LATER, SOONER = FIRST + timedelta(days=90), FIRST - timedelta(days=90)


@pytest.fixture
def space() -> Space:
    return a_space()


@pytest.fixture
def circle(space) -> Circle:
    return a_circle(space, "Claire", "Karim", erase_on=FIRST)


def sign(circle: Circle, *names: str) -> None:
    for name in names:
        charter.sign(charter_in_force(circle), named(circle.space, name))


def propose(circle: Circle, erase_on: date) -> None:
    now = charter_in_force(circle)
    charter.propose(circle, now.text + "\n\nEt nous rions.", now.scope, erase_on)


def erased_on(circle: Circle) -> date:
    return Circle.objects.get(pk=circle.pk).erase_on


def test_a_circle_starts_with_a_charter_that_nobody_has_signed(circle):
    first = charter_in_force(circle)
    assert first.version == 1 and first.erase_on == circle.erase_on == FIRST and "reste ici" in first.text
    assert not has_signed(circle, named(circle.space, "Claire"))


def test_signing_twice_is_signing_once(circle):
    sign(circle, "Claire", "Claire")
    assert has_signed(circle, named(circle.space, "Claire")) and Signature.objects.count() == 1
    assert not has_signed(circle, named(circle.space, "Karim"))


def test_a_changed_charter_is_signed_again_by_everyone(circle):
    sign(circle, "Claire", "Karim", "Fanny")
    former = charter_in_force(circle)
    propose(circle, FIRST)
    assert not any(has_signed(circle, each.person) for each in current(circle))
    with pytest.raises(Refused):
        charter.sign(former, named(circle.space, "Claire"))


def test_a_later_date_holds_once_everyone_who_had_signed_has_signed_it(circle):
    sign(circle, "Claire", "Karim", "Fanny")
    propose(circle, LATER)
    for name in ("Claire", "Karim"):
        sign(circle, name)
        assert erased_on(circle) == FIRST
    sign(circle, "Fanny")
    assert erased_on(circle) == LATER


def test_the_words_of_who_left_are_not_kept_longer_than_they_agreed_to(circle):
    sign(circle, "Claire", "Karim", "Fanny")
    members.leave(place(circle, "Karim"))
    propose(circle, LATER)
    sign(circle, "Claire", "Fanny")
    assert erased_on(circle) == FIRST
    sign(circle, "Karim")
    assert erased_on(circle) == LATER


def test_a_sooner_date_holds_as_soon_as_somebody_counts_on_it(circle):
    sign(circle, "Claire", "Karim", "Fanny")
    propose(circle, SOONER)
    assert erased_on(circle) == FIRST, "proposing alone changes nothing for anybody's words"
    sign(circle, "Fanny")
    assert erased_on(circle) == SOONER


def test_before_anybody_signed_the_date_is_the_charter_s(circle):
    propose(circle, LATER)
    assert erased_on(circle) == LATER


def test_an_erased_circle_has_no_new_charter(circle):
    circle.destroy_key()
    with pytest.raises(Refused):
        propose(circle, LATER)


def test_an_ended_circle_s_charter_can_be_signed_and_not_changed(circle):
    circles.end(circle)
    sign(circle, "Claire")
    with pytest.raises(Refused):
        propose(circle, LATER)


NAMES = ("Claire", "Karim", "Fanny")
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("sign"), st.sampled_from(NAMES)), st.tuples(st.just("propose"), st.integers(-200, 200))
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_no_word_is_ever_kept_beyond_what_any_signer_last_signed(space, deeds):
    circle = a_circle(space, "Claire", "Karim", erase_on=FIRST)
    promised: dict[str, date] = {}
    for deed, what in deeds:
        if deed == "sign":
            sign(circle, what)
            promised[what] = charter_in_force(circle).erase_on
        else:
            propose(circle, FIRST + timedelta(days=what))
        assert erased_on(circle) <= min(promised.values(), default=erased_on(circle))
        if promised and len({*promised.values()}) == 1:
            assert erased_on(circle) == promised[next(iter(promised))], "all agree, and it does not hold"
