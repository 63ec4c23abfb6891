"""The key ring over the years: rotation, a key that is lost, one that is wrong, one destroyed on purpose."""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from io import StringIO

import httpx
import pytest
from django.core.management import CommandError, call_command

from cordee.circles import crypto
from cordee.circles.models import Circle
from cordee.engine import commands as c
from cordee.engine.refusal import Refused
from cordee.engine.state import State
from cordee.engine.view import view_for
from cordee.ops.demo import building
from cordee.ops.demo.scene import seat_of
from cordee.ops.management.commands import rotate_keys
from cordee.room import access, actions, store
from cordee.room.models import Entry
from tests.faults.nodes import Author, Load, all_amiss, kept, nodes, seated
from tests.room.clean import clean_memory  # noqa: F401


def key(name: str, seed: str = "") -> str:
    """An entry of the ring; another seed makes another key under the same id."""
    return f"{name}:{urlsafe_b64encode(sha256((name + seed).encode()).digest()).decode()}"


OLD, NEW, WRONG = key("k1"), key("k2"), key("k1", "wrong")


@pytest.fixture
def ring(settings, db) -> Callable[[str], None]:
    """ring("k2:…,k1:…") is the server restarted with that ring. It starts with the old key alone."""

    def set_ring(value: str) -> None:
        settings.KEY_RING = value
        store.forget()

    set_ring(OLD)
    return set_ring


def rotate() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def open_rooms(count: int) -> list[actions.Opened]:
    return [actions.open_room("Fanny") for _ in range(count)]


def wrapped_by() -> list[str]:
    return [bytes(wrapped).split(b":")[0].decode() for wrapped in Circle.objects.values_list("wrapped_key", flat=True)]


def name_in(opened: actions.Opened) -> str | None:
    return store.load(opened.room).state.seats[opened.seat].name


# ---------------------------------------------------------------- rotation


def test_rotation_wraps_every_circle_with_the_newest_key_and_texts_stay_readable(ring) -> None:
    rooms = open_rooms(3)
    ring(f"{NEW},{OLD}")
    assert "cercles rechiffrés : 3 · déjà faits : 0" in rotate()
    assert wrapped_by() == ["k2"] * 3
    ring(NEW)
    assert [name_in(room) for room in rooms] == ["Fanny"] * 3


def test_rotation_says_which_old_key_is_free(ring) -> None:
    open_rooms(1)
    ring(f"{NEW},{OLD}")
    assert "La clé « k1 » ne sert plus à aucun cercle" in rotate()
    ring(f"{OLD}")
    open_rooms(1)  # a server that has not restarted yet
    ring(f"{NEW},{OLD}")
    assert rotate_keys.wrapped_by("k1")
    assert "cercles rechiffrés : 1 · déjà faits : 1" in rotate()


def test_rotation_begun_again_goes_on_where_it_stopped(ring, monkeypatch) -> None:
    open_rooms(3)
    ring(f"{NEW},{OLD}")
    rewrap, done = rotate_keys.rewrap, []

    def cut_after_two(pk: int) -> str:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(pk)
        return rewrap(pk)

    monkeypatch.setattr(rotate_keys, "rewrap", cut_after_two)
    with pytest.raises(KeyboardInterrupt):
        rotate()
    assert sorted(wrapped_by()) == ["k1", "k2", "k2"]
    monkeypatch.setattr(rotate_keys, "rewrap", rewrap)
    assert "cercles rechiffrés : 1 · déjà faits : 2" in rotate()


def test_rotation_reads_more_circles_than_a_page_holds(ring, monkeypatch) -> None:
    monkeypatch.setattr(rotate_keys, "AT_ONCE", 2)
    open_rooms(5)
    ring(f"{NEW},{OLD}")
    assert "cercles rechiffrés : 5" in rotate()


def test_rotation_never_brings_back_a_key_destroyed_meanwhile(ring, monkeypatch) -> None:
    (room,) = open_rooms(1)
    ring(f"{NEW},{OLD}")
    wrap = crypto.wrap

    def destroyed_meanwhile(plain: bytes) -> bytes:
        Circle.objects.update(wrapped_key=None)
        return wrap(plain)

    circle = store.load(room.room).circle
    monkeypatch.setattr(crypto, "wrap", destroyed_meanwhile)
    assert rotate_keys.rewrap(circle) == rotate_keys.GONE
    assert Circle.objects.get(pk=circle).wrapped_key is None


def test_a_room_that_is_open_during_a_rotation_goes_on(ring) -> None:
    (room,) = open_rooms(1)
    member = actions.join(room.room, "Claire")
    ring(f"{NEW},{OLD}")
    store.load(room.room)
    rotate()  # the room is in memory, as in a server that serves it
    body = {"title": "Comment continuer ?"}
    wish = c.Write(seat=member.seat, id="rotation-1", kind="situation", body=body)
    assert not isinstance(actions.submit(room.room, wish), Refused)
    ring(NEW)
    assert store.load(room.room).state.contributions["rotation-1"].body == body


def test_the_real_server_goes_on_while_its_keys_are_rotated(fresh_server) -> None:
    printed = fresh_server.manage("demo", "--base-url", fresh_server.url)
    place = re.search(r"Karim, consultant\s+(\S+)", printed)[1]
    with httpx.Client(follow_redirects=True, headers={"Accept-Language": "fr"}) as karim:
        stage = karim.get(place)
        assert stage.status_code == 200
        ring = (fresh_server.var / "cordee_key_ring").read_text()
        (fresh_server.var / "cordee_key_ring").write_text(f"{NEW},{ring}")
        assert re.search(r"cercles rechiffrés : [1-9]\d* · déjà faits : 0 ", fresh_server.manage("rotate_keys"))
        form = {"do": "write", "id": "rotated-1", "kind": "suggestion", "body.text": "Une piste de nuit."}
        posted = karim.post(f"{stage.url}contributions", data=form, headers={"Origin": fresh_server.url.rstrip("/")})
        assert posted.status_code in {200, 204}
        (fresh_server.var / "cordee_key_ring").write_text(NEW)
        fresh_server.restart()
        assert (
            "Une piste de nuit."
            in karim.get(place.replace(place.split("/place")[0], fresh_server.url.rstrip("/"))).text
        )


# ---------------------------------------------------------------- lost and wrong keys


def test_a_lost_key_is_one_sentence_with_its_id_and_the_count(ring) -> None:
    open_rooms(2)
    ring(NEW)
    readable = open_rooms(1)
    with pytest.raises(CommandError) as refused:
        rotate()
    assert "« k1 » manque" in str(refused.value)
    assert "Cercles illisibles sans elle : 2." in str(refused.value)
    assert "\n" not in str(refused.value)
    assert name_in(readable[0]) == "Fanny"


def test_a_lost_key_does_not_stop_the_rotation_of_the_others(ring) -> None:
    ring(key("k0"))
    open_rooms(1)
    ring(OLD)
    open_rooms(1)
    ring(f"{NEW},{OLD}")
    with pytest.raises(CommandError, match="« k0 » manque"):
        rotate()
    assert sorted(wrapped_by()) == ["k0", "k2"]


def test_putting_a_lost_key_back_makes_all_readable_again(ring) -> None:
    rooms = open_rooms(1)
    ring(NEW)
    with pytest.raises(crypto.Unreadable, match="k1"):
        store.load(rooms[0].room)
    ring(f"{NEW},{OLD}")
    assert name_in(rooms[0]) == "Fanny"


def test_a_wrong_key_under_the_same_id_is_told_apart_from_a_lost_one(ring) -> None:
    open_rooms(2)
    before = list(Circle.objects.values_list("wrapped_key", flat=True))
    ring(f"{NEW},{WRONG}")
    with pytest.raises(CommandError) as refused:
        rotate()
    assert "« k1 » de CORDEE_KEY_RING n’est pas celle d’origine" in str(refused.value)
    assert "Cercles illisibles : 2." in str(refused.value)
    assert [bytes(w) for w in Circle.objects.values_list("wrapped_key", flat=True)] == [bytes(w) for w in before]


def test_a_ring_that_is_not_understood_is_one_sentence_without_its_keys(ring) -> None:
    open_rooms(1)
    ring("k1:secret-mal-recopie")
    with pytest.raises(CommandError) as refused:
        rotate()
    assert "CORDEE_KEY_RING" in str(refused.value)
    assert "secret-mal-recopie" not in str(refused.value)


@pytest.mark.parametrize("command", ["demo", "rotate_keys", "doctor"])
def test_no_command_shows_a_key(ring, command: str) -> None:
    call_command("demo", stdout=StringIO())
    ring(f"{NEW},{WRONG}")
    out = StringIO()
    try:
        call_command(command, stdout=out, stderr=out)
    except (CommandError, SystemExit) as end:
        out.write(str(end))
    assert out.getvalue().strip()
    for entry in (OLD, NEW, WRONG):
        assert entry.partition(":")[2][:12] not in out.getvalue()


def test_a_demo_whose_key_is_lost_says_so_and_can_be_reset(ring) -> None:
    call_command("demo", stdout=StringIO())
    ring(NEW)
    with pytest.raises(CommandError, match=r"manage\.py doctor"):
        call_command("demo", stdout=StringIO())
    call_command("demo", "--reset", stdout=StringIO())
    assert building.standing()


# ---------------------------------------------------------------- a key destroyed on purpose


def shape(state: State) -> tuple[object, ...]:
    """What may still be counted once the words are gone."""
    counted = [(kind, len(state.of_kind(kind))) for kind in state.protocol.kinds]
    return state.version, len(state.seats), len(state.contributions), len(state.marks), state.course.treated, counted


def test_a_destroyed_key_leaves_a_room_that_folds_and_counts_without_a_word(ring) -> None:
    call_command("demo", stdout=StringIO())
    demo = building.standing()
    rooms = (demo.earlier, demo.halfway)
    before = [shape(store.load(room).state) for room in rooms]
    entries = Entry.objects.count()
    Circle.objects.get(name=building.CIRCLE).destroy_key()
    store.forget()
    after = [store.load(room) for room in rooms]
    assert [shape(room.state) for room in after] == before
    assert Entry.objects.count() == entries
    for room in after:
        assert room.key is None
        assert {entry.body for entry in room.state.contributions.values()} == {None}
        assert {seat.name for seat in room.state.seats.values()} == {None}
        assert view_for(room.state, seat_of("fanny"))
        assert actions.links(room) == {}


def test_a_destroyed_key_stays_destroyed_through_a_rotation(ring) -> None:
    (room,) = open_rooms(1)
    Circle.objects.get().destroy_key()
    ring(f"{NEW},{OLD}")
    assert "cercles rechiffrés : 0 · déjà faits : 0 · effacés entre-temps : 0" in rotate()
    assert name_in(room) is None
    assert not actions.save_draft(access.Key(room.room, room.seat), "note", {"text": "Trop tard."})


def test_keys_are_rotated_again_and_again_under_people_who_write_and_the_old_one_can_go(template, monkeypatch) -> None:
    send = Author.send

    def unhurried(author: Author, note: str) -> bool:
        time.sleep(0.1)  # a room takes a few thousand notes
        return send(author, note)

    monkeypatch.setattr(Author, "send", unhurried)
    with nodes(template, 1) as (server,):
        file = server.var / "cordee_key_ring"
        old = file.read_text()
        file.write_text(f"{NEW},{old}")
        server.restart()
        _, people = seated(server)
        with Load(people[:4], [server]) as load:
            for ring in (f"{old},{NEW}", f"{NEW},{old}", f"{old},{NEW}", f"{NEW},{old}"):
                load.until(20)
                file.write_text(ring)  # the running server has both; only the command reads this
                assert "cercles rechiffrés : 1" in server.manage("rotate_keys")
            load.until(20)
        assert load.wrong == load.again == load.unavailable == []
        assert all_amiss(load, kept(server)) == []
        file.write_text(NEW)
        server.restart()
        for author in load.authors:
            page = author.person.look()
            assert [note for note in author.acknowledged if f"Mot {note}" not in page] == []
        assert httpx.get(f"{server.url}/readyz", timeout=30).status_code == 200
