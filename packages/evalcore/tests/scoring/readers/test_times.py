"""Clock times, with halves of the day and fractions of a second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.readers.times import ClockTime, match_time


def clock(hour, minute=0, second=0, part=""):
    return ClockTime(hour * 3600 + minute * 60 + second, part)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("0:00", clock(0)),
        ("17:00", clock(17)),
        ("23:59:59", clock(23, 59, 59)),
        ("5:00 pm", clock(17)),
        ("5 p.m.", clock(17)),
        ("5pm", clock(17)),
        ("12 am", clock(0)),
        ("12:30 am", clock(0, 30)),
        ("12 pm", clock(12)),
        ("12 noon", clock(12)),
        ("12 midnight", clock(0)),
        ("noon", clock(12)),
        ("midnight", clock(0)),
        ("17:00:30.25", clock(17, 0, 30, "25")),
        ("17:00:30.2500", clock(17, 0, 30, "25")),
        ("17:00:30,000", clock(17, 0, 30)),
    ],
)
def test_a_time_is_read_as_seconds_since_midnight(text, time):
    assert match_time(text, 0) == (time, len(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "17",
        "24:00",
        "25:10",
        "13 pm",
        "0 am",
        "5:60",
        "11 noon",
        "1 midnight",
        "17:00x",
        "5:00:00:00",
        "5%",
    ],
)
def test_what_is_no_time_is_none(text):
    assert match_time(text, 0) is None


def test_a_time_is_read_where_it_stands():
    assert match_time("at 5 pm today", 3) == (clock(17), 7)
    assert match_time("by noon.", 3) == (clock(12), 7)


@given(st.times())
def test_every_time_of_the_day_is_read_as_python_writes_it(time):
    text = time.isoformat()
    seconds = time.hour * 3600 + time.minute * 60 + time.second
    part = f"{time.microsecond:06}".rstrip("0") if time.microsecond else ""
    assert match_time(text, 0) == (ClockTime(seconds, part), len(text))


@given(st.text("0123456789:.apm noidt", max_size=20), st.integers(0, 5))
def test_whatever_the_text_a_time_lies_within_a_day(text, at):
    found = match_time(text, at)
    assert found is None or (0 <= found[0].second < 86_400 and at < found[1] <= len(text))
