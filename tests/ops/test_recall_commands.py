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


def test_an_id_is_given_back_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "both.jsonl"
    path.write_text("\ufeff" + '{"id": 7, "text": "une limite"}\n{"id": "7b", "text": "des limites"}', encoding="utf-8")
    out = StringIO()
    call_command("recall", "--queries", str(path), "--corpus", str(path), "--lexical", stdout=out)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row["query"] for row in rows] == [7, "7b"] and sorted(map(str, rows[0]["ids"])) == ["7", "7b"]
    assert 7 in rows[0]["ids"]


def test_nothing_is_ranked_where_there_is_nothing_and_less_than_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    out = StringIO()
    call_command("recall", "--queries", str(tmp_path / "none"), "--corpus", str(tmp_path / "none"), stdout=out)
    assert out.getvalue() == ""
    with pytest.raises(CommandError, match="--top"):
        ran(tmp_path, {"q": "une limite"}, "--top", "0")


def test_more_than_can_be_compared_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"un texte\n" * 100_000)))
    with pytest.raises(CommandError, match="2000 au plus"):
        call_command("group", stdout=StringIO())


@pytest.mark.parametrize(
    "line", ["{", '{"id": "x"}', '{"id": "x", "text": null}', '{"id": null, "text": "x"}', "[1]", '"text"', "\udce9"]
)
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
