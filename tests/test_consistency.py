"""The words of the project hold together: links lead somewhere, quoted files exist, nothing comes from elsewhere."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LISTED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True).stdout.split("\0")
FILES = sorted(name for name in LISTED if name and (ROOT / name).is_file())
FOLDERS = {str(parent) for name in FILES for parent in Path(name).parents}
# The catalogue's pages are their authors' own, and speak of no file of ours.
PAGES = [name for name in FILES if name.endswith(".md") and not name.startswith("content/")]
TEXTS = [
    name for name in FILES if name.endswith((".md", ".py", ".html", ".css", ".js", ".toml", ".txt", ".sh", ".tsv"))
]

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE_BLOCK = re.compile(r"^```.*?^```|^(?: {4}.*\n)+", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`([^`\n]+)`")
TOP = ("bin/", "bench/", "config/", "content/", "cordee/", "deploy/", "docs/", "requirements/", "tests/", ".ci/")
# Written on each machine, and in no clone.
MADE = ("var/", ".venv/")

# What product.md calls things; docs/glossaire.md must explain each.
CODE_WORDS = {
    "Workshop": "atelier", "Cohort": "promotion", "Circle": "cercle", "Meeting": "séance", "Situation": "situation",
    "Round": "consultation", "Protocol": "méthode", "Step": "étape", "Seat": "place", "Contribution": "contribution",
    "Request": "demande", "Commitment": "engagement", "Learning": "apprentissage", "Charter": "charte",
}  # fmt: skip

# Written in pieces, so that this file is no offender itself.
INDEXES = re.compile(
    "|".join(
        (
            r"pypi\." + "org",
            r"files\.python" + "hosted",
            r"https?://(?!127\.|localhost)[^\s\"']*/" + r"simple\b",
            "--index" + "-url",
            "--extra-index" + "-url",
            r"registry\.npm" + "js",
            r"proxy\.golang" + r"\.org",
        )
    )
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:" + "wo" + "rk|ro" + "ot|ho" + r"me/\w+)/")
ELSEWHERE = re.compile(
    r"""(?:src|href|action|poster|srcset|import|url)\s*[=(]?\s*["'(]?\s*(?:https?:)?//[\w-]""", re.IGNORECASE
)
CALLS = re.compile(r"""(?:fetch|EventSource|WebSocket|importScripts|sendBeacon)\(\s*['"`](?:https?|wss?):?//""")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_there_is_something_to_check() -> None:
    assert "README.md" in PAGES and "cordee/engine/policy.py" in TEXTS and len(PAGES) > 15


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    missing = [target for target in LINK.findall(read(page)) if not leads_somewhere(page, target)]
    assert not missing, f"{page} links to {missing}, which the repository does not have"


def leads_somewhere(page: str, target: str) -> bool:
    if re.match(r"[a-z]+:", target) or target.startswith("#"):
        return True
    path = (ROOT / page).parent / target.partition("#")[0]
    name = str(path.resolve().relative_to(ROOT))
    return name in FOLDERS or name in FILES


@pytest.mark.parametrize("page", PAGES)
def test_every_quoted_path_exists(page: str) -> None:
    missing = [path for path in quoted_paths(read(page)) if path.rstrip("/") not in FOLDERS and path not in FILES]
    assert not missing, f"{page} quotes {missing}, which the repository does not have"


def quoted_paths(text: str) -> Iterator[str]:
    """What is quoted as a path from the root: in backquotes, or as a command of bin/ in a block of code."""
    for block in CODE_BLOCK.findall(text):
        yield from re.findall(r"(?<![\w./-])bin/[a-z]+", block)
        yield from re.findall(r"(?<![\w./-])requirements/\w+\.txt", block)
    for quoted in QUOTED.findall(CODE_BLOCK.sub("", text)):
        path = re.split(r"[\s:,;(]", quoted)[0]
        if path.startswith(TOP) and not re.search(r"[*<>{}…]", path):
            yield path


def test_a_path_that_does_not_exist_would_be_noticed() -> None:
    assert list(quoted_paths("see `cordee/room/nothing.py` and `bin/demo --lan`")) == [
        "cordee/room/nothing.py",
        "bin/demo",
    ]
    assert not leads_somewhere("docs/glossaire.md", "nothing.md")
    assert not leads_somewhere("README.md", "docs/nothing.md#there")


def test_what_each_machine_makes_is_in_no_clone() -> None:
    assert not [name for name in FILES if name.startswith(MADE)]


@pytest.mark.parametrize(("word", "shown"), CODE_WORDS.items())
def test_the_glossary_explains_each_word_of_the_product(word: str, shown: str) -> None:
    rows = [row for row in read("docs/glossaire.md").splitlines() if row.startswith(f"| {word} |")]
    assert len(rows) == 1 and shown in rows[0].split("|")[2], f"docs/glossaire.md lacks a row for {word} ({shown})"


def test_every_command_of_bin_that_readme_names_can_be_run() -> None:
    named = set(re.findall(r"bin/[a-z]+", read("README.md")))
    assert {"bin/demo", "bin/test"} <= named
    assert all((ROOT / name).stat().st_mode & 0o111 for name in named)


def test_every_variable_of_the_settings_is_explained_to_operators() -> None:
    names = set(re.findall(r'env\.\w+\(\s*"(\w+)"', read("config/settings.py")))
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", read("docs/exploitation.md"), re.MULTILINE))
    assert names == explained


@pytest.mark.parametrize("page", [name for name in PAGES if name.startswith("docs/") or "/" not in name])
def test_every_management_command_that_is_named_exists(page: str) -> None:
    ours = {Path(name).stem for name in FILES if name.startswith("cordee/ops/management/commands/")}
    named = set(re.findall(r"manage\.py ([a-z_]+)", read(page)))
    unknown = named - ours - {"migrate", "collectstatic", "check", "shell"} - {"backup", "restore"}
    assert not unknown, f"{page} names manage.py {sorted(unknown)}"


@pytest.mark.parametrize(
    "guide", ["docs/guide-animation.md", "docs/guide-organisation.md", "docs/guide-participation.md"]
)
def test_every_label_that_a_guide_names_is_on_a_screen(guide: str) -> None:
    screens = "\n".join(read(name) for name in FILES if is_screen(name))
    labels = guide_labels(guide)
    missing = [label for label in labels if label not in screens]
    assert len(labels) > 10 and not missing, f"{guide} names {missing}, which no screen shows"


def is_screen(name: str) -> bool:
    return name.endswith(".html") or name.startswith("cordee/engine/protocols/") or name == "cordee/room/phrases.py"


def guide_labels(guide: str) -> list[str]:
    """What the guide says one touches. Words to say aloud follow a colon, or end like a sentence."""
    text = " ".join(read(guide).split())
    text = re.sub(r"- \*\*À dire\*\*.*?(?= - \*\*)", "", text)
    found = re.findall(r"(?<!: )« ([A-ZÉÀÇ][^»]{2,45}?) »", text)
    return [
        label.replace("\u00a0", " ")
        for label in found
        if not label.endswith((".", "?")) and "…" not in label and "," not in label
    ]


def test_no_file_holds_the_address_of_a_package_index() -> None:
    assert offenders(TEXTS, INDEXES) == []


def test_no_file_holds_a_path_of_somebody_s_machine() -> None:
    assert offenders(TEXTS, MACHINE_PATHS) == []


def test_no_lock_file_brings_addresses() -> None:
    locks = [name for name in FILES if re.search(r"(?:\.lock|-lock\.json|-lock\.yaml)$", name)]
    assert offenders(locks, re.compile("https?://")) == []
    assert offenders([name for name in FILES if name.startswith("requirements/")], re.compile("https?://")) == []


def test_no_page_style_or_script_takes_anything_from_elsewhere() -> None:
    served = [name for name in FILES if "/templates/" in name or "/static/" in name]
    served = [name for name in served if name.endswith((".html", ".css", ".js", ".svg"))]
    assert served
    assert offenders(served, ELSEWHERE) == []
    assert offenders(served, CALLS) == []


def test_an_address_from_elsewhere_would_be_noticed() -> None:
    for bad in (
        '<script src="https://cdn.example/x.js">',
        "@import url(//fonts.example/a.css)",
        '<img src="//a.example/b">',
    ):
        assert ELSEWHERE.search(bad), bad
    assert CALLS.search("fetch('https://example.org/x')")
    assert MACHINE_PATHS.search("see /" + "work/main/README.md") and not MACHINE_PATHS.search("the network/root/x")


def offenders(names: list[str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in names
        for number, line in enumerate(read(name).splitlines(), 1)
        if pattern.search(line)
    ]
