"""A list of people, as spreadsheets write them: read, compared, taken whole or not at all."""

from time import process_time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from cordee.accounts import lists
from cordee.accounts.actions import import_people
from cordee.accounts.models import Person, Space, Upload
from cordee.accounts.reading import LARGEST, cell, read, tidy
from tests.people import person, signed_in, space_of, user

pytestmark = pytest.mark.django_db
HEAD = "Nom;Adresse e-mail;Site;Responsable\n"


@pytest.fixture
def lake() -> Space:
    made = space_of()
    person(made, "rose", roles=("organiser",))
    return made


def faults(text: str | bytes) -> list[tuple[int, str]]:
    reading = read(text if isinstance(text, bytes) else text.encode())
    return [(fault.line, fault.says) for fault in reading.faults]


def plan(space: Space, text: str) -> lists.Plan:
    return lists.plan(space, read(text.encode()))


def take(space: Space, text: str) -> lists.Plan:
    return import_people(space, read(text.encode()))


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_a_french_excel_writes_is_read(encoding, separator, end):
    rows = [["Prénom", "NOM", "adresse E-MAIL", "Équipe"], ["Hélène", "", "Helene@Example.org", "L’atelier"]]
    rows[1][1] = "Aïcha"
    text = end.join(separator.join(row) for row in rows) + end
    (row,) = read(text.encode(encoding)).rows
    assert (row.email, row.values) == ("helene@example.org", {"name": "Hélène Aïcha", "team": "L’atelier"})


@pytest.mark.parametrize(
    "titles", ["nom;e-mail", "NOM;Courriel", "Nom et prénom;adresse mail", "Name;E-mail address", " Nom ; Mail "]
)
def test_titles_are_free(titles):
    assert len(read(f"{titles}\nKarim;karim@example.org\n".encode()).rows) == 1


def test_unknown_columns_are_told_and_left_aside(lake):
    made = plan(lake, "Nom;Couleur;Mail;Besoins\nKarim;bleu;karim@example.org;une rampe\n")
    assert made.unknown == ["Couleur", "Besoins"] and made.can_be_done
    assert made.new[0].values == {"name": "Karim"}


def test_quotes_blank_lines_and_lines_within_a_cell_keep_the_numbers_of_lines():
    text = HEAD + '"Karim";karim@example.org;"Annecy\nle Vieux";\n\n;;;\n"Dit ""Jo""";pas une adresse;;\n'
    reading = read(text.encode())
    assert reading.rows[0].values["site"] == "Annecy le Vieux"
    assert [fault.line for fault in reading.faults] == [6]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 0, "vide"),
        ("Nom;Mail\n", 0, "vide"),
        ("Nom\nKarim\n", 1, "Il manque la colonne « Adresse e-mail »"),
        ("Mail\nk@example.org\n", 1, "Il manque la colonne « Nom »"),
        ("Nom;Mail;E-mail\nKarim;k@e.fr;k@e.fr\n", 1, "Deux colonnes veulent dire « Adresse e-mail »"),
        (HEAD + "Karim;karim;Annecy;\n", 2, "« karim » n’est pas une adresse e-mail"),
        (HEAD + ";k@example.org;;\n", 2, "« Nom » est vide"),
        (HEAD + "Karim;;;\n", 2, "« Adresse e-mail » est vide"),
        (HEAD + "Karim;k@example.org;;rose\n", 2, "attendue dans « Responsable »"),
        (HEAD + "K;k@example.org;;;;;x\n", 2, "7 colonnes, 4 attendues"),
        (HEAD + f"{'K' * 121};k@example.org;;\n", 2, "plus de 120 caractères"),
        (HEAD + 'K;k@example.org;"Annecy;\n', 2, "guillemet"),
    ],
)
def test_each_fault_says_its_line_and_what_was_expected(text, line, says):
    found = faults(text)
    assert [number for number, _ in found] == [line] and says in found[0][1]


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04xlsx", "Nom;Mail\n".encode("utf-16"), b"Nom;Mail\n\x81\x8d\n", bytes(2000)]
)
def test_what_is_no_csv_is_said(content):
    assert "Ce n’est pas un fichier CSV" in faults(content)[0][1]


def test_five_megabytes_are_the_most():
    assert "dépasse 5 Mo" in faults(b"x" * (LARGEST + 1))[0][1] and LARGEST == 5 * 1024 * 1024


def test_twenty_thousand_people_are_the_most():
    text = "Nom;Mail\n" + "".join(f"K;k{n}@example.org\n" for n in range(20_005))
    assert [says for _, says in faults(text)] == ["Plus de 20 000 personnes. Coupez la liste en plusieurs fichiers."]


# ---------------------------------------------------------------- comparing


def test_the_preview_counts_new_changed_unchanged_and_refused(lake):
    person(lake, "karim", site="Annecy")
    person(lake, "claire", site="Annecy")
    made = plan(
        lake,
        HEAD + "Karim;karim@example.org;Annecy;\nClaire;CLAIRE@example.org;Lyon;\nNadia;nadia@example.org;;\nX;x;;\n",
    )
    assert (len(made.new), len(made.changed), made.unchanged, made.refused) == (1, 1, 1, 1)
    assert made.changed[0][1] == {"site": "Lyon"}


def test_an_address_comes_once(lake):
    made = plan(lake, HEAD + "K;k@example.org;;\nK;K@example.org;;\n")
    assert [(fault.line, fault.says) for fault in made.faults] == [(3, "L’adresse k@example.org est déjà ligne 2.")]


def test_an_empty_cell_changes_nothing(lake):
    person(lake, "karim", site="Annecy", manager=Person.objects.get())
    assert plan(lake, HEAD + "Karim;karim@example.org;;\n").unchanged == 1


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ("A;a@e.fr;;inconnu@e.fr\n", [2]),
        ("A;a@e.fr;;a@e.fr\n", [2]),
        ("A;a@e.fr;;b@e.fr\nB;b@e.fr;;a@e.fr\nC;c@e.fr;;a@e.fr\n", [2, 3]),
        ("A;a@e.fr;;b@e.fr\nB;b@e.fr;;c@e.fr\nC;c@e.fr;;a@e.fr\nD;d@e.fr;;rose@example.org\n", [2, 3, 4]),
        ("A;a@e.fr;;rose@example.org\nRose;rose@example.org;;a@e.fr\n", [2, 3]),
        ("A;a@e.fr;;rose@example.org\nB;b@e.fr;;a@e.fr\n", []),
    ],
)
def test_managers_are_known_and_go_round_in_no_circle(lake, rows, lines):
    assert [fault.line for fault in plan(lake, HEAD + rows).faults] == lines


def test_a_circle_that_passes_by_who_is_not_in_the_list_is_seen(lake):
    rose = Person.objects.get()
    silent = person(lake, "marc", email="", user=None, manager=rose)
    karim = person(lake, "karim", manager=silent)
    assert karim and plan(lake, HEAD + "Rose;rose@example.org;;karim@example.org\n").refused == 1


# ---------------------------------------------------------------- taking


def test_a_list_is_taken_with_its_managers_whatever_their_order(lake):
    text = HEAD + "C;c@e.fr;;b@e.fr\nB;b@e.fr;Lyon;a@e.fr\nA;a@e.fr;;rose@example.org\n"
    assert take(lake, text).can_be_done
    above = {one.email: one.manager and one.manager.email for one in Person.objects.select_related("manager")}
    assert above == {"rose@example.org": None, "a@e.fr": "rose@example.org", "b@e.fr": "a@e.fr", "c@e.fr": "b@e.fr"}


def test_the_same_list_twice_changes_nothing_the_second_time(lake):
    text = HEAD + "Karim;karim@example.org;Annecy;rose@example.org\n"
    take(lake, text)
    again = take(lake, text)
    assert (len(again.new), len(again.changed), again.unchanged) == (0, 0, 1)


def test_who_changed_is_changed_and_who_is_not_in_the_list_stays(lake):
    person(lake, "karim", site="Annecy", team="Atelier 2")
    person(lake, "claire")
    take(lake, HEAD + "Karim Ben;karim@example.org;Lyon;claire@example.org\n")
    karim = Person.objects.get(email="karim@example.org")
    assert (karim.name, karim.site, karim.team, karim.user) == ("Karim Ben", "Lyon", "Atelier 2", user("karim"))
    assert karim.manager and karim.manager.name == "Claire"
    assert Person.objects.count() == 3


def test_who_had_left_and_is_in_the_list_comes_back(lake):
    gone = person(lake, "karim", left_at="2026-01-01T00:00Z")
    assert len(take(lake, HEAD + "Karim;karim@example.org;;\n").changed) == 1
    gone.refresh_from_db()
    assert gone.left_at is None


def test_one_line_that_is_refused_and_nothing_is_taken(lake):
    made = take(lake, HEAD + "Karim;karim@example.org;;\nX;x;;\n")
    assert not made.can_be_done and Person.objects.count() == 1


def test_a_failure_half_way_leaves_nothing(lake, monkeypatch):
    person(lake, "claire")

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(lists, "_change", broken)
    with pytest.raises(RuntimeError):
        take(lake, HEAD + "Karim;karim@example.org;;\nClaire;claire@example.org;Lyon;\n")
    assert Person.objects.count() == 2


def test_an_account_is_its_person_at_once_and_never_two_of_a_space(lake):
    nadia = user("nadia")
    person(lake, "karim", email="k.autre@example.org")
    take(lake, HEAD + "Nadia;nadia@example.org;;\nKarim;karim@example.org;;\n")
    assert Person.objects.get(email="nadia@example.org").user == nadia
    assert Person.objects.get(email="karim@example.org").user is None


def test_a_list_touches_no_other_space(lake):
    there = person(space_of("Le Pont"), "karim", user=None, site="Brest")
    take(lake, HEAD + "Karim;karim@example.org;Annecy;\n")
    there.refresh_from_db()
    assert there.site == "Brest" and Person.objects.filter(email="karim@example.org").count() == 2
    assert plan(lake, HEAD + "X;x@example.org;;octave@example.org\n").refused == 1


# ---------------------------------------------------------------- the pages


def post(client, space: Space, content: bytes | str, name: str = "liste.csv"):
    body = content.encode() if isinstance(content, str) else content
    return client.post(reverse("accounts:list", args=[space.pk]), {"file": SimpleUploadedFile(name, body)})


def test_a_list_is_looked_at_then_confirmed(lake):
    rose = signed_in("rose")
    page = post(rose, lake, HEAD + "Karim;karim@example.org;Annecy;\n")
    assert page.status_code == 200 and "Importer" in page.content.decode()
    assert Person.objects.count() == 1
    assert rose.post(reverse("accounts:list", args=[lake.pk]), {"confirm": "1"}).status_code == 302
    assert Person.objects.count() == 2 and not Upload.objects.exists()
    assert rose.post(reverse("accounts:list", args=[lake.pk]), {"confirm": "1"}).status_code == 409


def test_what_is_confirmed_is_compared_anew(lake):
    rose = signed_in("rose")
    boss = person(lake, "karim")
    post(rose, lake, HEAD + "Nadia;nadia@example.org;;karim@example.org\n")
    boss.delete()
    answer = rose.post(reverse("accounts:list", args=[lake.pk]), {"confirm": "1"})
    assert answer.status_code == 409 and "Ligne 2" in answer.content.decode()
    assert not Person.objects.filter(email="nadia@example.org").exists()


def test_nobody_confirms_the_list_of_another(lake):
    person(lake, "claire", roles=("organiser",))
    post(signed_in("rose"), lake, HEAD + "Karim;karim@example.org;;\n")
    assert signed_in("claire").post(reverse("accounts:list", args=[lake.pk]), {"confirm": "1"}).status_code == 409
    assert Upload.objects.count() == 1


def test_a_refused_list_says_its_lines_and_cannot_be_confirmed(lake):
    rose = signed_in("rose")
    page = post(rose, lake, HEAD + "<b>X</b>;x;;\n" * 60).content.decode()
    assert "Ligne 2" in page and "et 10 autres" in page and "<b>X" not in page
    assert rose.post(reverse("accounts:list", args=[lake.pk]), {"confirm": "1"}).status_code == 409


def test_a_page_without_a_file_or_with_one_too_large_says_so(lake):
    rose = signed_in("rose")
    assert "Choisissez un fichier" in rose.post(reverse("accounts:list", args=[lake.pk]), {}).content.decode()
    assert "dépasse 5 Mo" in post(rose, lake, b"x" * (LARGEST + 1)).content.decode()


def test_the_model_file_is_read_back(lake):
    content = signed_in("rose").get(reverse("accounts:list_model", args=[lake.pk])).content
    assert content.startswith(b"\xef\xbb\xbf")
    reading = read(content)
    assert [row.values["name"] for row in reading.rows] == ["Rose", "Karim"] and not reading.faults
    assert not reading.unknown


# ---------------------------------------------------------------- what a spreadsheet would run


@pytest.mark.parametrize("value", ['=cmd|"/c calc"!A1', "+33 6", "-2", "@SUM(A1)", "=1+1"])
def test_no_value_is_run_by_a_spreadsheet_and_each_comes_back_as_it_was(lake, value):
    person(lake, "karim", site=value, name=value)
    text = signed_in("rose").get(reverse("accounts:people_file", args=[lake.pk])).content.decode()
    cells = [part.strip('"') for line in text.splitlines() for part in line.split(";")]
    assert not [one for one in cells if one.startswith(("=", "+", "-", "@"))]
    assert tidy(cell(value)) == value
    again = take(lake, text.removeprefix("\ufeff"))
    assert again.can_be_done and not again.changed and not again.new, (again.faults, again.changed)


def test_what_cannot_be_seen_is_taken_out(lake):
    take(lake, HEAD + "Ka\u200brim\u202e;karim@example.org;An\x07necy;\n")
    karim = Person.objects.get(email="karim@example.org")
    assert (karim.name, karim.site) == ("Karim", "Annecy")


# ---------------------------------------------------------------- at the size that is promised


def large(people: int, site: str = "Annecy") -> str:
    """A pyramid of managers: each has nine below."""
    rows = (
        f"Karim {n};k{n}@example.org;{site} {n % 30};{f'k{n // 9}@example.org' if n else ''}\n" for n in range(people)
    )
    return HEAD + "".join(rows)


def test_ten_thousand_people_are_taken_in_under_ten_seconds(lake):
    begun = process_time()  # of ours: what others do meanwhile, the database among them, does not count
    assert len(take(lake, large(10_000)).new) == 10_000
    taken = process_time()
    assert len(take(lake, large(10_000, "Lyon")).changed) == 10_000
    changed = process_time()
    assert take(lake, large(10_000, "Lyon")).unchanged == 10_000
    same = process_time()
    print(f"new {taken - begun:.1f} s, changed {changed - taken:.1f} s, unchanged {same - changed:.1f} s")
    assert max(taken - begun, changed - taken, same - changed) < 10
    assert Person.objects.exclude(manager=None).count() == 9_999
