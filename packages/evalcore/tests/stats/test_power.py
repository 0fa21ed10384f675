"""What a design could show is told before it is paid for."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.stats.power import Spread, least_replicates, smallest_change, spread_of


def test_more_replicates_and_more_cases_show_smaller_changes():
    by_replicates = [smallest_change(3, count) for count in (4, 10, 20, 100)]
    by_cases = [smallest_change(cases, 10) for cases in (1, 3, 10, 40)]
    assert all(more > less for series in (by_replicates, by_cases) for more, less in pairwise(series))


def test_a_steadier_model_shows_smaller_changes():
    assert smallest_change(3, 10, Spread(mean=0.9, deviation=0.02)) < smallest_change(3, 10, Spread())


def test_a_design_that_cannot_alarm_shows_nothing():
    assert smallest_change(1, 3) is None
    assert smallest_change(1, 5, models=7) is None
    assert smallest_change(1, 4, Spread(mean=0.95, deviation=0.001)) is not None


@given(st.integers(1, 30), st.integers(1, 50), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.2))
def test_a_change_that_is_told_lies_between_the_margin_and_all_there_is_to_lose(
    cases, replicates, mean, deviation, margin
):
    told = smallest_change(cases, replicates, Spread(mean=mean, deviation=deviation), margin)
    assert told is None or margin <= told <= mean + 1e-9


def test_answers_right_or_wrong_follow_the_formula_for_two_shares():
    """20 cases of 10 replies, 0.95 against 0.95 - d: d = 0.02 + 2.82 sqrt((p q + p' q') / 200)."""
    told = smallest_change(20, 10, Spread(mean=0.95, deviation=(0.95 * 0.05) ** 0.5))
    assert told == pytest.approx(0.104, abs=0.0015)


def test_without_past_runs_the_stated_default_stands():
    assert spread_of([]) == spread_of([[]]) == Spread()
    assert smallest_change(3, 10, spread_of([])) == smallest_change(3, 10)


def test_the_spread_is_that_within_cases_not_between_them():
    assert spread_of([[0.1] * 500, [0.9] * 500]).deviation < 0.01
    assert spread_of([[0.0, 1.0] * 500]).deviation == pytest.approx(0.5, rel=0.01)
    assert spread_of([[0.2, 0.4]]).mean == pytest.approx(0.3)


def test_a_few_replies_that_happen_to_agree_do_not_promise_everything():
    assert spread_of([[1.0] * 5]).deviation > 0.05


def test_one_model_among_many_must_change_more_to_be_seen():
    assert smallest_change(3, 10) < smallest_change(3, 10, models=8) < smallest_change(3, 10, models=50)


@given(st.integers(1, 4), st.integers(1, 9), st.floats(0, 1), st.floats(0, 0.5))
def test_the_fewest_replicates_are_those_below_which_no_fall_would_show(cases, models, mean, deviation):
    spread = Spread(mean=mean, deviation=deviation)
    told = least_replicates(cases, spread, models, most=20)
    shows = [n for n in range(1, 21) if smallest_change(cases, n, spread, models=models) is not None]
    assert told == (shows[0] if shows else None)
