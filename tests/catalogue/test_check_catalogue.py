import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

FORMATIONS = Path(__file__).parents[2] / "content" / "formations"


@pytest.fixture(autouse=True)
def in_french():
    with translation.override("fr"):
        yield


def run(*arguments):
    """What the command wrote, and its exit code."""
    out = StringIO()
    try:
        call_command("check_catalogue", *map(str, arguments), stdout=out, no_color=True)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def test_the_sample_becomes_exactly_this():
    out, code = run(FORMATIONS, "--json")
    (sample,) = json.loads(out)
    (problem,) = sample.pop("problems")

    assert code == 0
    assert sample == {
        "file": "pratiquer-le-co-developpement.md",
        "slug": "pratiquer-le-co-developpement",
        "title": "Pratiquer le co-développement",
        "category": "Ateliers",
        "price_ht": "700.00",
        "price_ttc": "840.00",
        "vat_rate": "20",
        "duration_days": "4",
        "tariff": "700 € HT soit 840 € TTC",
        "duration": "4 jours",
        "public": "Coach, psychologue du travail, manager, chef de projets, RRH, consultant",
        "prerequisites": "Aucun",
        "draft": False,
        "published": True,
    }
    assert (problem["line"], problem["level"]) == (11, "info")
    assert "ni téléchargée ni affichée" in problem["message"]
    assert problem["fix"]


def test_figures_are_plain_texts_and_null_when_unknown(tmp_path):
    (tmp_path / "b.md").write_text(
        "---\ntitle: b\ninfobox:\n  heading: 1 000 € HT soit 1 085 € TTC\n  duration: 2,5 jours\n---\n"
    )
    (tmp_path / "a.md").write_text("---\ntitle: a\ninfobox:\n  heading: à voir\n  duration: 10 jours\n---\n")
    (tmp_path / "sous").mkdir()
    (tmp_path / "sous" / "c.md").write_text("illisible")

    out, code = run(tmp_path, "--json")

    figures = ("file", "price_ht", "price_ttc", "vat_rate", "duration_days", "draft")
    assert [tuple(found[name] for name in figures) for found in json.loads(out)] == [
        ("a.md", None, None, None, "10", False),
        ("b.md", "1000.00", "1085.00", "8.5", "2.5", False),
        ("sous/c.md", None, None, None, None, None),
    ]
    assert code == 1


def test_warnings_alone_do_not_make_the_command_fail(tmp_path):
    (tmp_path / "a.md").write_text("---\ntitle: a\ninfobox:\n  heading: à voir\n---\n")

    out, code = run(tmp_path)

    assert code == 0
    assert "attention ligne 4 · Le tarif « à voir » n’est pas compris" in out


def test_the_text_form_says_what_each_page_becomes_and_what_to_do(tmp_path):
    (tmp_path / "a.md").write_text(
        "---\ntitle: a\ninfobox:\n  heading: 700 € HT soit 850 € TTC\n  duration: 2,5 jours\n---\n"
    )

    out, code = run(tmp_path)

    assert "700,00 € HT, 850,00 € TTC, TVA ? %" in out
    assert "2,5 jours → 2,5 jour(s)" in out
    assert "erreur ligne 4 ·" in out
    assert "20 % → 840,00 €" in out
    assert out.rstrip().endswith("Pages : 1 · publiées : 1 · erreurs : 1")
    assert code == 1


@pytest.mark.parametrize("name", ["nulle-part", "a.md"])
def test_what_is_no_folder_gets_one_clear_sentence(tmp_path, name):
    (tmp_path / "a.md").write_text("x")

    with pytest.raises(CommandError, match="n’est pas un dossier, ou n’existe pas"):
        run(tmp_path / name)


def test_an_empty_folder_is_an_empty_list(tmp_path):
    assert run(tmp_path, "--json") == ("[]\n", 0)
