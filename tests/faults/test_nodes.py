"""Two nodes on one PostgreSQL: what goes through one is seen on the other, which carries on alone."""

import asyncio
import re
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import httpx
import pytest

from tests import services
from tests.conftest import Template, started
from tests.faults.nodes import Load, all_amiss, amiss, cards, kept, nodes, seated, through
from tests.live.people import Person, Stream, eventually

pytestmark = pytest.mark.postgres
SOON = 60  # seconds: far below the beat of these nodes, far above what a busy machine needs
NEVER = "600"  # seconds: no beat helps


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A durable PostgreSQL of this file's own, and a migrated template in it."""
    with ExitStack() as stack:
        postgres = started(stack, services.postgres(durable=True))
        yield Template(tmp_path_factory.mktemp("nodes"), postgres.url())


@pytest.fixture(scope="module")
def pair(cluster):
    """Two nodes whose streams look at the log only when they are woken."""
    with nodes(cluster, BEAT=NEVER, GRACE="0.5") as two:
        yield two


@pytest.fixture
def room(pair):
    return seated(pair[0])


def situation(server: services.Server, person: Person, number: int) -> str:
    """A situation that all see, posted through that node; its title."""
    title = f"Comment faire {number} ?"
    answer = through(server, person, do="write", kind="situation", id=f"situation-{number}", body_title=title)
    assert answer.status_code == 204, answer.text
    return title


async def test_what_goes_through_either_node_reaches_streams_on_both_at_once(pair, room):
    _, (karim, helene, thomas, *_) = room
    async with AsyncExitStack() as stack:
        streams: list[Stream] = []
        for server in pair:
            streams.append(await stack.enter_async_context(thomas.stream(f"{server.url}{thomas.path}")))
            await streams[-1].next(SOON)
        for number, (server, author) in enumerate(zip(pair, (karim, helene), strict=True)):
            title = await asyncio.to_thread(situation, server, author, number)
            for stream in streams:
                await stream.until(title, SOON)


async def test_one_node_is_killed_in_mid_load_and_its_people_carry_on_through_the_other(cluster):
    with nodes(cluster) as (doomed, other):
        fanny, people = seated(doomed)
        async with AsyncExitStack() as stack:
            watching = await stack.enter_async_context(fanny.stream(f"{other.url}{fanny.path}"))
            await watching.next(SOON)
            with Load(people, [doomed, other]) as load:
                await asyncio.to_thread(load.until, 120)
                doomed.kill9()
                before = load.acknowledged
                await asyncio.to_thread(load.until, 120)
            assert load.wrong == []
            assert load.again, "nobody was cut off in mid-sentence"
            assert load.acknowledged >= before + 120
            # Whoever watched through the other node has missed nothing, and what is written now still reaches them.
            title = await asyncio.to_thread(situation, other, people[0], 1)
            await watching.until(title, SOON)
        found = kept(other)
        assert all_amiss(load, found) == []
        assert set(load.again) <= set(found)  # sent again until it was answered
        for author in load.authors:
            async with author.person.stream(f"{other.url}{author.person.path}") as stream:
                first = await stream.next(SOON)
                assert amiss(author.acknowledged, cards(first.data)) == []
        killed = time.monotonic()
        doomed.start()
        print(
            f"{load.acknowledged} acknowledged, {len(set(load.again))} sent again;",
            f"back in {time.monotonic() - killed:.1f} s",
        )
        author = load.authors[0]
        page = httpx.get(f"{doomed.url}{author.person.path}", cookies={"place": author.person.token}, timeout=30)
        assert amiss(author.acknowledged, cards(page.text)) == []


def test_the_check_itself_notices_what_is_lost_doubled_or_displaced():
    assert amiss(["a", "b"], ["a"]) == ["b"]
    assert amiss(["a", "b"], ["a", "b", "b"]) == ["b", "b"]
    assert amiss(["a"], ["a", "x", "x"]) == ["x"]
    assert amiss(["a", "b"], ["b", "a"]) == ["order"]
    assert amiss(["a", "b"], ["a", "x", "b"]) == []


async def test_somebody_whose_stream_moves_to_the_other_node_is_not_left_absent(pair, room):
    _, (karim, *_) = room
    here, there = (f"{server.url}{karim.path}" for server in pair)

    async with karim.stream(there) as moved:
        await moved.next(SOON)
        async with karim.stream(here) as left:
            await left.next(SOON)
        await eventually(lambda: "SeatBack" in log_of(pair[1], karim.seat), within=SOON)  # after the farewell here
        assert log_of(pair[1], karim.seat)[-2:] == ["SeatAway", "SeatBack"]
    await eventually(lambda: log_of(pair[1], karim.seat)[-1] == "SeatAway", within=SOON)


def log_of(server: services.Server, seat: str) -> list[str]:
    """The kinds of facts that this seat is the actor of, in their order."""
    facts = f"Entry.objects.filter(seat={seat!r}).order_by('seq')"
    code = f"from cordee.room.models import Entry\nfor entry in {facts}: print('fact', entry.kind)"
    return re.findall(r"fact (\w+)", server.manage("shell", "-c", code))


async def test_a_seat_revoked_through_one_node_loses_its_stream_on_the_other_at_once(pair, room):
    fanny, (karim, *_) = room
    async with karim.stream(f"{pair[1].url}{karim.path}") as stream:
        await stream.next(SOON)
        assert (await asyncio.to_thread(through, pair[0], fanny, do="revoke", target=karim.seat)).status_code == 204
        while (message := await stream.next(SOON)).event != "bye":
            assert message
        assert await stream.next(SOON) is None


async def test_a_screen_link_renewed_through_one_node_is_void_on_the_other_at_once(pair, room):
    fanny, _ = room
    link = next(
        each for each in re.findall(r'href="(http[^"]+/place/[\w-]+/)"', fanny.look()) if fanny.token not in each
    )
    screen = httpx.get(link, follow_redirects=False)
    path, cookies = screen.headers["location"], {"place": screen.cookies["place"]}
    there = f"{pair[1].url}{path}"
    assert httpx.get(there, cookies=cookies).status_code == 200
    async with (
        httpx.AsyncClient(timeout=SOON, cookies=cookies) as client,
        client.stream("GET", f"{there}stream") as response,
    ):
        stream = Stream(response)
        await stream.next(SOON)
        renewed = fanny.http.post(f"{fanny.path}code", headers={"Origin": pair[0].url})
        assert renewed.status_code == 200
        while (message := await stream.next(SOON)).event != "bye":
            assert message
    assert httpx.get(there, cookies=cookies).status_code == 404


def test_wrong_codes_are_counted_by_all_nodes_together_and_a_restart_forgets_none(cluster):
    with nodes(cluster) as two:
        answers = []
        for n in range(21):
            answers.append(httpx.get(f"{two[n % 2].url}/s/ABCDEFGHJK/", timeout=30).status_code)
        assert answers == [404] * 20 + [429]
        assert httpx.get(f"{two[1].url}/s/ABCDEFGHJK/", timeout=30).status_code == 429
        two[0].kill9()
        two[0].start()
        assert httpx.get(f"{two[0].url}/s/ABCDEFGHJK/", timeout=30).status_code == 429


async def test_a_node_that_hears_nothing_follows_by_the_log_within_a_beat(cluster):
    with nodes(cluster, BEAT="1") as (speaking, deaf):
        _, (karim, helene, *_) = seated(speaking)
        async with helene.stream(f"{deaf.url}{helene.path}") as stream:
            await stream.next(SOON)
            Path(deaf.env["DEAF"]).touch()
            title = await asyncio.to_thread(situation, speaking, karim, 1)
            await stream.until(title, SOON)


async def test_a_node_that_hears_nothing_stays_behind_without_the_beat(cluster):
    """The check above can fail: it is the beat that heals, and nothing else."""
    with nodes(cluster, BEAT=NEVER) as (speaking, deaf):
        _, (karim, helene, *_) = seated(speaking)
        async with helene.stream(f"{deaf.url}{helene.path}") as stream:
            await stream.next(SOON)
            while not await stream.quiet(1):
                pass
            Path(deaf.env["DEAF"]).touch()
            await asyncio.to_thread(situation, speaking, karim, 1)
            assert await stream.quiet(2)


async def test_messages_that_come_twice_late_and_in_reverse_harm_nothing(cluster):
    with nodes(cluster, BEAT=NEVER, MUDDLED="1") as two:
        _, people = seated(two[0])
        karim = people[0]
        async with karim.stream(f"{two[1].url}{karim.path}") as stream:
            shown = cards((await stream.next(SOON)).data)
            with Load(people, two) as load:
                await asyncio.to_thread(load.until, 80)
            mine = load.authors[0].acknowledged
            async with asyncio.timeout(SOON):
                while mine[-1] not in shown:
                    shown += [card for card in cards((await stream.next(SOON)).data) if card not in shown]
        assert any(int(held) > 1 for held in re.findall(r"muddled (\d+)", two[1].log)), "nothing came in reverse"
        assert load.wrong == []
        assert amiss(mine, shown) == []
        assert all_amiss(load, kept(two[0])) == []
