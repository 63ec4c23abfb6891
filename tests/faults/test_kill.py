"""kill -9 in mid-load: what was acknowledged is there once, in order, and the room is soon back."""

import re
import threading
import time
from collections import Counter
from statistics import median

import httpx
import pytest

from tests import services

KILLS = 20
CARD = r'<article id="c-(note-\d+-\d+)"'
PEOPLE = ("Karim", "Hélène", "Thomas", "Nadia", "Julien", "Aïcha", "Marc", "Claire")


def sit(server: services.Server, path: str, name: str) -> tuple[httpx.Client, str]:
    """A browser that has sat down: its client, and the address it ended at."""
    client = httpx.Client(base_url=server.url, follow_redirects=True, timeout=60)
    client.get(path)
    form = {"name": name, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
    page = client.post(path, data=form, headers={"Origin": server.url})
    assert "/salle/" in str(page.url), page.text[:500]
    return client, str(page.url.path)


@pytest.fixture
def room(fresh_server: services.Server):
    fanny, path = sit(fresh_server, "/salles/nouvelle/", "Fanny")
    code = re.search(r"/s/(\w+)/", fanny.get(path).text)[1]
    people = [sit(fresh_server, f"/s/{code}/", name)[0] for name in PEOPLE]
    yield fresh_server, path, fanny, people
    for client in (fanny, *people):
        client.close()


def at_the_questions(server: services.Server, path: str, fanny: httpx.Client, claire: httpx.Client) -> None:
    """Claire is the client, and whoever else wants to asks, for all to see."""
    title = {"do": "write", "kind": "situation", "id": "situation-1", "body.title": "Comment tenir les délais ?"}
    acts = [(claire, title), (fanny, {"do": "choose", "situation": "situation-1"})]
    acts += [(fanny, {"do": "go_to", "step": "questions"}), (fanny, {"do": "free_floor", "on": "1"})]
    for client, form in acts:
        answer = client.post(f"{path}contributions", data=form, headers={"Origin": server.url, "X-Cordee": "1"})
        assert answer.status_code == 204, (form, answer.text)


def keep_watching(server, path, client, shown: list[str], stop: threading.Event) -> None:
    """What this person's stream shows, each when it is first shown; a line that broke is opened again."""
    headers = {"Cookie": f"place={client.cookies['place']}"}
    while not stop.is_set():
        try:
            with httpx.stream("GET", f"{server.url}{path}stream", headers=headers, timeout=3) as response:
                for line in response.iter_lines():
                    shown += [note for note in re.findall(CARD, line) if note not in shown]
                    if stop.is_set():
                        return
        except httpx.HTTPError:
            stop.wait(0.05)


def keep_writing(
    server, path, client, who: int, acknowledged: list[str], stop: threading.Event, kind: str = "note"
) -> None:
    """One after the other, some five a second; what got no answer is sent again under the same id."""
    number, headers = 1, {"Origin": server.url, "X-Cordee": "1"}
    while not stop.is_set():
        note = f"note-{who}-{number:05d}"
        form = {"do": "write", "kind": kind, "id": note, "body.text": f"Mot {note}"}
        try:
            answer = client.post(f"{path}contributions", data=form, headers=headers)
        except httpx.HTTPError:
            stop.wait(0.1)
            continue
        if answer.status_code == 204:
            acknowledged.append(note)
            number += 1
        stop.wait(0.15)


def missing_or_wrong(acknowledged: list[str], kept: list[str]) -> list[str]:
    """What the log lacks, holds twice, or holds in another order than it was acknowledged in."""
    counts = Counter(kept)
    wrong = [note for note in acknowledged if counts[note] != 1]
    order = [note for note in kept if note in set(acknowledged)]
    return wrong or ([] if order == [n for n in acknowledged if counts[n]] else ["order"])


def taken_back(shown: list[str], kept: list[str]) -> list[str]:
    """What streams had shown and the log does not hold, or holds in another order between people."""
    there = set(kept)
    lost = [note for note in shown if note not in there]
    seen = set(shown)
    return lost or ([] if [note for note in kept if note in seen] == shown else ["order"])


KEPT = """
from cordee.room.models import Entry
for entry in Entry.objects.filter(kind="Written").order_by("seq"):
    print("kept", entry.plain["id"])
"""


def kept_in_log(server: services.Server) -> list[str]:
    """The notes that the log holds, in its order, as often as it holds them."""
    return re.findall(r"kept (note-\d+-\d+)", server.manage("shell", "-c", KEPT))


def shown_to(client: httpx.Client, path: str) -> list[str]:
    """The notes on this person's own page, in their order."""
    page = client.get(path)
    assert page.status_code == 200
    return re.findall(CARD, page.text)


@pytest.mark.timeout(600)
def test_what_was_acknowledged_survives_twenty_kill_9_once_and_in_order(room, capsys):
    server, path, fanny, people = room
    claire = people[-1]
    at_the_questions(server, path, fanny, claire)
    stop = threading.Event()
    acknowledged: list[list[str]] = [[] for _ in people]
    kinds = ["note" if client is claire else "question" for client in people]
    writers = [
        threading.Thread(target=keep_writing, args=(server, path, client, who, acknowledged[who], stop, kinds[who]))
        for who, client in enumerate(people)
    ]
    looked, shown = threading.Event(), ([], [])
    watchers = [
        threading.Thread(target=keep_watching, args=(server, path, client, shown[who], looked))
        for who, client in enumerate((fanny, claire))
    ]
    for thread in (*writers, *watchers):
        thread.start()
    back: list[float] = []
    try:
        for _ in range(KILLS):
            enough = sum(map(len, acknowledged)) + 16
            deadline = time.monotonic() + 60
            while sum(map(len, acknowledged)) < enough:
                assert time.monotonic() < deadline, "nothing was acknowledged any more"
                time.sleep(0.01)
            server.kill9()
            killed_at = time.monotonic()
            server.start()
            back.append(time.monotonic() - killed_at)
    finally:
        stop.set()
        for writer in writers:
            writer.join(90)
        asked = {note for who, kind in enumerate(kinds) if kind == "question" for note in acknowledged[who]}
        deadline = time.monotonic() + 60
        while not all(asked <= set(seen) for seen in shown) and time.monotonic() < deadline:
            time.sleep(0.05)
        looked.set()
        for watcher in watchers:
            watcher.join(90)
    total = sum(map(len, acknowledged))
    with capsys.disabled():
        print(f"\n  {KILLS} kills -9, {total} acknowledged; back in {median(back):.1f} s, at most {max(back):.1f} s")
    kept = kept_in_log(server)
    assert max(Counter(kept).values()) == 1  # those that were cut off before their answer too
    for seen in shown:
        assert asked <= set(seen)
        # Between people too, in the order that each had seen. (Claire's private notes are a list of their own.)
        assert taken_back([note for note in seen if not note.startswith(f"note-{len(people) - 1}-")], kept) == []
    for client, promised in zip(people, acknowledged, strict=True):
        assert missing_or_wrong(promised, kept) == []
        assert missing_or_wrong(promised, shown_to(client, path)) == []
    assert max(back) < 60


def test_a_contribution_sent_again_after_the_crash_is_there_once(room):
    server, path, _, people = room
    karim = people[0]
    form = {"do": "write", "kind": "note", "id": "note-0-00001", "body.text": "Mot note-0-00001"}
    headers = {"Origin": server.url, "X-Cordee": "1"}
    assert karim.post(f"{path}contributions", data=form, headers=headers).status_code == 204
    server.kill9()
    server.start()
    assert karim.post(f"{path}contributions", data=form, headers=headers).status_code == 204
    assert kept_in_log(server) == ["note-0-00001"]
    assert shown_to(karim, path) == ["note-0-00001"]


def test_the_check_itself_notices_a_lost_a_doubled_and_a_displaced_word():
    assert missing_or_wrong(["a", "b"], ["a"]) == ["b"]
    assert missing_or_wrong(["a", "b"], ["a", "b", "b"]) == ["b"]
    assert missing_or_wrong(["a", "b"], ["b", "a"]) == ["order"]
    assert missing_or_wrong(["a", "b"], ["a", "x", "b"]) == []


def test_the_check_itself_notices_what_was_shown_and_taken_back_or_displaced():
    assert taken_back(["a", "b"], ["a", "x", "b"]) == []
    assert taken_back(["a", "b"], ["b"]) == ["a"]
    assert taken_back(["a", "b"], ["b", "a"]) == ["order"]
