"""Who comes in together is looked up together, and each is told of their own seat alone."""

import asyncio

import pytest
from django.db import OperationalError

from cordee.live.connections import Busy
from cordee.room import access

SEATS = {"token-karim": access.Key("room", "karim"), "token-claire": access.Key("room", "claire")}


def cookies(token: str) -> dict[str, str]:
    return {access.cookie_of("room"): token}


@pytest.fixture
def asked(monkeypatch) -> list[list[str]]:
    """The questions put to the database."""
    questions: list[list[str]] = []

    async def reading(function, tokens):
        assert function is access._keys_of
        questions.append(tokens)
        await asyncio.sleep(0.01)
        return [SEATS.get(token) for token in tokens]

    monkeypatch.setattr(access, "reading", reading)
    monkeypatch.setattr(access, "_desk", access._Desk())
    return questions


async def test_a_crowd_is_looked_up_in_one_question_and_each_gets_their_own_seat(asked):
    tokens = [*SEATS, "token-of-nobody"] * 50
    keys = await asyncio.gather(*(access.seat_in_soon("room", cookies(token), screen=False) for token in tokens))
    assert keys == [SEATS.get(token) for token in tokens]
    assert len(asked) == 1 and sum(map(len, asked)) == len(tokens)


async def test_a_question_has_a_largest_size(asked, monkeypatch):
    monkeypatch.setattr(access, "MOST_AT_ONCE", 10)
    await asyncio.gather(*(access.seat_in_soon("room", cookies("token-karim"), screen=False) for _ in range(35)))
    assert max(map(len, asked)) == 10


async def test_when_the_database_is_busy_all_who_asked_are_told_and_who_comes_next_is_looked_up(asked, monkeypatch):
    well = access.reading

    async def busy(function, tokens):
        raise Busy

    monkeypatch.setattr(access, "reading", busy)
    coming = (access.seat_in_soon("room", cookies(token), screen=False) for token in SEATS)
    told = await asyncio.gather(*coming, return_exceptions=True)
    assert [type(error) for error in told] == [Busy, Busy] and isinstance(told[0], OperationalError)
    monkeypatch.setattr(access, "reading", well)
    assert await access.seat_in_soon("room", cookies("token-karim"), screen=False) == SEATS["token-karim"]


async def test_who_leaves_while_being_looked_up_takes_nobody_along(asked):
    leaving = asyncio.ensure_future(access.seat_in_soon("room", cookies("token-karim"), screen=False))
    staying = asyncio.ensure_future(access.seat_in_soon("room", cookies("token-claire"), screen=False))
    await asyncio.sleep(0.005)
    leaving.cancel()
    assert await staying == SEATS["token-claire"]
    assert leaving.cancelled()
