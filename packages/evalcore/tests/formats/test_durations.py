"""Durations as people read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.formats.durations import duration_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (45, "45 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (60, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (7559, "2 h 5 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_seconds_are_written_with_the_two_largest_units(seconds, text):
    assert duration_text(seconds) == text


@pytest.mark.parametrize("seconds", [-0.1, -1, -10_000])
def test_a_clock_that_was_set_back_makes_no_negative_duration(seconds):
    assert duration_text(seconds) == "0 s"


def _seconds(text):
    sizes = {"s": 1, "min": 60, "h": 3600}
    return sum(int(number) * sizes[unit] for number, unit in re.findall(r"(\d+) (s|min|h)", text))


@given(st.integers(0, 10**7))
def test_what_is_written_is_the_duration_to_its_smaller_unit(seconds):
    lost = seconds - _seconds(duration_text(seconds))
    assert 0 <= lost < (1 if seconds < 3600 else 60)


@given(st.floats(-10, 1e7), st.floats(-10, 1e7))
def test_a_longer_duration_never_reads_as_a_shorter_one(one, other):
    one, other = sorted((one, other))
    assert _seconds(duration_text(one)) <= _seconds(duration_text(other))
