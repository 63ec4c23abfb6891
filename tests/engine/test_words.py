"""Who may write what, when, and what becomes of it."""

import pytest

from cordee.engine import commands as c
from cordee.engine import events as e
from tests.characters import ACTS, Room, circle, group, play, reason, texts

STEPS = list(ACTS)
EVERYWHERE = {"claire": {"note"}, "karim": {"note", "seed"}, "fanny": {"note"}, "octave": {"note"}}
# The table of the method, by hand: at each step, what the client, a consultant with the floor, the facilitator and an
# observer may write, besides their own notes.
RIGHTS = {
    "choix": {"claire": {"situation", "vote"}, "karim": {"situation", "vote"}},
    "recit": {"claire": {"story"}},
    "questions": {"karim": {"question"}},
    "demande": {"claire": {"request"}},
    "ressentis": {"karim": {"feeling"}},
    "suggestions": {"karim": {"suggestion"}},
    "traitement": {"claire": {"takeaway", "commitment"}},
    "ouvertures": {seat: {"learning"} for seat in EVERYWHERE},
    "renforcement": {},
}


def body_of(room: Room, kind: str) -> dict[str, str]:
    if kind == "vote":
        return {"choice": room.situation_of("claire")}
    return {box.id: "Un texte." for box in room.state.protocol.kinds[kind].fields if box.required}


@pytest.mark.parametrize("step", STEPS)
def test_each_step_lets_write_what_its_row_says_and_nothing_else(step):
    room = circle()
    room.do(c.TakeSeat(seat="octave", name="Octave", role="observer"))
    play(room, through="choix")
    if step != "choix":
        room.next()
        play(room, until=step)
    for seat, everywhere in EVERYWHERE.items():
        own = EVERYWHERE["karim"] if step == "choix" and seat == "karim" else everywhere
        may = {k for k in room.state.protocol.kinds if not room.try_write(seat, k, body_of(room, k))}
        assert may == RIGHTS[step].get(seat, set()) | own, (step, seat)


@pytest.mark.parametrize("step", STEPS)
def test_the_forms_offered_are_exactly_what_may_be_written(step):
    room = play(circle(), until=step)
    for seat in ("claire", "karim", "fanny"):
        offered = {form.kind.id for form in room.view(seat).forms if form.own and form.my_turn}
        kinds = [kind for kind in room.state.protocol.kinds if kind != "vote"]  # one votes on the cards
        may = {kind for kind in kinds if not room.try_write(seat, kind, body_of(room, kind))}
        assert offered == may, (step, seat)


def test_a_kind_nobody_knows_is_refused():
    assert (
        circle().try_(c.Write(seat="karim", id="abcdefgh", kind="novel", body={"text": "x"})).reason == "not_this_step"
    )


def test_nothing_is_written_by_an_outsider():
    room = play(circle(), until="ouvertures")
    for seat in ("octave", "rose", "screen", ""):
        assert room.try_write(seat, "learning") == "stranger"


# ---------------------------------------------------------------- texts and ids


@pytest.mark.parametrize(
    "bad", ["", "court", "x" * 65, "avec espace", "é" * 10, "../../etc", "abcdefgh\n", "abc\0defgh"]
)
def test_a_bad_id_is_refused(bad):
    room = play(circle(), until="recit")
    assert reason(room.try_(c.Write(seat="claire", id=bad, kind="story", body={"text": "x"}))) == "bad_id"


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\0", "\u200b", "\u2060\u200d", "\u202e", "\x00\x01\x02"])
def test_a_text_that_shows_nothing_is_empty(text):
    room = play(circle(), until="recit")
    assert room.try_write("claire", "story", text) == "empty_field"


def test_a_refusal_names_the_field_that_is_missing_or_too_long():
    room = play(circle(), until="traitement")
    missing = room.try_(c.Write(seat="claire", id="commit-01", kind="commitment", body={"if": "Quand"}))
    assert (missing.reason, missing.about["field"]) == ("empty_field", "…alors je…")
    long = room.try_(c.Write(seat="claire", id="commit-01", kind="commitment", body={"if": "x" * 301, "then": "y"}))
    assert long.about == {"field": "Si / quand…", "longest": "300", "length": "301"}
    assert reason(room.try_(c.Write(seat="claire", id="commit-01", kind="commitment"))) == "empty_field"


@pytest.mark.parametrize(
    "written, kept",
    [
        ("a\0b\x07c\x9fd", "abcd"),
        ("a\u202eb\u2066c\u2069d", "abcd"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("  bord  ", "bord"),
        ("a\ud800b", "ab"),
        ("🧗‍♀️ Zoé, œuvre « ça » …", "🧗‍♀️ Zoé, œuvre « ça » …"),
        ("שלום علي\u200f ok", "שלום علي\u200f ok"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("un\ttab", "un\ttab"),
    ],
)
def test_texts_are_kept_as_written_but_for_what_no_keyboard_makes(written, kept):
    room = play(circle(), until="recit")
    room.write("claire", "story", written)
    assert texts(room.view("karim"), "story") == [kept]


def test_fields_that_are_not_declared_are_dropped():
    room = play(circle(), until="recit")
    events = room.do(
        c.Write(seat="claire", id="story-01", kind="story", body={"text": "x", "from": "Karim", "id": "1"})
    )
    assert events[0].body == {"text": "x"}


@pytest.mark.parametrize(
    "field, value",
    [("date", "demain"), ("date", "2026-02-30"), ("witness", "octave"), ("witness", "Karim")],
)
def test_a_value_that_does_not_fit_its_field_is_refused(field, value):
    room = play(circle(), until="traitement")
    assert room.try_write("claire", "commitment", {"if": "Quand", "then": "je", field: value}) == "bad_value"


def test_choices_are_those_offered():
    room = circle()
    assert room.try_write("karim", "situation", {"title": "Comment ?", "nature": "guerre"}) == "bad_value"
    assert room.try_write("karim", "vote", {"choice": "no-such-situation"}) == "bad_value"


def test_one_keeps_three_commitments_at_most_and_one_takeaway():
    room = play(circle(), until="traitement")
    for n in range(3):
        room.write("claire", "commitment", {"if": f"Quand {n}", "then": "je parle"})
    assert room.try_write("claire", "commitment", {"if": "Quand", "then": "je"}) == "enough"
    room.do(c.Withdraw(seat="claire", id=room.of("commitment")[0].id))
    assert room.try_write("claire", "commitment", {"if": "Quand", "then": "je"}) == ""
    first = room.write("claire", "takeaway", "Je retiens.")
    assert room.write("claire", "takeaway", "Je retiens mieux.") == first
    assert len(room.of("takeaway")) == 1


# ---------------------------------------------------------------- once, and once only


def test_the_same_id_is_written_once_and_belongs_to_its_author():
    room = play(circle(), until="suggestions")
    wish = c.Write(seat="karim", id="lead-0001", kind="suggestion", body={"text": "Voir les deux personnes."})
    assert len(room.do(wish)) == 1
    assert room.do(wish) == []
    assert reason(room.try_(c.Write(seat="helene", id="lead-0001", kind="suggestion", body={"text": "x"}))) == "bad_id"
    assert reason(room.try_(c.Write(seat="karim", id="lead-0001", kind="note", body={"text": "x"}))) == "bad_id"
    room.do(c.Withdraw(seat="karim", id="lead-0001"))
    assert room.do(wish) == []
    room.next()
    assert room.do(wish) == []  # the browser that comes back too late is told that it is done


def test_an_edit_that_changes_nothing_is_no_event():
    room = play(circle(), until="suggestions")
    written = room.write("karim", "suggestion", "Voir.")
    assert room.do(c.Edit(seat="karim", id=written, body={"text": " Voir. "})) == []


def test_another_rooms_ids_are_nothing_here():
    other = play(circle(), through="suggestions")
    room = play(circle(), until="recit")
    lead = next(x.id for x in other.of("suggestion"))
    for command in (
        c.Edit(seat="karim", id=lead, body={"text": "x"}),
        c.Withdraw(seat="karim", id=lead),
        c.Hide(seat="fanny", id=lead),
        c.Mark(seat="claire", id=lead, mark="sorted", value="keep"),
    ):
        assert reason(room.try_(command)) == "not_yours"
    room.go("choix")
    assert reason(room.try_(c.Choose(seat="fanny", situation=lead))) == "no_such_situation"


# ---------------------------------------------------------------- edit, withdraw, hide


def test_an_author_edits_at_the_step_and_not_after_it():
    room = play(circle(), until="suggestions")
    lead = room.write("karim", "suggestion", "Voir.")
    assert reason(room.try_(c.Edit(seat="helene", id=lead, body={"text": "x"}))) == "not_yours"
    assert reason(room.try_(c.Edit(seat="fanny", id=lead, body={"text": "x"}))) == "not_yours"
    room.do(c.Edit(seat="karim", id=lead, body={"text": "Voir les deux."}))
    card = group(room.view("karim"), "suggestion").cards[0]
    assert (card.get("text"), card.edited, card.editable) == ("Voir les deux.", True, True)
    assert reason(room.try_(c.Edit(seat="karim", id=lead, body={"text": ""}))) == "empty_field"
    room.reveal()
    room.next()
    assert reason(room.try_(c.Edit(seat="karim", id=lead, body={"text": "x"}))) == "not_this_step"


def test_a_note_is_edited_for_ever_and_read_by_nobody_else():
    room = play(circle(), until="suggestions")
    note = next(x.id for x in room.of("note") if x.author == "karim")
    room.do(c.Edit(seat="karim", id=note, body={"text": "Relire cela lundi."}))
    assert texts(room.view("karim"), "note") == ["Relire cela lundi."]
    for seat in ("fanny", "claire", "helene", "screen"):
        assert "Relire cela lundi." not in repr(room.view(seat))


def test_what_is_withdrawn_is_gone_for_everyone_and_cannot_come_back():
    room = play(circle(), through="suggestions")
    lead = next(x for x in room.of("suggestion") if x.author == "karim")
    assert reason(room.try_(c.Withdraw(seat="fanny", id=lead.id))) == "not_yours"
    room.do(c.Withdraw(seat="karim", id=lead.id))
    assert room.do(c.Withdraw(seat="karim", id=lead.id)) == []
    for seat in ("karim", "claire", "fanny", "screen"):
        assert lead.body["text"] not in texts(room.view(seat), "suggestion")
    assert reason(room.try_(c.Edit(seat="karim", id=lead.id, body={"text": "x"}))) == "not_yours"
    assert reason(room.try_(c.Mark(seat="claire", id=lead.id, mark="sorted", value="keep"))) == "not_yours"


def test_the_situation_at_work_is_not_withdrawn():
    room = play(circle(), until="recit")
    used, free = room.situation_of("claire"), room.situation_of("karim")
    assert reason(room.try_(c.Withdraw(seat="claire", id=used))) == "in_use"
    room.do(c.Withdraw(seat="karim", id=free))


def test_what_the_facilitator_hides_is_left_to_its_author_and_can_be_shown_again():
    room = play(circle(), through="suggestions")
    lead = next(x for x in room.of("suggestion") if x.author == "karim")
    assert reason(room.try_(c.Hide(seat="claire", id=lead.id))) == "not_facilitator"
    room.do(c.Hide(seat="fanny", id=lead.id))
    assert room.do(c.Hide(seat="fanny", id=lead.id)) == []
    for seat in ("claire", "fanny", "helene", "screen"):
        assert lead.body["text"] not in texts(room.view(seat), "suggestion")
    mine = [card for card in group(room.view("karim"), "suggestion").cards if card.mine]
    assert mine[0].hidden
    assert room.view("fanny").hand.hidden == ((lead.id, "Piste", "Karim"),)
    room.do(c.Hide(seat="fanny", id=lead.id, on=False))
    assert lead.body["text"] in texts(room.view("claire"), "suggestion")
    assert room.view("fanny").hand.hidden == ()


def test_the_facilitator_hides_nothing_that_she_does_not_see():
    room = play(circle(), until="suggestions")
    lead = room.write("karim", "suggestion", "Voir.")
    assert reason(room.try_(c.Hide(seat="fanny", id=lead))) == "not_yours"
    note = room.write("karim", "note", "À moi.")
    assert reason(room.try_(c.Hide(seat="fanny", id=note))) == "not_yours"


def test_a_hidden_request_leaves_the_top_of_the_page():
    room = play(circle(), until="suggestions")
    assert room.view("karim").request.startswith("Je voudrais")
    room.do(c.Hide(seat="fanny", id=room.of("request")[0].id))
    assert room.view("karim").request == ""


# ---------------------------------------------------------------- silence, then the reveal


@pytest.mark.parametrize(
    "step, kind", [("ressentis", "feeling"), ("suggestions", "suggestion"), ("ouvertures", "learning")]
)
def test_what_is_written_in_silence_is_the_authors_until_the_reveal(step, kind):
    room = play(circle(), until=step)
    room.write("karim", kind, "Ce que Karim écrit.")
    assert texts(room.view("karim"), kind) == ["Ce que Karim écrit."]
    for seat in ("claire", "fanny", "helene", "screen"):
        assert texts(room.view(seat), kind) == []
        ring = room.view(seat).ring
        assert (ring.wrote, [s.id for s in ring.seats if s.wrote]) == (1, ["karim"])
    assert reason(room.try_(c.Reveal(seat="claire"))) == "not_your_role"
    room.reveal()
    assert room.do(c.Reveal(seat="fanny")) == []
    for seat in ("claire", "fanny", "helene", "screen"):
        assert texts(room.view(seat), kind) == ["Ce que Karim écrit."]


def test_how_many_have_written_is_said_of_those_who_may():
    room = play(circle(), until="ressentis")
    assert (room.view("claire").ring.wrote, room.view("claire").ring.of) == (0, 7)
    room.do(c.Leave(seat="marc"))
    assert room.view("claire").ring.of == 6


def test_there_is_nothing_to_reveal_where_nothing_is_sealed():
    room = play(circle(), until="questions")
    assert reason(room.try_(c.Reveal(seat="fanny"))) == "nothing_sealed"


def test_the_clients_sorting_is_the_clients_alone_for_ever():
    room = play(circle(), through="traitement")
    for step in ("traitement", "ouvertures", "renforcement"):
        play(room, until=step)
        for seat in ("karim", "fanny", "screen"):
            cards = [card for g in (*room.view(seat).groups, *room.view(seat).past) for card in g.cards]
            assert [m for card in cards for m in card.marks if m.mark == "sorted"] == []
        mine = [card for g in (*room.view("claire").groups, *room.view("claire").past) for card in g.cards]
        assert {m.value for card in mine for m in card.marks if m.mark == "sorted"} == {"keep", "think", "leave"}
    assert reason(room.try_(c.Mark(seat="fanny", id=room.of("suggestion")[0].id, mark="sorted", value="keep")))


# ---------------------------------------------------------------- marks


def test_a_mark_is_put_by_whom_its_row_names_at_its_step():
    room = play(circle(), until="questions")
    asked = room.write("karim", "question", "Depuis quand ?")
    for seat in ("karim", "helene", "fanny"):
        assert reason(room.try_(c.Mark(seat=seat, id=asked, mark="touching"))) == "not_your_role"
    room.mark("claire", asked, "touching")
    assert room.do(c.Mark(seat="claire", id=asked, mark="touching")) == []
    shown = {m.mark: m for m in group(room.view("helene"), "question").cards[0].marks}
    assert shown["touching"].names == ("Claire",) and not shown["touching"].settable
    assert reason(room.try_(c.Mark(seat="claire", id=asked, mark="adorable"))) == "not_this_step"
    room.mark("claire", asked, "touching", on=False)
    assert room.do(c.Mark(seat="claire", id=asked, mark="touching", on=False)) == []
    room.next()
    assert reason(room.try_(c.Mark(seat="claire", id=asked, mark="touching"))) == "not_this_step"


def test_nobody_marks_what_they_do_not_see():
    room = play(circle(), until="ouvertures")
    learnt = room.write("karim", "learning", "J’ai appris.")
    assert reason(room.try_(c.Mark(seat="helene", id=learnt, mark="theme", value="Oser"))) == "not_yours"


def test_the_group_ties_a_learning_to_a_theme_and_a_value():
    room = play(circle(), through="ouvertures")
    learnt = room.of("learning")[1].id
    room.mark("karim", learnt, "theme", "Oser demander")
    room.mark("fanny", learnt, "theme", "Demander")  # one theme for all: the last word holds
    room.mark("claire", learnt, "value", "La confiance")
    card = next(card for card in group(room.view("helene"), "learning").cards if card.id == learnt)
    assert {m.mark: (m.value, m.count) for m in card.marks if m.on} == {
        "theme": ("Demander", 1),
        "value": ("La confiance", 1),
    }
    assert reason(room.try_(c.Mark(seat="karim", id=learnt, mark="theme", value="x" * 121))) == "bad_value"
    room.mark("karim", learnt, "theme", "")  # an empty theme takes it off
    assert room.state.marked(learnt, "theme") == {}


def test_a_sorting_is_one_of_three():
    room = play(circle(), until="traitement")
    lead = room.of("suggestion")[0].id
    assert reason(room.try_(c.Mark(seat="claire", id=lead, mark="sorted", value="love"))) == "bad_value"


# ---------------------------------------------------------------- votes


def test_votes_are_secret_and_their_totals_wait_for_everyone_here():
    room = circle(members=("claire", "karim", "nadia"))
    first = room.write("claire", "situation", "Comment annoncer ?")
    second = room.write("karim", "situation", "Comment recadrer ?")
    room.write("claire", "vote", {"choice": first})
    room.write("karim", "vote", {"choice": first})
    for seat in ("claire", "fanny", "nadia", "screen"):
        assert [card.votes for card in group(room.view(seat), "situation").cards] == [None, None]
        assert not [g for g in (*room.view(seat).groups, *room.view(seat).own) if g.kind == "vote"]
    assert [s.id for s in room.view("nadia").ring.seats if s.wrote] == ["claire", "karim"]
    assert [card.voted for card in group(room.view("nadia"), "situation").cards] == [False, False]
    assert [card.voted for card in group(room.view("karim"), "situation").cards] == [True, False]
    room.write("nadia", "vote", {"choice": second})
    assert [card.votes for card in group(room.view("screen"), "situation").cards] == [2, 1]


def test_someone_away_is_not_waited_for_in_a_vote_and_one_may_change_ones_vote():
    room = circle(members=("claire", "karim", "nadia"))
    first = room.write("claire", "situation", "Comment annoncer ?")
    second = room.write("karim", "situation", "Comment recadrer ?")
    room.write("claire", "vote", {"choice": first})
    room.write("karim", "vote", {"choice": first})
    room.do(c.Leave(seat="nadia"))
    assert [card.votes for card in group(room.view("fanny"), "situation").cards] == [2, 0]
    room.write("karim", "vote", {"choice": second})
    assert [card.votes for card in group(room.view("fanny"), "situation").cards] == [1, 1]


def test_there_is_no_vote_on_a_single_situation():
    room = circle()
    room.write("claire", "situation", "Comment annoncer ?")
    assert not group(room.view("karim"), "situation").cards[0].votable


# ---------------------------------------------------------------- creativity cards


def test_cards_are_drawn_at_their_step_each_once_before_any_again():
    room = play(circle(), until="suggestions")
    drawn = [room.do(c.DrawCard(seat="karim"))[0].card for _ in range(16)]
    assert len(set(drawn)) == 16
    assert len(room.view("karim").drawn) == 16 and not room.view("helene").drawn
    assert room.do(c.DrawCard(seat="karim"))
    for seat in ("claire", "fanny"):
        assert reason(room.try_(c.DrawCard(seat=seat))) == "not_this_step"
        assert not room.view(seat).may_draw
    room.next()
    assert reason(room.try_(c.DrawCard(seat="karim"))) == "not_this_step"


def test_the_hint_reaches_the_facilitator_as_a_count_and_not_before_the_third():
    room = play(circle(), until="questions")
    for n in range(3):
        assert not [s for s in room.view("fanny").hand.signals if s.id == "advice"]
        asks = room.view("fanny").ring.holder
        room.write(asks, "question", f"As-tu pensé à en parler à ton directeur, {n} fois ?")
        room.pass_floor()
    signal = next(s for s in room.view("fanny").hand.signals if s.id == "advice")
    assert signal.count == 3


def test_signals_name_who_has_not_asked_and_a_request_without_a_verb():
    room = play(circle(members=("claire", "karim", "nadia")), until="questions")
    room.write("karim", "question", "Depuis quand ?")
    assert [s.names for s in room.view("fanny").hand.signals if s.id == "no-question"] == ["Nadia"]
    play(room, until="demande")
    room.write("claire", "request", "Mon équipe, en mars.")
    assert [s.id for s in room.view("fanny").hand.signals] == ["no-verb"]
    room.write("claire", "request", "Je voudrais que vous m’aidiez à préparer l’annonce.")
    assert [s.id for s in room.view("fanny").hand.signals] == []


def test_events_of_a_whole_room_carry_their_texts_in_the_body_alone():
    room = play(circle())
    for event in room.events:
        kind, plain, body = e.dump(event)
        assert e.load(kind, event.at, event.seat, plain, body) == event
        for text in (body or {}).values():
            if len(text) > 12:
                assert text not in repr(plain)
