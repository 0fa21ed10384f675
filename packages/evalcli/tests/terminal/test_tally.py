from __future__ import annotations

import pytest

from evalcli.terminal.progress import LONG_WAIT_S, Tally, duration, long_waits, time_left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "?"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_written_for_people(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_replies_kept_from_before_do_not_count_as_speed() -> None:
    tally = Tally("m", total=100, kept=50, began=0.0, done=60)
    assert tally.rate(10.0) == pytest.approx(1.0)
    assert time_left([tally], 10.0) == pytest.approx(40.0)


def test_a_finished_model_keeps_its_speed() -> None:
    assert Tally("m", total=10, kept=0, began=0.0, done=10, last=5.0).rate(50.0) == pytest.approx(2.0)


def test_the_slowest_model_decides_the_time_left() -> None:
    fast = Tally("fast", total=100, kept=0, began=0.0, done=90)
    slow = Tally("slow", total=100, kept=0, began=0.0, done=10)
    done = Tally("done", total=10, kept=0, began=0.0, done=10)
    assert time_left([fast, slow, done], 10.0) == pytest.approx(90.0)
    assert time_left([done], 10.0) == 0.0


def test_nothing_is_promised_before_the_first_reply() -> None:
    assert time_left([Tally("m", total=10, kept=0, began=0.0)], 5.0) is None


def test_calls_that_are_out_for_long_are_named_the_longest_first() -> None:
    tally = Tally("m", total=10, kept=0, began=0.0)
    tally.in_flight = {(0, f"case-{number}"): float(number) for number in range(5)}
    tally.in_flight[1, "fresh"] = 100.0
    assert long_waits([tally], LONG_WAIT_S - 1) == ""
    text = long_waits([tally], 100.0)
    assert text.startswith("waiting for m: case-0, replicate 1, for 100 s; m: case-1,")
    assert text.endswith("; and 2 more")
    assert "fresh" not in text
