"""manage.py recall and group: the ranking and the themes of the rooms, on any files, so that they can be measured."""

import io
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cordee.engine.recall import recall

CORPUS = {
    "1": "Annoncer une mauvaise nouvelle à son équipe.",
    "2": "Dire une limite à un collègue.",
    "3": "Se taire cinq minutes ensemble.",
}


def write(path: Path, rows: dict[str, str]) -> str:
    lines = (json.dumps({"id": id_, "text": text}, ensure_ascii=False) for id_, text in rows.items())
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return str(path)


def ran(tmp_path: Path, queries: dict[str, str], *options: str) -> list[dict[str, object]]:
    out = StringIO()
    q, c = write(tmp_path / "q.jsonl", queries), write(tmp_path / "c.jsonl", CORPUS)
    call_command("recall", "--queries", q, "--corpus", c, *options, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_a_query_with_the_ids_that_a_room_would_show(tmp_path: Path) -> None:
    queries = {"q1": "l’annonce aux équipes", "q2": "les limites des collègues", "q3": "zzz"}
    rows = ran(tmp_path, queries, "--lexical")
    assert [row["query"] for row in rows] == ["q1", "q2", "q3"]
    assert [row["ids"] for row in rows] == [[m.id for m in recall(text, CORPUS, 10)] for text in queries.values()]
    assert rows[0]["ids"][0] == "1" and rows[2]["ids"] == []


def test_at_most_so_many(tmp_path: Path) -> None:
    assert len(ran(tmp_path, {"q": "une équipe, une limite"}, "--top", "1")[0]["ids"]) == 1


@pytest.mark.parametrize("line", ["{", '{"id": "x"}', "[1]", '"text"', "\udce9"])
def test_a_line_that_is_not_one_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "c.jsonl").write_bytes(b'{"id": "1", "text": "a"}\n' + line.encode("utf-8", "surrogateescape") + b"\n")
    with pytest.raises(CommandError, match=r"c\.jsonl, ligne 2"):
        call_command("recall", "--queries", str(tmp_path / "c.jsonl"), "--corpus", str(tmp_path / "c.jsonl"))


def test_themes_of_the_lines_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["Une annonce claire", "Préparer l’annonce", "", "Le silence aide", "Un silence"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\r\n".join(said).encode())))
    out = StringIO()
    call_command("group", stdout=out)
    lines = out.getvalue().splitlines()
    assert [line for line in lines if line.startswith("  ")] == [f"  {text}" for text in said if text]
    names = [line for line in lines if not line.startswith("  ")]
    assert len(names) == 2 and names[0].startswith("annonce") and names[1].startswith("silence")


def test_a_line_that_is_no_utf_8_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("à\n".encode() + "é\n".encode("latin-1"))))
    with pytest.raises(CommandError, match="Ligne 2"):
        call_command("group", stdout=StringIO())
