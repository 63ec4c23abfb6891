"""Spaces and their people: who organises, who sponsors, who leaves; and nothing of one space is seen from another."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cordee.accounts import actions, queries
from cordee.accounts.models import Person, Role, Space, Value
from cordee.circles.models import Circle, Meeting
from tests.people import address, person, signed_in, space_of, user

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake() -> Space:
    made = space_of()
    person(made, "rose", roles=("organiser",))
    person(made, "karim", site="Annecy", branch="Production", level="Cadre")
    person(made, "claire", site="Lyon", branch="Vente", level="Cadre")
    return made


@pytest.fixture
def octaves() -> Space:
    """Another space of the same server, which Octave organises."""
    made = space_of("Le Pont")
    person(made, "octave", roles=("organiser", "sponsor"))
    return made


def at(name: str, **where: int) -> str:
    return reverse(f"accounts:{name}", kwargs=where)


def form(who: str, **fields: str) -> dict[str, str]:
    return {"name": who.capitalize(), "email": address(who), **fields}


def karim() -> Person:
    return Person.objects.get(email=address("karim"))


# ---------------------------------------------------------------- making a space


def test_the_operator_makes_a_space_and_names_who_organises_it():
    user("marc", is_operator=True)
    answer = signed_in("marc").post(
        at("space_new"), {"name": "Atelier du Lac", "organiser": "Rose", "address": "Rose@Example.org"}
    )
    assert answer.status_code == 302
    rose = Person.objects.get(space__name="Atelier du Lac")
    assert rose.email == address("rose") and [role.role for role in rose.roles.all()] == [Role.ORGANISER]


def test_the_operator_sees_the_names_of_spaces_and_nothing_of_their_people(lake):
    user("marc", is_operator=True)
    client = signed_in("marc")
    page = client.get(at("spaces")).content.decode()
    assert "Atelier du Lac" in page and "Karim" not in page
    assert client.get(at("space", space=lake.pk)).status_code == 404


def test_somebody_sees_their_own_spaces_alone(lake, octaves):
    page = signed_in("karim").get(at("spaces")).content.decode()
    assert "Atelier du Lac" in page and "Le Pont" not in page and "Tous les espaces" not in page


def test_an_organiser_renames_their_space(lake):
    signed_in("rose").post(at("space_name", space=lake.pk), {"name": "Atelier du Grand Lac"})
    lake.refresh_from_db()
    assert lake.name == "Atelier du Grand Lac"


# ---------------------------------------------------------------- its values


def write_values(space: Space, text: str):
    return signed_in("rose").post(at("values_edit", space=space.pk), {"names": text})


def test_an_organiser_writes_the_values_and_every_person_of_the_space_reads_them_in_their_order(lake):
    assert write_values(lake, "Le courage\r\n\r\n  La   coopération \r\nLa confiance").status_code == 302
    assert queries.values(lake) == ["Le courage", "La coopération", "La confiance"]
    page = signed_in("karim").get(at("values", space=lake.pk)).content.decode()
    assert page.index("Le courage") < page.index("La coopération") < page.index("La confiance")
    assert at("values_edit", space=lake.pk) not in page


def test_a_value_whose_word_stays_is_the_same_row_and_the_others_go(lake):
    write_values(lake, "Le courage\nLa cooperation")
    before = dict(Value.objects.values_list("plain", "pk"))
    write_values(lake, "La Coopération\nLa confiance")
    assert queries.values(lake) == ["La Coopération", "La confiance"]
    assert Value.objects.get(name="La Coopération").pk == before["la cooperation"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n".join(f"Valeur {number}" for number in range(13)), "12 valeurs au plus ; il y en a 13"),
        ("Le courage\nLE COURAGE", "« LE COURAGE » est écrit deux fois"),
        ("La coopération\nla cooperation", "« la cooperation » est écrit deux fois"),
        ("x" * 61, "60 caractères au plus"),
    ],
)
def test_values_that_are_too_many_too_long_or_written_twice_change_nothing(lake, text, says):
    write_values(lake, "Le courage")
    answer = write_values(lake, text)
    assert answer.status_code == 400 and says in answer.content.decode()
    assert queries.values(lake) == ["Le courage"]


def test_values_may_all_be_taken_away_and_those_of_another_space_stay(lake, octaves):
    actions.set_values(octaves, ["Le courage"])
    write_values(lake, "Le courage")
    write_values(lake, "")
    assert (queries.values(lake), queries.values(octaves)) == ([], ["Le courage"])


# ---------------------------------------------------------------- a sponsor


def test_a_sponsor_sees_numbers_and_no_name(lake):
    person(lake, "marc", roles=("sponsor",))
    circle = Circle.objects.create(space=lake, name="Les éclaireurs")
    Circle.objects.create(space=lake, name="Les anciens", ended_at=timezone.now())
    for number, days in ((1, -20), (2, -10), (3, 10)):
        start = timezone.now() + timedelta(days=days)
        Meeting.objects.create(
            circle=circle, number=number, uid=f"m{number}", starts_at=start, ends_at=start + timedelta(hours=2)
        )
    Meeting.objects.create(circle=circle, number=4, uid="m4", starts_at=start - timedelta(days=90),
                           ends_at=start - timedelta(days=89), cancelled_at=timezone.now())  # fmt: skip
    assert queries.figures(lake) == queries.Figures(people=4, circles=1, meetings=2)
    page = signed_in("marc").get(at("space", space=lake.pk)).content.decode()
    assert "<dd>4</dd>" in page and "<dd>1</dd>" in page and "<dd>2</dd>" in page
    for word in ("Karim", "Claire", "Les éclaireurs", "Les personnes", "@example.org"):
        assert word not in page


# ---------------------------------------------------------------- people


def test_people_are_found_by_name_address_site_branch_and_level(lake):
    rose = signed_in("rose")
    for wish, found in (
        ({"q": "kar"}, {"Karim"}),
        ({"q": "claire@"}, {"Claire"}),
        ({"site": "Lyon"}, {"Claire"}),
        ({"branch": "Production"}, {"Karim"}),
        ({"level": "Cadre", "site": "Annecy"}, {"Karim"}),
        ({"q": "personne de ce nom"}, set()),
        ({"page": "99"}, {"Karim", "Claire", "Rose"}),
        ({"q": "%"}, set()),
    ):
        page = rose.get(at("people", space=lake.pk), wish).content.decode()
        assert {name for name in ("Karim", "Claire", "Rose") if f"<strong>{name}</strong>" in page} == found, wish


def test_fifty_people_are_on_a_page(lake):
    Person.objects.bulk_create(Person(space=lake, name=f"Nadia {n:03}") for n in range(120))
    rose = signed_in("rose")
    first = rose.get(at("people", space=lake.pk), {"q": "Nadia"}).content.decode()
    assert first.count("<strong>Nadia") == 50 and "?q=Nadia&amp;page=2" in first
    last = rose.get(at("people", space=lake.pk), {"q": "Nadia", "page": "3"}).content.decode()
    assert last.count("<strong>Nadia") == 20


def test_somebody_is_added_and_is_their_account_when_there_is_one(lake):
    nadia = user("nadia")
    rose = signed_in("rose")
    answer = rose.post(at("person_new", space=lake.pk), form("nadia", manager_said="Rose"))
    made = Person.objects.get(email=address("nadia"))
    assert answer.headers["Location"] == at("person", person=made.pk)
    assert made.user == nadia and made.manager and made.manager.name == "Rose"
    assert rose.post(at("person_new", space=lake.pk), {"name": "Sans adresse"}).status_code == 302


def test_one_address_is_one_person_of_a_space(lake):
    answer = signed_in("rose").post(at("person_new", space=lake.pk), form("karim") | {"email": "KARIM@example.org"})
    assert answer.status_code == 400 and "déjà cette adresse" in answer.content.decode()


def test_people_correct_what_is_said_of_them_and_only_that(lake):
    person(lake, "fanny", email="")
    answer = signed_in("karim").post(
        at("person", person=karim().pk),
        form("karim", team="Atelier 3", needs="Une rampe", email="autre@example.org", user="1", left_at="2020-01-01"),
    )
    assert answer.status_code == 302
    assert (karim().team, karim().needs, karim().left_at) == ("Atelier 3", "Une rampe", None)


def test_nobody_takes_another_s_seat_by_changing_their_address(lake):
    """Who has an account keeps their address: an organiser who could change it could come in as them."""
    signed_in("rose").post(at("person", person=karim().pk), form("karim") | {"email": "rose+karim@example.org"})
    assert karim().user == user("karim")
    late = person(lake, "nadia", user=None)
    signed_in("rose").post(at("person", person=late.pk), form("nadia") | {"email": "n@example.org"})
    late.refresh_from_db()
    assert late.email == "n@example.org"


def test_the_page_says_who_reads_what_somebody_needs(lake):
    page = signed_in("karim").get(at("person", person=karim().pk)).content.decode()
    assert "par qui anime ses cercles et par qui organise cet espace" in page


# ---------------------------------------------------------------- managers


def manager_said(said: str, **more: str):
    return signed_in("karim").post(at("person", person=karim().pk), form("karim", manager_said=said, **more))


def test_a_manager_is_found_by_name_or_address(lake):
    manager_said("claire")
    assert karim().manager.name == "Claire"
    manager_said(address("rose"))
    assert karim().manager.name == "Rose"
    manager_said("")
    assert karim().manager is None


def test_of_several_of_one_name_one_chooses(lake):
    twins = [person(lake, "thomas", user=None, email=f"t{n}@example.org", team=f"Atelier {n}") for n in (1, 2)]
    answer = manager_said("thomas")
    page = answer.content.decode()
    assert answer.status_code == 400 and "Atelier 1" in page and "Atelier 2" in page
    manager_said("thomas", manager_is=str(twins[1].pk))
    assert karim().manager == twins[1]


@pytest.mark.parametrize("said", ["xy", "personne", "octave@example.org", "Octave", "karim"])
def test_a_manager_who_is_nobody_here_or_oneself_is_refused(lake, octaves, said):
    assert manager_said(said).status_code == 400
    assert karim().manager is None


def test_one_cannot_be_above_one_s_own_manager(lake):
    claire = Person.objects.get(email=address("claire"))
    claire.manager = karim()
    claire.save()
    assert manager_said("Claire").status_code == 400
    stranger = person(space_of("Le Pont"), "octave")
    assert manager_said("Clai", manager_is=str(stranger.pk)).status_code == 400


# ---------------------------------------------------------------- roles, leaving


def test_an_organiser_names_others_and_the_last_one_stays(lake):
    rose = Person.objects.get(email=address("rose"))
    client = signed_in("rose")
    client.post(at("roles", person=karim().pk), {"role": ["organiser", "sponsor", "operator"]})
    assert {role.role for role in karim().roles.all()} == {"organiser", "sponsor"}
    client.post(at("roles", person=karim().pk), {})
    assert not karim().roles.exists()
    assert client.post(at("roles", person=rose.pk), {"role": "sponsor"}).status_code == 409
    assert client.post(at("leave", person=rose.pk)).status_code == 409
    assert rose.roles.get().role == Role.ORGANISER


def test_who_leaves_sees_nothing_more_and_may_come_back(lake):
    client = signed_in("karim")
    mine = at("person", person=karim().pk)
    assert client.get(mine).status_code == 200
    signed_in("rose").post(at("leave", person=karim().pk))
    assert client.get(mine).status_code == 404
    assert "Karim" not in signed_in("rose").get(at("people", space=lake.pk)).content.decode()
    assert user("karim").spaces == {}


def test_an_organiser_who_left_organises_nothing(lake):
    actions.name_organiser(karim())
    rose = Person.objects.get(email=address("rose"))
    assert actions.leave_space(rose)
    assert signed_in("rose").get(at("people", space=lake.pk)).status_code == 404


# ---------------------------------------------------------------- sealed from each other


def test_nothing_of_one_space_is_seen_from_another(lake, octaves):
    octave = signed_in("octave")
    rose = Person.objects.get(email=address("rose"))
    for name in (
        "space",
        "space_name",
        "values",
        "values_edit",
        "people",
        "people_file",
        "person_new",
        "list",
        "list_model",
    ):
        for method in (octave.get, octave.post):
            assert method(at(name, space=lake.pk)).status_code in {404, 405}, name
        assert "Octave" not in octave.get(at(name, space=lake.pk)).content.decode().partition("<main")[2]
    for name in ("person", "roles", "leave"):
        for method in (octave.get, octave.post):
            assert method(at(name, person=rose.pk), {"role": "sponsor"}).status_code in {404, 405}, name
    for page in (at("people", space=octaves.pk), at("people_file", space=octaves.pk), at("spaces")):
        text = octave.get(page).content.decode()
        assert not [word for word in ("Karim", "Claire", "Rose", "Atelier du Lac") if word in text], page


def test_one_account_in_two_spaces_is_a_person_of_each_and_organises_one(lake, octaves):
    there = person(octaves, "karim", roles=("organiser",))
    client = signed_in("karim")
    assert client.get(at("people", space=octaves.pk)).status_code == 200
    assert client.get(at("people", space=lake.pk)).status_code == 404
    rose_s = signed_in("rose").get(at("person", person=Person.objects.get(space=lake, email=address("karim")).pk))
    assert rose_s.status_code == 200 and "Le Pont" not in rose_s.content.decode()
    assert signed_in("rose").get(at("person", person=there.pk)).status_code == 404


# ---------------------------------------------------------------- at the size that is promised


def test_no_page_asks_the_database_more_than_twenty_times(lake, django_assert_max_num_queries):
    Person.objects.bulk_create(
        Person(space=lake, name=f"Nadia {n}", email=f"n{n}@example.org", site=f"Site {n % 40}") for n in range(2000)
    )
    rose = signed_in("rose")
    rose.get("/")
    for page in (at("space", space=lake.pk), at("people", space=lake.pk), at("person", person=karim().pk), at("spaces"),
                 at("profile"), at("devices"), at("passkeys"), at("people_file", space=lake.pk)):  # fmt: skip
        with django_assert_max_num_queries(20):
            assert rose.get(page).status_code == 200
