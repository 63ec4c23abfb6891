"""Passkeys, but for what a browser alone shows (test_in_a_browser.py): whose they are, what changing them asks."""

from time import time

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from cordee.accounts import codes, limits
from cordee.accounts.adapters import PROVED
from cordee.accounts.views import passkeys
from tests.people import address, signed_in, user

pytestmark = pytest.mark.django_db


def key_of(who: str, name: str = "Téléphone") -> Authenticator:
    return Authenticator.objects.create(user=user(who), type="webauthn", data={"name": name, "credential": {}})


def proved(who: str, seconds_ago: float = 0) -> Client:
    client = signed_in(who)
    session = client.session
    session[PROVED] = time() - seconds_ago
    session.save()
    return client


def test_a_key_is_named_and_removed_after_a_recent_proof_alone():
    key = key_of("karim")
    late = proved("karim", passkeys.LATELY + 1)
    for path in (f"/compte/cles/{key.pk}/nom/", f"/compte/cles/{key.pk}/retirer/", "/compte/cles/nouvelle/"):
        assert late.post(path, {"name": "Autre"}).headers["Location"].startswith("/compte/confirmer/?next=")
    key.refresh_from_db()
    assert key.data["name"] == "Téléphone"
    lately = proved("karim")
    lately.post(f"/compte/cles/{key.pk}/nom/", {"name": " Mon   ordinateur "})
    key.refresh_from_db()
    assert key.data["name"] == "Mon ordinateur"
    lately.post(f"/compte/cles/{key.pk}/retirer/")
    assert not Authenticator.objects.exists()


def test_nobody_names_or_removes_the_key_of_another():
    key = key_of("karim")
    octave = proved("octave")
    assert octave.post(f"/compte/cles/{key.pk}/nom/", {"name": "x"}).status_code == 404
    assert octave.post(f"/compte/cles/{key.pk}/retirer/").status_code == 404
    assert "Téléphone" not in octave.get("/compte/cles/").content.decode()
    assert Authenticator.objects.count() == 1


def test_a_name_is_shown_as_text():
    key_of("karim", "<b>Clé</b>")
    page = signed_in("karim").get("/compte/cles/").content.decode()
    assert "<b>Clé" not in page and "&lt;b&gt;Clé" in page


def test_one_proves_who_one_is_by_a_code(code_for):
    client = proved("karim", passkeys.LATELY + 1)
    sent = client.get("/compte/cles/nouvelle/")
    assert sent.headers["Location"] == "/compte/confirmer/?next=%2Fcompte%2Fcles%2Fnouvelle%2F"
    form = {"next": "/compte/cles/nouvelle/"}
    assert client.post("/compte/confirmer/", form).status_code == 200
    assert client.post("/compte/confirmer/", form | {"code": "AAAAAA"}).status_code == 403
    assert client.get("/compte/cles/nouvelle/").status_code == 302
    answer = client.post("/compte/confirmer/", form | {"code": code_for(address("karim"))})
    assert answer.headers["Location"] == "/compte/cles/nouvelle/"
    assert client.get("/compte/cles/nouvelle/").status_code == 200


def test_a_code_to_sign_in_proves_nothing_here():
    client = proved("karim", passkeys.LATELY + 1)
    session = client.session
    code = codes.ask(session, "sign_in", address("karim"))
    session.save()
    assert client.post("/compte/confirmer/", {"code": code}).status_code == 403


ODD = ["", "{}", "[]", "null", '{"id": 1}', "x" * 100, '{"response": {"userHandle": "MQ"}}']
ODD += ['{"rawId": "AA", "id": "AA", "type": "public-key", "response": {}}']


@pytest.mark.parametrize("credential", ODD)
def test_what_no_browser_sends_opens_nothing_and_breaks_nothing(credential):
    client = Client()
    client.get("/compte/connexion/cle/options/")
    assert client.post("/compte/connexion/cle/", {"credential": credential}).status_code == 403
    assert "_auth_user_id" not in client.session
    inside = proved("karim")
    inside.get("/compte/cles/nouvelle/")
    assert inside.post("/compte/cles/nouvelle/", {"name": "x", "credential": credential}).status_code == 400
    assert not Authenticator.objects.exists()


def test_what_a_browser_is_asked_tells_of_no_account():
    key_of("karim")
    asked = Client().get("/compte/connexion/cle/options/").json()["publicKey"]
    assert not asked.get("allowCredentials") and asked["userVerification"] == "required"


def test_a_network_that_shows_wrong_keys_waits(monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "wrong", (1, 3600))
    client = Client()
    for _ in range(3):
        assert client.post("/compte/connexion/cle/", {"credential": "{}"}).status_code == 403


def test_twenty_keys_are_the_most():
    for _ in range(passkeys.MOST):
        key_of("karim")
    client = proved("karim")
    answer = client.post("/compte/cles/nouvelle/", {"credential": "{}"})
    assert answer.status_code == 409 and "vingt clés" in answer.content.decode()
