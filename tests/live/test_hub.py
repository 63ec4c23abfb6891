"""Bells: whoever waits is woken, no wake-up is lost, nobody is left on the list."""

import asyncio
import threading

from cordee.live import hub as module
from cordee.live.hub import ASK, Bell, Hub


async def soon(bell: Bell) -> bool:
    try:
        async with asyncio.timeout(60):
            await bell.wait()
    except TimeoutError:
        return False
    return True


async def test_a_poke_wakes_those_of_the_topic_and_no_other():
    hub = Hub()
    with hub.listen("a") as one, hub.listen("a") as two, hub.listen("b") as other:
        hub.poke("a")
        assert one.rung and two.rung and not other.rung
        hub.poke_all()
        assert other.rung
    hub.poke("a")  # nobody listens: nothing happens


async def test_who_left_is_on_no_list():
    hub = Hub()
    with hub.listen("a"):
        with hub.listen("a"):
            assert hub.open_streams() == 2
        assert hub.open_streams() == 1
    assert hub.open_streams() == 0
    assert not hub._topics


async def test_a_poke_while_one_looks_is_not_lost():
    """A reader that clears its bell before looking always ends with the last version."""
    hub = Hub()
    version, seen = 0, -1

    async def reader():
        nonlocal seen
        with hub.listen("room") as bell:
            while True:
                bell.take()
                now = version
                await asyncio.sleep(0)  # rendering: the world goes on meanwhile
                seen = now
                if seen == 200:
                    return
                assert await soon(bell), f"the change after {seen} rang no bell"

    task = asyncio.ensure_future(reader())
    for _ in range(200):
        version += 1
        hub.poke("room")
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await task
    assert seen == 200


async def test_a_thread_wakes_who_waits_and_others_are_told_in_order():
    hub, told = Hub(), []
    hub.start(lambda topic, version: told.append((topic, version)))
    with hub.listen("a") as bell:
        thread = threading.Thread(target=hub.announce_from_thread, args=({"a": 3, "b": ASK},))
        thread.start()
        assert await soon(bell)
        thread.join()
    await asyncio.sleep(0.01)
    assert told == [("a", 3), ("b", ASK)]


async def test_a_hub_that_has_stopped_takes_announcements_without_a_word():
    hub = Hub()
    hub.announce_from_thread({"a": ASK})
    hub.start()
    assert hub.serving
    hub.stop()
    assert not hub.serving
    hub.announce_from_thread({"a": ASK})


def test_a_closed_loop_is_not_served():
    hub = Hub()

    async def serve() -> None:
        hub.start()

    asyncio.run(serve())
    assert not hub.serving
    hub.announce_from_thread({"a": ASK})


# ---------------------------------------------------------------- versions


async def test_who_was_told_of_a_version_is_not_woken_again_for_it():
    """The commit of this process pokes its streams; the bus then brings the same news back."""
    hub = Hub()
    with hub.listen("room") as bell:
        hub.poke("room", 5)
        assert bell.rung and bell.announced == 5
        assert bell.take() == (False, False)
        hub.poke("room", 5)
        hub.poke("room", 4)  # late, on its way round
        assert not bell.rung
        hub.poke("room", 6)
        assert bell.rung and bell.announced == 6


async def test_a_change_of_which_nothing_is_known_is_always_told_and_doubted():
    hub = Hub()
    with hub.listen("room") as bell:
        hub.poke("room", 5)
        hub.poke("room", ASK)
        assert bell.take() == (False, True)
        hub.poke("room", 6)
        assert bell.take() == (False, False)


async def test_who_comes_later_has_been_told_of_nothing():
    hub = Hub()
    with hub.listen("room"):
        hub.poke("room", 5)
    with hub.listen("room") as bell:
        hub.poke("room", 5)
        assert bell.rung


# ---------------------------------------------------------------- beats


async def test_time_alone_rings_each_bell_and_says_so(monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.05)
    hub = Hub()
    with hub.listen("a") as one, hub.listen("b") as two:
        for bell in (one, two):
            assert await soon(bell)
            assert bell.take() == (True, True)
            assert await soon(bell)
    assert hub._timer is None


async def test_who_does_not_take_what_rang_for_two_beats_is_let_go(monkeypatch):
    """A stream whose reader takes nothing waits in ``send``: it is not at its bell."""
    monkeypatch.setattr(module, "BEAT", 0.05)
    hub = Hub()

    async def stuck() -> None:
        with hub.listen("a"):
            await asyncio.sleep(60)

    async def lively() -> None:
        with hub.listen("a") as bell:
            while True:
                await bell.wait()
                bell.take()

    going, gone = asyncio.ensure_future(lively()), asyncio.ensure_future(stuck())
    async with asyncio.timeout(60):
        await asyncio.wait([gone])
    assert gone.cancelled()
    assert not going.done()
    assert hub.open_streams() == 1
    going.cancel()
