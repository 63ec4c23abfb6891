"""Places that are forged, altered, stolen, replayed or given back: nobody sits where no link of theirs leads."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import count

import pytest
from django.test import Client, override_settings

from cordee.engine import commands as c
from cordee.engine.policy import SCREEN
from cordee.room import access, actions, store
from cordee.room.models import Draft, Entry, Seat, Session
from tests import services
from tests.characters import circle, play
from tests.conftest import Template
from tests.live.people import Person
from tests.room.clean import clean_memory  # noqa: F401
from tests.room.rooms import ORIGIN, House, join, open_room, settle

CANARY = "zqseatqz"


@pytest.fixture
def house(db) -> House:
    room = circle(("claire", "karim", "nadia"))
    room._ids = count(500_000)  # no id of a text that the other room has
    return settle(play(room, until="suggestions"))


@pytest.fixture
def other(db) -> House:
    """Octave's room, at the same step; its people have the same names for seats, as seats of two rooms may."""
    return settle(play(circle(("octave", "karim", "rose")), until="suggestions", client="octave"))


def asked(house: House, token: str, name: str = access.COOKIE) -> set[int]:
    """The statuses of all that a seat of this room can ask for, to a browser that shows this cookie."""
    client = Client(**ORIGIN)
    client.cookies[name] = token
    found = {client.get(f"{house.address}{end}").status_code for end in ("", "maintenant", "bilan/", "bilan/mine.md")}
    form = {"do": "write", "kind": "note", "id": "note-number-1", "body.text": CANARY}
    found |= {client.post(f"{house.address}{end}", form).status_code for end in
              ("contributions", "brouillon", "indice", "code")}  # fmt: skip
    return found | {
        client.get(f"/ecran/{house.id}/").status_code,
        client.get(f"/ecran/{house.id}/maintenant").status_code,
    }


def kept(*houses: House) -> list[object]:
    ids = [house.id for house in houses]
    return [
        list(Entry.objects.filter(session__in=ids).order_by("session", "seq").values_list("session", "seq", "plain")),
        list(Draft.objects.filter(session__in=ids).values_list("seat", "kind")),
        list(Session.objects.filter(pk__in=ids).order_by("pk").values_list("code_digest")),
    ]


# ---------------------------------------------------------------- forged and altered


def forgeries(house: House, other: House) -> dict[str, str]:
    token = house.tokens["karim"]
    turned = {f"letter {n}": token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token))}
    screen = house.tokens[SCREEN]
    return turned | {
        "nothing": "",
        "shorter": token[:-1],
        "longer": token + "A",
        "twice": token + token,
        "upper case": token.upper(),
        "lower case": token.lower(),
        "a space before": f" {token}",
        "percent": token.replace(token[0], f"%{ord(token[0]):02x}", 1),
        "a NUL after": token + "\x00",
        "what is stored of it": access.digest(token),
        "the seat's own name": "karim",
        "the room's id": house.id,
        "room and seat": f"{house.id}/karim",
        "the room's code": actions.links(store.load(house.id))["code"],
        "another room's": other.tokens["octave"],
        "another room's, same seat": other.tokens["karim"],
        "the shared screen's": screen,
        "endless": "A" * 4000,
        "not ASCII": "é" * 32,
        "a list": f"{token},{token}",
        "SQL": "' OR 1=1 --",
        "wildcards": "%" * 32,
    }


def test_no_cookie_but_the_links_own_opens_a_place(house, other):
    before = kept(house, other)
    opened = {
        name: statuses for name, made in forgeries(house, other).items() if (statuses := asked(house, made)) != {404}
    }
    assert opened.pop("the shared screen's") == {200, 404}  # the screen's own page, where nothing can be done
    assert opened == {}
    assert kept(house, other) == before


def test_no_address_but_the_link_itself_opens_a_place(house, other):
    for name, made in forgeries(house, other).items():
        if name in {"another room's", "another room's, same seat", "the shared screen's", "nothing", "percent"}:
            continue  # the first three are links of their own places; the last is the same address
        answer = Client().get(f"/place/{made}/")
        assert answer.status_code == 404, name
        assert access.COOKIE not in answer.cookies, name


def test_the_link_itself_opens_everything_that_is_its_own(house):
    """What the two tests above rely on."""
    assert asked(house, house.tokens["karim"]) >= {200, 204, 302}


def test_the_cookie_is_of_no_use_under_another_name(house, settings):
    token = house.tokens["karim"]
    for name in ("Place", "PLACE", "__Host-place", f"__Host-place-{house.id}", "ecran", "sessionid"):
        assert asked(house, token, name) == {404}, name
    settings.HTTPS = True
    assert asked(house, token, "place") == {404}  # under HTTPS a neighbour's site cannot plant one


def test_a_link_made_with_another_secret_opens_nothing(house):
    token = access.new_token()
    with override_settings(SECRET_KEY="another server’s"):
        Seat.objects.filter(session=house.id, seat="nadia").update(digest=access.digest(token))
    assert asked(house, token) == {404}
    with override_settings(SECRET_KEY="another server’s"):
        assert asked(house, house.tokens["karim"]) == {404}
    assert asked(house, house.tokens["karim"]) != {404}


# ---------------------------------------------------------------- stolen


def test_who_opens_anothers_link_sits_there_and_the_facilitator_ends_it_for_every_device(house):
    """A link is a key: what is promised is that its holder can be put out, with all that they hold."""
    karim, thief = house.browser("karim"), house.browser("karim")
    assert 'data-me="karim"' in thief.get(house.address).content.decode()
    actions.submit(house.id, c.Revoke(seat="fanny", target="karim"))
    before = kept(house)
    for device in (karim, thief, house.browser("karim")):
        assert device.get(house.address).status_code == 403
        assert device.get(f"{house.address}maintenant").content == b"{}"
        assert device.get(f"{house.address}bilan/").status_code == 404
        for form in (
            {"do": "return"},
            {"do": "rename", "name": "Karim"},
            {"do": "write", "kind": "note", "body.text": "x"},
        ):
            assert device.post(f"{house.address}contributions", form).status_code == 403
        assert device.post(f"{house.address}brouillon", {"kind": "note", "body.text": "x"}).status_code == 409
        assert device.post(f"{house.address}code").status_code == 403
    assert kept(house) == before
    assert join(house, "Karim") != "karim"  # he comes back by the code, under his own name, to another place


def test_a_stolen_link_is_not_the_facilitators_nor_anybody_elses(house):
    """What one gets with Karim's link is Karim's: no other link, no code, nobody's secret writing."""
    page = house.browser("karim").get(house.address).content.decode()
    code = actions.links(store.load(house.id))["code"]
    assert not [seat for seat in house.tokens if seat != "karim" and house.tokens[seat] in page]
    assert code not in page and actions.shown_code(code) not in page
    for do, form in (("revoke", {"target": "claire"}), ("next", {}), ("close", {}), ("hand_over", {"target": "karim"}),
                     ("set_door", {"waiting": "1"}), ("reveal", {}), ("undo", {})):  # fmt: skip
        answer = house.browser("karim").post(f"{house.address}contributions", {"do": do, **form})
        assert answer.status_code == 409, do


def test_a_seat_in_a_form_is_not_believed(house):
    """One acts in the name of one's own link, whatever the form says."""
    form = {
        "do": "write",
        "kind": "note",
        "id": "note-number-1",
        "body.text": CANARY,
        "seat": "fanny",
        "author": "fanny",
    }
    assert house.browser("karim").post(f"{house.address}contributions", form).status_code == 302
    assert house.state.contributions["note-number-1"].author == "karim"
    form |= {"id": "note-number-2", "behalf": "claire"}
    assert house.browser("karim").post(f"{house.address}contributions", form).status_code == 409


# ---------------------------------------------------------------- renewed, expired, replayed


def test_a_renewed_screen_link_and_code_shut_the_former_ones_on_every_device(house):
    old = actions.links(store.load(house.id))
    wall = Client()
    assert wall.get(f"/place/{old['screen']}/", follow=True).status_code == 200
    for _ in range(2):
        assert actions.renew_code(house.id, "fanny") is None
    assert wall.get(f"/ecran/{house.id}/").status_code == 404
    assert wall.get(f"/ecran/{house.id}/maintenant").status_code == 404
    assert Client().get(f"/place/{old['screen']}/").status_code == 404
    assert Client(**ORIGIN).post(f"/s/{old['code']}/", {"name": "Octave"}).status_code == 404
    assert Seat.objects.filter(session=house.id, seat=SCREEN).count() == 1
    new = actions.links(store.load(house.id))
    assert Client().get(f"/place/{new['screen']}/").status_code == 302


def test_after_the_charters_date_a_link_opens_a_place_without_a_word(house):
    browser = house.browser("karim")
    before = browser.get(house.address).content.decode()
    assert "Karim" in before and "annoncer" in before
    actions.erase(Session.objects.get(pk=house.id).circle)
    after = browser.get(house.address)
    assert after.status_code == 200
    for word in ("Karim", "Claire", "annoncer", "solitude"):
        assert word not in after.content.decode()
    assert house.act(browser, do="write", kind="note", id="note-number-1", body_text="x").status_code == 409


def test_the_link_of_a_room_that_was_deleted_opens_nothing(house):
    browser = house.browser("karim")
    Session.objects.get(pk=house.id).delete()
    store.forget()
    access.forget()
    assert browser.get(house.address).status_code == 404
    assert Client().get(f"/place/{house.tokens['karim']}/").status_code == 404


def test_a_form_sent_again_changes_nothing_more(house):
    karim, fanny = house.browser("karim"), house.browser("fanny")
    sent = [
        (karim, {"do": "write", "kind": "suggestion", "id": "again-number-1", "body.text": "Une piste."}),
        (fanny, {"do": "reveal", "seen": "1.suggestions"}),
        (fanny, {"do": "next", "seen": "1.suggestions"}),
    ]
    for client, form in sent:
        assert client.post(f"{house.address}contributions", form).status_code == 302, form
    before = kept(house)
    for client, form in sent:  # by whoever took a copy of it on the way
        assert client.post(f"{house.address}contributions", form).status_code == 302
    assert kept(house) == before


def test_a_form_of_a_removed_person_is_of_no_use_to_who_kept_a_copy(house):
    form = {"do": "write", "kind": "note", "id": "late-number-1", "body.text": CANARY}
    actions.submit(house.id, c.Revoke(seat="fanny", target="karim"))
    before = kept(house)
    assert house.browser("karim").post(f"{house.address}contributions", form).status_code == 403
    assert kept(house) == before


# ---------------------------------------------------------------- between two rooms


NAMES_OF_OTHERS = ("id", "ids", "target", "situation", "behalf", "body.choice", "body.witness", "seen")


@pytest.mark.parametrize("name", [name for name in c.COMMANDS if name not in {"take_seat", "add_seat", "write"}])
def test_an_id_of_one_room_means_nothing_in_another(house, other, name):
    """Fanny, who leads both rooms, names in one what is of the other."""
    strange = [*house.state.contributions, "claire", "nadia"]
    assert not {*strange} & {*other.state.contributions, *other.state.seats}
    given = [field.name for field in fields(c.COMMANDS[name]) if field.name in NAMES_OF_OTHERS[:-1]]
    before = kept(house, other)
    for field in given:
        for id_ in [*strange[:4], *strange[-4:]]:
            right = {"id": "no-such-id", "target": "nobody", "situation": "none", "mark": "useful", "value": "Oser"}
            form = {"do": name, **{k: v for k, v in right.items() if k in given or k in {"mark", "value"}}, field: id_}
            for seat in ("fanny", "karim"):
                answer = other.browser(seat).post(f"{other.address}contributions", form)
                assert answer.status_code in {409, 302}, (field, id_)
                if given:
                    assert answer.status_code == 409 or kept(house, other) == before, (field, id_)
    if given:
        assert kept(house, other) == before


def test_a_place_of_one_room_acts_in_no_other(house, other):
    before = kept(house, other)
    for seat in ("fanny", "karim", "octave"):
        assert asked(house, other.tokens[seat]) == {404}, seat
    assert kept(house, other) == before


def test_a_text_written_under_an_id_of_another_room_is_a_text_of_ones_own(house, other):
    """Ids are a room's own: this is a new contribution of this room, and the other's stays what it was."""
    taken = next(i for i, one in house.state.contributions.items() if one.kind == "story")
    was = house.state.contributions[taken].body
    form = {"do": "write", "kind": "note", "id": taken, "body.text": CANARY}
    assert other.browser("karim").post(f"{other.address}contributions", form).status_code == 302
    store.forget()
    assert CANARY not in str([one.body for one in house.state.contributions.values()])
    assert was in [one.body for one in house.state.contributions.values()]


# ---------------------------------------------------------------- a place lost while its stream is open


@pytest.fixture(scope="module")
def live(template: Template) -> Iterator[services.Server]:
    with template.server() as server:
        yield server


async def test_nothing_more_reaches_a_stolen_place_once_it_is_taken_back(live):
    """Octave has opened Karim's link, and leaves his page open; Fanny removes that place, and the others go on."""
    fanny = Person(live, "/salles/nouvelle/", "Fanny")
    karim = Person(live, f"/s/{fanny.code}/", "Karim")
    claire = Person(live, f"/s/{fanny.code}/", "Claire")
    received = []
    async with karim.stream() as stolen, claire.stream() as hers:
        await stolen.next(60)
        await hers.next(60)
        claire.do("write", kind="situation", id="situation-1", body_title="Comment avancer ?")
        received.append(await stolen.until("Comment avancer", 60))  # it does follow
        fanny.do("revoke", target=karim.seat)
        claire.do("write", kind="situation", id="situation-2", body_title=f"Comment {CANARY} ?")
        await hers.until(CANARY, 60)
        while (message := await stolen.next(60)) is not None:
            received.append(message)
    assert received[-1].event == "bye"
    assert CANARY not in "".join(message.data for message in received)
    async with karim.stream() as again:
        told = [message async for message in all_of(again)]
    assert [message.event for message in told] == ["bye"]
    for person in (fanny, karim, claire):
        person.http.close()


async def all_of(stream):
    while (message := await stream.next(60)) is not None:
        yield message


@pytest.mark.django_db
def test_a_facilitators_own_link_is_no_way_into_her_other_room():
    one, fanny = open_room()
    two, _ = open_room()
    assert asked(two, one.tokens[fanny]) == {404}
