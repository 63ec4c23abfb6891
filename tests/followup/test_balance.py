"""Giving and receiving: counted from the log, shown to the circle alone, and never what a client did with a lead."""

import re
from collections import Counter
from html import unescape
from itertools import combinations
from time import time

import pytest
from django.urls import reverse
from django.utils import timezone

from cordee.circles.models import Circle, Voice
from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine.reading import builtin, read
from cordee.engine.state import fold
from cordee.followup import ring
from cordee.followup.models import Commitment, Success
from cordee.followup.queries.balance import balance
from cordee.home import erasure
from cordee.ops.demo import building
from cordee.room import harvest, voices
from cordee.room.belongings import Choice
from cordee.room.models import Entry
from tests.characters import play
from tests.people import signed_in
from tests.room.circles import Lake
from tests.room.clean import clean_memory  # noqa: F401
from tests.room.test_harvest import WHO, Played, close, meet, whole

pytestmark = pytest.mark.django_db


def page(lake: Lake, who: str, name: str = "balance") -> str:
    """What they read, the marks of each form left out."""
    answer = signed_in(who).get(reverse(f"followup:{name}", args=[lake.circle.pk]))
    assert answer.status_code == 200
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", unescape(answer.content.decode()))


def rows() -> list[tuple[object, ...]]:
    return sorted(Voice.objects.values_list("round", "person__name", "floor", "helped", "written"), key=str)


# ---------------------------------------------------------------- counted


def test_the_counts_of_the_demo_are_those_of_its_log_counted_by_hand():
    demo = building.ensure(time())
    floors, written, number = Counter(), Counter(), 1
    for kind, seat, plain in (
        Entry.objects.filter(session=demo.earlier).order_by("seq").values_list("kind", "seat", "plain")
    ):
        number = plain["round"] if kind in {"StepEntered", "RoundStarted"} else number
        if kind == "FloorGiven" and plain["target"]:
            floors[number, plain["target"]] += 1
        if kind == "Written" and plain["kind"] not in {"note", "seed", "vote"}:
            written[plain["round"], seat, plain["kind"]] += 1
    seats = {person: seat for seat, person in harvest.people(harvest.Session.objects.get(pk=demo.earlier)).items()}
    kept = list(Voice.objects.filter(meeting__circle__name=building.CIRCLE))
    assert {(v.round, seats[v.person_id]): v.floor for v in kept if v.floor} == dict(floors)
    assert {(v.round, seats[v.person_id], kind): n for v in kept for kind, n in v.written.items()} == dict(written)
    assert sum(floors.values()) > 10 and sum(written.values()) > 20


def test_who_helped_is_who_gave_the_client_something():
    lake = Lake(*WHO, "marc")  # Marc does not come
    close(whole(lake))
    assert {voice.person.name for voice in Voice.objects.filter(helped=True)} == {"Karim", "Hélène"}
    said = balance(lake.circle)
    assert {peer.person.name: (peer.times_client, list(peer.helped)) for peer in said.peers} == {
        "Claire": (1, []), "Karim": (0, ["Claire"]), "Hélène": (0, ["Claire"]), "Marc": (0, []),
    }  # fmt: skip
    assert len(said.ring.arcs) == 2


def test_what_was_written_for_oneself_or_taken_back_or_not_shown_is_not_counted():
    lake = Lake(*WHO)
    room = meet(lake)
    karim = lake.seat("karim", room.house)
    play(room, until="suggestions", client=lake.seat("claire", room.house))
    room.write(karim, "note", "Pour moi.")
    for text in ("Une piste.", "Une autre."):
        room.write(karim, "suggestion", text)
    room.do(c.Close(seat=room.leader, reason="Plus le temps."))
    (mine,) = Voice.objects.filter(person=lake.people["karim"])
    assert "note" not in mine.written and "suggestion" not in mine.written and mine.written["question"]


def test_harvesting_again_puts_the_same_counts_in_their_place():
    lake = Lake(*WHO)
    room = whole(lake)
    close(room)
    before = rows()
    assert harvest.harvest(room.house.id, again=True) and rows() == before


def test_a_floor_given_by_mistake_and_taken_back_is_not_counted():
    log: list[e.Event] = [
        e.SeatTaken(at=1, seat="fanny", role="facilitator"),
        *[e.SeatTaken(at=1, seat=who, role="member") for who in WHO],
        e.FloorGiven(at=2, seat="fanny", target="karim"),
        e.FloorGiven(at=3, seat="fanny", target="helene", spoken="karim"),
        e.Undone(at=4, seat="fanny"),
        e.FloorGiven(at=5, seat="fanny", target="claire", spoken="karim"),
        e.StepEntered(at=6, seat="fanny", round=1, step="recit"),
        e.Undone(at=7, seat="fanny"),
    ]
    found = voices.voices(fold(read(builtin("mentor")), log), log, lambda _: True)
    assert {seat: voice.floor for (_, seat), voice in found.items()} == {"karim": 1, "claire": 1}


# ---------------------------------------------------------------- the sorting stays with the client


def sort(room: Played, value: str) -> None:
    """The client puts every lead in this pile."""
    for lead in room.of("suggestion"):
        room.mark(room.client, lead.id, "sorted", value)


def test_whatever_the_client_sorts_the_page_and_the_counts_are_the_same():
    """The triage is the client's alone, for ever: no count may change with it."""
    lake = Lake(*WHO)
    room = meet(lake)
    play(room, until="ouvertures", client=lake.seat("claire", room.house))
    room.go("traitement")
    seen = []
    for value in ("keep", "think", "leave"):
        sort(room, value)
        assert value in {m.value for (_, mark, _, _), m in room.state.marks.items() if mark == "sorted"}
        harvest.harvest(room.house.id, again=True)
        by_leads_alone = voices.voices(room.state, [], lambda each: each.kind == "suggestion")
        seen.append((rows(), by_leads_alone, [page(lake, who) for who in ("claire", "karim", "fanny")]))
    assert seen[0] == seen[1] == seen[2] and "piste" in seen[0][2][0]
    assert any(voice.helped for voice in by_leads_alone.values())


def test_a_lead_is_known_to_have_served_only_where_its_client_tells_it():
    lake = Lake(*WHO)
    close(whole(lake))
    assert "une piste a servi" not in page(lake, "helene")
    promise, key = Commitment.objects.get(), lake.circle.key() or b""
    told = Success(id="s1", commitment=promise, thanked=lake.people["karim"], thanked_at=timezone.now())
    told.hold(key, {"situation": "La fusion", "did": "J’ai demandé", "gave": "Un oui", "word": "zqwordqz"})
    told.save()
    assert "une piste a servi, dit en réussite par Claire" in page(lake, "helene")
    assert "zqwordqz" not in page(lake, "helene")
    other = Circle.objects.create(space=lake.space, name="Les discrets", wrapped_key=bytes(lake.circle.wrapped_key))
    Commitment.objects.update(circle=other)
    assert "une piste a servi" not in page(lake, "helene"), "it is told to another circle"


# ---------------------------------------------------------------- shown, or not


def test_the_circle_sees_it_without_an_order_by_number_or_a_total():
    lake = Lake(*WHO)
    close(whole(lake))
    told = page(lake, "karim")
    names = re.findall(r'<th scope="row">([^<]+)', told)
    assert [name.strip() for name in names] == ["Claire", "Karim", "Hélène"]  # as they came into the circle
    assert "pas encore : son tour viendra" in told and "a aidé Claire" in told
    assert "total" not in told.lower() and told.count('class="arc"') == 2


def test_who_only_leads_is_heard_in_a_round_and_is_told_of_no_turn_to_come():
    lake = Lake(*WHO)
    close(whole(lake))
    meeting = lake.circle.meetings.get()
    Voice.objects.create(meeting=meeting, person=lake.people["fanny"], round=1, written={"learning": 1})
    told = balance(lake.circle)
    assert [peer.person.name for peer in told.peers] == ["Claire", "Karim", "Hélène"]
    assert "Fanny" in {said.name for said in told.consultations[0].said}


def test_switched_off_it_is_nowhere_and_only_who_facilitates_brings_it_back():
    lake = Lake(*WHO)
    close(whole(lake))
    circle = reverse("circles:circle", args=[lake.circle.pk])
    link = reverse("followup:balance", args=[lake.circle.pk])
    assert link in signed_in("karim").get(circle).content.decode()
    assert signed_in("helene").post(reverse("followup:hide_balance", args=[lake.circle.pk])).status_code == 302
    for who in ("claire", "karim", "fanny"):
        told = page(lake, who)
        assert "a choisi de ne pas montrer" in told and "Consultation par" not in told and "<figure" not in told
        assert ("Le montrer de nouveau" in told) == (who == "fanny")
    assert link not in signed_in("karim").get(circle).content.decode()
    signed_in("fanny").post(reverse("followup:show_balance", args=[lake.circle.pk]))
    assert Circle.objects.get(pk=lake.circle.pk).balance_shown and "Consultation par" in page(lake, "karim")


def test_a_whole_circle_takes_few_questions(django_assert_max_num_queries):
    lake = Lake(*WHO)
    close(whole(lake))
    browser = signed_in("karim")
    with django_assert_max_num_queries(14):
        browser.get(reverse("followup:balance", args=[lake.circle.pk]))


def test_an_empty_circle_says_what_will_come():
    assert "après la première consultation" in page(Lake(*WHO), "claire")


def test_whose_data_is_erased_is_in_no_picture():
    lake = Lake(*WHO)
    close(whole(lake))
    karim = lake.people["karim"]
    erasure.erase_user(karim.user, Choice(keep=True, keep_learnings=True))
    assert not Voice.objects.filter(person=karim).exists()
    assert "Karim" not in page(lake, "claire")


# ---------------------------------------------------------------- drawn


def test_the_ring_says_who_helped_whom_and_nothing_else():
    made = ring.drawn(["Claire Moreau", "Karim", "Claire Petit"], {0}, {(1, 0), (0, 1)})
    assert [place.name for place in made.places] == ["Claire M.", "Karim", "Claire P."]
    assert [place.client for place in made.places] == [True, False, False]
    there, back = made.arcs
    assert there.path != back.path and there.at != back.at  # two arcs, not one on the other
    assert all(re.fullmatch(r"[-\d.]+", number) for place in made.places for number in (place.x, place.y, place.width))


@pytest.mark.parametrize("letters", [4, 12])
@pytest.mark.parametrize("people", range(2, 11))
def test_no_arc_passes_behind_somebody_else_and_its_arrow_is_seen(people, letters):
    pairs = [(one, other) for one in range(people) for other in range(people) if one != other]
    made = ring.drawn([chr(ord("A") + number) * letters for number in range(people)], set(), pairs)
    for (one, other), arc in zip(pairs, made.arcs, strict=True):
        way = _way(*map(float, re.findall(r"[-\d.]+", arc.path)))
        others = [place for number, place in enumerate(made.places) if number not in {one, other}]
        assert not [(spot, place.name) for spot in way for place in others if _behind(place, *spot)]
        assert all(0 < x < ring.WIDTH and 0 < y < made.height for x, y in way)
        assert not any(_behind(place, *map(float, arc.at.split())) for place in made.places)
    for place, other in combinations(made.places, 2):
        aside, down = abs(float(place.x) - float(other.x)), abs(float(place.y) - float(other.y))
        assert aside >= (float(place.width) + float(other.width)) / 2 or down >= ring.TALL


def _way(x: float, y: float, by_x: float, by_y: float, to_x: float, to_y: float) -> list[tuple[float, float]]:
    """A hundred points of a quadratic curve."""
    parts = [number / 100 for number in range(101)]
    return [
        (
            (1 - p) ** 2 * x + 2 * p * (1 - p) * by_x + p**2 * to_x,
            (1 - p) ** 2 * y + 2 * p * (1 - p) * by_y + p**2 * to_y,
        )
        for p in parts
    ]


def _behind(place: ring.Place, x: float, y: float) -> bool:
    return abs(x - float(place.x)) < float(place.width) / 2 and abs(y - float(place.y)) < ring.TALL / 2
