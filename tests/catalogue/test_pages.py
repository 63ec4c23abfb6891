"""The catalogue as visitors see it. It has no table: none of these tests touches a database."""

import os
import re
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import NoReverseMatch, reverse

from cordee.catalogue import queries, reading

SAMPLE = Path(__file__).parents[2] / "content" / "formations" / "pratiquer-le-co-developpement.md"


def write(folder, name, title="Un atelier", head="", text="Texte."):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\ntitle: {title}\ndescription: d\n{head}---\n{text}\n")
    return path


@pytest.fixture
def folder(tmp_path, settings):
    # Plain static files: these tests run whether or not the static files were collected.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.CATALOGUE_DIR = tmp_path / "formations"
    settings.CATALOGUE_DIR.mkdir()
    return settings.CATALOGUE_DIR


@pytest.fixture
def visitor():
    return Client(headers={"accept-language": "fr"})


def text_of(response):
    return response.content.decode()


def test_the_sample_has_a_page_that_shows_all_it_says(folder, visitor):
    (folder / SAMPLE.name).write_bytes(SAMPLE.read_bytes())

    html = text_of(visitor.get("/ateliers/pratiquer-le-co-developpement/"))

    assert "<h1>Pratiquer le co-développement</h1>" in html
    for shown in (
        "Générer des pistes de solution créatives",
        "Cette méthode démultiplie",
        "Tarif individuel",
        "700 € HT soit 840 € TTC",
        "700,00 € HT, 840,00 € TTC (TVA 20 %)",
        "4 jours",
        "psychologue du travail",
        "Aucun",
        "dansÍ la mise en oeuvre",
    ):
        assert shown in html
    assert re.findall(r'<span class="letter"[^>]*>(.)</span>', html) == list("MENTOR")


def test_no_page_loads_anything_from_elsewhere(folder, visitor):
    (folder / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    write(folder, "autre.md", text="![au loin](https://example.org/a.png) <img src='//example.org/b.png' alt='là'>")

    for address in ("/ateliers/", "/ateliers/pratiquer-le-co-developpement/", "/ateliers/autre/"):
        html = text_of(visitor.get(address))
        assert not re.search(r"""(src|srcset|poster)\s*=\s*["']?\s*(https?:|//)""", html, re.IGNORECASE)
        assert "cloudinary" not in html
    assert "au loin" in html


def test_the_list_groups_workshops_by_category_in_the_order_of_their_weights(folder, visitor):
    write(folder, "a.md", "Zéro", "category: Ateliers\nweight: 1\n")
    write(folder, "b.md", "Écouter", "category: Ateliers\n")
    write(folder, "c.md", "Fédérer", "category: Ateliers\n")
    write(folder, "d.md", "Conduire", "category: Accompagnement\n")
    write(folder, "e.md", "Ailleurs")

    html = text_of(visitor.get("/ateliers/"))

    assert re.findall(r"<h[23][^>]*>(?:<a[^>]*>)?([^<]+)", html) == [
        "Accompagnement",
        "Conduire",
        "Ateliers",
        "Zéro",
        "Écouter",
        "Fédérer",
        "Autres",
        "Ailleurs",
    ]


def test_drafts_and_pages_without_title_are_neither_listed_nor_found(folder, visitor):
    write(folder, "brouillon.md", "En chantier", "draft: true\n")
    write(folder, "anonyme.md", "")

    html = text_of(visitor.get("/ateliers/"))

    assert "En chantier" not in html
    assert "workshop-card" not in html
    assert visitor.get("/ateliers/brouillon/").status_code == 404
    assert visitor.get("/ateliers/anonyme/").status_code == 404
    assert visitor.get("/ateliers/inconnu/").status_code == 404


def test_a_broken_page_leaves_the_others_in_place(folder, visitor):
    write(folder, "bonne.md", "Tient debout")
    write(folder, "cassee.md", "un : deux : trois")
    (folder / "binaire.md").write_bytes(bytes(range(256)))
    (folder / "boucle.md").symlink_to("boucle.md")

    assert "Tient debout" in text_of(visitor.get("/ateliers/"))
    assert visitor.get("/ateliers/bonne/").status_code == 200
    assert visitor.get("/ateliers/cassee/").status_code == 404


def test_what_an_author_types_is_shown_as_text(folder, visitor):
    write(folder, "a.md", "<script>1</script>", "infobox:\n  heading: <b>700</b>\n  duration: '<i>'\n")

    for address in ("/ateliers/", "/ateliers/a/"):
        html = text_of(visitor.get(address))
        assert "<script>1" not in html
        assert "&lt;script&gt;1" in html
        assert "<b>700" not in html


def test_an_edited_page_shows_without_a_restart(folder, visitor):
    path = write(folder, "a.md", "Avant")
    assert "Avant" in text_of(visitor.get("/ateliers/a/"))

    write(folder, "a.md", "Après")
    os.utime(path, ns=(1, 1))
    assert "Après" in text_of(visitor.get("/ateliers/a/"))

    path.unlink()
    assert visitor.get("/ateliers/a/").status_code == 404


def test_unchanged_pages_are_read_once(folder, monkeypatch):
    write(folder, "a.md")
    first = queries.workshop("a")
    monkeypatch.setattr(reading, "read_catalogue", lambda *_: pytest.fail("read again"))

    assert queries.workshop("a") is first


def test_a_missing_folder_gives_an_empty_list_and_a_warning_of_the_check(settings, folder, visitor):
    settings.CATALOGUE_DIR = folder / "nulle-part"

    assert "Aucun atelier" in text_of(visitor.get("/ateliers/"))
    assert [found.id for found in run_checks(tags=["catalogue"])] == ["catalogue.W001"]


def test_the_check_warns_of_errors_only_with_file_and_line(folder):
    write(folder, "bonne.md", head="infobox:\n  heading: dès 700 €\n")
    write(folder, "cassee.md", "un : deux")

    (warning,) = run_checks(tags=["catalogue"])

    assert warning.msg.startswith("cassee.md:2 ")
    assert not warning.is_serious()


def test_the_shipped_catalogue_has_no_error():
    assert run_checks(tags=["catalogue"]) == []


def test_a_local_image_is_served_by_the_application(folder, visitor):
    write(folder, "pages/a.md", head="image: été.png\n", text="![Un cercle](été.png)")
    (folder / "pages" / "été.png").write_bytes(b"\x89PNG")

    html = text_of(visitor.get("/ateliers/a/"))
    addresses = re.findall(r'<img src="([^"]+)"', html)

    assert len(addresses) == 2
    response = visitor.get(addresses[0])
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response) == b"\x89PNG"


@pytest.mark.parametrize(
    "path",
    [
        "../secret.png",
        "%2e%2e/secret.png",
        "..%2fsecret.png",
        "sous/../../secret.png",
        "/secret.png",
        "lien.png",
        "dossier-lie/secret.png",
        ".cache.png",
        ".git/a.png",
        "a.md",
        "dessin.svg",
        "sous",
        "sous.png",
        "a.png%00.md",
        "boucle.png",
        "..%5csecret.png",
    ],
)
def test_the_image_address_gives_nothing_but_images_of_the_folder(folder, visitor, path):
    secret = folder.parent / "secret.png"
    secret.write_bytes(b"secret")
    (folder / "sous.png").mkdir()
    (folder / ".git").mkdir()
    for name in (".cache.png", ".git/a.png", "dessin.svg"):
        (folder / name).write_bytes(b"secret")
    (folder / "lien.png").symlink_to(secret)
    (folder / "dossier-lie").symlink_to(folder.parent)
    (folder / "boucle.png").symlink_to("boucle.png")
    write(folder, "a.md")

    response = visitor.get(f"/ateliers/images/{path}")

    assert response.status_code == 404


def test_the_catalogue_only_answers_reading(folder, visitor):
    assert visitor.post("/ateliers/").status_code == 405


def test_a_workshop_invites_to_open_a_room_for_it(folder, visitor):
    write(folder, "a.md")
    try:
        address = reverse("room:new")
    except NoReverseMatch:
        pytest.skip("rooms have no address yet")

    html = text_of(visitor.get("/ateliers/a/"))

    assert f'<form method="post" action="{address}">' in html
    assert '<input type="hidden" name="workshop" value="a">' in html
    assert "csrfmiddlewaretoken" in html
