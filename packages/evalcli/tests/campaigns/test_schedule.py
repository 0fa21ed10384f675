"""The longest runs first, to whoever is free: near the shortest possible time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcli.campaigns.schedule import HOUR_S, AtOnce, Timed, longest_first, moment_after, time_of_all

SECONDS = st.integers(0, 1000)
MANY = 10**6


def time_of(
    seconds: Sequence[float], at_once: int, *, under_way: Sequence[float] = (), **given: Any
) -> float:
    """How long runs take of which each model has as many at once as it likes."""
    limits = AtOnce(at_once, MANY, given.pop("hourly", None))
    return time_of_all(
        [Timed(one) for one in seconds], limits, under_way=[Timed(one) for one in under_way], **given
    )


def shortest_possible(seconds: list[int], at_once: int) -> int:
    """The shortest time of all ways to share runs out."""
    ways = product(range(at_once), repeat=len(seconds))
    return min(
        max(sum(one for one, at in zip(seconds, way, strict=True) if at == place) for place in range(at_once))
        for way in ways
    )


@given(st.lists(SECONDS, min_size=1, max_size=6), st.integers(1, 3))
def test_longest_first_takes_a_third_more_than_the_best_at_most(seconds: list[int], at_once: int) -> None:
    order = [seconds[at] for at in longest_first(seconds)]
    assert 3 * time_of(order, at_once) <= 4 * shortest_possible(seconds, at_once)


@given(st.lists(SECONDS, max_size=30), st.integers(1, 10))
def test_no_order_is_shorter_than_its_longest_run_and_its_work_nor_longer_than_one_after_the_other(
    seconds: list[int], at_once: int
) -> None:
    took = time_of(seconds, at_once)
    assert max(max(seconds, default=0), sum(seconds) / at_once) <= took <= sum(seconds)


@given(st.lists(SECONDS, min_size=1, max_size=10))
def test_where_all_have_room_the_longest_run_decides(seconds: list[int]) -> None:
    assert time_of(seconds, len(seconds)) == time_of(seconds, 1000) == max(seconds)


@given(st.lists(st.none() | SECONDS, max_size=20))
def test_every_run_has_one_place_and_unknown_ones_come_first(seconds: list[int | None]) -> None:
    order = longest_first(seconds)
    assert sorted(order) == list(range(len(seconds)))
    known = [seconds[at] for at in order if seconds[at] is not None]
    assert [seconds[at] for at in order] == [None] * seconds.count(None) + sorted(known, reverse=True)


def test_runs_that_take_equally_long_keep_their_order() -> None:
    assert longest_first([3, None, 3, 5, None]) == [1, 4, 3, 0, 2]


@pytest.mark.parametrize(("at_once", "took"), [(1, 11.0), (2, 6.0), (3, 5.0)])
def test_each_begins_where_one_is_free_first(at_once: int, took: float) -> None:
    assert time_of([5, 4, 2], at_once) == took


@pytest.mark.parametrize(
    ("seconds", "took"),
    [
        # Of five runs the third waits for the hour of the first, the fifth for that of the third.
        ([60.0] * 5, 2 * HOUR_S + 60),
        # Where runs take longer than that, the hour does not matter.
        ([2 * HOUR_S] * 4, 4 * HOUR_S),
    ],
)
def test_within_an_hour_no_more_are_begun_than_may_be(seconds: list[float], took: float) -> None:
    assert time_of(seconds, 2, hourly=2) == took


@given(
    st.lists(st.integers(0, 2 * int(HOUR_S)), max_size=12),
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.integers(0, 2 * int(HOUR_S)), max_size=4),
)
def test_an_hours_limit_never_makes_it_shorter_and_a_wide_one_changes_nothing(
    seconds: list[int], at_once: int, hourly: int, begun: list[int]
) -> None:
    free = time_of(seconds, at_once)
    assert (
        free
        <= time_of(seconds, at_once, hourly=hourly)
        <= time_of(seconds, at_once, hourly=hourly, begun=begun)
    )
    assert time_of(seconds, at_once, hourly=len(seconds) + len(begun) + 1, begun=begun) == free


@pytest.mark.parametrize(
    ("runs", "took"),
    [
        # One model alone: one after the other, wherever others were free.
        ([("a", 5.0), ("a", 4.0), ("a", 2.0)], 11.0),
        # The next in order whose model has room is begun, and no place stays free for one that has none.
        ([("a", 5.0), ("a", 4.0), ("b", 3.0), ("b", 3.0)], 9.0),
        ([("a", 9.0), ("b", 5.0), ("c", 4.0), ("c", 1.0)], 10.0),
    ],
)
def test_a_model_has_no_more_runs_at_once_than_it_may(runs: list[tuple[str, float]], took: float) -> None:
    timed = [Timed(seconds, model) for model, seconds in runs]
    assert time_of_all(timed, AtOnce(2, 1)) == took


def test_runs_of_a_model_that_go_on_take_its_place() -> None:
    under_way = [Timed(30.0, "a")]
    assert time_of_all([Timed(5.0, "a")], AtOnce(4, 1), under_way=under_way) == 35
    assert time_of_all([Timed(5.0, "b")], AtOnce(4, 1), under_way=under_way) == 30


@given(
    st.lists(st.tuples(st.sampled_from("abc"), SECONDS), max_size=12), st.integers(1, 4), st.integers(1, 4)
)
def test_a_models_limit_never_makes_it_shorter_than_its_runs_after_each_other(
    runs: list[tuple[str, int]], at_once: int, of_a_model: int
) -> None:
    took = time_of_all([Timed(seconds, model) for model, seconds in runs], AtOnce(at_once, of_a_model))
    each = [sum(seconds for model, seconds in runs if model == one) for one in "abc"]
    assert max(max(each) / of_a_model, sum(each) / at_once) <= took <= sum(each)


def test_what_was_begun_lately_counts_for_the_hour_and_what_goes_on_for_the_runs_at_once() -> None:
    # Both of this hour are begun, the first of them forty minutes ago.
    assert time_of([60.0], 2, hourly=2, begun=[600.0, 2400.0]) == HOUR_S - 2400 + 60
    assert time_of([60.0], 2, hourly=2, begun=[600.0, HOUR_S]) == 60
    # One place is free at once, the other in five minutes.
    assert time_of([60.0, 60.0], 2, under_way=[300.0]) == 300
    assert time_of([60.0, 600.0], 1, under_way=[300.0]) == 960
    # More go on than may: those of a worker that was lost, and of whoever has them by now.
    assert time_of([60.0], 1, under_way=[100.0, 300.0]) == 360


@given(st.floats(0, 1e300))
def test_a_moment_that_no_calendar_has_is_the_last_one(seconds: float) -> None:
    now = datetime(2026, 1, 5, 9, tzinfo=UTC)
    after = moment_after(now, seconds)
    assert now <= after <= datetime.max.replace(tzinfo=UTC)
    assert seconds > 1e9 or (after - now).total_seconds() == pytest.approx(seconds, abs=1e-6)
