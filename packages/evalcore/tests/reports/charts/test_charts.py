"""What holds for every chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalcore.reports.charts.bars import Bar, Line, bar_chart, histogram
from evalcore.reports.charts.heat import Cell, heat_chart
from evalcore.reports.charts.history import HistoryMark, history_chart
from evalcore.reports.charts.intervals import Ranked, interval_chart
from evalcore.reports.charts.scatter import Point, scatter_chart
from evalcore.reports.charts.svg import text_width

SAID = {"title": "Accuracy", "description": "One dot for each model"}


@pytest.mark.parametrize(
    "chart",
    [
        interval_chart([], **SAID),
        scatter_chart([], across="x", upward="y", **SAID),
        history_chart([], reach=(0, 1), **SAID),
        heat_chart([], [], **SAID),
        bar_chart([], **SAID),
        histogram([], axis="tokens", counted="replies", **SAID),
    ],
)
def test_a_chart_of_nothing_is_still_a_chart(chart: str, read_chart: Callable[[str], Any]) -> None:
    drawing = read_chart(chart)
    assert drawing.all("title")[0].text == SAID["title"]
    assert drawing.all("desc")[0].text == SAID["description"]


LONG = "a-vendor/a-model-with-a-name-as-long-as-some-have-it-70b-instruct"
RANKED = [
    Ranked(LONG, "quantized", "1–2", share, (share / 2, share), is_best=share > 0.5)
    for share in (1.0, 0.5, 0.1)
]
MOMENTS = [HistoryMark(f"1.{at}.0", "2026-03-01", at / 9, (0, 1), "better") for at in range(10)]
POINTS = [Point(LONG, at / 9, 1 - at / 9, is_best=at < 3) for at in range(10)]


@pytest.mark.parametrize(
    "chart",
    [
        interval_chart(RANKED, **SAID),
        interval_chart(RANKED, axis="accuracy", width=400.0, **SAID),
        scatter_chart(POINTS, across="x", upward="y", **SAID),
        history_chart(MOMENTS, reach=(0, 1), **SAID),
        heat_chart([(LONG, [Cell(0.5, "2")] * 9)] * 9, [LONG] * 9, **SAID),
        bar_chart([Bar(LONG, 1.0), Bar("b", None)], axis="share", **SAID),
        bar_chart([Bar("b", 0.5)], **SAID),
        histogram([1.0, 2.0], axis="tokens", counted="replies", lines=[Line(LONG, 3)] * 3, **SAID),
    ],
)
def test_whatever_names_and_figures_are_nothing_is_drawn_outside_of_the_chart(
    chart: str, read_chart: Callable[[str], Any]
) -> None:
    drawing = read_chart(chart)
    width, height = (float(one) for one in drawing.root.attrib["viewBox"].split()[2:])
    for box in drawing.boxes:
        x, y, wide, high = (float(box.attrib[at]) for at in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height
    for text in drawing.upright:
        x, wide = float(text.attrib["x"]), text_width(text.text or "")
        start = x - {"middle": wide / 2, "end": wide}.get(text.attrib["text-anchor"], 0)
        assert -0.01 <= start <= start + wide <= width + 0.01
        assert 0 < float(text.attrib["y"]) <= height


def test_the_same_figures_are_the_same_bytes() -> None:
    points = [Point(name=f"m{index}", x=index / 9, y=0.5, is_best=False) for index in range(9)]
    first, again = (scatter_chart(points, across="x", upward="y", **SAID) for _ in range(2))
    assert first == again
