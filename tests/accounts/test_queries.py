"""How a letter reaches somebody, and who they are in a space."""

import pytest
from django.utils import timezone

from cordee.accounts.queries import person_of, reader
from cordee.mail.letters import Reader
from tests.people import person, signed_in, space_of, user

pytestmark = pytest.mark.django_db


def test_a_letter_speaks_the_language_of_the_account_and_tells_its_time():
    karim = person(space_of(), "karim")
    karim.user.language, karim.user.time_zone = "en", "America/Montreal"
    assert reader(karim) == Reader("karim@example.org", "Karim", "en", "America/Montreal")


def test_who_has_no_account_yet_is_written_to_where_the_space_says():
    nadia = person(space_of(), "nadia", user=None, email="n.adia@example.org")
    assert reader(nadia) == Reader("n.adia@example.org", "Nadia")


def test_who_has_no_address_or_was_erased_gets_no_letter():
    assert reader(person(space_of(), "marc", user=None, email="")) is None
    assert reader(person(space_of(), "julien", erased_at=timezone.now())) is None


def test_one_account_is_a_person_of_each_space_and_of_no_other():
    lake, bridge = space_of(), space_of("Le Pont")
    karim = person(lake, "karim")
    assert person_of(user("karim"), lake) == karim
    assert person_of(user("karim"), bridge) is None


def test_who_left_a_space_is_nobody_there():
    lake = space_of()
    person(lake, "karim", left_at=timezone.now())
    assert person_of(user("karim"), lake) is None


def test_a_character_is_signed_in():
    assert signed_in("karim").session["_auth_user_id"] == str(user("karim").pk)
