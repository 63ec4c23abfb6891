"""The organisation’s own door: OpenID Connect, against a provider over HTTP whose every word is checked."""

import json
import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from tests.accounts.provider import Provider, provider
from tests.conftest import Template

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@pytest.fixture(scope="module")
def pont() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def served(template: Template, pont: Provider):
    with template.server(**pont.env) as server:
        yield server


@pytest.fixture
def le_pont(pont: Provider) -> Provider:
    """The provider as it is when nothing is wrong with it."""
    pont.claims = {"sub": "k-1", "email": "karim@example.org", "email_verified": True, "given_name": "Karim"}
    pont.token, pont.config, pont.broken, pont.elsewhere, pont.asked = {}, {}, False, "", []
    return pont


class Visitor:
    def __init__(self, server) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, timeout=60)

    def leave(self, then: str = "") -> httpx.Response:
        page = self.http.get("/compte/connexion/").text
        assert "Entrer avec Le Pont" in page
        form = {"csrfmiddlewaretoken": TOKEN.search(page)[1], "next": then}  # type: ignore[index]
        return self.http.post("/compte/connexion/organisation/", data=form, headers={"Origin": self.server.url})

    def brought(self, pont: Provider, then: str = "") -> dict[str, str]:
        """What this browser brings to the provider's page, to which our page leads by a link."""
        answer = self.leave(then)
        assert answer.status_code == 200, answer.text
        address = unescape(re.search(r'class="button primary" href="([^"]+)"', answer.text)[1])  # type: ignore[index]
        assert address.startswith(f"{pont.url}/authorize?")
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        return pont.visited(address)

    def back(self, state: str, code: str = "le-code", **more: str) -> httpx.Response:
        return self.http.get("/compte/connexion/organisation/retour/", params={"state": state, "code": code, **more})

    def comes_in(self, pont: Provider, then: str = "") -> httpx.Response:
        return self.back(self.brought(pont, then)["state"])

    @property
    def inside(self) -> bool:
        return self.http.get("/compte/").status_code == 200


@pytest.fixture
def visitor(served) -> Iterator[Visitor]:
    made = Visitor(served)
    yield made
    made.http.close()


def accounts(server) -> list[str]:
    code = "from cordee.accounts.models import User; import json;"
    code += "print(json.dumps(sorted(u.email for u in User.objects.all())))"
    return json.loads(server.manage("shell", "-v0", "-c", code))


def test_who_the_organisation_vouches_for_comes_in(visitor, le_pont):
    brought = visitor.brought(le_pont)
    assert brought["client_id"] == "cordee" and brought["code_challenge_method"] == "S256"
    assert set(brought["scope"].split()) == {"openid", "profile", "email"} and brought["response_type"] == "code"
    assert brought["redirect_uri"] == f"{visitor.server.url}/compte/connexion/organisation/retour/"
    answer = visitor.back(brought["state"])
    assert answer.status_code == 302 and visitor.inside
    assert "Karim" in visitor.http.get("/compte/").text
    assert "karim@example.org" in accounts(visitor.server)


def test_the_same_person_is_the_same_account_even_when_their_address_changes(served, le_pont):
    first, second = Visitor(served), Visitor(served)
    first.comes_in(le_pont)
    before = accounts(served)
    le_pont.claims["email"] = "karim.nouveau@example.org"
    second.comes_in(le_pont)
    assert second.inside and accounts(served) == before


def test_one_goes_on_to_where_one_wanted_and_to_no_other_site(served, le_pont):
    assert Visitor(served).comes_in(le_pont, "/compte/appareils/").headers["Location"] == "/compte/appareils/"
    for where in ("https://evil.example/", "//evil.example/"):
        assert "evil" not in Visitor(served).comes_in(le_pont, where).headers["Location"]


@pytest.mark.parametrize(
    ("claims", "token"),
    [
        ({"email_verified": False}, {}),
        ({"email_verified": None}, {}),
        ({"email": ""}, {}),
        ({"email": "pas une adresse"}, {}),
        ({}, {"sub": "another"}),  # of somebody else than the claims
        ({}, {"aud": "another-client"}),
        ({}, {"iss": "https://evil.example"}),
        ({}, {"exp": 1}),
    ],
)
def test_what_the_provider_says_wrongly_lets_nobody_in(visitor, le_pont, claims, token):
    le_pont.claims |= {"sub": f"new-{claims}-{token}", "email": "nadia@example.org"} | claims
    le_pont.token = token
    answer = visitor.comes_in(le_pont)
    assert answer.status_code == 403 and "Vous n’êtes pas connecté" in answer.text
    assert not visitor.inside
    assert "nadia@example.org" not in accounts(visitor.server)


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(served, le_pont):
    octave, karim = Visitor(served), Visitor(served)
    state = octave.brought(le_pont)["state"]
    assert karim.back(state).status_code == 403 and not karim.inside
    assert karim.back("invented").status_code == 403 and not karim.inside


def test_an_answer_serves_once(visitor, le_pont):
    state = visitor.brought(le_pont)["state"]
    assert visitor.back(state).status_code == 302
    visitor.http.cookies.delete("session")
    assert visitor.back(state).status_code == 403


def test_a_code_of_another_request_is_refused(visitor, le_pont):
    state = visitor.brought(le_pont)["state"]
    le_pont.challenge = "that-of-another"
    assert visitor.back(state).status_code == 403 and not visitor.inside


def test_who_says_no_over_there_is_not_in(visitor, le_pont):
    state = visitor.brought(le_pont)["state"]
    answer = visitor.http.get(
        "/compte/connexion/organisation/retour/", params={"state": state, "error": "access_denied"}
    )
    assert answer.status_code == 403 and "n’a pas confirmé" in answer.text


def test_a_provider_that_is_away_or_is_another_is_said(served, le_pont):
    le_pont.broken = True
    answer = Visitor(served).leave()
    assert answer.status_code == 503 and "ne répond pas" in answer.text
    le_pont.broken, le_pont.config = False, {"issuer": "https://evil.example"}
    assert Visitor(served).leave().status_code == 503


def test_no_redirection_of_the_provider_is_followed(served, le_pont):
    le_pont.elsewhere = f"{le_pont.url}/userinfo"
    assert Visitor(served).leave().status_code == 503
    assert [path for path, _ in le_pont.asked] == ["/.well-known/openid-configuration"]


def test_nothing_of_what_it_tells_is_kept_but_the_subject(served, le_pont):
    Visitor(served).comes_in(le_pont)
    code = "from allauth.socialaccount.models import SocialAccount as A, SocialToken as T;"
    code += "print([(a.uid, a.extra_data) for a in A.objects.all()], T.objects.count())"
    assert served.manage("shell", "-v0", "-c", code).strip().endswith("[('k-1', {})] 0")


def test_the_log_holds_no_address_no_subject_and_no_secret(served):
    for word in ("karim@", "k-1", "jeton", "le-secret", "le-code", "Traceback"):
        assert word not in served.log


def test_domains_bind_what_the_provider_may_say(template, le_pont):
    with template.server(**le_pont.env, CORDEE_OIDC_DOMAINS="example.org") as server:
        for claims, status in (
            ({"sub": "a", "email": "a@example.org", "email_verified": None}, 302),
            ({"sub": "b", "email": "b@example.org", "email_verified": False}, 403),
            ({"sub": "c", "email": "c@evil.example", "email_verified": True}, 403),
            ({"sub": "d", "email": "d@evil.example.org", "email_verified": True}, 403),
        ):
            le_pont.claims = claims
            assert Visitor(server).comes_in(le_pont).status_code == status, claims


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "url", ["http://login.example.org", "login.example.org", "ftp://x", "https://x/?a=1", "http://localhost.evil.com"]
)
def test_an_issuer_that_makes_no_sense_is_told(monkeypatch, url):
    monkeypatch.setenv("CORDEE_OIDC_URL", url)
    with pytest.raises(ImproperlyConfigured, match="CORDEE_OIDC_URL"):
        env.issuer("CORDEE_OIDC_URL")


def test_an_issuer_is_taken_with_or_without_its_end(monkeypatch):
    for given in ("https://login.example.org/x/", "https://login.example.org/x/.well-known/openid-configuration"):
        monkeypatch.setenv("CORDEE_OIDC_URL", given)
        assert env.issuer("CORDEE_OIDC_URL") == "https://login.example.org/x"


def test_half_a_configuration_is_told(monkeypatch):
    names = ("CORDEE_OIDC_NAME", "CORDEE_OIDC_URL")
    assert not env.all_or_none(*names)
    monkeypatch.setenv("CORDEE_OIDC_NAME", "Le Pont")
    with pytest.raises(ImproperlyConfigured, match="CORDEE_OIDC_URL missing"):
        env.all_or_none(*names)
