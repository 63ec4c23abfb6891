"""docs/securite.md answers each requirement once, and says nothing that the code or the tests do not hold.

The document is the only source of the answers; here are the numbers and levels of OWASP ASVS 5.0.0, and the checks.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.urls import get_resolver

from tests.circles.test_abilities import GUARDED

ROOT = Path(__file__).resolve().parents[2]
LEVELS = dict(row.split("\t") for row in Path(__file__).with_name("asvs-5.0-levels.tsv").read_text().splitlines())
HELD, NOT_HERE, OPERATOR, NOT_YET = ANSWERS = ("tenu", "sans objet", "à l’exploitant", "pas encore")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| (.*) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LIMIT = re.compile(r"^\| [^|]+ \| ([^|]+) \| `([\w.]+):([\w.-]+)` \|$", re.MULTILINE)
UNITS = {"Ko": 1024}


@dataclass(frozen=True)
class Answer:
    number: str
    asked: str
    answer: str
    proof: str


def document() -> str:
    return (ROOT / "docs/securite.md").read_text(encoding="utf-8")


def answers(text: str) -> list[Answer]:
    return [Answer(*(cell.strip() for cell in row)) for row in ROW.findall(text)]


def named_tests(text: str) -> set[tuple[str, str]]:
    return set(TEST.findall(text))


def section(text: str, number: int) -> str:
    """What is under the heading of this number, or the empty text."""
    found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


@cache
def existing_tests(path: str) -> frozenset[str]:
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


# ---------------------------------------------------------------- the answers


def faults(text: str) -> Iterator[str]:
    """What is wrong with the answers of this document, in words."""
    given = answers(text)
    times = Counter(answer.number for answer in given)
    yield from (f"{number} is not answered" for number in LEVELS if not times[number])
    yield from (f"{number} is answered {count} times" for number, count in times.items() if count > 1)
    yield from (f"{number} is no requirement of levels 1 and 2" for number in times if number not in LEVELS)
    lines = [line for line in text.splitlines() if re.match(r"\| *\d+\.\d+\.\d+ ", line)]
    yield from (f"a row is not understood: {line}" for line in lines if not ROW.fullmatch(line))
    for answer in given:
        if answer.answer not in ANSWERS:
            yield f"{answer.number}: “{answer.answer}” is no answer"
        if answer.answer == HELD and not shown(text, answer.proof):
            yield f"{answer.number} is said to hold, and nothing shows it"
        if answer.answer != HELD and len(TEST.sub("", answer.proof).strip(" :,;.")) < 12:
            yield f"{answer.number} lacks its reason"
        yield from (f"{answer.number} cites § {n}" for n in cited(answer.proof) if not section(text, n))
    yield from (
        f"{path}::{name} does not exist" for path, name in named_tests(text) if name not in existing_tests(path)
    )


def shown(text: str, proof: str) -> bool:
    """A test, or for what is to be written, where it is written."""
    return bool(named_tests(proof) or any(section(text, n) for n in cited(proof)) or re.search(r"\]\(\w+", proof))


def cited(proof: str) -> list[int]:
    return [int(number) for number in re.findall(r"§ (\d+)", proof)]


def test_every_requirement_is_answered_once_and_every_answer_is_shown() -> None:
    assert len(LEVELS) == 253 and set(LEVELS.values()) == {"1", "2"}
    assert list(faults(document())) == []


def test_the_requirements_are_in_their_order() -> None:
    numbers = [tuple(map(int, answer.number.split("."))) for answer in answers(document())]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(("before", "after", "told"), [
    (r"\| 3\.4\.4 .*\n", "", "3.4.4 is not answered"),
    (r"(\| 3\.4\.4 .*\n)", r"\1\1", "3.4.4 is answered 2 times"),
    (r"\| 3\.4\.4 ", "| 3.4.99 ", "3.4.99 is no requirement"),
    (r"(\| 3\.4\.4 \| [^|]+\|) tenu ", r"\1 presque ", "“presque” is no answer"),
    (r"(\| 3\.4\.4 \| [^|]+\| tenu \|).*", r"\1 bien sûr |", "3.4.4 is said to hold"),
    (r"(\| 14\.3\.3 \| [^|]+\| pas encore \|).*", r"\1 |", "14.3.3"),
    (r"(\| 10\.4\.1 \| [^|]+\| sans objet \|).*", r"\1 non |", "10.4.1 lacks its reason"),
    (r"test_no_answer_loses_a_mark", "test_of_nothing", "test_of_nothing does not exist"),
    (r"tests/circles/test_crypto\.py", "tests/room/test_nothing.py", "test_nothing.py::"),
    (r"(\| 7\.1\.1 .*)§ 4", r"\1§ 44", "7.1.1 cites § 44"),
])  # fmt: skip
def test_a_fault_of_the_document_is_noticed(before: str, after: str, told: str) -> None:
    changed = re.sub(before, after, document())
    assert changed != document()
    assert any(told in fault for fault in faults(changed))


def counts(text: str) -> dict[str, list[int]]:
    """What the table of counts must say: answer -> how many of level 1, of level 2, of both."""
    given = Counter((answer.answer, LEVELS.get(answer.number)) for answer in answers(text))
    rows = {answer: [given[answer, "1"], given[answer, "2"]] for answer in ANSWERS}
    rows["toutes"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    return {name: [*row, sum(row)] for name, row in rows.items()}


def counts_written(text: str) -> dict[str, list[int]]:
    found = re.findall(r"^\| (\D+?) \| (\d+) \| (\d+) \| (\d+) \|$", section(text, 12), re.MULTILINE)
    return {name: [int(number) for number in numbers] for name, *numbers in found}


def test_the_counts_are_those_of_the_answers() -> None:
    text = document()
    assert counts_written(text) == counts(text)
    changed = text.replace("| pas encore |", "| sans objet |", 1)
    assert counts_written(changed) != counts(changed)


# ---------------------------------------------------------------- what the other paragraphs say


def in_code(module: str, name: str) -> Any:
    """``NAME``, ``NAME.key`` of a dictionary, or ``Class.field`` and its default."""
    name, _, key = name.partition(".")
    found = getattr(import_module(module), name)
    if not key:
        return found
    return found[key] if isinstance(found, dict) else found.__dataclass_fields__[key].default


def numbers(written: str) -> list[int]:
    unit = next((factor for name, factor in UNITS.items() if written.endswith(f" {name}")), 1)
    return [int(found.replace(" ", "")) * unit for found in re.findall(r"\d{1,3}(?: \d{3})+|\d+", written)]


def limits_told_wrong(text: str) -> list[str]:
    wrong = []
    for written, module, name in LIMIT.findall(section(text, 6)):
        held = in_code(module, name)
        if numbers(written) != (list(held) if isinstance(held, tuple) else [held]):
            wrong.append(f"{module}:{name} is {held}, not {written}")
    return wrong


def test_every_limit_that_is_written_is_that_of_the_code() -> None:
    text = document()
    assert len(LIMIT.findall(section(text, 6))) >= 30
    assert limits_told_wrong(text) == []
    assert numbers("3 000 contributions") == [3000] and numbers("64 Ko") == [65536]
    assert len(limits_told_wrong(text.replace("20 en 300 s", "21 en 300 s"))) == 1


def test_every_limit_on_tries_is_written() -> None:
    from cordee.accounts.limits import LIMITS as SIGN_IN
    from cordee.room.limits import LIMITS, PACES

    rows = LIMIT.findall(section(document(), 6))
    written = {name for _, module, name in rows if module == "cordee.room.limits"}
    assert written == {f"LIMITS.{name}" for name in LIMITS} | {f"PACES.{name}" for name in PACES}
    assert {name for _, module, name in rows if module == "cordee.accounts.limits"} == {f"LIMITS.{n}" for n in SIGN_IN}


BEFORE_DJANGO = {"/salle/…/stream", "/ecran/…/stream", "/healthz", "/readyz", "/metrics", "/static/…"}


def addresses_written(text: str) -> set[str]:
    table = section(text, 4).split("| adresse |", 1)[1].split("\n\n", 1)[0]
    cells = [line.split(" | ")[0] for line in table.splitlines()[2:]]
    return {found.replace(r"\|", "|") for cell in cells for found in re.findall(r"`([^`]+)`", cell)}


def routes(patterns: Any, before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route or "/"


def test_every_address_is_in_the_table_and_no_other() -> None:
    from config.asgi import everything

    every, written = {*routes(get_resolver().url_patterns), *BEFORE_DJANGO}, addresses_written(document())
    # Those that abilities.toml guards are told by it, and walked in tests/circles/test_abilities.py.
    assert every - set(GUARDED) <= written <= every
    live = everything.site
    assert live.stream[0].pattern == r"/(salle|ecran)/([\w-]+)/stream"
    assert live.act[0].pattern == r"/salle/([\w-]+)/(contributions|brouillon)"
    probes = ast.parse((ROOT / "cordee/ops/probes.py").read_text(encoding="utf-8"))
    told = [node.value for node in ast.walk(probes) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert {text for text in told if re.fullmatch(r"/\w+", text)} == {"/healthz", "/readyz", "/metrics"}


def test_every_package_of_the_server_is_in_the_inventory_with_its_version() -> None:
    pinned = set(
        re.findall(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", (ROOT / "requirements/base.txt").read_text(), re.MULTILINE)
    )
    inventory = (ROOT / "docs/dependances.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| ([\w.-]+) ([\w.]+) \|", inventory, re.MULTILINE))
    assert len(pinned) > 20
    assert pinned <= written


def test_no_sentence_of_the_standard_is_copied_by_length() -> None:
    """Each is said again in a few words: the standard's own run to hundreds of characters."""
    assert max(len(answer.asked) for answer in answers(document())) <= 70
