"""Lengths of time: months and years of one kind, weeks to seconds of another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.readers.durations import Duration, match_duration, read_duration

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("36 months", (36, 0)),
        ("three years", (36, 0)),
        ("3-year", (36, 0)),
        ("1 year and 6 months", (18, 0)),
        ("1.5 years", (18, 0)),
        ("1 yr, 2 mos.", (14, 0)),
        ("two weeks", (0, 14 * DAY)),
        ("a fortnight", None),
        ("1 fortnight", (0, 14 * DAY)),
        ("30 calendar days", (0, 30 * DAY)),
        ("0.1 hours", (0, 360)),
        ("1 hour 30 min", (0, 5400)),
        ("90 seconds", (0, 90)),
        ("1 month and 2 days", (1, 2 * DAY)),
        ("p3y", (36, 0)),
        ("p1y6m", (18, 0)),
        ("p2w", (0, 14 * DAY)),
        ("pt36h", (0, 36 * 3600)),
        ("p1dt1m", (0, DAY + 60)),
    ],
)
def test_a_length_is_read_as_months_and_seconds(text, length):
    found = read_duration(text)
    assert (found.length if found else None) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "months",
        "36",
        "36 apples",
        "36 months or so",
        "p",
        "pt",
        "p3x",
        "6 months and 1 year",
        "30 days, 60 days",
    ],
)
def test_what_is_no_one_length_is_none(text):
    assert read_duration(text) is None


def test_how_many_days_a_month_has_is_not_said():
    assert read_duration("1 month").length != read_duration("30 days").length
    assert read_duration("12 months").length == read_duration("1 year").length
    assert read_duration("48 hours").length == read_duration("2 days").length


def test_the_number_that_stands_there_is_kept_where_there_is_but_one():
    assert read_duration("36 months").written == 36
    assert read_duration("1 year and 6 months").written is None


def test_two_durations_beside_each_other_are_two():
    text = "30 days, 60 days"
    assert match_duration(text, 0, 30, 2) == (Duration(0, 30 * DAY, 30), 7)


def test_a_number_without_a_unit_is_no_duration():
    assert match_duration("30 apples", 0, 30, 2) is None


@given(st.integers(0, 999), st.integers(0, 999), st.integers(0, 999))
def test_the_form_of_iso_8601_and_the_words_say_the_same(years, months, days):
    words = read_duration(f"{years} years, {months} months and {days} days")
    assert words.length == read_duration(f"p{years}y{months}m{days}d").length
    assert words.length == (12 * years + months, DAY * days)


@given(st.text("p0123456789ymwdths -.,and", max_size=30))
def test_whatever_the_text_it_is_read_or_not(text):
    found = read_duration(text)
    assert found is None or (found.months >= 0 and found.seconds >= 0)
