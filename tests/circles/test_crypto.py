"""Texts at rest: opened where they were sealed and nowhere else; errors that say what to do and nothing of the text."""

from base64 import urlsafe_b64encode
from secrets import token_bytes

import pytest
from django.core.exceptions import ImproperlyConfigured

from cordee.circles import crypto

BODY = {"text": "Une phrase que personne d’autre ne lit. 🧗", "": "vide", "long": "é" * 4000}


def ring_entry(name: str, key: bytes | None = None) -> str:
    return f"{name}:{urlsafe_b64encode(key or token_bytes(32)).decode()}"


@pytest.fixture
def key(settings) -> bytes:
    settings.KEY_RING = ring_entry("k1")
    return crypto.unwrap(crypto.new_wrapped_key())


@pytest.mark.parametrize("body", [BODY, {}, {"a": ""}, {"a": '\n\t"\\\u2028'}])
def test_a_sealed_body_opens_as_it_was(key, body):
    assert crypto.unseal(key, crypto.seal(key, body, "room#1"), "room#1") == body


def test_a_memoryview_as_databases_give_it_opens_too(key):
    assert crypto.unseal(key, memoryview(crypto.seal(key, BODY, "room#1")), "room#1") == BODY
    assert crypto.unwrap(memoryview(crypto.wrap(key))) == key


def test_the_same_words_sealed_twice_look_different_and_hold_no_word(key):
    one, two = crypto.seal(key, {"text": "secret"}, "a"), crypto.seal(key, {"text": "secret"}, "a")
    assert one != two
    assert one[: crypto.NONCE] != two[: crypto.NONCE]
    assert b"secret" not in one and b"text" not in one


@pytest.mark.parametrize("about", ["room#2", "other#1", "room#11", "", "room/seat/note"])
def test_a_text_moved_elsewhere_is_refused(key, about):
    with pytest.raises(crypto.Unreadable):
        crypto.unseal(key, crypto.seal(key, BODY, "room#1"), about)


def test_one_changed_bit_anywhere_is_refused(key):
    sealed = crypto.seal(key, {"text": "court"}, "room#1")
    for position in range(len(sealed)):
        tampered = bytearray(sealed)
        tampered[position] ^= 1
        with pytest.raises(crypto.Unreadable):
            crypto.unseal(key, bytes(tampered), "room#1")


@pytest.mark.parametrize("length", [0, 1, 12, 13, 27])
def test_a_cut_text_is_refused(key, length):
    with pytest.raises(crypto.Unreadable):
        crypto.unseal(key, crypto.seal(key, {"text": "court"}, "room#1")[:length], "room#1")


def test_another_circles_key_opens_nothing(key):
    with pytest.raises(crypto.Unreadable):
        crypto.unseal(crypto.unwrap(crypto.new_wrapped_key()), crypto.seal(key, BODY, "room#1"), "room#1")


def test_without_a_key_or_a_text_there_is_nothing(key):
    assert crypto.unseal(None, crypto.seal(key, BODY, "a"), "a") is None
    assert crypto.unseal(key, None, "a") is None


def test_the_newest_entry_of_the_ring_wraps_and_all_of_them_unwrap(settings):
    old, new = ring_entry("k1"), ring_entry("k2")
    settings.KEY_RING = old
    wrapped = crypto.new_wrapped_key()
    key = crypto.unwrap(wrapped)
    settings.KEY_RING = f"{new}, {old}"
    assert crypto.unwrap(wrapped) == key
    assert not crypto.wrapped_by_newest(wrapped)
    again = crypto.wrap(key)
    assert again.startswith(b"k2:")
    assert crypto.wrapped_by_newest(again)
    settings.KEY_RING = new
    assert crypto.unwrap(again) == key
    with pytest.raises(crypto.Unreadable, match="no key “k1”"):
        crypto.unwrap(wrapped)


def test_a_ring_entry_of_the_same_name_with_another_key_is_told(settings):
    settings.KEY_RING = ring_entry("k1")
    wrapped = crypto.new_wrapped_key()
    settings.KEY_RING = ring_entry("k1")
    with pytest.raises(crypto.Unreadable, match="is not the one that wrapped"):
        crypto.unwrap(wrapped)


def test_a_wrapped_key_does_not_open_under_another_name(settings):
    key = token_bytes(32)
    settings.KEY_RING = f"{ring_entry('k1', key)},{ring_entry('k2', key)}"
    wrapped = crypto.new_wrapped_key()
    with pytest.raises(crypto.Unreadable):
        crypto.unwrap(b"k2" + wrapped[2:])


@pytest.mark.parametrize("wrapped", [b"", b"k1", b"k1:", b"k1:short", b"\xff\xfe:abc", b"k1:" + b"\0" * 60])
def test_a_damaged_wrapped_key_is_unreadable_and_not_a_crash(settings, wrapped):
    settings.KEY_RING = ring_entry("k1")
    with pytest.raises(crypto.Unreadable):
        crypto.unwrap(wrapped)


@pytest.mark.parametrize(
    ("ring", "number"),
    [
        ("", 1),
        ("nocolon", 1),
        (":" + urlsafe_b64encode(bytes(32)).decode(), 1),
        ("k1:" + urlsafe_b64encode(bytes(31)).decode(), 1),
        ("k1:" + urlsafe_b64encode(bytes(33)).decode(), 1),
        ("k1:étrange", 1),
        (f"{ring_entry('k1')},", 2),
        (f"{ring_entry('k1')},k0:court", 2),
    ],
    ids=["empty", "no colon", "no name", "short", "long", "not base64", "empty second", "short second"],
)
def test_a_ring_that_is_not_understood_says_which_entry_and_how_to_make_one(settings, ring, number):
    settings.KEY_RING = ring
    with pytest.raises(ImproperlyConfigured, match=f"Entry {number} of CORDEE_KEY_RING") as error:
        crypto.new_wrapped_key()
    assert "token_bytes(32)" in str(error.value)


def test_a_ring_entry_without_its_padding_is_taken(settings):
    settings.KEY_RING = ring_entry("k1").rstrip("=")
    assert crypto.unwrap(crypto.new_wrapped_key())


def test_errors_hold_neither_the_words_nor_a_key(settings):
    secret = token_bytes(32)
    settings.KEY_RING = ring_entry("k1", secret)
    encoded = urlsafe_b64encode(secret).decode()
    key = crypto.unwrap(crypto.new_wrapped_key())
    with pytest.raises(crypto.Unreadable) as moved:
        crypto.unseal(key, crypto.seal(key, {"text": "CANARI"}, "a"), "b")
    settings.KEY_RING = f"k9:{encoded[:-4]}"
    with pytest.raises(ImproperlyConfigured) as ring:
        crypto.new_wrapped_key()
    for error in (moved, ring):
        told = f"{error.getrepr(showlocals=False, style='value')}{error.value!r}{error.value.__cause__!r}"
        assert "CANARI" not in told
        assert encoded[:20] not in told
        assert key.hex() not in told and repr(key) not in told
