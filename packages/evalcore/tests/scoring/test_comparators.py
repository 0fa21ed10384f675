"""How like two texts are, as ANLS* has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.comparators import LONGEST_TEXT, find_similar, normalise, similarity

WORDS = st.text("abc ", max_size=12)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", ""),
        ("   ", ""),
        ("Abc", "abc"),
        (" a\t\nb ", "a b"),
        ("\u00a0a\u2003b", "a b"),
        ("\u0130", "i\u0307"),
    ],
)
def test_case_and_white_space_play_no_part(text, normal):
    assert normalise(text) == normal


@given(st.text())
def test_what_is_normal_stays_as_it_is(text):
    # Lower-casing a text that is in lower case may still change it for a few letters; twice is enough.
    once = normalise(normalise(text))
    assert normalise(once) == once


@pytest.mark.parametrize(
    ("left", "right", "share"),
    [
        ("", "", 1.0),
        ("", "a", 0.0),
        ("abcd", "abcd", 1.0),
        ("abcd", "abcx", 0.75),
        ("abcd", "abxy", 0.5),
        ("abcd", "axyz", 0.0),
        ("ab", "abcd", 0.5),
        ("ab", "abcde", 0.0),
        ("a", "b", 0.0),
    ],
)
def test_a_text_is_as_like_as_its_edits_leave_it_and_below_one_half_not_at_all(left, right, share):
    assert similarity(left, right) == similarity(right, left) == share


@given(WORDS, WORDS)
def test_likeness_is_symmetric_and_is_nothing_or_at_least_one_half(left, right):
    share = similarity(left, right)
    assert share == similarity(right, left)
    assert share == 0 or 0.5 <= share <= 1
    assert (share == 1) == (left == right)


@given(WORDS, WORDS)
def test_one_more_common_letter_never_makes_texts_less_alike(left, right):
    assert similarity(left + "z", right + "z") >= similarity(left, right)


def test_texts_that_are_too_long_are_equal_or_not_at_all_alike():
    long = "a" * (LONGEST_TEXT + 1)
    assert similarity(long, long) == 1
    assert similarity(long, long[:-1] + "b") == 0
    assert similarity(long[1:], long[2:] + "b") > 0.99


@given(WORDS, st.lists(WORDS, max_size=6))
def test_none_that_is_similar_is_left_out(text, others):
    found = find_similar(text, others)
    assert {at for at, other in enumerate(others) if similarity(text, other) > 0} <= set(found)
    assert len(set(found)) == len(found)


def test_among_no_texts_none_is_similar():
    assert find_similar("a", []) == []
