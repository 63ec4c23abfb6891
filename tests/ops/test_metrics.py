"""/metrics: shown to who brings the token, true to what was played, and without a name, a code or a word of it."""

import asyncio
import re
from threading import Thread

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from prometheus_client.parser import text_string_to_metric_families

from config import env
from cordee.circles import crypto
from cordee.live import bus, tally
from cordee.live.hub import Hub
from cordee.live.tally import Spread, Tally
from cordee.room import limits, phrases
from tests.live.people import Person

TOKEN = "un-jeton-assez-long-pour-ne-pas-etre-devine"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CANARY = "zqabcdqz"
REASONS = {*phrases.REFUSALS, "other"}

# Every label that may ever be shown, and its values: written by hand, apart from what fills them.
LABELS = {
    "kind": {"act", "draft", "presence"},
    "end": {"written", "unchanged", "refused", "no_room", "other"},
    "reason": REASONS,
    "answer": {"opened", "stranger", "too_many", "other"},
    "error": {"OperationalError", "IntegrityError", "DataError", "other"},
    "of": {"act", "stream", "page", "other"},
    "what": {"text", "key", "heard", "told", "cut", "other"},
    "limit": {
        "code",
        "code-all",
        "code-near",
        "join",
        "new",
        "head_slow",
        "head_large",
        "body",
        "reader_slow",
        "queue",
        "other",
    },
    "database": {"sqlite", "postgresql"},
}
FREE = {"le", "version", "release", "python", "django"}  # numbers, and what the operator installed


def samples(text: str) -> dict[tuple[str, ...], float]:
    """name and labels' values, in the order of the alphabet -> value"""
    families = text_string_to_metric_families(text)
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def unknown_labels(text: str) -> list[tuple[str, str]]:
    found = [s.labels.items() for family in text_string_to_metric_families(text) for s in family.samples]
    return [(k, v) for pairs in found for k, v in pairs if k not in FREE and v not in LABELS.get(k, ())]


@pytest.fixture(scope="module")
def measured(template):
    with template.server(CORDEE_METRICS=TOKEN) as server:
        yield server


def shown(server) -> str:
    answer = httpx.get(f"{server.url}/metrics", headers=BEARER, timeout=30)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    return answer.text


# ---------------------------------------------------------------- who may see them


def test_without_the_variable_there_is_no_such_address(server) -> None:
    assert httpx.get(f"{server.url}/metrics", headers=BEARER, timeout=30).status_code == 404


@pytest.mark.parametrize(
    "brought", [{}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}]
)
def test_whoever_lacks_the_token_is_told_nothing_be_it_from_this_machine(measured, brought) -> None:
    answer = httpx.get(f"{measured.url}/metrics", headers=brought, timeout=30)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "cordee_" not in answer.text and TOKEN not in answer.text


@pytest.mark.parametrize("bad", ["court", "x" * 31, "un jeton de trente-deux caractères et plus", "1"])
def test_a_token_that_could_be_guessed_stops_the_start_and_is_not_repeated(monkeypatch, bad) -> None:
    monkeypatch.setenv("CORDEE_METRICS", bad)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.token("CORDEE_METRICS")
    assert "token_urlsafe" in str(refused.value) and (len(bad) < 5 or bad not in str(refused.value))


# ---------------------------------------------------------------- what they say


@pytest.fixture(scope="module")
def played(measured) -> tuple[str, list[str]]:
    """What is shown after a played hour, and everything of it that must not be there."""
    fanny = Person(measured, "/salles/nouvelle/", f"Fanny {CANARY}")
    karim = Person(measured, f"/s/{fanny.code}/", f"Karim {CANARY}")
    origin = {"Origin": measured.url}
    address = f"{measured.url}{karim.path}contributions"
    ids = [f"{CANARY}-note-{n}" for n in range(5)]
    for each in ids:
        assert karim.post(origin, address, do="write", kind="note", id=each, body_text=CANARY).status_code == 204
    assert karim.post(origin, address, do="write", kind="note", id=ids[0], body_text=CANARY).status_code == 204
    assert karim.post(origin, address, do="write", kind=CANARY, id="x" * 9, body_text=CANARY).status_code == 409
    assert karim.post(origin, address, do=CANARY).status_code == 409
    elsewhere = {"Origin": f"https://{CANARY}.example"}
    assert karim.post(elsewhere, address, do="write", kind="note", id="y" * 9, body_text=CANARY).status_code == 403
    assert karim.post(origin, address, do="write", body_text=CANARY * 9000).status_code == 413
    draft = f"{measured.url}{karim.path}brouillon"
    assert karim.post(origin, draft, kind="note", id="z" * 9, body_text=CANARY).status_code in {204, 409}
    stranger = httpx.get(f"{measured.url}/salle/{CANARY}/stream", timeout=30)
    assert stranger.status_code == 404
    for _ in range(21):
        code = karim.http.get(f"/s/{CANARY}ABC/")
    assert code.status_code == 429

    async def looked() -> str:
        async with karim.stream() as stream:
            assert await stream.next(60)
            return await asyncio.to_thread(shown, measured)

    text = asyncio.run(asyncio.wait_for(looked(), 120))
    secrets = [CANARY, "Fanny", "Karim", fanny.code, fanny.path, karim.path.strip("/").split("/")[-1]]
    secrets += [fanny.seat, karim.seat, *karim.http.cookies.values(), *fanny.http.cookies.values(), TOKEN]
    return text, [secret for secret in secrets if len(secret) > 3]


def test_no_name_code_id_link_or_word_of_a_played_room_is_shown(played) -> None:
    text, secrets = played
    assert len(secrets) >= 10
    assert [secret for secret in secrets if secret.lower() in text.lower()] == []


def test_every_label_is_of_a_list_written_by_hand(played) -> None:
    assert unknown_labels(played[0]) == []
    assert unknown_labels('cordee_x{reason="zqabcdqz"} 1\n') == [("reason", "zqabcdqz")]
    assert unknown_labels('cordee_x{room="written"} 1\n') == [("room", "written")]


def test_they_count_what_was_played(played) -> None:
    found = samples(played[0])
    assert found["cordee_wishes_total", "act", "written"] == 7  # two people sat down, five notes
    assert found["cordee_wishes_total", "act", "unchanged"] == 1
    assert found["cordee_wishes_total", "act", "refused"] >= 1
    assert found["cordee_refusals_total", "origin"] == found["cordee_refusals_total", "too_large"] == 1
    assert found["cordee_refusals_total", "no_such_code"] == 20 and found["cordee_tries_total", "code"] == 1
    assert found["cordee_limits_total", "body"] == 1
    assert found["cordee_streams_total", "stranger"] == 1 and found["cordee_streams_total", "opened"] == 1
    assert found["cordee_streams_open",] == found["cordee_rooms_in_memory",] == found["cordee_bus_up",] == 1
    assert found["cordee_queue_jobs",] == 0 and found["cordee_unreadable_total", "text"] == 0
    jobs = sum(v for k, v in found.items() if k[0] == "cordee_wishes_total")
    assert found["cordee_commit_jobs_sum",] == jobs >= found["cordee_commit_jobs_count",] > 0
    assert found["cordee_commit_seconds_sum",] > 0 and found["process_open_fds",] > 0


def test_the_library_is_not_loaded_where_nothing_is_measured(server) -> None:
    out = server.manage("shell", "-c", "import sys, config.asgi; print('loaded', 'prometheus_client' in sys.modules)")
    assert "loaded False" in out


# ---------------------------------------------------------------- the counters


def test_a_tally_takes_no_name_from_outside_and_misses_nothing_under_threads() -> None:
    counted = Tally("a", "b")

    def many() -> None:
        for _ in range(20_000):
            counted.add("a")

    threads = [Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    counted.add(CANARY)
    assert counted.counts() == {"a": 80_000, "b": 0, "other": 1}


def test_a_spread_counts_a_bound_with_what_is_below_it() -> None:
    spread = Spread(1, 2)
    for value in (1, 2, 2, 3):
        spread.add(value)
    assert (spread.counts(), spread.sum) == ([1, 2, 1], 8)


async def test_a_bus_out_of_reach_is_told(monkeypatch) -> None:
    monkeypatch.setattr(bus, "RETRY", (0.05,))
    hub, before = Hub(), tally.bus.counts()["cut"]
    task = asyncio.ensure_future(bus.bus("notify", "postgres://x@127.0.0.1:1/x").run(hub))
    async with asyncio.timeout(60):
        while tally.bus.counts()["cut"] < before + 2:
            await asyncio.sleep(0.02)
    assert hub.cut
    task.cancel()
    await asyncio.wait([task], timeout=10)


async def test_a_bus_that_is_heard_again_is_told(monkeypatch, redis_url) -> None:
    hub = Hub()
    with hub.listen("room:1") as bell:
        task = asyncio.ensure_future(bus.bus(redis_url, "").run(hub))
        await asyncio.wait_for(bell.wait(), 30)
    assert not hub.cut
    task.cancel()
    await asyncio.wait([task], timeout=10)


def test_what_cannot_be_decrypted_is_counted(settings) -> None:
    before = crypto.unreadable.counts()
    key = bytes(32)
    sealed = crypto.seal(key, {"text": "x"}, "here")
    for failing in (lambda: crypto.unseal(key, sealed, "elsewhere"), lambda: crypto.unwrap(b"k0:" + bytes(60))):
        with pytest.raises(crypto.Unreadable):
            failing()
    after = crypto.unreadable.counts()
    assert {k: after[k] - before[k] for k in after} == {"text": 1, "key": 1, "other": 0}


def test_every_limit_and_every_refusal_has_its_name_in_the_lists() -> None:
    assert set(limits.LIMITS) <= LABELS["limit"]
    assert set(phrases.said.counts()) == REASONS
    assert all(re.fullmatch("[a-z_]+", reason) for reason in REASONS)
