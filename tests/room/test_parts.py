"""A partial render equals a full render, and a part kept for one seat is right for every seat that shares it."""

import re
from pathlib import Path

from django.utils.safestring import mark_safe
from django.utils.translation import override

from cordee.engine import commands as c
from cordee.engine.policy import SCREEN
from cordee.engine.seen import View
from cordee.engine.view import view_for
from cordee.room import cards, render, stream
from tests.characters import FACILITATOR, Room, next_round, play

SEATS = (FACILITATOR, "claire", "karim", "helene", "observer", SCREEN, "late")


class Watched(Room):
    """A room that shows itself to a watcher after everything that happens."""

    def __init__(self, watcher) -> None:
        self.watcher = watcher
        super().__init__()

    def try_(self, command: c.Command):
        before = self.state.version
        result = super().try_(command)
        if self.state.version != before:
            self.watcher(self)
        return result


def session(watcher) -> Room:
    """Two rounds with much going to and fro: a late arrival at the door, someone without a screen, edits, hiding."""
    room = Watched(watcher)
    room.seat(FACILITATOR, "claire", "karim", "helene")
    room.seat("observer", role="observer")
    room.do(c.AddSeat(seat=FACILITATOR, id="without-screen", name="Marc"))
    room.do(c.SetDoor(seat=FACILITATOR, waiting=True))
    room.seat("late")
    play(room, until="questions")
    room.do(c.Leave(seat="helene", target="helene"))
    room.do(c.Return(seat="helene", target="helene"))
    room.do(c.Admit(seat=FACILITATOR, target="late"))
    room.do(c.Pause(seat=FACILITATOR))
    room.do(c.Resume(seat=FACILITATOR))
    room.do(c.Extend(seat=FACILITATOR, minutes=3))
    asked = room.write("karim", "question", "Depuis quand ?")
    room.do(c.Edit(seat="karim", id=asked, body={"text": "Depuis quand, et pour qui ?"}))
    room.do(c.Hide(seat=FACILITATOR, id=asked))
    room.do(c.Hide(seat=FACILITATOR, id=asked, on=False))
    room.do(c.Withdraw(seat="karim", id=asked))
    room.do(c.GiveFloor(seat=FACILITATOR, target="helene"))
    room.do(c.FreeFloor(seat=FACILITATOR))
    room.do(c.FreeFloor(seat=FACILITATOR, on=False))
    play(room, until="demande")
    request = room.write("claire", "request", "Je voudrais que vous m’aidiez à dire non.")
    for seat in ("karim", "helene", "late"):
        room.mark(seat, request, "acknowledged")
    room.mark(FACILITATOR, request, "acknowledged", behalf="without-screen")
    room.write("claire", "request", "Je voudrais que vous m’aidiez à dire non sans rompre.")
    for seat in ("karim", "helene", "late"):
        room.try_(c.Mark(seat=seat, id=request, mark="acknowledged"))
    room.try_(c.Mark(seat=FACILITATOR, id=request, mark="acknowledged", behalf="without-screen"))
    room.mark("claire", request, "validated")
    room.next()
    room.write(FACILITATOR, "feeling", "De la gêne.", behalf="without-screen")
    play(room, until="suggestions")
    room.do(c.Undo(seat=FACILITATOR))
    room.next()
    room.do(c.Rename(seat="karim", name="Karim B."))
    play(room)
    next_round(room, "karim")
    play(room, until="ressentis", client="karim")
    room.do(c.HandOver(seat=FACILITATOR, target="helene"))
    room.do(c.Revoke(seat="helene", target="late"))
    play(room, until="ouvertures", client="karim")
    for seat in ("karim", "claire"):
        room.write(seat, "learning", "Je sais attendre que l’équipe réponde.")
        room.write(seat, "learning", f"Le silence aide à écrire, dit {seat}.")
    room.reveal()
    room.do(c.AskThemes(seat="karim"))
    kept, refused = [g.heading for g in room.view("karim").groups if g.heading and g.heading.label]
    room.do(c.GiveTheme(seat="karim", ids=kept.ids, value="Attendre"))
    room.do(c.DeclineTheme(seat="claire", ids=refused.ids))
    room.do(c.GiveTheme(seat="helene", ids=kept.ids.split()[0], was="Attendre", value="Oser"))
    room.do(c.AskThemes(seat="karim", on=False))
    room.do(c.AskThemes(seat="helene"))
    room.do(c.Close(seat="helene"))
    return room


class Page:
    """What a browser holds: the parts of its first page, changed by the swaps that its stream sends."""

    def __init__(self) -> None:
        self.sent: View | None = None
        self.html: dict[str, str] = {}  # the parts; of a list, all but its cards
        self.cards: dict[str, dict[str, str]] = {}  # box -> cards

    def receive(self, view: View, language: str = "fr") -> None:
        """Applies the swaps from what was sent before to this view."""
        for swap in stream.changes(self.sent, view, language):
            target, how, html = PARTIAL.fullmatch(swap).groups()
            self._swap(view, target, how, html)
        self.sent = view

    def _swap(self, view: View, target: str, how: str, html: str) -> None:
        if target in render.PARTS:
            assert how == "innerMorph"
            self.html[target] = html
            if target in {"groups", "past"}:
                self.html[target] = CARDS.sub(lambda box: self._fill(box[2], box[3]) or box[1], html)
        elif target in self.cards and how == "innerMorph":
            self.cards[target] = {}
            self._fill(target, html)
        elif target in self.cards:
            assert how == "beforeend"
            self._fill(target, "".join(self.cards[target].values()) + html)
        elif target.startswith("p-"):
            assert how == "outerMorph"
            (name,) = [name for name, part in self.html.items() if f' id="{target}"' in part]
            tag = html[1 : html.index(" ")]
            self.html[name] = re.sub(rf'<{tag} id="{target}".*?</{tag}>', lambda _: html, self.html[name], flags=re.S)
        else:
            assert how == "outerMorph"
            (box,) = [box for box, cards in self.cards.items() if target in cards]
            self.cards[box][target] = html

    def _fill(self, box: str, html: str) -> None:
        found = CARD.findall(html)
        assert "".join(card for card, _ in found) == html
        self.cards[box] = {id_: card for card, id_ in found}

    def part(self, name: str) -> str:
        """This part, with its cards in it, as the browser shows it now."""
        if name not in {"groups", "past"}:
            return self.html[name]
        return BOX.sub(lambda box: box[0] + "".join(self.cards[box[1]].values()), self.html[name])


PARTIAL = re.compile(r'<hx-partial hx-target="#([^"]+)" hx-swap="(\w+)">(.*)</hx-partial>', re.S)
BOX = re.compile(r'<div class="cards" id="([^"]+)">')
CARDS = re.compile(r'(<div class="cards" id="([^"]+)">)(.*?)(?=</div></section>)', re.S)
CARD = re.compile(r'(<article id="([^"]+)".*?</article>)', re.S)


def fresh(name: str, view: View, language: str = "fr") -> str:
    """This part drawn now, from this seat's own view, with nothing kept from others."""
    is_screen = view.seat == SCREEN
    with override(language):
        if name not in {"groups", "past"}:
            return render.draw(name, view, is_screen)
        groups = view.groups if name == "groups" else view.past
        filled = [(g, mark_safe("".join(cards.draw(c, language, g.recalled) for c in g.cards))) for g in groups]
        return render.draw(name, view, is_screen, {"groups": filled})


def test_a_stream_brings_the_first_page_to_what_a_fresh_page_shows_at_every_moment_for_every_seat():
    """Each seat's part is compared with its own drawn alone: what is kept for one is right for all that share it."""
    pages = {seat: Page() for seat in SEATS}
    compared = 0

    def watch(room: Room) -> None:
        nonlocal compared
        for seat, page in pages.items():
            view = view_for(room.state, seat)
            if view is None:
                continue
            page.receive(view)
            for name in render.PARTS:
                assert page.part(name) == fresh(name, view), (seat, name, view.position)
                compared += 1

    assert session(watch).state.course.closed
    assert compared > 5000


class Recorder:
    """Stands for a view, and notes which of its fields were read."""

    def __init__(self, view: View, read: set[str]) -> None:
        self._view, self._read = view, read

    def __getattr__(self, name: str):
        value = getattr(self._view, name)
        self._read.add(name)
        return value

    def __getitem__(self, name):  # templates ask for view["…"] first
        raise KeyError(name)


def test_a_part_reads_nothing_of_the_view_that_its_key_lacks():
    drawn: dict[str, set[str]] = {name: set() for name in render.PARTS}
    declared: dict[str, set[str]] = {name: set() for name in render.PARTS}

    def watch(room: Room) -> None:
        for view in filter(None, (view_for(room.state, seat) for seat in SEATS)):
            for name, key in render.PARTS.items():
                key(Recorder(view, declared[name]))
                groups = [(group, "") for group in (view.past if name == "past" else view.groups)]
                render.draw(name, Recorder(view, drawn[name]), view.seat == SCREEN, {"groups": groups})

    session(watch)
    for name in render.PARTS:
        # Whether there is a hand is whether one of the roles leads.
        implied = {"hand"} if "roles" in declared[name] else set()
        undeclared = drawn[name] - declared[name] - implied
        assert not undeclared, f"{name} depends on {undeclared}: add it to render.PARTS"
    assert all(drawn[name] for name in drawn if name not in {"past", "own"}), drawn  # it does see what is read


def of_four() -> Room:
    room = Room()
    room.seat(FACILITATOR, "claire", "karim", "helene")
    return room


def test_one_new_card_reaches_another_person_in_less_than_4_kb():
    room = Room()
    room.seat(FACILITATOR, "claire", "karim", "helene", "thomas", "nadia", "julien", "aicha", "marc")
    play(room, until="questions")
    page = Page()
    page.receive(view_for(room.state, "thomas"))
    for _ in range(6):
        room.write("karim", "question", "Qu’est-ce qui a déjà été essayé, et par qui ?")
        page.receive(view_for(room.state, "thomas"))
    asked = room.write("karim", "question", "Qu’est-ce qui a déjà été essayé, et par qui ?")
    view = view_for(room.state, "thomas")
    sent = "".join(stream.changes(page.sent, view, "fr"))
    assert asked in sent
    assert len(sent.encode()) < 4096


def test_a_move_of_the_floor_brings_two_places_of_the_ring_and_no_form():
    room = Room()
    room.seat(FACILITATOR, "claire", "karim", "helene", "thomas", "nadia", "julien", "aicha")
    play(room, until="questions")
    before = view_for(room.state, "julien")
    room.do(c.PassFloor(seat=before.ring.holder, seen=before.ring.holder))
    view = view_for(room.state, "julien")
    swaps = [PARTIAL.fullmatch(swap).groups() for swap in stream.changes(before, view, "fr")]
    after = view.ring.holder
    assert {target for target, *_ in swaps} == {
        *(f"p-{seat}{said}" for seat in (before.ring.holder, after) for said in ("", "-said")),
        *("p-caption", "p-f-question"),
    }
    assert sum(len(html.encode()) for *_, html in swaps) < 1500


def test_a_part_that_differs_outside_its_pieces_is_sent_whole():
    one, two = '<li id="p-a">a</li>', '<li id="p-b">b</li>'
    assert render.pieces(f"x{one}", f"x{one.replace('>a', '>c')}") == (("p-a", '<li id="p-a">c</li>'),)
    assert render.pieces(f"x{one}", f"y{one}") == ()
    assert render.pieces(f"x{one}", f"x{two}") == ()
    assert render.pieces(f"x{one}", f"x{one}{two}") == ()


def test_nothing_is_sent_when_nothing_this_seat_sees_has_changed():
    room = play(of_four(), until="ressentis")
    page = Page()
    page.receive(view_for(room.state, "claire"))
    room.write("karim", "note", "Pour moi.")
    view = view_for(room.state, "claire")
    assert list(stream.changes(page.sent, view, "fr")) == []


def test_what_a_template_shows_of_the_view_is_what_its_part_depends_on():
    """A part that showed something it does not name would stay as it was when that changes."""
    folder = Path(render.__file__).parent / "templates" / "room" / "parts"
    for name in render.PARTS:
        shown = set(re.findall(r"\bview\.(\w+)", (folder / f"{name}.html").read_text()))
        row = re.search(rf'"{name}": lambda v: (.*?)(?=\n    "|\n\}})', Path(render.__file__).read_text(), re.S)
        assert row is not None, name
        assert shown <= set(re.findall(r"\bv\.(\w+)", row[1])), name
