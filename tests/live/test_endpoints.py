"""The two live endpoints on the real server: who gets what, how soon, how much, and who gets nothing."""

import asyncio
import re
import socket
import time
from contextlib import AsyncExitStack

import httpx
import pytest

from cordee.room import render, stream
from tests.conftest import Template
from tests.faults.nodes import nodes, seated
from tests.live.people import LONG, Message, Person, Stream, eventually

CANARY = "zqcanaryqz"


@pytest.fixture(scope="module")
def quick(template: Template):
    """The real server with the little patience of quick.py, logging everything it can."""
    with template.server(CORDEE_LOG_LEVEL="DEBUG") as server:
        server.stop()
        server.command[server.command.index("config.asgi:application")] = "tests.live.quick:application"
        server.start()
        yield server


@pytest.fixture
def fanny(quick) -> Person:
    return Person(quick, "/salles/nouvelle/", "Fanny")


@pytest.fixture
def karim(fanny) -> Person:
    return Person(fanny.server, f"/s/{fanny.code}/", "Karim")


@pytest.fixture
def claire(fanny) -> Person:
    return Person(fanny.server, f"/s/{fanny.code}/", "Claire")


def situation(person: Person, text: str = "", id_: str = "situation-1") -> None:
    person.do("write", kind="situation", id=id_, body_title=f"Comment {CANARY} ?", body_text=text)


# ---------------------------------------------------------------- the stream


async def test_a_stream_begins_with_everything_and_goes_on_with_what_changes(fanny, karim, claire):
    async with claire.stream() as open_:
        headers = open_.response.headers
        assert open_.response.status_code == 200
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "no-store" in headers["cache-control"]
        assert headers["x-accel-buffering"] == "no"
        first = await open_.next()
        assert sorted(targets(first)) == sorted(render.PARTS)
        situation(karim)
        second = await open_.until(CANARY)
        changed = set(targets(second))
        assert "groups" in changed
        assert not changed & {"strip", "say", "clock", "past", "own", "hand", "request"}


async def test_a_page_just_opened_is_told_what_changes_and_one_that_comes_back_everything(fanny, karim, claire):
    shown = "?vu=" + re.search(r'data-shown="(\w+)"', claire.look())[1]
    async with (
        claire.stream(query=shown) as opened,
        claire.stream(query=shown, **{"Last-Event-ID": "1"}) as back,
    ):
        assert sorted(targets(await back.next())) == sorted(render.PARTS)
        situation(karim)
        assert "strip" not in targets(await opened.until(CANARY))


def targets(message: Message) -> list[str]:
    return re.findall(r'hx-target="#([\w-]+)"', message.data)


async def test_one_new_card_to_another_person_is_less_than_4_kb_on_the_wire(fanny, karim, claire):
    """The first card of a list brings the list; the next ones bring themselves."""
    others = [Person(fanny.server, f"/s/{fanny.code}/", f"P{n}") for n in range(6)]
    situation(karim)
    fanny.do("choose", situation="situation-1")
    fanny.do("next")
    karim.do("write", kind="story", id="story-number-1", body_text="Un premier morceau.")
    async with claire.stream() as open_:
        await open_.next()
        karim.do("write", kind="story", id="story-number-2", body_text="Un second morceau, de deux lignes environ.")
        message = await open_.until("Un second morceau")
        assert "beforeend" in message.data
        assert message.size < 4096
    for person in others:
        person.http.close()


async def test_what_a_seat_does_not_see_sends_it_nothing(fanny, karim, claire):
    async with claire.stream() as open_:
        await open_.next()
        await open_.quiet(0.2)  # the others' presence
        karim.do("write", kind="note", id="note-number-1", body_text=f"Pour moi, {CANARY}.")
        assert await open_.quiet(0.5)


async def test_a_revoked_seat_is_told_bye_at_once_and_its_stream_ends(template):
    with nodes(template, 1, BEAT="600") as (server,):  # no beat tells it: the act itself does
        fanny, (karim, *_) = seated(server)
        async with karim.stream() as open_:
            await open_.next()
            fanny.do("revoke", target=karim.seat)
            while (await open_.next()).event != "bye":
                pass
            assert await open_.next() is None
        is_shut_out(karim)


def is_shut_out(karim: Person) -> None:
    answer = karim.http.get(f"{karim.path}stream")  # told again, and closed
    assert answer.status_code == 200
    assert answer.headers["connection"] == "close"  # who came by it asks again by another
    assert "bye" in karim.http.get(f"{karim.path}stream").text
    assert karim.post(do="leave").status_code == 409


async def test_a_shared_screen_whose_link_was_renewed_is_told_bye(fanny, karim):
    screen_link = next(
        link for link in re.findall(r'href="(http[^"]+/place/[\w-]+/)"', fanny.look()) if fanny.token not in link
    )
    screen = httpx.get(screen_link, follow_redirects=False)
    path, token = screen.headers["location"], screen.cookies["place"]
    async with httpx.AsyncClient(base_url=fanny.server.url, timeout=LONG) as client:
        cookie = {"Cookie": f"place={token}"}
        async with client.stream("GET", f"{path}stream", headers=cookie) as response:
            open_ = Stream(response)
            first = await open_.next()
            assert 'hx-target="#ring"' in first.data and "contributions" not in first.data
            posted = await client.post(
                f"{fanny.path}contributions",
                data={"do": "pause"},
                headers={**cookie, "Origin": fanny.server.url, "X-Cordee": "1"},
            )
            assert posted.status_code == 404
            fanny.post(path=f"{fanny.path}code")
            while (message := await open_.next()).event != "bye":
                pass
            assert message.data == "revoked"
        assert (await client.get(f"{path}stream", headers=cookie)).status_code == 404


async def test_a_quiet_stream_beats(karim):
    async with karim.stream() as open_:
        await open_.next()
        beats = [await open_.next(beats=True) for _ in range(4)]
        assert "beat" in {beat.event for beat in beats}


async def test_a_seat_has_so_many_streams_and_no_more_and_a_closed_one_makes_room(karim):
    async def statuses(many: int) -> list[int]:
        """The answers to so many streams that are open together."""
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(karim.stream()) for _ in range(many)]
            for one in opened:
                if one.response.status_code == 200:
                    await one.next()
            return [one.response.status_code for one in opened]

    most = stream.MOST_STREAMS
    assert await statuses(most + 1) == [200] * most + [404]
    async with asyncio.timeout(LONG):  # the server notices within moments that they are gone
        while await statuses(1) != [200]:
            await asyncio.sleep(0.05)


# ---------------------------------------------------------------- presence


def is_away(watcher: Person, name: str) -> bool:
    return re.search(rf"<li[^>]*>{name}[^<]*s’est absenté·e", watcher.look()) is not None


async def test_who_closes_every_page_is_away_after_a_grace_and_back_on_return(fanny, karim):
    async with karim.stream() as phone:
        await phone.next()
        async with karim.stream() as laptop:
            await laptop.next()
        await asyncio.sleep(1.2)
        assert not is_away(fanny, "Karim")  # the phone is still here
    await eventually(lambda: is_away(fanny, "Karim"))
    async with karim.stream() as phone:
        await phone.next()
        await eventually(lambda: not is_away(fanny, "Karim"))


async def test_an_absence_noted_by_the_facilitator_stands_until_the_page_is_opened_again(fanny, karim):
    async with karim.stream() as phone:
        await phone.next()
        fanny.do("leave", target=karim.seat)
        await phone.until("s’est absenté·e")
        assert await phone.quiet(0.5)
        assert is_away(fanny, "Karim")
    async with karim.stream() as phone:
        await phone.next()
        await eventually(lambda: not is_away(fanny, "Karim"))


async def test_a_page_reloaded_within_the_grace_is_no_absence(fanny, karim):
    for _ in range(3):
        async with karim.stream() as phone:
            await phone.next()
        await asyncio.sleep(0.15)
    async with karim.stream() as phone:
        await phone.next()
        await asyncio.sleep(1)
        assert not is_away(fanny, "Karim")


# ---------------------------------------------------------------- one contribution


def test_a_contribution_is_204_once_and_again_and_then_on_everybodys_page(fanny, karim, claire):
    for _ in range(2):
        answer = karim.post(do="write", kind="situation", id="situation-1", body_title=f"Comment {CANARY} ?")
        assert (answer.status_code, answer.content) == (204, b"")
    assert claire.look().count('<article id="c-situation-1"') == 1


@pytest.mark.parametrize(
    ("language", "sentence"), [("fr", "Ce geste n’est pas connu"), ("en", None), ("de,en;q=0.8", None)]
)
def test_a_refusal_is_409_with_its_reason_and_a_sentence_in_the_readers_language(karim, language, sentence):
    answer = karim.post({"Accept-Language": language}, do="sudo")
    assert answer.status_code == 409
    assert answer.json()["reason"] == "unknown"
    assert answer.headers["cache-control"] == "no-store"
    if sentence:
        assert sentence in answer.json()["sentence"]
    else:
        assert "Ce geste" not in answer.json()["sentence"]


@pytest.mark.parametrize(
    "origin", [None, "null", "https://elsewhere.example", "http://127.0.0.1.evil.example", "http://127.0.0.1:1"]
)
def test_another_sites_page_writes_nothing(fanny, karim, origin):
    answer = karim.post({"Origin": origin}, do="write", kind="note", id="note-number-1", body_text="x")
    assert (answer.status_code, answer.json()["reason"]) == (403, "origin")
    assert "note-number-1" not in karim.look()


def test_without_origin_the_browsers_own_word_that_it_is_our_page_is_enough(karim):
    headers = {"Origin": None, "Sec-Fetch-Site": "same-origin"}
    assert karim.post(headers, do="write", kind="note", id="note-number-1", body_text="x").status_code == 204
    headers = {"Origin": None, "Sec-Fetch-Site": "same-site"}
    assert karim.post(headers, do="write", kind="note", id="note-number-2", body_text="x").status_code == 403


def test_strangers_and_seats_of_other_rooms_get_404_everywhere(quick, fanny, karim):
    other = Person(quick, "/salles/nouvelle/", "Rose")
    for cookie in ("", "place=", "place=forged", f"place={other.token}", "place=" + "A" * 5000, "other=1"):
        headers = {"Cookie": cookie, "Origin": quick.url, "X-Cordee": "1"}
        assert httpx.get(f"{quick.url}{fanny.path}stream", headers=headers).status_code == 404
        answer = httpx.post(f"{quick.url}{fanny.path}contributions", data={"do": "pause"}, headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (404, "stranger")
    assert httpx.get(f"{quick.url}/salle/nowhere/stream", headers={"Cookie": f"place={karim.token}"}).status_code == 404
    assert (
        httpx.get(
            f"{quick.url}/ecran/{fanny.path.split('/')[2]}/stream", headers={"Cookie": f"place={karim.token}"}
        ).status_code
        == 404
    )


def test_a_body_too_large_or_of_too_many_fields_is_413(karim):
    assert karim.post(do="write", body_text="x" * 70_000).status_code == 413
    assert karim.post(do="write", **{f"f{n}": "1" for n in range(120)}).status_code == 413
    assert karim.post(do="leave", **{f"f{n}": "1" for n in range(98)}).status_code == 204


def raw(person: Person, head: str, body: bytes = b"", pause: float = 0, rest: bytes = b"") -> bytes:
    """What the server answers to these very bytes."""
    with socket.create_connection(("127.0.0.1", person.server.port), timeout=LONG) as wire:
        wire.sendall(head.replace("\n", "\r\n").encode() + b"\r\n" + body)
        if pause:
            time.sleep(pause)
            wire.sendall(rest)
        answer = b""
        try:
            while chunk := wire.recv(65536):
                answer += chunk
                if b"\r\n\r\n" in answer:
                    wire.settimeout(0.3)
        except TimeoutError:
            pass
        return answer


def head(
    person: Person, method: str = "POST", version: str = "1.1", length: int | None = None, end: str = "contributions"
) -> str:
    lines = [
        f"{method} {person.path}{end} HTTP/{version}",
        f"Host: 127.0.0.1:{person.server.port}",
        f"Origin: {person.server.url}",
        "X-Cordee: 1",
        f"Cookie: place={person.token}",
        "Content-Type: application/x-www-form-urlencoded",
    ]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\n".join(lines) + "\n"


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_body_that_never_ends_is_let_go_and_a_slow_one_is_waited_for(karim):
    assert status(raw(karim, head(karim, length=100), b"do=leave")) == 413
    body = b"do=write&kind=note&id=note-number-1&body.text=lent"
    assert status(raw(karim, head(karim, length=len(body)), body[:10], pause=0.1, rest=body[10:])) == 204


def test_broken_utf_8_is_taken_as_far_as_it_can_be_read(karim):
    body = b"do=write&kind=note&id=note-number-1&body.text=avant\xff\xfe%ED%A0%80%00apr%C3%A8s"
    assert status(raw(karim, head(karim, length=len(body)), body)) == 204
    page = karim.look()
    assert "avant" in page and "après" in page


@pytest.mark.parametrize(
    "body", [b"", b"&&&", b"=", b"do", b"do=write", b"\x00\x01", b"{}", b"do=write&id=%00&kind=%00"]
)
def test_a_body_that_says_nothing_is_a_refusal(karim, body):
    assert status(raw(karim, head(karim, length=len(body)), body)) == 409


def test_http_1_0_reads_and_writes(karim):
    body = b"do=write&kind=note&id=note-number-1&body.text=ancien"
    assert status(raw(karim, head(karim, version="1.0", length=len(body)), body)) == 204
    answer = raw(karim, head(karim, "GET", "1.0", end="stream"))
    assert status(answer) == 200
    assert b"hx-partial" in answer


def test_without_the_scripts_header_the_same_address_is_the_plain_forms_road(karim):
    answer = karim.post({"X-Cordee": None}, do="write", kind="note", id="note-number-1", body_text="à la main")
    assert (answer.status_code, answer.url.path) == (200, karim.path)
    assert "à la main" in answer.text


# ---------------------------------------------------------------- what the operator can read


def test_the_log_of_all_this_at_its_most_talkative_holds_no_word_no_token_and_no_traceback(quick, fanny, karim):
    situation(karim, text=CANARY)
    karim.post(do="write", kind="situation", id="x", body_title=CANARY)
    karim.post({"X-Cordee": None}, do="write", kind="nothing", id="", body_text=CANARY)
    karim.post(path=f"{karim.path}brouillon", kind="note", body_text=CANARY)
    assert CANARY in karim.look()
    log = quick.log
    assert CANARY not in log
    for secret in (karim.token, fanny.token, fanny.code):
        assert secret not in log
    assert "Traceback" not in log


def test_the_files_of_the_data_folder_hold_no_word(quick, fanny, karim):
    situation(karim, text=CANARY)
    karim.post(path=f"{karim.path}brouillon", kind="note", body_text=CANARY)
    files = [path for path in quick.var.rglob("*") if path.is_file() and "static" not in path.parts]
    names = {path.name for path in files}
    if (quick.var / "cordee.sqlite3").exists():
        assert "cordee.sqlite3-wal" in names
        assert any(karim.seat.encode() in path.read_bytes() for path in files)  # the search sees today's rows
    for path in files:
        content = path.read_bytes()
        for secret in (CANARY, karim.token, fanny.code):
            assert secret.encode() not in content, path.name
