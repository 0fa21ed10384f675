"""Shares by name, and how often values of some size came."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.charts.bars import Bar, Line, bar_chart, binned, histogram

SAID = {"title": "Tokens", "description": "Of each reply"}
COUNTED = {"axis": "tokens", "counted": "replies", **SAID}
Read = Callable[[str], Any]


def test_bars_have_their_names_and_shares_and_what_is_unknown_is_said(read_chart: Read) -> None:
    bars = [Bar("alpha", 0.25), Bar("beta", None), Bar("gamma", 0.0), Bar("delta", 0.5, text="1 of 2")]
    drawing = read_chart(bar_chart(bars, axis="Share of replies", **SAID))
    shown = ["alpha", "beta", "gamma", "delta", "unknown", "1 of 2", "Share of replies"]
    assert set(shown) <= set(drawing.texts)
    heights = [drawing.at(name)[1] for name in shown[:4]]
    assert heights == sorted(heights)
    assert drawing.at("unknown")[1] == drawing.at("beta")[1]
    assert drawing.at("1 of 2")[1] == drawing.at("delta")[1]


def test_a_bar_is_as_long_as_its_share_and_its_text_stands_behind_it(read_chart: Read) -> None:
    bars = [
        Bar("a", 0.25, text="A"),
        Bar("b", 1.0, text="B"),
        Bar("c", None, text="C"),
        Bar("d", 0.0, text="D"),
    ]
    drawing = read_chart(bar_chart(bars, **SAID))
    quarter, whole, none = drawing.boxes
    assert [one.attrib["x"] for one in (quarter, whole, none)] == [quarter.attrib["x"]] * 3
    widths = [float(one.attrib["width"]) for one in (quarter, whole, none)]
    assert (widths[0] / widths[1], widths[2]) == (pytest.approx(0.25, abs=0.001), 0)
    begin = float(quarter.attrib["x"])
    for text, width in zip("ABCD", (widths[0], widths[1], 0.0, 0.0), strict=True):
        assert drawing.at(text)[0] == pytest.approx(begin + width + 6, abs=0.02)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=2, max_size=50),
    st.integers(1, 40),
)
def test_each_value_is_counted_once_in_the_bin_that_it_lies_in(values: list[float], bins: int) -> None:
    low, high = min(values), max(values)
    if not (high > low and math.isfinite(high - low)):
        return
    counts = binned(values, low, high, bins)
    assert (len(counts), sum(counts)) == (bins, len(values))
    assert counts[0] >= 1
    assert counts[-1] >= 1


def test_a_bin_holds_what_is_from_its_lower_end_on_and_the_last_one_its_upper_end_too() -> None:
    assert binned([0.0, 0.99, 1.0, 1.5, 2.0], 0.0, 2.0, 2) == [2, 3]
    assert binned([-0.1, 0.5, 2.1], 0.0, 2.0, 2) == [1, 0]


def test_columns_are_as_high_as_their_counts(read_chart: Read) -> None:
    one, three = read_chart(histogram([1.0, 9.0, 9.0, 9.0], bins=2, **COUNTED)).boxes
    assert float(three.attrib["height"]) / float(one.attrib["height"]) == pytest.approx(3, rel=0.01)
    assert float(one.attrib["x"]) < float(three.attrib["x"])


def test_values_that_are_all_one_stand_in_the_middle(read_chart: Read) -> None:
    drawing = read_chart(histogram([7.0] * 5, bins=3, **COUNTED))
    (column,) = drawing.boxes
    first, last = (float(one) for one in (drawing.at("6.6")[0], drawing.at("7.4")[0]))
    middle = float(column.attrib["x"]) + float(column.attrib["width"]) / 2
    assert first < middle < last
    assert middle == pytest.approx((first + last) / 2, abs=0.5)


def test_what_is_no_number_is_left_out(read_chart: Read) -> None:
    kept, all_of_them = (
        read_chart(histogram(values, bins=4, **COUNTED))
        for values in ([1.0, 2.0], [1.0, math.nan, 2.0, math.inf])
    )
    assert [one.attrib for one in kept.boxes] == [one.attrib for one in all_of_them.boxes]


def test_a_limit_is_drawn_and_named_even_where_no_value_comes_near(read_chart: Read) -> None:
    chart = histogram([10.0, 20.0], lines=[Line("cap", 100), Line("near the cap", 80)], **COUNTED)
    drawing = read_chart(chart)
    assert {"cap", "near the cap", "replies", "tokens"} <= set(drawing.texts)
    # Upright among the values, and once more before its name; no two are dashed alike.
    dashed = [one for one in drawing.all("line") if "stroke-dasharray" in one.attrib]
    cap, _, near, _ = dashed
    assert float(near.attrib["x1"]) < float(cap.attrib["x1"])
    assert cap.attrib["stroke-dasharray"] != near.attrib["stroke-dasharray"]
    right = max(float(one.attrib["x"]) + float(one.attrib["width"]) for one in drawing.boxes)
    assert right < float(near.attrib["x1"])
