"""One's own account: language, time zone, devices, and the end of all sessions."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from cordee.accounts import middleware, queries
from cordee.accounts.models import User
from tests.accounts.test_sign_in import asked, typed
from tests.people import address, person, signed_in, space_of, user

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"


def come_in(who: str, code_for, **browser: str) -> Client:
    client = asked(address(who), Client(**browser))
    typed(client, code_for(address(who)))
    return client


# ---------------------------------------------------------------- language and time


def save(client: Client, **wish: str):
    return client.post("/compte/", {"name": "Karim", "language": "fr", "time_zone": "Europe/Paris"} | wish)


def test_pages_are_in_the_language_of_the_account():
    client = signed_in("karim")
    save(client, language="en")
    assert '<html lang="en">' in client.get("/").content.decode()
    assert '<html lang="fr">' in Client().get("/").content.decode()


def test_an_account_in_english_is_read_in_english_on_a_new_device():
    user("karim", language="en")
    assert '<html lang="en">' in signed_in("karim").get("/").content.decode()


def test_a_language_chosen_by_hand_wins():
    user("karim", language="en")
    client = signed_in("karim")
    client.post("/setlang/", {"language": "fr"})
    assert '<html lang="fr">' in client.get("/").content.decode()


def test_who_comes_next_on_this_device_reads_their_own_language():
    user("karim", language="en")
    user("claire")
    client = signed_in("karim")
    client.get("/")
    client.post("/compte/deconnexion/")
    client.force_login(user("claire"))
    assert '<html lang="fr">' in client.get("/").content.decode()


def test_times_are_told_in_the_time_zone_of_the_account(code_for):
    user("karim", time_zone="America/Montreal")
    client, other = come_in("karim", code_for), come_in("karim", code_for)
    UserSession.objects.filter(session_key=other.session.session_key).update(
        last_seen_at=datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    )
    assert "08:00" in client.get("/compte/appareils/").content.decode()


@pytest.mark.parametrize("wish", [{"time_zone": "Mars/Olympus"}, {"language": "xx"}, {"name": " "}, {"name": "x" * 61}])
def test_what_makes_no_sense_is_refused_and_nothing_changes(wish):
    user("karim")
    assert save(signed_in("karim"), **wish).status_code == 400
    karim = user("karim")
    assert (karim.language, karim.time_zone, karim.name) == ("fr", "Europe/Paris", "Karim")


def test_nobody_makes_themselves_operator_by_a_form():
    client = signed_in("karim")
    save(client, is_operator="1", email="rose@example.org", links_epoch="9")
    karim = user("karim")
    assert not karim.is_operator and karim.links_epoch == 0 and karim.email == address("karim")


def test_the_head_of_a_page_says_who_is_here():
    assert "Se connecter" in Client().get("/").content.decode()
    page = signed_in("karim").get("/").content.decode()
    assert "Se connecter" not in page and "Karim" in page and 'href="/compte/"' in page


def test_a_visitor_without_a_session_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        Client().get("/")


def test_while_the_database_cannot_be_read_a_page_says_so(monkeypatch):
    client = signed_in("karim")

    def away(key: str) -> None:
        raise OperationalError

    monkeypatch.setattr(middleware, "note", away)
    assert client.get("/").status_code == 503


# ---------------------------------------------------------------- devices


def test_each_device_is_named_and_no_address_is_shown_or_kept_whole(code_for):
    client = come_in("karim", code_for, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.77")
    come_in("karim", code_for, HTTP_USER_AGENT=SAFARI, REMOTE_ADDR="2001:db8:aaaa:bbbb::1")
    page = client.get("/compte/appareils/").content.decode()
    assert "Firefox, Android" in page and "Safari, iPhone" in page and "Celui-ci" in page
    assert "203.0.113.77" not in page and "bbbb" not in page
    assert set(UserSession.objects.values_list("ip", flat=True)) == {"203.0.113.0", "2001:db8:aaaa::"}


def test_a_server_that_is_asked_by_a_socket_signs_people_in_too(code_for):
    come_in("karim", code_for, REMOTE_ADDR="")
    assert UserSession.objects.get().ip == "0.0.0.0" and queries.partial("0.0.0.0") == ""


def test_one_device_is_ended_and_the_others_go_on(code_for):
    here, there = come_in("karim", code_for), come_in("karim", code_for)
    row = UserSession.objects.get(session_key=there.session.session_key)
    here.post(f"/compte/appareils/{row.pk}/fermer/")
    assert there.get("/compte/").status_code == 302 and here.get("/compte/").status_code == 200


def test_nobody_ends_the_device_of_another(code_for):
    karim, claire = come_in("karim", code_for), come_in("claire", code_for)
    row = UserSession.objects.get(session_key=claire.session.session_key)
    karim.post(f"/compte/appareils/{row.pk}/fermer/")
    assert claire.get("/compte/").status_code == 200
    assert len(queries.devices(user("karim"), None)) == 1


def test_signing_out_everywhere_ends_every_session_and_every_link(code_for):
    here, there, unlisted = come_in("karim", code_for), come_in("karim", code_for), signed_in("karim")
    UserSession.objects.filter(session_key=unlisted.session.session_key).delete()
    claire = come_in("claire", code_for)
    before = user("karim").links_epoch
    assert here.post("/compte/appareils/tous/").headers["Location"] == "/"
    for client in (here, there, unlisted):
        assert client.get("/compte/").status_code == 302
    assert claire.get("/compte/").status_code == 200
    assert user("karim").links_epoch == before + 1


def test_when_a_device_was_seen_is_noted_once_an_hour(code_for, monkeypatch):
    client = come_in("karim", code_for)
    long_ago = timezone.now() - timedelta(days=3)
    UserSession.objects.update(last_seen_at=long_ago)
    middleware._seen.clear()
    client.get("/")
    seen = UserSession.objects.get().last_seen_at
    assert seen > long_ago
    client.get("/")
    assert UserSession.objects.get().last_seen_at == seen
    later = middleware.monotonic() + middleware.SEEN_AGAIN + 1
    monkeypatch.setattr(middleware, "monotonic", lambda: later)
    client.get("/")
    assert UserSession.objects.get().last_seen_at > seen


def test_a_session_that_is_over_is_no_device(code_for):
    come_in("karim", code_for)
    Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
    assert queries.devices(user("karim"), None) == []


def test_an_account_that_is_closed_is_signed_out_at_once():
    client = signed_in("karim")
    User.objects.update(is_active=False)
    assert client.get("/compte/").status_code == 302


def test_my_account_leads_to_my_persons():
    lake = space_of()
    karim = person(lake, "karim")
    assert f"/personnes/{karim.pk}/" in signed_in("karim").get("/compte/").content.decode()
