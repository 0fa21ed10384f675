"""What a text is taken apart into: words and values, in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.plain_text import plain_text, uncased_text
from evalcore.scoring.scorer import TreeScorer
from evalcore.scoring.tokens import MOST_DIGITS, OPEN_BOX, Value, lone_duration, tokens_of

JULY_1 = Value("date", (2026, 7, 1))


def tokens(text: str) -> list[object]:
    return tokens_of(plain_text(text), uncased_text(text))


def said(text: str) -> list[object]:
    """Words as they are, and of values what they say."""
    return [found.says if isinstance(found, Value) else found for found in tokens(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pay $4,125 by July 1, 2026", ["pay", Value("number", 4125, "$"), "by", JULY_1]),
        ("(2026-07-01)", [JULY_1]),
        ("2026-07-01T17:00:30.50", [JULY_1, Value("time", (61_230, "5"))]),
        ("2026-07-01T00:00", [JULY_1]),
        ("at noon", ["at", Value("time", (43_200, ""))]),
        ("the 3rd of 12 pages", ["the", Value("number", 3), "of", Value("number", 12), "pages"]),
        ("three years", [Value("duration", (36, 0), written=3)]),
        ("\u2610 a", [OPEN_BOX, "a"]),
    ],
)
def test_values_and_words_come_in_their_order(text, found):
    assert tokens(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("b2b", ["b", 2, "b"]),
        ("NSF 26-512", ["nsf", 26, 512]),
        ("version 1.10.2", ["version", "1.10.2"]),
        ("code 007", ["code", "007"]),
        ("0.5", [0.5]),
        ("10\u00b2", [10, "^2"]),
        ("c++ and c#", ["c++", "and", "c#"]),
    ],
)
def test_digits_of_an_identifier_are_no_amount(text, found):
    assert said(text) == found


@pytest.mark.parametrize("text", ["ninety (90) days", "ninety days", "90 days"])
def test_a_number_that_is_written_twice_is_one(text):
    assert said(text) == [(0, 90 * 86_400)]


def test_another_number_in_brackets_is_another():
    assert said("ninety (60) days") == [90, 60, "days"]


def test_so_many_digits_are_a_name_whose_last_digit_counts():
    assert said("7" * MOST_DIGITS) == [int("7" * MOST_DIGITS)]
    assert said("7" * (MOST_DIGITS + 1)) == ["7" * (MOST_DIGITS + 1)]


def test_more_digits_than_python_reads_end_no_scoring():
    digits = "9" * 5_000
    assert said(f"ninety ({digits}) days") == [90, digits, "days"]
    assert TreeScorer({"term": "ninety (90) days"}).score({"term": f"ninety ({digits}) days"}).accuracy == 0


def test_a_lone_duration_of_iso_8601_is_read_and_a_word_with_p_is_none():
    assert lone_duration("p3y") == Value("duration", (36, 0))
    assert lone_duration("page") is None


@given(st.text("ab 0123456789.,$%()-/:'^+tzp\u2610", max_size=60))
def test_a_text_has_values_where_it_has_digits(text):
    plain = plain_text(text)
    found = tokens_of(plain, uncased_text(text))
    values = [each for each in found if isinstance(each, Value) and each != OPEN_BOX]
    assert any(char.isdigit() for char in plain) == bool(values)
