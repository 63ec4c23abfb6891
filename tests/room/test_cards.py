"""A card that is filled is the card that its template draws, whatever somebody wrote in it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cordee.engine.seen import Card, MarkView
from cordee.room import cards

HOSTILE = ("<b>", "&amp;", "'\"><script>", "{{ card.id }}", "{% now %}", "z0z", "\n premier", "%s {0} \\1", "\u202e")
FLAGS = ("mine", "editable", "edited", "hidden", "hideable", "sealed", "votable", "voted", "choosable", "chosen")
flags = st.booleans()
words = st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE))
spoken = words.filter(bool)
fields = st.sampled_from(["text", "title", "if", "then", "witness", "nature", "urgency", "date", "theme"])
texts = st.lists(st.tuples(fields, st.one_of(spoken, st.just("2026-01-31"))), max_size=4).map(tuple)
marks = st.builds(
    MarkView,
    mark=st.sampled_from(["answered", "theme"]),
    label=st.sampled_from(["Répondu", "Thème"]),
    values=st.sampled_from([(), (("1", "un"), ("2", "deux"))]),
    free=flags,
    on=flags,
    value=words,
    names=st.lists(spoken, max_size=2).map(tuple),
    count=st.integers(0, 3),
    settable=flags,
    behalf=st.lists(st.tuples(st.just("seat-1"), spoken), max_size=1).map(tuple),
)
any_card = st.builds(
    Card,
    id=st.one_of(st.just("b-00000001"), spoken),
    kind=st.sampled_from(["question", "situation", "commitment"]),
    label=st.just("Question"),
    author=words,
    author_seat=words,
    scribe=words,
    text=texts,
    marks=st.lists(marks, max_size=2).map(tuple),
    **dict.fromkeys(FLAGS, flags),
    votes=st.one_of(st.none(), st.integers(0, 8)),
    why=st.lists(spoken, max_size=2).map(tuple),
)


@settings(deadline=None)
@given(one=any_card, other=any_card, language=st.sampled_from(["fr", "en"]), recalled=flags)
def test_a_filled_card_is_the_drawn_card(one, other, language, recalled):
    cards.forget()
    for card in (one, other, one):
        assert cards.card(card, language, recalled) == cards.draw(card, language, recalled)


@example(first="<b>", second="&")
@settings(deadline=None)
@given(first=spoken, second=spoken)
def test_two_cards_of_one_shape_are_drawn_once_and_keep_their_own_words(first, second):
    cards.forget()
    for text in (first, second):
        one = Card("b-00000001", "question", "Question", text, "", "", (("text", text),), mine=True, editable=True)
        assert cards.card(one, "fr", False) == cards.draw(one, "fr", False)
    assert cards._drawn.cache_info().misses == 1


@pytest.mark.parametrize("place", ["z{}z0z", "z{}z2z"])
def test_what_stands_for_a_place_cannot_be_written(place):
    guess = place.format("0" * 16)
    one = Card("b-00000001", "question", "Question", "Karim", "", "", (("text", guess),))
    assert guess in cards.card(one, "fr", False)
