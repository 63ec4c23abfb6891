"""The power is cut on SQLite, at many instants of one run: what was acknowledged was on the disk, fsynced."""

import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests import services
from tests.conftest import Template, on_postgres
from tests.faults.nodes import amiss, cards, kept, seated
from tests.faults.power import STRACE, Call, Disk, File, calls, why_no_trace
from tests.live.people import Person

pytestmark = pytest.mark.skipif(on_postgres(), reason="PostgreSQL's own fsync is PostgreSQL's affair")
NOTES = 10  # of each of the eight people
KEPT = "SELECT json_extract(plain, '$.id') FROM room_entry WHERE kind = 'Written' ORDER BY session_id, seq"


@dataclass
class Run:
    """A server that was traced until its power was cut: who was told what and when, and what its disk went through."""

    server: services.Server
    people: list[Person]
    acknowledged: list[list[tuple[float, str]]]
    disk: Disk
    found: dict[str, bytes]  # the files as they really were, the power being on

    def promised(self, cut: float) -> list[list[str]]:
        """What each was told by then, in that order."""
        return [[note for at, note in told if at <= cut] for told in self.acknowledged]

    def cuts(self) -> list[float]:
        """Right after each acknowledgement, and at a hundred instants between."""
        told = sorted(at for each in self.acknowledged for at, _ in each)
        chance = Random(3)
        return sorted([*told, *(chance.uniform(told[0], told[-1]) for _ in range(100))])


@contextmanager
def cut_off(template: Template, **env: str) -> Iterator[Run]:
    if reason := why_no_trace():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="cordee-") as own:
        var, trace = Path(own).resolve() / "var", Path(own) / "trace"
        shutil.copytree(template.folder, var)
        server = services.Server(var, template.new_database(var), "tests.faults.node:application", env=env)
        plain = server.command
        before = files(var)
        server.command = [*STRACE, "-o", str(trace), *plain]
        try:
            server.start()
            _, people = seated(server)
            with ThreadPoolExecutor(len(people)) as threads:
                acknowledged = list(threads.map(write, range(len(people)), people, timeout=services.PATIENCE))
            # The server alone, and at once: strace then writes what it still holds, and ends by itself.
            child = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
            for pid in child:
                os.kill(int(pid), signal.SIGKILL)
            server.process.wait(60)
            server.command = plain
            yield Run(server, people, acknowledged, Disk(var, before, calls(trace, var)), files(var))
        finally:
            server.kill9()


def files(var: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in var.glob("cordee.sqlite3*") if not each.name.endswith("-shm")}


def write(who: int, person: Person) -> list[tuple[float, str]]:
    """Note after note; when each was acknowledged."""
    person.http.timeout = 60
    told = []
    for number in range(NOTES):
        note = f"note-{who}-{number:05d}"
        answer = person.post(do="write", kind="note", id=note, body_text=f"Mot {note}")
        if answer.status_code == 204:
            told.append((time.time(), note))
    return told


def laid_out(disk: dict[str, bytes], folder: Path) -> Path:
    """The database of that disk, alone in a new folder."""
    own = Path(tempfile.mkdtemp(dir=folder))
    for name, held in disk.items():
        (own / name).write_bytes(held)
    return own / "cordee.sqlite3"


def notes_in(database: Path) -> list[str]:
    """The notes that a database holds, in its order; raises where it is damaged."""
    connection = sqlite3.connect(database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return [note for (note,) in connection.execute(KEPT)]
    finally:
        connection.close()


def lost(run: Run, folder: Path, chance: Random | None) -> list[str]:
    """What a cut of the power takes back, doubles or displaces, over all the cuts; each leaves a sound database."""
    wrong, final = [], notes_in(laid_out(run.disk.whole(), folder))
    for cut in run.cuts():
        database = laid_out(run.disk.at(cut, chance), folder)
        there = notes_in(database)
        wrong += [] if there == final[: len(there)] else ["order"]
        wrong += [note for promised in run.promised(cut) for note in amiss(promised, there)]
        shutil.rmtree(database.parent)
    return wrong


def test_a_power_cut_at_any_instant_takes_nothing_back_that_was_acknowledged(template, tmp_path):
    """The log is carried into the file every few pages, so that cuts fall in the midst of that too."""
    with cut_off(template, CHECKPOINT="20") as run:
        assert sum(map(len, run.acknowledged)) == 8 * NOTES
        assert run.disk.whole() == run.found  # the trace missed nothing
        file = run.disk.names[str(run.server.var / "cordee.sqlite3")][0][1]
        assert [call.name for call in file.done].count("write") > 2 * NOTES, "the log was not carried into the file"
        assert lost(run, tmp_path, None) == []
        assert lost(run, tmp_path, Random(7)) == []
        # The same server on the worst disk that the last acknowledgement may leave.
        for each in run.server.var.glob("cordee.sqlite3*"):
            each.unlink()
        for name, held in run.disk.at(run.cuts()[-1]).items():
            (run.server.var / name).write_bytes(held)
        run.server.start()
        found = kept(run.server)
        for person, told in zip(run.people, run.acknowledged, strict=True):
            promised = [note for _, note in told]
            assert amiss(promised, found) == []
            assert amiss(promised, cards(person.look())) == []


def test_the_same_cuts_do_take_words_back_when_sqlite_does_not_wait_for_the_disk(template, tmp_path):
    """The check above can fail: with synchronous=NORMAL what was acknowledged is not on the disk yet."""
    with cut_off(template, SYNCHRONOUS="NORMAL") as run:
        assert sum(map(len, run.acknowledged)) == 8 * NOTES
        assert run.disk.whole() == run.found
        assert len(set(lost(run, tmp_path, None))) > 4 * NOTES


def test_the_disk_itself_keeps_what_was_synced_and_loses_or_tears_the_rest():
    done = [
        Call(1, 2, "write", "/d/a", b"one", 0),
        Call(3, 5, "sync", "/d/a"),
        Call(4, 4.5, "write", "/d/a", b"TWO", 0),
    ]
    file = File(b"old.")
    file.done = done
    assert file.at(2.5, None) == b"old."
    assert file.at(4.9, None) == b"old."  # the sync has not returned
    assert file.at(5, None) == b"one."  # what was written after it began is not there
    assert {file.at(6, Random(seed)) for seed in range(20)} == {b"one.", b"TWO."}


def test_a_name_is_there_only_once_its_folder_was_synced():
    done = [Call(1, 1, "create", "/d/wal"), Call(2, 2, "write", "/d/wal", b"x"), Call(3, 3, "sync", "/d/wal")]
    disk = Disk(Path("/d"), {"db": b"y"}, [*done, Call(4, 5, "sync", "/d")])
    assert disk.at(4.5) == {"db": b"y"}
    assert disk.at(5) == {"db": b"y", "wal": b"x"}


def test_a_trace_of_calls_that_others_interrupt_is_read(tmp_path):
    trace = tmp_path / "trace"
    name = "".join(f"\\x{ord(ch):02x}" for ch in "/d/wal")
    trace.write_text(
        f'7 10.5 pwrite64(4<{name}>, "\\x61\\x62", 2, 32 <unfinished ...>\n'
        f"8 10.6 fdatasync(5<{name}>) = 0 <0.25>\n"
        "7 10.7 <... pwrite64 resumed>) = 2 <0.2>\n"
        f'8 10.9 openat(AT_FDCWD, "{name}", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = -1 EACCES (denied) <0.1>\n'
    )
    assert calls(trace, Path("/d")) == [
        Call(10.5, 10.7, "write", "/d/wal", b"ab", 32),
        Call(10.6, 10.85, "sync", "/d/wal"),
    ]
