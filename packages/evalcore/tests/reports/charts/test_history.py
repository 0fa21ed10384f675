"""One figure of one model over versions and time."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from evalcore.reports.charts.history import HistoryMark, history_chart

SAID = {"title": "Accuracy", "description": "One dot for each run", "reach": (0.0, 1.0)}
Read = Callable[[str], Any]


def moment(version: str, value: float | None = 0.8, **more: Any) -> HistoryMark:
    told: dict[str, Any] = {"when": "2026-03-01", "interval": None, "change": "quiet"}
    return HistoryMark(version=version, value=value, **told | more)


def test_what_changed_is_marked_by_shape_and_not_by_colour_alone() -> None:
    quiet = history_chart([moment("1.0.0"), moment("1.1.0")], **SAID)
    better, worse = (
        history_chart([moment("1.0.0"), moment("1.1.0", change=change)], **SAID)
        for change in ("better", "worse")
    )
    assert better.count("<path") == worse.count("<path") == quiet.count("<path") + 1
    assert re.findall(r'<path d="([^"]*)"', better) != re.findall(r'<path d="([^"]*)"', worse)


def test_a_partial_run_is_a_ring_and_no_part_of_the_line() -> None:
    chart = history_chart([moment("1.0.0"), moment("1.0.0", is_partial=True), moment("1.0.0")], **SAID)
    (line,) = re.findall(r'points="([^"]*)"', chart)
    assert len(line.split()) == 2
    assert chart.count('fill="none" stroke="currentColor" stroke-width="1.8"') == 1


def test_a_run_without_a_figure_keeps_its_place_and_has_no_mark(read_chart: Read) -> None:
    with_all = read_chart(history_chart([moment("1"), moment("2"), moment("3")], **SAID))
    one_lacks = read_chart(history_chart([moment("1"), moment("2", None), moment("3")], **SAID))
    places = [dot.attrib["cx"] for dot in with_all.all("circle")]
    assert [dot.attrib["cx"] for dot in one_lacks.all("circle")] == [places[0], places[2]]


def test_marks_lie_as_high_as_their_figures_on_the_common_axis(read_chart: Read) -> None:
    values = (0.0, 0.25, 1.0)
    drawing = read_chart(history_chart([moment(str(value), value) for value in values], **SAID))
    low, quarter, high = (float(dot.attrib["cy"]) for dot in drawing.all("circle"))
    assert low > quarter > high
    assert (low - quarter) / (low - high) == pytest.approx(0.25, abs=0.001)


def test_a_single_run_has_no_line() -> None:
    assert "points=" not in history_chart([moment("1.0.0")], **SAID)


def test_an_interval_is_an_upright_line_from_limit_to_limit(read_chart: Read) -> None:
    drawing = read_chart(history_chart([moment("1", 0.5, interval=(0.25, 0.625))], **SAID))
    (line,) = (one for one in drawing.all("line") if one.get("stroke-width") == "1.5")
    (dot,) = drawing.all("circle")
    down, up = (
        float(line.attrib["y1"]) - float(dot.attrib["cy"]),
        float(dot.attrib["cy"]) - float(line.attrib["y2"]),
    )
    assert line.attrib["x1"] == line.attrib["x2"] == dot.attrib["cx"]
    assert down / up == pytest.approx(2, rel=0.01)


def test_each_version_is_named_once_and_drift_and_servers_are_marked(read_chart: Read) -> None:
    moments = [moment("1.0.0"), moment("1.0.0", drifting=True), moment("1.1.0", server_changed=True)]
    chart = history_chart(moments, **SAID)
    shown = [text for text in read_chart(chart).texts if text.startswith("1.") or text == "~"]
    assert shown == ["1.0.0", "1.1.0", "~"]
    assert chart.count("stroke-dasharray") == 1


def test_the_line_of_a_changed_server_stands_before_its_run(read_chart: Read) -> None:
    drawing = read_chart(history_chart([moment("1"), moment("2", server_changed=True)], **SAID))
    (line,) = (one for one in drawing.all("line") if "stroke-dasharray" in one.attrib)
    first, second = (float(dot.attrib["cx"]) for dot in drawing.all("circle"))
    assert first < float(line.attrib["x1"]) < second


def test_names_of_versions_that_would_lie_over_each_other_are_left_out(read_chart: Read) -> None:
    """Each version was run once: of so many there is no room for every name."""
    versions = [f"1.{number}.0" for number in range(40)]
    drawing = read_chart(history_chart([moment(version) for version in versions], **SAID))
    named = [text for text in drawing.texts if text.startswith("1.")]
    places = [drawing.at(text)[0] for text in named]
    assert named[0] == "1.0.0"
    assert 3 <= len(named) < 20
    assert all(later - earlier >= 7 * 5 for earlier, later in pairwise(places))


def test_a_point_leads_to_where_it_was_made_and_a_tip_of_its_own_counts(read_chart: Read) -> None:
    moments = [moment("1.0.0", href="https://a.example/pull/1"), moment("1.0.0", tip="run 0190")]
    drawing = read_chart(history_chart(moments, **SAID))
    (link,) = drawing.all("a")
    named = "1.0.0, 2026-03-01: 80.0 %"
    assert (link.get("href"), link.get("aria-label")) == ("https://a.example/pull/1", named)
    assert drawing.tips == [named, "run 0190"]
