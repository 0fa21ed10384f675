"""A secret is never seen: not printed, not logged, not serialised, not left in the texts of others."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.secret import MASK, SHORTEST_SCRUBBED, Scrubber, Secret

VALUE = "ghp_0123456789abcdef"


@pytest.mark.parametrize(
    "shown",
    [repr, str, "{}".format, "{!r}".format, lambda s: f"{s}", lambda s: "%s" % s, lambda s: repr([s])],  # noqa: UP031
)
def test_however_it_is_shown_a_mask_is_seen(shown):
    text = shown(Secret(VALUE))
    assert VALUE not in text
    assert MASK in text


def test_it_is_revealed_to_whoever_sends_it():
    assert Secret(VALUE).reveal() == VALUE


@pytest.mark.parametrize("serialise", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_it_is_not_serialised(serialise):
    with pytest.raises(TypeError) as caught:
        serialise(Secret(VALUE))
    assert VALUE not in str(caught.value)


def test_it_has_no_other_attributes():
    assert not hasattr(Secret(VALUE), "__dict__")


def test_secrets_are_equal_by_what_they_hold_and_never_to_a_text():
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_known_secrets_are_masked_wherever_they_stand():
    scrub = Scrubber([Secret(VALUE), Secret("another-secret")])
    assert scrub(f"x{VALUE}y another-secret {VALUE}") == f"x{MASK}y {MASK} {MASK}"


def test_a_secret_within_a_longer_one_leaves_nothing_of_it():
    scrub = Scrubber([Secret("password1"), Secret("password1-and-more")])
    assert scrub("password1-and-more") == MASK


def test_every_line_of_a_key_is_masked():
    scrub = Scrubber([Secret("-----BEGIN-----\nMIIEvQIBADANBg\n-----END-----")])
    assert scrub("got MIIEvQIBADANBg") == f"got {MASK}"


def test_what_is_too_short_to_be_told_from_words_stays():
    assert Scrubber([Secret("a" * (SHORTEST_SCRUBBED - 1))])("aaaaaaa") == "aaaaaaa"
    assert Scrubber([Secret("a" * SHORTEST_SCRUBBED)])("aaaaaaaa") == MASK


def test_a_secret_is_learnt_later():
    scrub = Scrubber([])
    assert scrub(VALUE) == VALUE
    scrub.learn(Secret(VALUE))
    scrub.learn(Secret(VALUE))
    assert scrub(VALUE) == MASK


@given(
    st.lists(st.text("abc", min_size=SHORTEST_SCRUBBED, max_size=12), max_size=4), st.text("abc", max_size=60)
)
def test_no_known_secret_is_left_in_any_text(values, text):
    shown = Scrubber(map(Secret, values))(text)
    assert not any(value in shown for value in values)
