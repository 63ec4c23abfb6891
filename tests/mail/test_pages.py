"""What one wishes, one click, the operator's page, the demo's mailbox."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cordee.mail import actions, outbox, tokens, wishes
from cordee.mail.models import Letter, Wish
from tests.mail.every import EVERY, KARIM
from tests.people import person, signed_in, space_of, user

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def karim() -> Client:
    person(space_of(), "karim")
    return signed_in("karim")


@pytest.fixture
def operator() -> Client:
    user("marc", is_operator=True)
    return signed_in("marc")


def path(kind: str = "prepare") -> str:
    return wishes.stop_url("Karim@example.org", kind).removeprefix("http://127.0.0.1:8000")


# ---------------------------------------------------------------- one click


def test_one_click_needs_neither_cookie_nor_page(client):
    strict = Client(enforce_csrf_checks=True)
    for _twice in range(2):
        assert strict.post(path(), ONE_CLICK).status_code == 200
        assert Wish.objects.get().without == ["prepare"]
    assert Wish.objects.get().address == "karim@example.org"


def test_looking_at_the_link_changes_nothing(client):
    for method in (client.get, client.head):
        assert method(path()).status_code == 200
    assert not Wish.objects.exists()
    assert 'method="post"' in client.get(path()).content.decode()


def test_it_can_be_undone(client):
    page = client.post(path()).content.decode()
    undo = re.search(r'action="([^"]+)"', page.partition("C’est fait")[2])
    assert undo
    assert client.post(undo[1]).status_code == 200
    assert Wish.objects.get().without == []


def test_of_the_digest_it_is_all_one_may_do_without(client):
    client.post(path("digest"))
    assert set(Wish.objects.get().without) == set(wishes.OPTIONAL)


@pytest.mark.parametrize(
    "broken", [lambda t: t[:-2], lambda t: "A" + t[1:], lambda t: "é", lambda t: "x", lambda t: t[:10]]
)
def test_a_link_that_we_have_not_made_opens_nothing(client, broken):
    token = path().split("/")[-2]
    assert client.post(f"/courrier/stop/{broken(token)}/").status_code == 404
    assert not Wish.objects.exists()


def test_what_is_necessary_cannot_be_stopped(client):
    token = tokens.seal({"to": "karim@example.org", "kind": "convocation"})
    assert client.post(f"/courrier/stop/{token}/").status_code == 404


def test_the_link_holds_no_address():
    assert "karim" not in path() and tokens.seal({"to": "a"}) != tokens.seal({"to": "a"})


def test_another_secret_opens_nothing(client, settings):
    link = path()
    settings.SECRET_KEY = "another secret, of another server, long enough"
    assert client.post(link).status_code == 404


# ---------------------------------------------------------------- preferences


def test_one_chooses(karim):
    page = karim.get("/courrier/preferences/").content.decode()
    assert page.count(" checked") == len(wishes.OPTIONAL) + 1  # all kinds, quiet hours; no digest
    said = {"wanted": ["prepare"], "digest": "on", "quiet": "on", "quiet_from": "21:30", "quiet_until": "06:00"}
    assert karim.post("/courrier/preferences/", said).status_code == 302
    wish = Wish.objects.get(address="karim@example.org")
    assert set(wish.without) == set(wishes.OPTIONAL) - {"prepare"} and wish.digest
    assert f"{wish.quiet_from:%H:%M} {wish.quiet_until:%H:%M}" == "21:30 06:00"
    page = karim.get("/courrier/preferences/").content.decode()
    assert page.count(" checked") == 3 and 'value="21:30"' in page
    karim.post("/courrier/preferences/", {"wanted": list(wishes.OPTIONAL)})
    wish.refresh_from_db()
    assert wish.without == [] and wish.quiet_from is None and not wish.digest


def test_what_is_not_an_hour_is_said(karim):
    answer = karim.post("/courrier/preferences/", {"quiet": "on", "quiet_from": "tard", "quiet_until": "07:00"})
    assert answer.status_code == 400 and "Écrivez une heure" in answer.content.decode()
    assert not Wish.objects.exists()


def test_a_kind_that_does_not_exist_is_refused(karim):
    assert karim.post("/courrier/preferences/", {"wanted": ["sign_in_code"]}).status_code == 400


# ---------------------------------------------------------------- the operator


def dead(name: str, error: str) -> Letter:
    reader = replace(KARIM, address=f"{name}@example.org")
    outbox.post(name, "prepare", reader, "Sujet secret", "Mots secrets")
    Letter.objects.filter(key=name).update(dead_at=timezone.now(), error=error, tries=3)
    return Letter.objects.get(key=name)


def test_the_operator_sees_who_and_why_and_not_what(operator):
    dead("claire", "SMTPRecipientsRefused/550")
    dead("nadia", "unwanted")
    page = operator.get("/courrier/").content.decode()
    assert "claire@example.org" in page and "n’existe pas" in page and "SMTPRecipientsRefused/550" in page
    assert "secret" not in page and "nadia" not in page
    assert "CORDEE_MAIL_URL" in page  # no road here: it says what to do


def test_a_dead_letter_is_tried_again(operator, box):
    letter = dead("claire", "SMTPRecipientsRefused/550")
    page = operator.get("/courrier/").content.decode()
    assert f'action="/courrier/{letter.pk}/reessayer/"' in page
    assert operator.post(f"/courrier/{letter.pk}/reessayer/").status_code == 302
    letter.refresh_from_db()
    assert letter.dead_at is None and letter.tries == 0 and letter.error == ""
    assert "repartir" in operator.get("/courrier/").content.decode()
    operator.post(f"/courrier/{letter.pk}/reessayer/")
    assert "ne peut plus partir" in operator.get("/courrier/").content.decode()


def test_there_are_fifty_on_a_page_whatever_their_number(operator, django_assert_max_num_queries):
    for number in range(60):
        dead(f"p{number}", "expired")
    with django_assert_max_num_queries(12):
        page = operator.get("/courrier/").content.decode()
    assert page.count("@example.org</strong>") == 50 and "?page=2" in page
    assert operator.get("/courrier/?page=2").content.decode().count("@example.org</strong>") == 10


# ---------------------------------------------------------------- what is erased


def test_after_thirty_days_nothing_remains_of_what_a_letter_said_and_to_whom():
    old, recent, waiting = (dead(name, "") for name in ("claire", "nadia", "marc"))
    past = timezone.now() - timedelta(days=31)
    Letter.objects.filter(pk=old.pk).update(
        dead_at=None, sent_at=past, calendar="BEGIN", reply_to="a@b.c", gist={"a": 1}
    )
    Letter.objects.filter(pk=waiting.pk).update(dead_at=None, created_at=past)
    assert actions.erase_old() == 1
    assert actions.erase_old() == 0
    old.refresh_from_db()
    assert (
        not any((old.to, old.subject, old.text, old.html, old.gist, old.calendar, old.reply_to)) and old.key == "claire"
    )
    for letter in (recent, waiting):
        letter.refresh_from_db()
        assert letter.text == "Mots secrets"


def test_a_code_that_did_not_leave_is_forgotten():
    EVERY["sign_in_code"]("", KARIM)
    assert actions.erase_old() == 0
    Letter.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert actions.erase_old() == 1
    letter = Letter.objects.get()
    assert letter.dead_at and "K7Q" not in f"{letter.text}{letter.html}{letter.gist}"


def test_all_of_an_address_is_forgotten(box):
    EVERY["prepare"]("k", KARIM)
    EVERY["prepare"]("c", replace(KARIM, address="claire@example.org"))
    wishes.stop("karim@example.org", "prepare")
    assert actions.forget("Karim@Example.org") == 1
    letter = Letter.objects.get(key="k")
    assert letter.to == letter.text == "" and letter.dead_at and not Wish.objects.exists()
    assert Letter.objects.get(key="c").text


# ---------------------------------------------------------------- the demo's mailbox


@pytest.fixture
def demo(settings) -> None:
    settings.MAIL = {"road": "demo"}


ADDRESSES = (
    "/courrier/boite/",
    "/courrier/boite/{pk}/",
    "/courrier/boite/{pk}/html/",
    "/courrier/boite/{pk}/invite.ics",
)


def test_the_mailbox_shows_each_letter_in_each_form(client, demo):
    EVERY["convocation"]("k", KARIM)
    letter = Letter.objects.get()
    listed, text, html, calendar = (client.get(address.format(pk=letter.pk)) for address in ADDRESSES)
    assert letter.subject in listed.content.decode() and "karim@example.org" in listed.content.decode()
    assert "Salle des Cèdres" in text.content.decode() and f"/courrier/boite/{letter.pk}/html/" in text.content.decode()
    assert html.content.decode() == letter.html
    policy = html.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';") and re.search(r"style-src 'sha256-[\w+/=]+'$", policy)
    assert "unsafe" not in policy
    assert calendar.content.decode() == letter.calendar and calendar.headers["Content-Type"].startswith("text/calendar")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("road", ["none", "smtp", "file"])
def test_anywhere_else_there_is_no_mailbox(client, operator, settings, address, road):
    EVERY["convocation"]("k", KARIM)
    settings.MAIL = {"road": road}
    for visitor in (client, operator):
        assert visitor.get(address.format(pk=Letter.objects.get().pk)).status_code == 404
    settings.MAIL, settings.HTTPS = {"road": "demo"}, True
    assert client.get(address.format(pk=Letter.objects.get().pk)).status_code == 404


def test_in_the_demo_letters_stay_to_be_read(demo):
    from cordee.mail.postman import round_

    EVERY["sign_in_code"]("", KARIM)
    assert round_() == {"sent": 1}
    assert "K7Q-42M" in Letter.objects.get().text


def test_the_front_door_leads_to_it_in_the_demo_alone(client, settings):
    assert "/courrier/boite/" not in client.get("/").content.decode()
    settings.MAIL = {"road": "demo"}
    assert "/courrier/boite/" in client.get("/").content.decode()
