"""Texts that read alike are made equal, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.plain_text import plain_text, uncased_text


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("", ""),
        (" \t\n ", ""),
        ("A  B\nC", "a b c"),
        ("it`s", "it's"),
        ("it\u2019s", "it's"),
        ("\u201cquoted\u201d \u00abtwice\u00bb", '"quoted" "twice"'),
        ("2024\u20132025", "2024-2025"),
        ("\u22125", "-5"),
        ("20\u00ba", "20\u00b0"),
        ("\ufb01nal", "final"),
        ("\uff11\uff12", "12"),
        ("stra\u00dfe", "strasse"),
        ("e\u0301", "\u00e9"),
        ("a\u00a0b", "a b"),
    ],
)
def test_what_reads_alike_is_equal(written, plain):
    assert plain_text(written) == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10\u00b2", "102"),
        ("1\u00bd", "11/2"),
        ("CO\u2082", "CO\u2083"),
        ("3\u2082", "32"),
        ("5\u2460", "51"),
        ("1.5", "15"),
        ("a b", "ab"),
    ],
)
def test_what_reads_otherwise_is_not(one, other):
    assert plain_text(one) != plain_text(other)


def test_a_raised_digit_after_a_letter_is_read_as_one():
    assert plain_text("m\u00b2") == plain_text("m2")


@given(st.text())
def test_it_is_without_case_and_without_blanks_at_its_ends_or_in_rows(text):
    plain = plain_text(text)
    assert plain == plain.strip()
    assert "  " not in plain
    assert plain.casefold() == plain or not text.isascii()


@given(st.text(st.characters(codec="ascii")))
def test_of_ascii_the_plain_text_is_plain_already(text):
    assert plain_text(plain_text(text)) == plain_text(text)
    assert uncased_text(text).lower() == plain_text(text)


@given(st.text(st.characters(codec="ascii")))
def test_upper_and_lower_case_read_alike(text):
    assert plain_text(text.upper()) == plain_text(text.lower())


def test_the_uncased_text_keeps_the_case_alone():
    assert uncased_text("\u201cUSD\u201d  500") == '"USD" 500'
