"""The pages of circles, as people use them: composed, signed, ended, read again. Letters go with what happens."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cordee.accounts import actions as accounts
from cordee.accounts.models import Person, Role, Space
from cordee.circles.actions import charter, circles, members
from cordee.circles.models import Circle, Meeting, Turn, ValueCount
from cordee.circles.queries import circles as queries
from cordee.mail.models import Letter
from tests.people import person, signed_in, space_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def space() -> Space:
    lake = space_of()
    person(lake, "rose", roles=(Role.ORGANISER,))
    for who in ("fanny", "claire", "karim", "helene"):
        person(lake, who)
    return lake


def of(space: Space, who: str) -> Person:
    return Person.objects.get(space=space, email=f"{who}@example.org")


@pytest.fixture
def circle(space) -> Circle:
    made = circles.create(space, of(space, "rose"), [of(space, "fanny")], name="Les éclaireurs")
    for who in ("claire", "karim"):
        members.add(made, of(space, who), by=of(space, "rose"))
    return made


def read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return " ".join(answer.content.decode().split())


def letters(kind: str) -> set[str]:
    return set(Letter.objects.filter(kind=kind).values_list("to", flat=True))


NEW = {
    "name": "Les passeurs", "purpose": "La fusion.", "protocol": "payette-champagne", "place": "", "quorum": 4,
    "video_link": "", "time_zone": "America/Martinique", "facilitators": "Fanny",
}  # fmt: skip


def test_rose_creates_a_circle_and_goes_on_to_compose_it(space):
    until = timezone.localdate() + timedelta(days=200)
    answer = signed_in("rose").post(f"/espaces/{space.pk}/cercles/nouveau/", NEW | {"erase_on": until})
    made = Circle.objects.get(name="Les passeurs")
    assert answer.headers["Location"] == f"/cercles/{made.pk}/membres/"
    assert made.erase_on == until == queries.charter_in_force(made).erase_on and made.wrapped_key
    assert made.protocol == "payette-champagne" and made.time_zone == "America/Martinique"
    assert [(each.person.name, each.role) for each in queries.current(made)] == [("Fanny", "facilitator")]
    assert letters("circle_invitation") == {"fanny@example.org"}
    assert not made.memberships.filter(person__name="Rose").exists(), "organising gives no place in the room"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "obligatoire"),
        ("facilitators", "Paule", "« Paule » n’est pas dans les personnes de l’espace"),
        ("facilitators", "karim@ailleurs.org", "n’est pas dans les personnes"),
        ("time_zone", "Lyon", "Écrivez par exemple Europe/Paris"),
        ("video_link", "javascript:alert(1)", "commence par https://"),
        ("protocol", "inconnue", "inconnue"),
        ("quorum", "1", "2"),
        ("erase_on", "2020-01-01", "à 30 jours d’ici au moins"),
        ("erase_on", "2099-01-01", "cinq ans"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(space, field, value, said):
    until = timezone.localdate() + timedelta(days=200)
    typed = NEW | {"erase_on": until, field: value}
    page = signed_in("rose").post(f"/espaces/{space.pk}/cercles/nouveau/", typed).content.decode()
    assert said in page and ("Les passeurs" in page or field == "name") and not Circle.objects.exists()


def test_two_people_of_one_name_are_told_apart_by_their_address(space):
    Person.objects.create(space=space, name="Fanny")
    until = timezone.localdate() + timedelta(days=200)
    path = f"/espaces/{space.pk}/cercles/nouveau/"
    page = signed_in("rose").post(path, NEW | {"erase_on": until}).content.decode()
    assert "Plusieurs personnes s’appellent « Fanny »" in page
    signed_in("rose").post(path, NEW | {"erase_on": until, "facilitators": "Fanny@example.org"})
    assert Circle.objects.count() == 1


def test_rose_adds_from_the_people_of_the_space_and_is_told_what_to_look_at(space, circle):
    Person.objects.filter(pk=of(space, "helene").pk).update(manager=of(space, "claire"), site="Grenoble")
    page = read(signed_in("rose"), f"/cercles/{circle.pk}/membres/?q=grenoble")
    assert "Claire est responsable hiérarchique de Hélène" in page and "Ajouter" in page
    signed_in("rose").post(f"/cercles/{circle.pk}/membres/", {"person": of(space, "helene").pk, "do": "add"})
    assert "Claire est responsable hiérarchique de Hélène" in read(signed_in("rose"), f"/cercles/{circle.pk}/membres/")
    assert "responsable hiérarchique" in read(signed_in("fanny"), f"/cercles/{circle.pk}/"), "who leads is told too"
    assert "responsable hiérarchique" not in read(signed_in("claire"), f"/cercles/{circle.pk}/")
    assert "helene@example.org" in letters("circle_invitation")


def test_nobody_of_another_space_can_be_added_by_their_number(space, circle):
    octave = person(space_of("Ailleurs"), "octave", roles=(Role.ORGANISER,))
    answer = signed_in("rose").post(f"/cercles/{circle.pk}/membres/", {"person": octave.pk, "do": "add"})
    assert answer.status_code == 404 and not circle.memberships.filter(person=octave).exists()
    for value in ("", "x", "-1", "9" * 40):
        assert signed_in("rose").post(f"/cercles/{circle.pk}/membres/", {"person": value}).status_code == 404


def test_a_place_of_another_circle_is_not_changed_from_this_one(space, circle):
    other = circles.create(space, of(space, "rose"), [of(space, "fanny")], name="Autre")
    theirs = members.add(other, of(space, "helene"))
    path = f"/cercles/{circle.pk}/membres/{theirs.pk}/"
    assert signed_in("rose").post(path, {"do": "remove"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.current


def test_claire_leaves_and_helene_who_waited_takes_the_place(space, circle):
    members.wait(circle, of(space, "helene"))
    assert "en tête de la liste d’attente" in read(signed_in("helene"), f"/cercles/{circle.pk}/place/")
    assert "Vous n’avez pas de raison à donner" in read(signed_in("claire"), f"/cercles/{circle.pk}/quitter/")
    signed_in("claire").post(f"/cercles/{circle.pk}/quitter/")
    assert letters("place_free") == {"helene@example.org"}
    assert "Répondre" in read(signed_in("helene"), "/cercles/")
    signed_in("helene").post(f"/cercles/{circle.pk}/place/", {"do": "accept"})
    assert "Hélène" in read(signed_in("karim"), f"/cercles/{circle.pk}/")
    assert signed_in("claire").get(f"/cercles/{circle.pk}/").status_code == 404


def test_a_place_taken_back_is_said_on_the_page_where_it_was_asked_for(space, circle):
    members.wait(circle, of(space, "helene"))
    answer = signed_in("helene").post(f"/cercles/{circle.pk}/place/", {"do": "accept"})
    assert answer.status_code == 409 and "n’est plus proposée" in answer.content.decode()


def test_the_last_facilitator_cannot_be_removed_and_it_is_said_why(space, circle):
    mine = circle.memberships.get(person__name="Fanny")
    for client, path, data in (
        (signed_in("rose"), f"/cercles/{circle.pk}/membres/{mine.pk}/", {"do": "remove"}),
        (signed_in("fanny"), f"/cercles/{circle.pk}/quitter/", {}),
    ):
        answer = client.post(path, data)
        assert answer.status_code == 409 and "Nommez d’abord un·e autre animateur·rice" in answer.content.decode()


def test_helene_replaces_karim(space, circle):
    place = circle.memberships.get(person__name="Karim")
    path = f"/cercles/{circle.pk}/membres/{place.pk}/"
    assert "Hélène" in read(signed_in("rose"), f"{path}?q=hélène")
    signed_in("rose").post(path, {"do": "replace", "person": of(space, "helene").pk})
    page = read(signed_in("claire"), f"/cercles/{circle.pk}/")
    assert "sa place est à Hélène" in page


def test_everybody_sees_who_signed_and_a_changed_charter_says_what_changed(space, circle):
    path = f"/cercles/{circle.pk}/charte/"
    assert "La charte attend votre signature" in read(signed_in("claire"), f"/cercles/{circle.pk}/")
    signed_in("claire").post(f"{path}signer/", {"version": 1})
    assert queries.has_signed(circle, of(space, "claire")) and "Signatures : 1 sur 3" in read(signed_in("karim"), path)
    now = queries.charter_in_force(circle)
    new = {"text": now.text.replace("reste ici", "reste entre nous"), "scope": now.scope, "erase_on": now.erase_on}
    signed_in("fanny").post(f"{path}modifier/", new)
    page = read(signed_in("claire"), path)
    assert "que vous avez signée" in page and "<del>" in page and "entre nous</ins>" in page
    assert "La charte attend votre signature" in read(signed_in("claire"), f"/cercles/{circle.pk}/")
    assert letters("charter_to_sign") == {f"{who}@example.org" for who in ("fanny", "claire", "karim")}
    assert "que vous avez signée" not in read(signed_in("karim"), path), "who never signed reads the whole"
    assert "reste ici" in read(signed_in("karim"), f"{path}1/")


def test_what_was_read_is_what_is_signed(space, circle):
    now = queries.charter_in_force(circle)
    charter.propose(circle, "Autre texte.", now.scope, now.erase_on)
    answer = signed_in("claire").post(f"/cercles/{circle.pk}/charte/signer/", {"version": 1})
    assert answer.status_code == 409 and "relisez la nouvelle version" in answer.content.decode()
    assert not queries.has_signed(circle, of(space, "claire"))
    for version in ("", "x", "9999999", "7"):
        signed_in("claire").post(f"/cercles/{circle.pk}/charte/signer/", {"version": version})
    assert not queries.has_signed(circle, of(space, "claire"))


def test_a_new_charter_cannot_erase_tomorrow_nor_change_nothing(space, circle):
    now = queries.charter_in_force(circle)
    same = {"text": now.text.replace("\n", "\r\n"), "scope": now.scope, "erase_on": now.erase_on}
    path = f"/cercles/{circle.pk}/charte/modifier/"
    signed_in("fanny").post(path, same)
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert "à 14 jours d’ici au moins" in signed_in("fanny").post(path, same | {"erase_on": tomorrow}).content.decode()
    assert circle.charters.count() == 1


def test_who_leads_is_led_from_the_circle_to_a_new_charter(space, circle):
    page = read(signed_in("fanny"), f"/cercles/{circle.pk}/charte/")
    assert f'href="/cercles/{circle.pk}/charte/modifier/"' in page
    assert "charte/modifier" not in read(signed_in("claire"), f"/cercles/{circle.pk}/charte/")


def test_who_waits_reads_the_charter_and_no_name(space, circle):
    members.wait(circle, of(space, "helene"))
    page = read(signed_in("helene"), f"/cercles/{circle.pk}/charte/")
    assert "reste ici" in page and "Claire" not in page and "Fanny" not in page


def test_who_left_signs_for_a_later_date_or_not(space, circle):
    for who in ("fanny", "claire", "karim"):
        charter.sign(queries.charter_in_force(circle), of(space, who))
    members.leave(circle.memberships.get(person__name="Karim"))
    now = queries.charter_in_force(circle)
    charter.propose(circle, now.text, now.scope, now.erase_on + timedelta(days=90))
    assert "karim@example.org" in letters("charter_to_sign")
    page = read(signed_in("karim"), f"/cercles/{circle.pk}/charte/")
    assert "vos mots y sont encore" in page and "Je signe cette charte" in page


def test_nobody_is_forgotten_in_the_ledger(space, circle):
    meeting = Meeting.objects.create(circle=circle, number=1, uid="u")
    for number in (1, 2):
        Turn.objects.create(circle=circle, meeting=meeting, person=of(space, "claire"), round=number, at=timezone.now())
    other = circles.create(space, of(space, "rose"), [of(space, "fanny")], name="Autre")
    members.add(other, of(space, "karim"))
    Turn.objects.create(circle=other, person=of(space, "karim"), round=1, at=timezone.now())
    assert [(each.person.name, each.times) for each in queries.ledger(circle)] == [("Karim", 0), ("Claire", 2)]
    members.leave(circle.memberships.get(person__name="Claire"))
    assert [(each.person.name, each.current) for each in queries.ledger(circle)] == [("Karim", True), ("Claire", False)]


def test_an_ended_circle_is_read_and_no_longer_changed(space, circle):
    start = timezone.now() + timedelta(days=3)
    meeting = Meeting.objects.create(
        circle=circle, number=1, starts_at=start, ends_at=start + timedelta(hours=2), uid="u"
    )
    page = read(signed_in("fanny"), f"/cercles/{circle.pk}/clore/")
    assert "1 séance à venir sera annulée" in page and "Rien n’est effacé aujourd’hui" in page
    signed_in("fanny").post(f"/cercles/{circle.pk}/clore/")
    meeting.refresh_from_db()
    circle.refresh_from_db()
    assert meeting.cancelled_at and circle.wrapped_key, "nothing is erased by a click"
    assert letters("circle_ended") == {f"{who}@example.org" for who in ("fanny", "claire", "karim")}
    page = read(signed_in("claire"), f"/cercles/{circle.pk}/")
    assert "Ce cercle est clos depuis" in page and "Quitter le cercle" not in page
    for path, data in (("modifier", NEW), ("clore", {}), ("charte/modifier", {"text": "x", "scope": "y"})):
        data = data | {"erase_on": circle.erase_on}
        assert signed_in("fanny").post(f"/cercles/{circle.pk}/{path}/", data).status_code == 409, path
    assert "clos" in read(signed_in("rose"), f"/espaces/{space.pk}/cercles/?etat=ended")
    assert "Les éclaireurs" not in read(signed_in("rose"), f"/espaces/{space.pk}/cercles/")


def test_the_list_is_searched_and_cut_in_pages_of_fifty(space):
    Circle.objects.bulk_create([Circle(space=space, name=f"Cercle {number:03d}") for number in range(120)])
    page = read(signed_in("rose"), f"/espaces/{space.pk}/cercles/?page=3")
    assert page.count("<h2>") == 20 and "Page 3 sur 3" in page
    page = read(signed_in("rose"), f"/espaces/{space.pk}/cercles/?q=cercle+007")
    assert page.count("<h2>") == 1


def test_the_sponsor_reads_numbers_and_no_name(space, circle):
    person(space, "julien", roles=(Role.SPONSOR,))
    page = read(signed_in("julien"), f"/espaces/{space.pk}/cercles/en-nombres/")
    assert "<dt>personnes dans un cercle en cours</dt><dd>3</dd>" in page
    assert not {name for name in ("Claire", "Fanny", "Karim", "Les éclaireurs") if name in page}


def test_the_next_erasure_is_told_even_of_a_circle_that_has_ended(space, circle):
    soon = circle.erase_on - timedelta(days=90)
    Circle.objects.create(
        space=space, ended_at=timezone.now(), wrapped_key=bytes(circle.wrapped_key), erase_on=soon, name="Les anciens"
    )
    assert queries.numbers(space).first_end == soon


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([(0, 3, 40), (1, 1, 40)], [("Le courage", 6)]),  # (which circle, people of one meeting, days ago)
        ([(0, 2, 40), (0, 2, 80), (1, 2, 40)], []),  # the same two may have come each time
        ([(0, 5, 40), (0, 5, 80)], []),  # one circle
        ([(0, 3, 40), (1, 3, 0)], []),  # this month is not told of yet
    ],
)
def test_a_value_is_told_of_from_three_people_and_two_circles_on(space, counts, told):
    accounts.set_values(space, ["Le courage", "La confiance"])
    value = space.values.get(name="Le courage")
    of_space = [Circle.objects.create(space=space, name=name) for name in ("Les éclaireurs", "Les anciens")]
    for number, (which, people, days) in enumerate(counts):
        ends = timezone.now() - timedelta(days=days)
        meeting = Meeting.objects.create(circle=of_space[which], number=number, uid=f"v{number}", ends_at=ends)
        ValueCount.objects.create(meeting=meeting, value=value, learnings=people + 1, people=people)
    assert queries.values_carried(space) == told
    assert queries.values_carried(space_of("Le Pont")) == []
    page = read(signed_in("rose"), f"/espaces/{space.pk}/cercles/en-nombres/")
    assert ("<dt>Le courage</dt><dd>6</dd>" in page) == bool(told) and "La confiance" not in page


def test_the_words_of_the_circle_are_in_no_letter(space, circle):
    circles.edit(circle, purpose="Un mot jaspé")
    members.wait(circle, of(space, "helene"))
    members.leave(circle.memberships.get(person__name="Karim"))
    charter.propose(circle, "Un mot jaspé", "Un mot jaspé", circle.erase_on)
    circles.end(circle)
    assert Letter.objects.count() >= 8
    assert not [each for each in Letter.objects.all() if "jaspé" in each.subject + each.text + each.html]
