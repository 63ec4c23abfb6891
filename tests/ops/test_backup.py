"""manage.py backup and restore: an archive that says nothing, and a restoration that is all or nothing."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from cordee.accounts.models import Tries as TriesToSignIn
from cordee.accounts.models import Upload
from cordee.circles.models import Circle
from cordee.ops import archive, examination
from cordee.ops.management.commands import backup, restore
from cordee.room import access, actions, store
from cordee.room.models import Draft, Entry, Seat, Session, Tries
from tests import leaks
from tests.ops.test_keys import NEW, OLD, WRONG
from tests.room.clean import clean_memory  # noqa: F401
from tests.room.rooms import House
from tests.room.test_at_rest import settle_canaries

# A real transaction: reading one moment of the database is what is tested.
pytestmark = pytest.mark.django_db(transaction=True)
MODELS = (Circle, Session, Seat, Entry, Draft)


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path: Path, monkeypatch) -> Path:
    settings.VAR_DIR = tmp_path / "var"
    settings.VAR_DIR.mkdir()
    settings.KEY_RING = OLD
    # What doctor says is its own test's matter; here it would find the durability of the tests' databases.
    monkeypatch.setattr(examination, "examine", lambda: iter(()))
    return settings.VAR_DIR


@pytest.fixture
def house() -> House:
    played = settle_canaries()
    assert actions.save_draft(access.Key(played.id, "karim"), "note", {"text": "Une note zqaaaaqz en cours."})
    return played


@pytest.fixture
def saved(house: House, tmp_path: Path) -> Path:
    manage("backup", str(tmp_path / "saved.zip"))
    return tmp_path / "saved.zip"


def manage(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out, no_color=True)
    return out.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        manage(*arguments)
    return str(error.value)


def rows() -> dict[str, list[tuple]]:
    """Every row of every table, with bytes as bytes."""
    return {
        model.__name__: [
            tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
            for row in model.objects.order_by("pk").values_list()
        ]
        for model in MODELS
    }


def empty() -> None:
    archive.empty_tables()
    store.forget()
    access.forget()


def rewrite(path: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """The same archive with some part changed, or left out."""
    with zipfile.ZipFile(path) as old:
        parts = {name: change(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            if content is not None:
                new.writestr(name, content)


# ---------------------------------------------------------------- there and back


def test_every_row_comes_back_as_it_was(saved: Path):
    before = rows()
    assert all(before.values())
    empty()
    assert "Restauré" in manage("restore", str(saved))
    assert rows() == before


def test_every_seat_sees_the_same_and_its_link_still_opens(house: House, saved: Path):
    before = {seat: repr(house.view(seat)) for seat in house.state.seats}
    empty()
    assert "Salles relues mot par mot : 1 · illisibles : 0" in manage("restore", str(saved))
    assert {seat: repr(house.view(seat)) for seat in house.state.seats} == before
    assert house.browser("karim").get(house.address).status_code == 200
    assert actions.drafts(access.Key(house.id, "karim"))["note"]["text"] == "Une note zqaaaaqz en cours."


def test_what_is_written_after_a_restoration_is_numbered_after_what_came_back(saved: Path):
    empty()
    manage("restore", str(saved))
    latest = Entry.objects.latest("pk").pk
    opened = actions.open_room("Octave")
    assert isinstance(opened, actions.Opened)
    assert Entry.objects.get(session=opened.room, seq=1).pk > latest


def test_every_table_of_ours_is_in_the_archive_those_referred_to_first():
    ours = {model for model in apps.get_models() if model.__module__.startswith("cordee.")}
    sign_in = {EmailAddress, SocialAccount, Authenticator}
    assert set(archive.tables()) == ours - {Tries, TriesToSignIn, Upload} | sign_in
    places = {model: number for number, model in enumerate(archive.tables())}
    assert places[Circle] < places[Session] < places[Entry]


def test_a_column_without_a_form_in_the_archive_is_refused_not_guessed():
    with pytest.raises(TypeError, match=r"cordee/ops/archive\.py"):
        archive._plain(timedelta(1))


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="memory has one connection; tests/faults has the file")
def test_a_room_that_lives_during_the_backup_is_saved_as_of_one_moment(house: House, tmp_path: Path, monkeypatch):
    """A fact that comes between two parts is in none."""
    part, written = archive._write_part, []

    def written_meanwhile(opened, model):
        made = part(opened, model)
        if model is Session:
            # Another connection: another process, as far as the database can tell.
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(1) as other:
                written.append(other.submit(later).result(30))
        return made

    def later() -> str:
        try:
            opened = actions.open_room("Octave")
            return opened.room
        finally:
            connection.close()

    before = rows()
    monkeypatch.setattr(archive, "_write_part", written_meanwhile)
    manage("backup", str(tmp_path / "one.zip"))
    assert Session.objects.filter(pk=written[0]).exists()  # nobody waited
    empty()
    manage("restore", str(tmp_path / "one.zip"))
    assert rows() == before


# ---------------------------------------------------------------- says nothing


def test_no_word_and_no_secret_is_in_the_archive_nor_in_what_is_printed(house: House, tmp_path: Path, settings):
    path = tmp_path / "archive.zip"
    printed = manage("backup", str(path))
    with zipfile.ZipFile(path) as opened:
        contents = {name: opened.read(name).decode() for name in opened.namelist()}
    assert len(contents) == len(archive.tables()) + 1
    everything = "\n".join([printed, *contents.values()])
    assert leaks.canaries(everything) == set()
    for secret in (settings.SECRET_KEY, OLD.partition(":")[2], *house.tokens.values()):
        assert secret not in everything
    assert house.id not in contents[archive.MANIFEST] + printed
    manifest = json.loads(contents[archive.MANIFEST])
    assert {part["name"]: part["rows"] for part in manifest["parts"]} == {
        archive.part_name(model): model._default_manager.count() for model in archive.tables()
    }
    assert manifest["keys"] == {"k1": 1}


def test_the_search_would_find_a_word_in_clear(house: House, tmp_path: Path):
    Circle.objects.update(name="Cercle zqbbbbqz")
    manage("backup", str(tmp_path / "archive.zip"))
    with zipfile.ZipFile(tmp_path / "archive.zip") as opened:
        assert leaks.canaries(opened.read("circles.circle.jsonl").decode()) == {"zqbbbbqz"}


def test_only_its_owner_can_read_the_archive_and_the_secrets(house: House, tmp_path: Path, settings):
    printed = manage("backup", str(tmp_path / "a.zip"), "--with-keys", str(tmp_path / "secrets.env"))
    for name in ("a.zip", "secrets.env"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    secrets = (tmp_path / "secrets.env").read_text()
    assert settings.KEY_RING in secrets and settings.SECRET_KEY in secrets
    assert settings.KEY_RING not in printed and settings.SECRET_KEY not in printed


# ---------------------------------------------------------------- files


def test_a_backup_is_named_by_its_date_in_the_data_folder(house: House, data_folder: Path):
    manage("backup")
    (file,) = (data_folder / "backups").iterdir()
    assert re.fullmatch(r"cordee-\d{4}-\d\d-\d\d-\d{6}\.zip", file.name)


def test_old_archives_are_removed_and_nothing_else(house: House, tmp_path: Path):
    folder = tmp_path / "there"
    folder.mkdir()
    old = folder / "cordee-2024-01-31-020000.zip"
    others = [folder / "cordee.zip", folder / "notes-2024-01-31.zip"]
    for file in (old, *others):
        file.write_bytes(b"x")
    assert "Archives ôtées : 1" in manage("backup", str(folder), "--keep", "30")
    assert not old.exists() and all(file.exists() for file in others)
    assert len(list(folder.iterdir())) == 3
    assert "--keep 30" in refused("backup", str(folder), "--keep", "0")


def test_an_archive_is_never_written_over(saved: Path):
    before = saved.read_bytes()
    assert "existe déjà" in refused("backup", str(saved))
    assert saved.read_bytes() == before


def test_a_backup_that_fails_leaves_nothing_half_done(house: House, tmp_path: Path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_fill", full)
    assert "No space left" in refused("backup", str(tmp_path / "there.zip"))
    assert not list(tmp_path.glob("there*"))


# ---------------------------------------------------------------- refusals


def test_a_server_that_is_not_empty_is_left_alone_unless_told(saved: Path):
    actions.open_room("Octave")
    before = rows()
    assert "n’est pas vide" in refused("restore", str(saved))
    assert rows() == before
    manage("restore", str(saved), "--replace")
    assert Session.objects.count() == 1


@pytest.mark.parametrize("cut", [0, 1, 30, 2000, -30])
def test_a_truncated_archive_is_refused_in_one_sentence(saved: Path, cut: int):
    saved.write_bytes(saved.read_bytes()[:cut])
    sentence = refused("restore", "--replace", str(saved))
    assert "tronquée ou abîmée" in sentence and "\n" not in sentence


def test_a_byte_that_changed_anywhere_is_noticed(saved: Path, tmp_path: Path):
    before, content = rows(), saved.read_bytes()
    with zipfile.ZipFile(saved) as opened:
        places = [info.header_offset + 60 + info.compress_size // 2 for info in opened.infolist()]
    for place in places:
        saved.write_bytes(content[:place] + bytes([content[place] ^ 0x40]) + content[place + 1 :])
        assert "prenez-en une autre" in refused("restore", "--replace", str(saved))
    assert rows() == before


def test_a_part_that_is_not_what_was_saved_is_refused(saved: Path):
    rewrite(saved, lambda name, content: content.replace(b'"Written"', b'"Writter"', 1))
    assert "room.entry.jsonl" in refused("restore", "--replace", str(saved))


def test_a_part_that_is_missing_is_refused(saved: Path):
    rewrite(saved, lambda name, content: None if name == "room.seat.jsonl" else content)
    assert "room.seat.jsonl" in refused("restore", "--replace", str(saved))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 2}, "ne connaît pas le format"),
        ({"migrations": ["room.0099_later"]}, "autre version"),
        ({"parts": []}, "autre version"),
        ({"parts": [{"name": "x"}]}, "n’est pas complet"),
    ],
)
def test_an_archive_of_something_else_is_refused(saved: Path, change: dict, sentence: str):
    def told(name: str, content: bytes) -> bytes:
        return json.dumps(json.loads(content) | change).encode() if name == archive.MANIFEST else content

    rewrite(saved, told)
    assert sentence in refused("restore", "--replace", str(saved))


def test_another_zip_or_another_file_is_refused(tmp_path: Path):
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as opened:
        opened.writestr("letter.txt", "Bonjour")
    assert "n’est pas une archive de Cordée" in refused("restore", str(other))
    assert "ne se lit pas" in refused("restore", str(tmp_path / "nothing.zip"))


def test_a_restoration_that_fails_half_way_changes_nothing(saved: Path, monkeypatch):
    actions.open_room("Octave")
    before = rows()

    def falls(known):
        raise RuntimeError

    monkeypatch.setattr(restore, "honour", falls)
    with pytest.raises(RuntimeError):
        manage("restore", str(saved), "--replace")
    assert rows() == before


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize(("ring", "sentence"), [(NEW, "« k1 » manque"), (WRONG, "n’est pas celle d’origine")])
def test_an_archive_that_the_ring_does_not_open_is_refused_before_anything_is_touched(saved, settings, ring, sentence):
    empty()
    settings.KEY_RING = ring
    told = refused("restore", str(saved))
    assert sentence in told and "--anyway" in told
    assert not Circle.objects.exists()
    assert "illisibles : 1" in manage("restore", "--anyway", str(saved))
    settings.KEY_RING = f"{NEW},{OLD}"
    store.forget()
    assert store.load(Session.objects.get().pk).state.seats["karim"].name == "Karim"  # nothing was lost by it


def test_another_secret_key_is_noticed(saved: Path, settings):
    empty()
    settings.SECRET_KEY = "another one that is long enough for everybody here"
    assert "CORDEE_SECRET_KEY" in refused("restore", str(saved))


def test_secrets_written_apart_open_the_archive(house: House, tmp_path: Path, settings):
    manage("backup", str(tmp_path / "a.zip"), "--with-keys", str(tmp_path / "secrets.env"))
    empty()
    settings.KEY_RING = NEW
    kept = dict(re.findall(r"(\w+)='(.*)'", (tmp_path / "secrets.env").read_text()))
    settings.KEY_RING, settings.SECRET_KEY = kept["CORDEE_KEY_RING"], kept["CORDEE_SECRET_KEY"]
    assert "Restauré" in manage("restore", str(tmp_path / "a.zip"))


# ---------------------------------------------------------------- what was erased stays erased


def test_what_is_due_by_now_is_erased_at_once(saved: Path, house: House, monkeypatch):
    Circle.objects.update(erase_on=timezone.localdate() - timedelta(days=1))
    manage("backup", str(saved.with_name("due.zip")))
    empty()
    assert "effacés à nouveau : 1" in manage("restore", str(saved.with_name("due.zip")))
    assert Circle.objects.get().wrapped_key is None
    assert not Draft.objects.exists()
    assert store.load(house.id).key is None


def test_a_backup_does_not_bring_back_what_this_server_knows_to_be_erased(saved: Path, house: House):
    for circle in Circle.objects.all():
        actions.erase(circle)
    manage("restore", "--replace", str(saved))
    assert Circle.objects.get().wrapped_key is None
    assert not Draft.objects.exists()


def test_a_backup_does_not_put_an_erasure_off(saved: Path):
    sooner = timezone.localdate() + timedelta(days=2)
    Circle.objects.update(erase_on=sooner)
    manage("restore", "--replace", str(saved))
    assert Circle.objects.get().erase_on == sooner


def test_the_circle_of_another_server_under_the_same_number_is_another_circle(saved: Path):
    Circle.objects.update(wrapped_key=None, created_at=timezone.now() + timedelta(days=1))
    manage("restore", "--replace", str(saved))
    assert Circle.objects.get().wrapped_key is not None


def test_a_key_missing_in_the_database_is_told_when_saving(house: House, tmp_path: Path):
    assert "« k1 »" in manage("backup", str(tmp_path / "a.zip"))


def test_a_file_of_ours_is_known_by_its_name(tmp_path: Path):
    named = backup.where(tmp_path)
    assert named.match(backup.OURS)
    shutil.rmtree(tmp_path, ignore_errors=True)
    assert backup.where(tmp_path / "x.zip") == tmp_path / "x.zip"
