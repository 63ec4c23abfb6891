"""Bells: whoever waits is woken, no wake-up is lost, nobody is left on the list."""

import asyncio
import threading

from cordee.live.hub import Hub


async def soon(event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(2):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def test_a_poke_wakes_those_of_the_topic_and_no_other():
    hub = Hub()
    with hub.listen("a") as one, hub.listen("a") as two, hub.listen("b") as other:
        hub.poke("a")
        assert one.is_set() and two.is_set() and not other.is_set()
        hub.poke_all()
        assert other.is_set()
    hub.poke("a")  # nobody listens: nothing happens


async def test_who_left_is_on_no_list():
    hub = Hub()
    with hub.listen("a"):
        with hub.listen("a"):
            assert hub.open_streams() == 2
        assert hub.open_streams() == 1
    assert hub.open_streams() == 0
    assert not hub._bells


async def test_a_poke_while_one_looks_is_not_lost():
    """A reader that clears its bell before looking always ends with the last version."""
    hub = Hub()
    version, seen = 0, -1

    async def reader():
        nonlocal seen
        with hub.listen("room") as bell:
            while True:
                bell.clear()
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
    async with asyncio.timeout(5):
        await task
    assert seen == 200


async def test_a_thread_wakes_who_waits_and_others_are_told_in_order():
    hub, told = Hub(), []
    hub.start(told.append)
    with hub.listen("a") as bell:
        thread = threading.Thread(target=hub.announce_from_thread, args=(["a", "b"],))
        thread.start()
        assert await soon(bell)
        thread.join()
    await asyncio.sleep(0.01)
    assert told == ["a", "b"]


async def test_a_hub_that_has_stopped_takes_announcements_without_a_word():
    hub = Hub()
    hub.announce_from_thread(["a"])
    hub.start()
    assert hub.serving
    hub.stop()
    assert not hub.serving
    hub.announce_from_thread(["a"])


def test_a_closed_loop_is_not_served():
    hub = Hub()

    async def serve() -> None:
        hub.start()

    asyncio.run(serve())
    assert not hub.serving
    hub.announce_from_thread(["a"])
