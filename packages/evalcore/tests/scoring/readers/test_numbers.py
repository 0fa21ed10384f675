"""Numbers in digits and in words, exact, and strict about what is none."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.readers.numbers import MOST_DIGITS, match_digits, match_words, ordinal_word, scaled

ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *(
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number):
    """Write a number below a billion as English does."""
    for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            joint = (" and " if rest < 100 else " ") if rest else ""
            return f"{in_words(number // size)} {name}{joint}{in_words(rest) if rest else ''}"
    if number < 20:
        return ONES[number]
    return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")


@pytest.mark.parametrize(
    ("text", "whole", "part", "end"),
    [
        ("7", "7", "", 1),
        ("12.50", "12", "50", 5),
        ("4,125", "4125", "", 5),
        ("4,125.50", "4125", "50", 8),
        ("1,25,000", "125000", "", 8),
        ("1'200", "1200", "", 5),
        ("1.234,56", "1234", "56", 8),
        ("1.234.567", "1234567", "", 9),
        ("1.234", "1", "234", 5),
        ("1,23", "1", "", 1),
        ("12 pages", "12", "", 2),
        ("0", "0", "", 1),
        ("0.5", "0", "5", 3),
    ],
)
def test_digits_are_read_before_and_after_the_decimal_mark(text, whole, part, end):
    assert match_digits(text, 0) == (whole, part, end)


@pytest.mark.parametrize("text", ["", "x", "-5", ".5", "007", "00", "1" * (MOST_DIGITS + 1)])
def test_what_is_no_number_is_none(text):
    assert match_digits(text, 0) is None


def test_the_longest_number_is_one():
    assert match_digits("1" * MOST_DIGITS, 0) == ("1" * MOST_DIGITS, "", MOST_DIGITS)


@pytest.mark.parametrize(
    ("text", "whole", "part"),
    [("1,5", "1", "5"), ("1 234,56", "1234", "56"), ("1 234 567", "1234567", ""), ("1 234.50", "1234", "50")],
)
def test_beside_a_currency_a_comma_is_decimal_and_blanks_part_thousands(text, whole, part):
    assert match_digits(text, 0, is_amount=True) == (whole, part, len(text))
    assert match_digits(text, 0) != (whole, part, len(text))


@given(st.integers(1, 10**12))
def test_grouped_by_threes_a_number_is_read_whole(number):
    text = f"{number:,}"
    assert match_digits(text, 0) == (str(number), "", len(text))
    assert match_digits(text.replace(",", "'"), 0) == (str(number), "", len(text))


@given(st.text(), st.integers(0, 20), st.booleans())
def test_whatever_the_text_a_match_ends_after_where_it_begins(text, at, is_amount):
    found = match_digits(text, at, is_amount=is_amount)
    assert found is None or (at < found[2] <= len(text) and found[0].isdigit())
    words = match_words(text, at)
    assert words is None or at < words[1] <= len(text)


@given(st.integers(0, 10**20), st.text("0123456789", max_size=8), st.integers(0, 12))
def test_scaling_is_exact(whole, part, power):
    value = scaled(str(whole), part, power)
    exact = (Fraction(whole) + Fraction(int(part or 0), 10 ** len(part))) * 10**power
    assert value == (int(exact) if exact.denominator == 1 else float(exact))
    assert isinstance(value, int) == (exact.denominator == 1)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (("1", "2", 6), 1_200_000),
        (("4", "1250"), 4.125),
        (("5", "00"), 5),
        (("0", "1", 1), 1),
        (("1200", "", -3), 1.2),
    ],
)
def test_a_scaled_number_is_an_integer_where_it_is_one(arguments, value):
    result = scaled(*arguments)
    assert result == value
    assert type(result) is type(value)


@given(st.integers(0, 10**9 - 1))
def test_a_number_written_out_is_read(number):
    text = in_words(number)
    assert match_words(text, 0) == (number, len(text)), text


@pytest.mark.parametrize(
    ("text", "value", "end"),
    [
        ("ninety days", 90, 6),
        ("two hundred and five", 205, 20),
        ("hundred", 100, 7),
        ("five five", 5, 4),
        ("twenty ten", 20, 6),
        ("twelve hundred", 1200, 14),
        ("one thousand, two hundred", 1200, 25),
        ("three and a half", 3, 5),
    ],
)
def test_a_number_in_words_ends_where_it_does(text, value, end):
    assert match_words(text, 0) == (value, end)


@pytest.mark.parametrize("text", ["", "and five", " five", "thousand", "a hundred", "first", "5"])
def test_what_is_no_number_in_words_is_none(text):
    assert match_words(text, 0) is None


def test_an_ordinal_word_has_its_number():
    assert (ordinal_word("first"), ordinal_word("twelfth"), ordinal_word("three")) == (1, 12, None)
