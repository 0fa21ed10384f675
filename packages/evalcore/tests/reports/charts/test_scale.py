"""Scales and the values that an axis names."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.charts.scale import Scale, fitted_range, grouped, round_values

SHARES = st.floats(0, 1)


def test_a_value_lies_where_its_share_of_the_range_is() -> None:
    scale = Scale(0.5, 1.0, 100, 200)
    assert [scale.at(value) for value in (0.5, 0.75, 1.0)] == [100, 150, 200]


def test_what_lies_outside_is_drawn_at_the_edge() -> None:
    scale = Scale(0.5, 1.0, 100, 200)
    assert (scale.at(0.1), scale.at(7)) == (100, 200)


def test_a_scale_of_no_width_has_a_middle() -> None:
    assert Scale(1, 1, 0, 10).at(1) == 5


def test_ticks_are_the_decimals_that_are_meant() -> None:
    assert round_values(0.7, 1.0, 5) == [0.7, 0.8, 0.9, 1.0]
    assert round_values(0, 50, 5) == [0, 10, 20, 30, 40, 50]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 10))
def test_ticks_rise_within_the_range_and_are_few(low: float, span: float, count: int) -> None:
    values = round_values(low, low + span, count)
    assert values == sorted(set(values))
    assert len(values) <= count + 1
    assert all(low - span * 1e-6 <= value <= low + span * (1 + 1e-6) for value in values)


@given(st.lists(SHARES))
def test_a_fitted_range_holds_every_share_and_keeps_to_them(values: list[float]) -> None:
    low, high = fitted_range(values)
    assert 0 <= low < high <= 1
    assert all(low <= value <= high for value in values)


def test_a_figure_that_is_no_number_moves_no_axis() -> None:
    assert fitted_range([math.nan, 0.9]) == fitted_range([0.9])


def test_axes_write_no_more_than_they_need() -> None:
    assert [grouped(value) for value in (5, 16384, 2_000_000)] == ["5", "16,384", "2,000,000"]
