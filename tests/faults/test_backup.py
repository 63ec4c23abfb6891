"""A backup of the real server while people write, restored into an empty one and compared word for word."""

import json
import re
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import services
from tests.conftest import on_postgres
from tests.faults.test_kill import PEOPLE, keep_writing, sit

# Every fact of every room, opened; and what each seat sees of the first ``cut`` of them.
TOLD = """
import dataclasses, json, sys
from cordee.engine.reading import read
from cordee.engine.state import apply, initial
from cordee.engine.view import view_for
from cordee.room import store
from cordee.room.models import Session
cuts = json.loads('''CUTS''')
told = {}
for session in Session.objects.all():
    room = store.load(session.pk)
    empty = dataclasses.replace(room, state=initial(read(session.protocol)))
    entries = store._since(empty)[: cuts.get(session.pk)]
    state, facts = empty.state, []
    for _, *entry in entries:
        fact = store._event(room, *entry)
        state = apply(state, fact)
        facts.append(repr(fact))
    views = {seat: repr(view_for(state, seat)) for seat in [*state.seats, "screen"]}
    told[session.pk] = {"seqs": [seq for _, seq, *_ in entries], "facts": facts, "views": views}
print("told" + json.dumps(told))
"""


def told(server: services.Server, cuts: dict[str, int] | None = None, env: dict[str, str] | None = None) -> dict:
    script = TOLD.replace("CUTS", json.dumps(cuts or {}))
    command = [sys.executable, str(services.ROOT / "manage.py"), "shell", "-v0", "-c", script]
    steady = {"PYTHONHASHSEED": "0"}  # sets are shown in the same order by every process
    printed = subprocess.run(
        command, env=(env or server.env) | steady, check=True, capture_output=True, text=True, timeout=services.PATIENCE
    ).stdout
    return json.loads(re.search(r"^told(.*)$", printed, re.MULTILINE)[1])


def written(facts: list[str]) -> set[str]:
    return set(re.findall(r"note-\d+-\d{5}", "\n".join(facts)))


@pytest.fixture
def saved(fresh_server: services.Server, tmp_path: Path):
    """A server that was saved while eight people wrote: the archive, and what had been acknowledged before."""
    with ExitStack() as stack:
        fanny, path = sit(fresh_server, "/salles/nouvelle/", "Fanny")
        code = re.search(r"/s/(\w+)/", fanny.get(path).text)[1]
        people = [sit(fresh_server, f"/s/{code}/", name)[0] for name in PEOPLE]
        for client in (fanny, *people):
            stack.callback(client.close)
        stop = threading.Event()
        acknowledged: list[list[str]] = [[] for _ in people]
        writers = [
            threading.Thread(target=keep_writing, args=(fresh_server, path, client, who, acknowledged[who], stop))
            for who, client in enumerate(people)
        ]
        for writer in writers:
            writer.start()
        try:
            wait_for(lambda: sum(map(len, acknowledged)) >= 60)
            before = {note for notes in acknowledged for note in notes}
            fresh_server.manage("backup", str(tmp_path / "live.zip"))
            after = sum(map(len, acknowledged))
            wait_for(lambda: sum(map(len, acknowledged)) > after)  # they were not stopped by it
        finally:
            stop.set()
            for writer in writers:
                writer.join(30)
        assert len(before) < after  # people wrote while it was made
        yield tmp_path / "live.zip", before, people[0], path


def wait_for(check, within: float = 90) -> None:
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def compare(live: dict, back: dict, cut_live: dict, before: set[str]) -> None:
    assert back.keys() == live.keys() and back
    for room, kept in back.items():
        count = len(kept["facts"])
        assert kept["seqs"] == list(range(1, count + 1))  # nothing torn
        assert kept["facts"] == live[room]["facts"][:count]  # word for word, a beginning of the log
        assert kept["views"] == cut_live[room]["views"]
    assert before <= {note for kept in back.values() for note in written(kept["facts"])}


def test_a_live_backup_comes_back_word_for_word_in_an_empty_server(fresh_server, template, saved):
    archive, before, karim, path = saved
    live = told(fresh_server)
    with template.server() as other:
        other.stop()
        for secret in ("cordee_secret_key", "cordee_key_ring"):
            (other.var / secret).write_text((fresh_server.var / secret).read_text())
        restored = subprocess.run(
            [sys.executable, str(services.ROOT / "manage.py"), "restore", str(archive)],
            env=other.env,
            capture_output=True,
            text=True,
            timeout=services.PATIENCE,
        )
        assert "Salles relues mot par mot : 1 · illisibles : 0" in restored.stdout, restored.stderr
        back = told(other)
        cuts = {room: len(kept["facts"]) for room, kept in back.items()}
        compare(live, back, told(fresh_server, cuts), before)
        other.start()
        page = karim.get(f"{other.url}{path}", headers={"Cookie": f"place={karim.cookies['place']}"})
        assert page.status_code == 200 and "note-0-00001" in page.text  # his link still opens his seat


def test_a_server_moves_to_the_other_database_and_back(fresh_server, template, saved, tmp_path):
    if not on_postgres():
        pytest.skip("needs DATABASE_URL=postgres://…; bin/test runs it")
    archive, before, _, _ = saved
    sqlite = fresh_server.env | {"DATABASE_URL": f"sqlite:///{tmp_path / 'moved.sqlite3'}", "CORDEE_BUS": "local"}

    def manage(*arguments: str) -> str:
        command = [sys.executable, str(services.ROOT / "manage.py"), *arguments]
        return subprocess.run(command, env=sqlite, capture_output=True, text=True).stdout

    manage("migrate", "-v0")
    assert "illisibles : 0" in manage("restore", str(archive))
    moved = told(fresh_server, env=sqlite)
    cuts = {room: len(kept["facts"]) for room, kept in moved.items()}
    compare(told(fresh_server), moved, told(fresh_server, cuts), before)
    manage("backup", str(tmp_path / "moved.zip"))
    fresh_server.stop()
    back = [sys.executable, str(services.ROOT / "manage.py"), "restore", "--replace", str(tmp_path / "moved.zip")]
    assert "illisibles : 0" in subprocess.run(back, env=fresh_server.env, capture_output=True, text=True).stdout
    assert told(fresh_server) == moved


def test_the_comparison_notices_a_lost_a_torn_and_a_changed_fact_and_another_view():
    live = {"r": {"seqs": [1, 2], "facts": ["note-0-00001", "note-0-00002"], "views": {"k": "v"}}}
    compare(live, live, live, {"note-0-00002"})
    lost = {"r": {"seqs": [1], "facts": ["note-0-00001"], "views": {"k": "v"}}}
    torn = {"r": {"seqs": [1, 3], "facts": live["r"]["facts"], "views": {"k": "v"}}}
    changed = {"r": {"seqs": [1, 2], "facts": ["note-0-00001", "note-0-00009"], "views": {"k": "v"}}}
    shown_otherwise = {"r": {**live["r"], "views": {"k": "w"}}}
    for wrong in (lost, torn, changed, shown_otherwise):
        with pytest.raises(AssertionError):
            compare(live, wrong, live, {"note-0-00002"})
