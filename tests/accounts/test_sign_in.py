"""Coming in by the code of a letter: one road for who is known and who is not, counted tries, sessions that end."""

import logging
import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from cordee.accounts import actions, codes, limits
from cordee.accounts.models import Person, Tries, User
from cordee.mail.models import Letter
from tests.people import person, signed_in, space_of, user

pytestmark = pytest.mark.django_db
KARIM = "karim@example.org"
SIGN_IN, TYPE = "/compte/connexion/", "/compte/connexion/code/"


def asked(address: str = KARIM, client: Client | None = None, **form: str) -> Client:
    client = client or Client()
    answer = client.post(SIGN_IN, {"address": address, **form})
    assert (answer.status_code, answer.headers["Location"]) == (302, TYPE)
    return client


def typed(client: Client, code: str):
    return client.post(TYPE, {"code": code})


def who(client: Client) -> int | None:
    return int(client.session["_auth_user_id"]) if "_auth_user_id" in client.session else None


# ---------------------------------------------------------------- one road


def test_somebody_comes_in_with_the_code_of_the_letter(code_for):
    karim = user("karim")
    client = asked()
    assert typed(client, code_for(KARIM)).status_code == 302
    assert who(client) == karim.pk


@pytest.mark.parametrize(
    "written", [str.lower, lambda code: code.replace(" ", ""), lambda code: f" {code[:3]}-{code[4:]} "]
)
def test_a_code_is_typed_as_one_likes(written, code_for):
    client = asked()
    assert typed(client, written(code_for(KARIM))).status_code == 302


def test_an_address_that_nobody_knew_makes_an_account_on_success_and_not_before(code_for):
    client = asked("Nadia@Example.org")
    assert User.objects.count() == 0
    typed(client, code_for("nadia@example.org"))
    nadia = User.objects.get()
    assert nadia.email == "nadia@example.org" and not nadia.has_usable_password() and who(client) == nadia.pk


def test_known_and_unknown_addresses_are_answered_alike():
    user("karim")
    pages = []
    for address in (KARIM, "inconnu@example.org"):
        client = Client()
        answer = client.post(SIGN_IN, {"address": address})
        page = client.get(TYPE).content.decode().replace(address, "…")
        pages.append((answer.status_code, answer.headers["Location"], re.sub(r'value="\w{64}"', "", page)))
    assert pages[0] == pages[1]
    known, unknown = (Letter.objects.get(to=to) for to in (KARIM, "inconnu@example.org"))
    assert known.subject == unknown.subject


def test_known_and_unknown_addresses_are_refused_alike_at_the_limit(monkeypatch):
    user("karim")
    monkeypatch.setitem(limits.LIMITS, "letters-from", (1, 3600))
    for address in (KARIM, "inconnu@example.org"):
        asked(address)
        assert Client().post(SIGN_IN, {"address": address}).status_code == 429


def test_whom_the_spaces_know_by_this_address_is_this_account(code_for):
    lake, bridge = space_of(), space_of("Le Pont")
    here, there = person(lake, "karim", user=None), person(bridge, "karim", user=None)
    other = person(lake, "marc", user=None)
    client = asked()
    typed(client, code_for(KARIM))
    mine = User.objects.get(email=KARIM)
    assert set(Person.objects.filter(user=mine)) == {here, there}
    assert mine.name == "Karim"
    other.refresh_from_db()
    assert other.user is None


def test_two_persons_of_one_space_are_never_one_account(code_for):
    lake = space_of()
    person(lake, "karim", email="k.autre@example.org")
    late = person(lake, "karim", user=None, name="Karim bis")
    typed(client := asked(), code_for(KARIM))
    late.refresh_from_db()
    assert late.user is None and who(client)


@pytest.mark.parametrize(
    "address", ["", "karim", "karim@", "a b@example.org", "x" * 250 + "@example.org", "a@b.fr\nBcc: x@y.fr"]
)
def test_what_is_no_address_is_said_and_no_letter_leaves(address):
    answer = Client().post(SIGN_IN, {"address": address})
    assert answer.status_code == 400 and "n’est pas une adresse" in answer.content.decode()
    assert not Letter.objects.exists()


def test_a_closed_account_does_not_come_in(code_for):
    user("karim", is_active=False)
    client = asked()
    answer = typed(client, code_for(KARIM))
    assert answer.status_code == 403 and "fermé" in answer.content.decode()
    assert who(client) is None


# ---------------------------------------------------------------- wrong codes


def test_five_tries_then_the_code_is_void_even_the_right_one(code_for):
    client = asked()
    code = code_for(KARIM)
    for _ in range(limits.LIMITS["tries"][0]):
        assert typed(client, "AAAAAA").status_code == 403
    assert typed(client, code).status_code == 403
    assert who(client) is None


def test_tries_made_at_the_same_instant_are_all_counted(code_for):
    """Each of these browsers shows the session as it was before the others tried."""
    client = asked()
    kept = Session.objects.get(pk=client.session.session_key).session_data
    for _ in range(limits.LIMITS["tries"][0]):
        typed(client, "AAAAAA")
        Session.objects.filter(pk=client.session.session_key).update(session_data=kept)
    assert typed(client, code_for(KARIM)).status_code == 403


def test_a_code_is_over_after_ten_minutes(code_for, monkeypatch):
    client = asked()
    later = codes.time() + codes.SECONDS + 1
    monkeypatch.setattr(codes, "time", lambda: later)
    assert typed(client, code_for(KARIM)).headers["Location"] == SIGN_IN
    assert who(client) is None and codes.SECONDS == 600


def test_a_code_serves_once_and_in_the_browser_that_asked(code_for):
    client = asked()
    code = code_for(KARIM)
    assert typed(Client(), code).headers["Location"] == SIGN_IN
    assert typed(client, code).status_code == 302
    client.post("/compte/deconnexion/")
    assert typed(client, code).headers["Location"] == SIGN_IN


def test_the_code_before_the_last_is_void(code_for):
    client = asked()
    first = code_for(KARIM)
    asked(client=client)
    assert typed(client, first).status_code == 403 or first == code_for(KARIM)


def test_a_code_to_confirm_does_not_sign_in():
    client = Client()
    session = client.session
    code = codes.ask(session, "confirm", KARIM)
    session.save()
    client.cookies["session"] = session.session_key
    assert typed(client, code).headers["Location"] == SIGN_IN


def test_there_are_enough_codes_that_nobody_guesses_one():
    tries = limits.LIMITS["letters"][0] * limits.LIMITS["tries"][0]  # an hour, whoever asks
    assert len(codes.ALPHABET) ** codes.LENGTH / tries > 24 * 365 * 500
    assert len({codes.ask({}, "sign_in", KARIM) for _ in range(200)}) > 195


def test_who_reads_the_sessions_has_no_code(code_for):
    client = asked()
    code = codes.plain(code_for(KARIM))
    assert code not in str(dict(client.session.items()))


# ---------------------------------------------------------------- limits


def test_one_address_is_sent_few_letters_by_one_network_and_is_not_shut_out_by_it():
    most = limits.LIMITS["letters-from"][0]
    for _ in range(most):
        asked()
    assert Client().post(SIGN_IN, {"address": KARIM}).status_code == 429
    assert Client(REMOTE_ADDR="198.51.100.7").post(SIGN_IN, {"address": KARIM}).status_code == 302
    assert Client().post(SIGN_IN, {"address": "claire@example.org"}).status_code == 302


def test_one_network_asks_for_so_many_codes(monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "asking", (2, 3600))
    asked("a@example.org")
    asked("b@example.org")
    assert Client().post(SIGN_IN, {"address": "c@example.org"}).status_code == 429
    assert Client(REMOTE_ADDR="2001:db8::1").post(SIGN_IN, {"address": "c@example.org"}).status_code == 302


def test_one_network_is_wrong_so_often(monkeypatch, code_for):
    monkeypatch.setitem(limits.LIMITS, "wrong", (2, 3600))
    client = asked()
    typed(client, "AAAAAA")
    typed(client, "AAAAAA")
    assert typed(client, code_for(KARIM)).status_code == 429


def test_counters_hold_no_address_and_are_forgotten(monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "asking", (2, 0.01))
    asked()
    assert Tries.objects.exists()
    assert all(set(row.name) <= set("0123456789abcdef") for row in Tries.objects.all())
    Tries.objects.update(until=1)
    assert limits.forget_old() > 0 and not Tries.objects.exists()


# ---------------------------------------------------------------- sessions


def test_a_new_session_key_is_drawn_when_somebody_comes_in(code_for):
    client = asked()
    planted = client.session.session_key
    typed(client, code_for(KARIM))
    assert client.session.session_key != planted
    assert not Session.objects.filter(pk=planted).exists()


def test_a_session_lasts_thirty_days_and_one_that_only_waits_ten_minutes(code_for):
    client = asked()
    assert client.session.get_expiry_age() < 700
    typed(client, code_for(KARIM))
    assert client.session.get_expiry_age() == 30 * 86_400


def test_what_waited_in_vain_is_cleaned_by_tick():
    asked()
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    call_command("tick")
    assert not Session.objects.exists() and not User.objects.exists()


def test_leaving_ends_the_session_on_the_server():
    client = signed_in("karim")
    key = client.session.session_key
    answer = client.post("/compte/deconnexion/")
    assert answer.headers["Location"] == "/"
    assert not Session.objects.filter(pk=key).exists()


def test_leaving_is_no_link():
    client = signed_in("karim")
    assert client.get("/compte/deconnexion/").status_code == 405 and who(client)


def test_a_form_of_another_site_signs_nobody_in():
    client = Client(enforce_csrf_checks=True)
    assert client.post(SIGN_IN, {"address": KARIM}).status_code == 403
    assert client.post("/compte/connexion/cle/", {"credential": "{}"}).status_code == 403


# ---------------------------------------------------------------- where one goes then


def test_one_goes_where_one_wanted_to(code_for):
    client = Client()
    sent = client.get("/compte/appareils/")
    assert sent.headers["Location"] == f"{SIGN_IN}?next=/compte/appareils/"
    assert 'value="/compte/appareils/"' in client.get(sent.headers["Location"]).content.decode()
    asked(client=client, next="/compte/appareils/")
    assert typed(client, code_for(KARIM)).headers["Location"] == "/compte/appareils/"


@pytest.mark.parametrize(
    "where",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
    ],
)
def test_nobody_is_sent_to_another_site(where, code_for):
    client = asked(next=where)
    assert "evil" not in typed(client, code_for(KARIM)).headers["Location"]
    assert "evil" not in client.get(SIGN_IN, {"next": where}).headers["Location"]
    assert "evil" not in Client().get(SIGN_IN, {"next": where}).content.decode().replace("&amp;", "&")
    assert client.get("/compte/confirmer/", {"next": where}).status_code == 200
    assert where not in client.get("/compte/confirmer/", {"next": where}).content.decode()


def test_who_is_new_says_their_name_once(code_for):
    client = asked()
    assert typed(client, code_for(KARIM)).headers["Location"] == "/compte/"
    assert "Comment vous appelez-vous" in client.get("/compte/").content.decode()
    client.post("/compte/", {"name": "Karim", "language": "fr", "time_zone": "Europe/Paris"})
    assert User.objects.get().name == "Karim"


# ---------------------------------------------------------------- what is absent, what is logged


@pytest.mark.parametrize(
    "path",
    ["password/change/", "password/set/", "password/reset/", "signup/", "email/", "login/", "logout/", "inactive/",
     "reauthenticate/", "2fa/", "totp/", "recovery-codes/", "3rdparty/", "social/login/", "oidc/", "sessions/"],
)  # fmt: skip
def test_of_allauth_nothing_is_there_but_what_we_chose(path):
    for before in ("/compte/", "/accounts/", "/"):
        assert Client().get(before + path).status_code == 404


def test_no_password_opens_anything():
    from django.contrib.auth import authenticate

    karim = user("karim")
    assert not karim.has_usable_password()
    karim.set_password("secret")
    karim.save()
    asked_ = Client().post(SIGN_IN, {"address": KARIM, "password": "secret", "login": KARIM})
    assert asked_.headers["Location"] == TYPE and authenticate(None, email=KARIM, password="") is None


def test_no_address_no_name_and_no_code_is_logged(caplog, code_for):
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    user("karim")
    client = asked()
    code = code_for(KARIM)
    typed(client, "AAAAAA")
    typed(client, code)
    client.get("/compte/appareils/")
    client.get("/espaces/1/")
    told = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("django.db"))
    assert "event=sign_in_wrong" in told
    for word in (KARIM, "karim@", "Karim", code, codes.plain(code), "127.0.0.1"):
        assert word not in told, word


def test_the_operator_is_named_by_command_and_may_be_named_no_more(capsys):
    call_command("operator", "Rose@example.org")
    rose = User.objects.get()
    assert rose.email == "rose@example.org" and rose.is_operator
    call_command("operator", "rose@example.org", "--not")
    rose.refresh_from_db()
    assert not rose.is_operator
    with pytest.raises(Exception, match="pas une adresse"):
        call_command("operator", "rose")


def test_an_account_is_made_once_however_often_it_is_asked_for():
    first, second = actions.account_of(" Karim@Example.org "), actions.account_of(KARIM)
    assert first == second
