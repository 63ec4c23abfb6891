"""Words that only a room may hold, looked for wherever an operator, a collector or a thief of copies can look."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from cordee.engine import commands as c
from tests import services
from tests.browser.over_http import LiveRoom
from tests.characters import French, Room, play
from tests.conftest import Template, on_postgres
from tests.live.people import Person
from tests.security.quoting import breaking

WORD = "zqwordqz"
TOKEN = "measures" * 4


class Canaries(French):
    """What the characters write, with the word in every field that is typed."""

    def body(self, room: Room, seat: str, kind: str) -> dict[str, str]:
        body = super().body(room, seat, kind)
        boxes = room.state.protocol.kinds[kind].fields
        return body | {box.id: f"{WORD} {body.get(box.id, '')}"[:200] for box in boxes if box.type in {"text", "line"}}

    def value(self, room: Room, seat: str, mark: str) -> str:
        return f"Oser {WORD}" if mark in {"theme", "value"} else super().value(room, seat, mark)


@pytest.fixture(scope="module")
def broken(template: Template) -> Iterator[services.Server]:
    """The server of broken.py, which says all it can in JSON."""
    with template.server(CORDEE_LOG_FORMAT="json", CORDEE_LOG_LEVEL="DEBUG") as server:
        server.stop()
        server.command[server.command.index("config.asgi:application")] = "tests.security.broken:application"
        server.start()
        yield server


@pytest.fixture
def karim(broken) -> Iterator[Person]:
    fanny = Person(broken, "/salles/nouvelle/", "Fanny")
    person = Person(broken, f"/s/{fanny.code}/", "Karim")
    yield person
    for one in (fanny, person):
        one.http.close()


def errors(server: services.Server, before: int) -> list[dict[str, str]]:
    """The lines of error since the log had so many characters; each line is one JSON object."""
    lines = [json.loads(line) for line in server.log[before:].splitlines()]
    return [line for line in lines if line["level"] == "ERROR"]


@pytest.mark.parametrize("road", ["script", "plain", "draft"])
@pytest.mark.parametrize("where", ["zqdecide", "zqwrite", "zqseal"])
def test_a_wish_that_breaks_the_server_leaves_no_word_in_the_log_nor_in_the_answer(broken, karim, road, where):
    if road == "draft" and where != "zqseal":
        pytest.skip("a draft is not decided")
    before = len(broken.log)
    address = f"{karim.path}{'brouillon' if road == 'draft' else 'contributions'}"
    answer = karim.post(
        {"X-Cordee": None} if road == "plain" else {},
        address,
        do="write",
        kind="note",
        id="note-number-1",
        body_text=f"{where} {WORD}",
    )
    assert answer.status_code in {500, 503}
    if road == "script" or answer.status_code == 500:
        assert WORD not in answer.text and where not in answer.text
    told = errors(broken, before)
    assert told, "something was said of it"
    assert WORD not in broken.log and where not in broken.log
    assert karim.http.get(karim.path).status_code == 200  # and the others go on
    karim.do("write", kind="note", id="note-number-2", body_text="Après.")


@pytest.mark.parametrize("where", ["zqrender", "zqcard"])
async def test_a_page_and_a_stream_that_break_leave_no_word_in_the_log(broken, karim, where):
    before = len(broken.log)
    async with karim.stream() as stream:
        await stream.next(60)
        karim.do("write", kind="situation", id="situation-1", body_title=f"Comment {where} {WORD} ?")
        try:
            while (message := await stream.next(60)) is not None:
                assert WORD not in message.data
        except httpx.HTTPError:
            pass  # the stream was cut: the browser opens another
    for end in ("", "maintenant"):
        answer = karim.http.get(f"{karim.path}{end}")
        assert answer.status_code == 500
        assert WORD not in answer.text
    told = errors(broken, before)
    assert len(told) >= 2
    kind = {"zqrender": "ValueError", "zqcard": "MemoryError"}[where]
    assert all(kind in json.dumps(line) for line in told)
    assert WORD not in broken.log and where not in broken.log


def test_a_record_that_breaks_leaves_no_word_in_the_log(broken):
    room = LiveRoom(broken.url, members=("claire", "karim", "nadia"))
    play(room, until="ouvertures")
    room.write("karim", "note", f"zqdocument {WORD}")
    before = len(broken.log)
    for end in ("", "mine.md", "mine.pdf"):
        answer = room.clients["karim"].get(f"{broken.url}/salle/{room.id}/bilan/{end}")
        assert answer.status_code == 500
        assert WORD not in answer.text
    assert len(errors(broken, before)) == 3
    assert WORD not in broken.log and "zqdocument" not in broken.log
    room.close()


def test_the_faults_do_quote_the_words():
    """What the tests above rely on: shown plainly, such an error would have told all."""

    class Own:
        decide = staticmethod(str)

    breaking("zqproof", Own, "decide")
    with pytest.raises(ValueError, match=WORD):
        Own.decide(f"zqproof {WORD}")


# ---------------------------------------------------------------- what an operator sees, and what a thief takes


@pytest.fixture(scope="module")
def played(template: Template) -> Iterator[tuple[services.Server, LiveRoom]]:
    """A whole round with the word in every field and in names, and one more draft, on the real server."""
    with template.server(CORDEE_LOG_FORMAT="json", CORDEE_LOG_LEVEL="DEBUG", CORDEE_METRICS=TOKEN) as own:
        room = LiveRoom(own.url, members=("claire", "karim", "nadia"))
        room.do(c.Rename(seat="karim", name=f"Karim {WORD}"))
        room.write("karim", "note", f"{WORD} pour moi")
        play(room, script=Canaries())
        headers = {"Origin": own.url, "X-Cordee": "1"}
        draft = {"kind": "note", "body.text": f"{WORD} en cours"}
        answer = room.clients["karim"].post(f"{own.url}/salle/{room.id}/brouillon", data=draft, headers=headers)
        assert answer.status_code == 204
        assert room.page("claire").count(WORD) > 5
        yield own, room
        room.close()


def secrets(room: LiveRoom) -> list[str]:
    """What must be nowhere in clear: the word, and every link and code of the room."""
    links = [link.rstrip("/").rpartition("/")[2] for link in (*room.places.values(), room.screen_url, room.join_url)]
    return [WORD, *links, "Claire"]


def told(server: services.Server, *arguments: str) -> str:
    """What a command prints on both its outputs, whether it is content or not."""
    own = [sys.executable, str(services.ROOT / "manage.py"), *arguments]
    done = subprocess.run(own, env=server.env, capture_output=True, text=True, timeout=services.PATIENCE)
    return done.stdout + done.stderr


def test_what_the_operator_is_told_holds_no_word(played):
    server, room = played
    said = {
        "doctor": told(server, "doctor"),
        "doctor --json": told(server, "doctor", "--json"),
        "tick": told(server, "tick"),
        "readyz": httpx.get(f"{server.url}/readyz", timeout=60).text,
        "healthz": httpx.get(f"{server.url}/healthz", timeout=60).text,
        "metrics": httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).text,
        "the log": server.log,
    }
    assert json.loads(said["doctor --json"])["findings"]
    assert "cordee_" in said["metrics"]
    for name, text in said.items():
        for secret in secrets(room):
            assert secret not in text, name


def test_no_file_of_the_data_folder_and_no_archive_holds_a_word(played, tmp_path):
    server, room = played
    archive = tmp_path / "all.zip"
    printed = told(server, "backup", str(archive))
    assert archive.exists(), printed
    opened = zipfile.ZipFile(archive)
    parts = {name: opened.read(name) for name in opened.namelist()}
    assert room.ids["claire"].encode() in b"".join(parts.values())  # the search sees today's rows
    files = {
        str(path): path.read_bytes() for path in server.var.rglob("*") if path.is_file() and "static" not in path.parts
    }
    everything = {**files, **parts, "the archive itself": archive.read_bytes(), "printed": printed.encode()}
    for name, content in everything.items():
        for secret in secrets(room):
            assert secret.encode() not in content, name
            assert secret.encode("utf-16-le") not in content, name


@pytest.mark.postgres
def test_a_dump_of_the_database_holds_no_word(played):
    server, room = played
    address = server.env["DATABASE_URL"]
    program = services.postgres_programs() / "pg_dump"
    if not program.exists():
        pytest.skip("pg_dump is not installed with this PostgreSQL")
    assert on_postgres() and urlsplit(address).path
    dump = subprocess.run([program, "--inserts", address], capture_output=True, check=True, timeout=services.PATIENCE)
    assert room.ids["claire"].encode() in dump.stdout
    raw = b"".join(bytes.fromhex(part) for part in _hexadecimals(dump.stdout.decode("utf-8", "replace")))
    assert len(raw) > 1000
    for secret in secrets(room):
        assert secret.encode() not in dump.stdout
        assert secret.encode() not in raw


def _hexadecimals(dump: str) -> list[str]:
    """The bytes of a dump, which it writes as '\\x…'."""
    return [part.split("'")[0] for part in dump.split("'\\x")[1:]]
