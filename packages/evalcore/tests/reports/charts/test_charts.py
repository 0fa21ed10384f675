"""Each chart: what it shows, in words too, whatever the figures and names are."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.charts.bars import Bar, Line, bar_chart, binned, histogram
from evalcore.reports.charts.heat import DARK_UP_TO, HEAT, Cell, heat_chart, heat_step
from evalcore.reports.charts.history import HistoryMark, history_chart
from evalcore.reports.charts.intervals import Ranked, interval_chart
from evalcore.reports.charts.scatter import Point, scatter_chart
from evalcore.reports.charts.svg import text_width

SVG = "{http://www.w3.org/2000/svg}"
SAID = {"title": "Accuracy", "description": "One dot for each model"}
SHARES = st.floats(0, 1)


def texts(chart: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(chart).iter(f"{SVG}text")]


def tips(chart: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(chart).iter(f"{SVG}title")][1:]


def ranked(name: str, value: float | None = 0.9, *, is_best: bool = False, rank: str = "1") -> Ranked:
    interval = None if value is None else (value - 0.05, value + 0.05)
    return Ranked(name=name, detail="", rank=rank, value=value, interval=interval, is_best=is_best)


def test_intervals_name_rank_model_and_figure_in_the_order_given() -> None:
    chart = interval_chart([ranked("a", 0.9, rank="1–2"), ranked("b", 0.8123, rank="1–2")], **SAID)
    shown = texts(chart)
    assert shown[:3] == ["1–2", "a", "90.0 %"] or {"1–2", "a", "b", "90.0 %", "81.2 %"} <= set(shown)
    assert shown.index("a") < shown.index("b")
    assert "a: 90.0 %, 85.0 % to 95.0 %" in tips(chart)


def test_those_level_at_the_top_lie_in_one_band() -> None:
    level = interval_chart([ranked("a", is_best=True), ranked("b", is_best=True), ranked("c", 0.2)], **SAID)
    alone = interval_chart([ranked("a", is_best=True), ranked("b", 0.2)], **SAID)
    assert level.count("<rect") == alone.count("<rect") + 1


def test_a_model_without_a_figure_is_named() -> None:
    assert "no figure" in texts(interval_chart([ranked("a", None)], **SAID))


def test_a_chart_of_nothing_is_still_a_chart() -> None:
    for chart in (
        interval_chart([], **SAID),
        scatter_chart([], across="x", upward="y", **SAID),
        history_chart([], reach=(0, 1), **SAID),
        heat_chart([], [], **SAID),
        bar_chart([], **SAID),
        histogram([], axis="tokens", counted="replies", **SAID),
    ):
        assert ET.fromstring(chart).find(f"{SVG}desc") is not None


@given(st.lists(st.tuples(SHARES, SHARES), max_size=60))
def test_names_of_a_scatter_never_lie_over_each_other(figures: list[tuple[float, float]]) -> None:
    points = [
        Point(name=f"vendor/model-{index}", x=x, y=y, is_best=index < 3)
        for index, (x, y) in enumerate(figures)
    ]
    chart = scatter_chart(points, across="Accuracy", upward="Reproducibility", **SAID)
    boxes = []
    for one in ET.fromstring(chart).iter(f"{SVG}text"):
        if not (one.text or "").startswith("vendor"):
            continue
        width, x, y = text_width(one.text or ""), float(one.attrib["x"]), float(one.attrib["y"])
        start = x - {"middle": width / 2, "end": width}.get(one.get("text-anchor", "start"), 0)
        boxes.append((start, start + width, y - 8.9, y + 2.9))
    for index, (left, right, top, bottom) in enumerate(boxes):
        for other in boxes[index + 1 :]:
            assert right <= other[0] + 0.1 or other[1] <= left + 0.1 or bottom <= other[2] or other[3] <= top
    # One that has no room is told where it is pointed at.
    assert len(tips(chart)) == len(points)


def moment(version: str, value: float | None = 0.8, **more: object) -> HistoryMark:
    told = {"when": "2026-03-01", "interval": None, "change": "quiet"} | more
    return HistoryMark(version=version, value=value, **told)  # type: ignore[arg-type]


def test_a_history_marks_what_changed_by_shape_and_not_by_colour_alone() -> None:
    quiet = history_chart([moment("1.0.0"), moment("1.1.0")], reach=(0, 1), **SAID)
    better = history_chart([moment("1.0.0"), moment("1.1.0", change="better")], reach=(0, 1), **SAID)
    assert better.count("<path") == quiet.count("<path") + 1


def test_a_partial_run_is_a_ring_and_no_part_of_the_line() -> None:
    chart = history_chart(
        [moment("1.0.0"), moment("1.0.0", is_partial=True), moment("1.0.0")], reach=(0, 1), **SAID
    )
    (line,) = re.findall(r'points="([^"]*)"', chart)
    assert len(line.split()) == 2
    assert chart.count('fill="none" stroke="currentColor" stroke-width="1.8"') == 1


def test_each_version_is_named_once_and_drift_and_servers_are_marked() -> None:
    moments = [moment("1.0.0"), moment("1.0.0", drifting=True), moment("1.1.0", server_changed=True)]
    chart = history_chart(moments, reach=(0, 1), **SAID)
    assert [text for text in texts(chart) if text.startswith("1.") or text == "~"] == ["1.0.0", "1.1.0", "~"]
    assert chart.count("stroke-dasharray") == 1


def test_a_point_leads_to_where_it_was_made() -> None:
    chart = history_chart([moment("1.0.0", href="https://a.example/pull/1")], reach=(0, 1), **SAID)
    (link,) = ET.fromstring(chart).iter(f"{SVG}a")
    assert (link.get("href"), link.get("aria-label")) == (
        "https://a.example/pull/1",
        "1.0.0, 2026-03-01: 80.0 %",
    )


def test_a_matrix_has_figure_and_colour_in_each_cell() -> None:
    chart = heat_chart(
        [("case-1", [Cell(1.0), Cell(0.0), Cell(None), Cell(0.5, text="½")])], list("abcd"), **SAID
    )
    assert [text for text in texts(chart) if text in {"100", "0", "½"}] == ["100", "0", "½"]
    assert tips(chart) == ["case-1, a: 100", "case-1, b: 0", "case-1, c: none", "case-1, d: ½"]


@given(SHARES)
def test_only_what_is_right_throughout_has_the_last_colour(share: float) -> None:
    assert (heat_step(share) == 10) == (share >= 1)
    assert 0 <= heat_step(share) <= 10


@pytest.mark.parametrize("step", range(len(HEAT)))
def test_text_in_a_cell_has_contrast(step: int) -> None:
    on = 0.0 if step >= DARK_UP_TO else 1.0
    light, dark = sorted((luminance(HEAT[step]), on), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_steps_are_told_apart_by_lightness_alone() -> None:
    shades = [luminance(colour) for colour in HEAT]
    assert all(after / before > 1.1 for before, after in pairwise(shades))


def test_bars_say_their_share_and_what_is_unknown() -> None:
    chart = bar_chart([Bar("a", 0.25), Bar("b", None), Bar("c", 0.0)], axis="Share of replies", **SAID)
    assert {"25 %", "unknown", "0 %", "Share of replies"} <= set(texts(chart))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=50), st.integers(1, 40))
def test_a_histogram_counts_each_value_once(values: list[float], bins: int) -> None:
    finite = [value for value in values if math.isfinite(value) and abs(value) < 1e12]
    if finite and max(finite) - min(finite) > 1e-6:
        assert sum(binned(finite, min(finite), max(finite), bins)) == len(finite)
    assert histogram(finite, axis="tokens", counted="replies", bins=bins, **SAID)


def test_a_limit_is_drawn_and_named_even_where_no_value_comes_near() -> None:
    chart = histogram([10.0, 20.0], axis="tokens", counted="replies", lines=[Line("cap", 100)], **SAID)
    assert "cap" in texts(chart)
    assert chart.count("stroke-dasharray") == 2


def test_the_same_figures_are_the_same_bytes() -> None:
    points = [Point(name=f"m{index}", x=index / 9, y=0.5, is_best=False) for index in range(9)]
    first, again = (scatter_chart(points, across="x", upward="y", **SAID) for _ in range(2))
    assert first == again


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
