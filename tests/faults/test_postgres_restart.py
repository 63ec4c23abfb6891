"""PostgreSQL restarted, or killed with all its children, under load: nothing acknowledged is lost."""

import asyncio
import time
from contextlib import ExitStack

import pytest

from tests import services
from tests.conftest import Template, started
from tests.faults.nodes import Load, all_amiss, amiss, cards, kept, nodes, seated

pytestmark = pytest.mark.postgres
SOON = 60  # seconds


@pytest.fixture(scope="module")
def postgres():
    with ExitStack() as stack:
        yield started(stack, services.postgres(durable=True))


@pytest.fixture(scope="module")
def cluster(postgres, tmp_path_factory):
    return Template(tmp_path_factory.mktemp("restart"), postgres.url())


@pytest.mark.parametrize("how", ["stop", "kill9"])
async def test_a_database_that_goes_and_comes_back_is_found_again_and_has_kept_what_it_promised(postgres, cluster, how):
    with nodes(cluster, 1, BEAT="2") as (server,):
        _, people = seated(server)
        karim = people[0]
        async with karim.stream() as stream:
            shown = cards((await stream.next(SOON)).data)
            with Load(people, [server]) as load:
                await asyncio.to_thread(load.until, 80)
                await asyncio.to_thread(getattr(postgres, how))
                await asyncio.to_thread(load.until_all_are_refused)
                gone = load.acknowledged
                await asyncio.to_thread(load.until_all_are_refused)
                assert load.acknowledged == gone  # nothing is promised while nobody keeps it
                await asyncio.to_thread(postgres.start)
                back = time.monotonic()
                await asyncio.to_thread(load.until, 80)
                print(f"{how}: writing again {time.monotonic() - back:.1f} s after PostgreSQL answers")
            assert load.wrong == []
            assert load.unavailable and not load.again
            for answer in load.unavailable:
                assert answer["reason"] == "unavailable" and answer["sentence"]
            mine = load.authors[0].acknowledged
            async with asyncio.timeout(SOON):  # the stream of before the fault, still open
                while mine[-1] not in shown:
                    shown += [card for card in cards((await stream.next(SOON)).data) if card not in shown]
            assert amiss(mine, shown) == []
        assert all_amiss(load, kept(server)) == []
