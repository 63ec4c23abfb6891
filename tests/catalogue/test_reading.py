import hashlib
import os
import subprocess
import sys
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordee.catalogue.phrases import advice, message
from cordee.catalogue.reading import read_catalogue, read_page, slug_of

FORMATIONS = Path(__file__).parents[2] / "content" / "formations"
SAMPLE = FORMATIONS / "pratiquer-le-co-developpement.md"
GOOD = "---\ntitle: Oser la question\ncategory: Ateliers\ndescription: Une page.\n---\nTexte.\n"


def page(text, **options):
    return read_page(text.encode() if isinstance(text, str) else text, "page.md", **options)


def codes(found, *levels):
    return [(p.code, p.line) for p in found.problems if not levels or p.level in levels]


def test_the_sample_is_published_unmodified():
    assert hashlib.sha256(SAMPLE.read_bytes()).hexdigest() == (
        "08ccc9dee16a0387ca3b588974a79437cc7528dd5c32c5910c8eb9c33a5f258a"
    )


def test_the_sample_becomes_a_workshop_with_exact_figures():
    found = read_page(SAMPLE.read_bytes(), SAMPLE.name)
    workshop = found.workshop

    assert workshop.slug == "pratiquer-le-co-developpement"
    assert workshop.title == "Pratiquer le co-développement"
    assert workshop.category == "Ateliers"
    assert workshop.goals.endswith("apportées par chaque participant.")
    assert workshop.tariff_label == "Tarif individuel"
    assert workshop.tariff == "700 € HT soit 840 € TTC"
    assert (workshop.price_ht, workshop.price_ttc, workshop.vat_rate) == (Decimal(700), Decimal(840), Decimal(20))
    assert workshop.duration_days == 4
    assert workshop.public.startswith("Coach, psychologue du travail")
    assert workshop.prerequisites == "Aucun"
    assert workshop.published
    assert "dansÍ la mise en oeuvre" in workshop.body
    assert "<h2>Déroulement" in workshop.body
    assert codes(found) == [("remote-image", 11)]


def test_the_six_letters_of_the_sample_become_steps_and_leave_the_text():
    workshop = read_page(SAMPLE.read_bytes(), SAMPLE.name).workshop

    assert "".join(step.letter for step in workshop.steps) == "MENTOR"
    assert workshop.steps[0].name == "Matériaux"
    assert workshop.steps[0].text == "sélection des situations"
    assert workshop.steps[5].text.startswith("le groupe traite d'autres situations")
    assert "Matériaux" not in workshop.body + workshop.after


@pytest.mark.parametrize(
    ("text", "letters", "names"),
    [
        ("**A** Accueil : un\n**B** Bilan : deux", "AB", ["Accueil", "Bilan"]),
        ("- **A** Accueil : un\n- **B** Bilan : deux", "AB", ["Accueil", "Bilan"]),
        ("**A**ccueil : un\n**B**ilan : deux", "AB", ["Accueil", "Bilan"]),
        ("**A** Accueil : un\ndeux trois\n**É** Écoute", "AÉ", ["Accueil", "Écoute"]),
        ("Un **A** seul : non\n**B** Bilan : deux", "", []),
        ("**A** Accueil : une seule lettre", "", []),
        ("```\n**A** Accueil : un\n**B** Bilan : deux\n```", "", []),
    ],
)
def test_lettered_lines_are_found_where_they_are(text, letters, names):
    steps = page(GOOD + "\n" + text).workshop.steps

    assert "".join(step.letter for step in steps) == letters
    assert [step.name for step in steps] == names


def test_a_step_broken_over_two_lines_keeps_all_its_words_and_its_links():
    steps = page(GOOD + "\n**A** Accueil : un\ndeux [trois](https://example.org)\n**B** Bilan : fin").workshop.steps

    assert steps[0].text == "un deux trois"
    assert 'href="https://example.org"' in steps[0].html


def test_text_after_the_steps_stays_after_them():
    workshop = page(GOOD + "\n**A** Accueil : un\n**B** Bilan : deux\n\nEt après.").workshop

    assert "Texte." in workshop.body
    assert "Et après." in workshop.after


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "empty-file", 1),
        (b"\n  \n", "empty-file", 1),
        (b"# Un titre\n", "no-head", 1),
        (b"+++\ntitle = 'x'\n+++\n", "toml-head", 1),
        (b"---\ntitle: x\n", "unclosed-head", 1),
        (b"---\n- x\n---\n", "head-without-keys", 2),
        (b"---\ntitle: x\ngoals: a : b\n---\n", "colon-in-head", 3),
        (b"---\ntitle: x\ninfobox:\n\theading: 1\n---\n", "tab-in-head", 4),
        (b'---\ntitle: "x\ngoals: y\n---\n', "open-quote", 2),
        (b"---\ntitle: x\n goals: [\n---\n", "colon-in-head", 3),
        (b"---\ntitle: [x\n---\n", "broken-yaml-here", 2),
        (b"---\ntitle: x\x07\n---\n", "control-character", 2),
        (b"---\ntitle: \xe9t\xe9\n---\n", "not-utf-8", 2),
        ("---\ntitle: x\n---\n".encode("utf-16"), "not-utf-8", 1),
        (b"---\na: &a [*a]\n---\n", "tangled-head", 2),
        (b"---\na: " + b"[" * 5000 + b"\n---\n", "broken-yaml", 2),
    ],
)
def test_a_page_that_cannot_be_read_says_what_and_where(data, code, line):
    found = page(data)

    assert found.workshop is None
    assert codes(found) == [(code, line)]


def test_an_alias_bomb_is_refused_rather_than_unfolded():
    bomb = "---\na: &a [x,x,x,x,x,x,x,x,x,x]\n"
    bomb += "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True))

    assert codes(page(bomb + "---\n"))[0][0] == "tangled-head"


def test_a_mark_of_encoding_and_windows_line_ends_are_read_and_noted():
    found = page(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    assert found.workshop.title == "Oser la question"
    assert codes(found) == [("byte-order-mark", 1), ("windows-line-ends", 1)]


def test_a_page_without_title_is_an_error_and_is_not_published():
    found = page("---\ncategory: x\ndescription: y\ntitle:\n---\n")

    assert codes(found) == [("no-title", 4)]
    assert not found.workshop.published


def test_a_key_written_twice_keeps_the_last_and_reports_the_first():
    found = page(GOOD.replace("category", "Title: Le second\ncategory"))

    assert found.workshop.title == "Le second"
    assert codes(found) == [("repeated-key", 3)]
    assert "Oser la question" in message(found.problems[0])


def test_values_stay_as_written():
    workshop = page("---\nTITLE: Yes\nCategory: 2024-01-01\ndescription: 0700\n---\n").workshop

    assert (workshop.title, workshop.category, workshop.description) == ("Yes", "2024-01-01", "0700")


def test_unknown_keys_are_kept():
    head = "---\ntitle: x\nseo: {robots: no}\ninfobox:\n  lieu: Paris\n  Heading: Sur devis\n---\n"
    workshop = page(head).workshop

    assert workshop.extra == {"seo": {"robots": "no"}, "infobox.lieu": "Paris"}
    assert workshop.tariff == "Sur devis"


def test_lists_tags_and_weights_of_real_pages_are_read():
    workshop = page(
        "---\ntitle: x\ntags: [écoute, pairs]\nweight: 30\ngoals:\n  - un\n  - deux\n"
        "infobox:\n  public: [RRH, manager]\n---\n"
    ).workshop

    assert workshop.tags == ("écoute", "pairs")
    assert workshop.weight == 30
    assert workshop.goals == "un\ndeux"
    assert workshop.public == "RRH, manager"


def test_a_field_of_the_wrong_shape_is_reported_and_kept_aside():
    found = page("---\ntitle: x\ncategory: c\ndescription:\n  fr: bonjour\ninfobox: 700 €\nweight: lourd\n---\n")

    assert set(codes(found, "warning")) == {
        ("not-a-text", 4),
        ("infobox-without-keys", 6),
        ("unclear-weight", 7),
    }
    assert found.workshop.extra["description"] == {"fr": "bonjour"}
    assert found.workshop.extra["infobox"] == "700 €"


@pytest.mark.parametrize(("written", "draft"), [("true", True), ("Oui", True), ("false", False), ("", False)])
def test_drafts_are_told_from_the_rest(written, draft):
    assert page(GOOD.replace("category", f"draft: {written}\ncategory")).workshop.draft is draft


def test_a_draft_neither_yes_nor_no_is_hidden_and_reported():
    found = page(GOOD.replace("category", "draft: bientôt\ncategory"))

    assert found.workshop.draft
    assert codes(found) == [("unclear-draft", 3)]


def test_figures_that_cannot_be_read_are_kept_as_written_and_reported_with_their_line():
    found = page(GOOD.replace("description", "infobox:\n  heading: dès 700 €\n  duration: au choix\ndescription"))

    assert (found.workshop.tariff, found.workshop.duration) == ("dès 700 €", "au choix")
    assert codes(found) == [("tariff-unread", 5), ("duration-unread", 6)]


def test_text_that_looks_misencoded_or_invisible_is_left_alone_and_noted():
    found = page(GOOD.replace("Une page.", "DÃ©couvrir\u200b"))

    assert found.workshop.description == "DÃ©couvrir\u200b"
    assert codes(found) == [("misencoded", 4), ("invisible-character", 4)]


@pytest.mark.parametrize(
    ("file", "slug"),
    [
        ("Écouter & œuvrer à deux.md", "ecouter-oeuvrer-a-deux"),
        ("management/Déléguer.MD", "deleguer"),
        ("deleguer/index.md", "deleguer"),
        ("cafe\u0301\u200b.md", "cafe"),
    ],
)
def test_the_address_of_a_page_comes_from_its_file_name(file, slug):
    assert slug_of(file) == slug


def test_a_name_without_latin_letters_still_has_an_address():
    assert slug_of("日本.md").startswith("atelier-")
    assert slug_of("日本.md") != slug_of("中国.md")


def test_two_pages_never_share_an_address(tmp_path):
    for name in ("deleguer.md", "Déléguer.md", "deleguer-2.md"):
        (tmp_path / name).write_text(GOOD)

    found = read_catalogue(tmp_path)

    assert sorted(p.slug for p in found) == ["deleguer", "deleguer-2", "deleguer-3"]
    assert {p.slug: p.file for p in found}["deleguer-2"] == "deleguer-2.md"
    assert [p.code for each in found for p in each.problems] == ["same-slug"]


def test_broken_files_do_not_prevent_the_others_from_being_read(tmp_path):
    (tmp_path / "bonne.md").write_text(GOOD)
    (tmp_path / "cassee.md").write_text("---\ntitle: a : b\n---\n")
    (tmp_path / "dossier.md").mkdir()
    (tmp_path / "boucle.md").symlink_to("boucle.md")
    (tmp_path / "perdu.md").symlink_to("nulle-part")
    (tmp_path / "retour").symlink_to(".")
    (tmp_path / "enorme.md").write_bytes(b" " * 1_000_001)
    os.mkfifo(tmp_path / "tube.md")
    (tmp_path / ".cache.md").write_text("x")
    (tmp_path / "sous dossier").mkdir()
    (tmp_path / "sous dossier" / "Été.md").write_text(GOOD)
    (tmp_path / "sous dossier" / "_index.md").write_text("---\ntitle: Rubrique\n---\n")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).write_text(GOOD)

    found = {p.file: p for p in read_catalogue(tmp_path)}

    assert {file: [p.code for p in each.problems] for file, each in found.items()} == {
        "bonne.md": [],
        "boucle.md": ["broken-link"],
        "caf\ufffd.md": [],
        "cassee.md": ["colon-in-head"],
        "dossier.md": ["folder-named-as-page"],
        "enorme.md": ["huge-file"],
        "perdu.md": ["broken-link"],
        "retour": ["linked-folder"],
        "sous dossier/_index.md": ["section-page"],
        "sous dossier/Été.md": [],
        "tube.md": ["not-a-file"],
    }
    assert sorted(file for file, each in found.items() if each.workshop) == [
        "bonne.md",
        "caf\ufffd.md",
        "sous dossier/Été.md",
    ]


def test_a_local_image_is_shown_and_a_remote_or_missing_one_gives_way_to_its_words(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "été 1.png").write_bytes(b"png")
    (tmp_path.parent / "secret.png").write_bytes(b"png")
    text = (
        "---\ntitle: x\ncategory: c\ndescription: d\nimage: photos/été 1.png\n---\n"
        "![ici](photos/%C3%A9t%C3%A9%201.png)\n![là-bas](https://example.org/a.png)\n"
        '<img src="//example.org/b.png" alt="brut <b>">\n![perdue](nulle.png)\n![dehors](../secret.png)\n'
    )
    (tmp_path / "page.md").write_text(text)

    (found,) = read_catalogue(tmp_path)

    assert found.workshop.image_url == "photos/%C3%A9t%C3%A9%201.png"
    assert found.workshop.body.count("<img") == 1
    for words in ("là-bas", "brut &lt;b&gt;", "perdue", "dehors"):
        assert words in found.workshop.body
    assert codes(found) == [("remote-image", 8), ("remote-image", 9), ("missing-image", 10), ("missing-image", 11)]


def test_headings_follow_the_title_whatever_level_they_start_at():
    body = page(GOOD + "\n##### Un\n\n###### Deux\n").workshop.body

    assert "<h2>Un</h2>" in body
    assert "<h3>Deux</h3>" in body


class Suspicious(HTMLParser):
    """Collects what could run, or fetch, in a page."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in {"script", "style", "iframe", "object", "embed", "form", "svg", "base", "meta", "link"}:
            self.found.append(tag)
        for name, value in attrs:
            address = (value or "").strip().lower()
            if name.startswith("on") or name == "style" or address.startswith(("javascript:", "vbscript:", "data:")):
                self.found.append((name, value))
            if name in ("src", "srcset", "poster", "background"):
                self.found.append((name, value))


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "<a href=' javascript:alert(1)'>x</a>",
    "<svg/onload=alert(1)>",
    "<iframe src=//example.org></iframe>",
    "<p style='background:url(//example.org)'>x</p>",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<img srcset='https://example.org/a.png 2x' alt='\"><script>1</script>'>",
    "<picture><source srcset='https://example.org/a.png'></picture>",
    "**A** <b onclick=x>Accueil</b> : un\n**B** <script>1</script> : deux",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_a_page_can_run_or_fetch(attack):
    workshop = page(GOOD + "\n" + attack).workshop

    html = workshop.body + workshop.after + "".join(step.html for step in workshop.steps)
    assert Suspicious(html).found == []


fragments = st.lists(
    st.sampled_from([*ATTACKS, "\n\n", "**A** ", "`", "*", "> ", "<", '"', "|", "- "]) | st.text(max_size=8)
)


@settings(deadline=None)
@given(fragments.map("".join))
def test_no_mixture_of_attacks_survives_cleaning(text):
    workshop = page(GOOD + "\n" + text).workshop

    assert Suspicious(workshop.body + workshop.after + "".join(step.html for step in workshop.steps)).found == []


yaml_like = st.lists(
    st.sampled_from(
        [
            "---\n", "title: x\n", "infobox:\n", "  heading: ", "700 € HT", "\n", "\t", "- ", '"', "&a ", "*a ",
            "? ", "!!binary ", "<<: ", "|\n", "%", '"\\ud800"', '"\\UFFFFFFFF"', "{", "]", "draft: ", "\r", "\ufeff",
            "\x00", "\x85", "\u2028", "image: a.png\n", "**M** ",
        ]
    )
    | st.text(max_size=6)
).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass"))  # fmt: skip


@settings(deadline=None)
@given(st.binary() | yaml_like | yaml_like.map(lambda data: b"---\n" + data + b"\n---\nTexte"))
def test_any_bytes_give_a_workshop_or_a_problem_and_never_fail(data):
    found = page(data)

    assert found.workshop is not None or found.problems
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for problem in found.problems:
        assert 1 <= problem.line <= lines
        assert message(problem) and advice(problem)
    if found.workshop:
        (found.workshop.title + found.workshop.description + repr(found.workshop.extra)).encode("utf-8")


def test_reading_needs_no_django():
    program = "import sys, cordee.catalogue.reading; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], cwd=FORMATIONS.parents[1], check=False).returncode == 0
