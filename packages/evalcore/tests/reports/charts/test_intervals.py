"""Models below each other: who is ahead, and who is level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.charts.intervals import Ranked, interval_chart

SAID = {"title": "Accuracy", "description": "One dot for each model"}
Read = Callable[[str], Any]


def ranked(name: str, value: float | None = 0.9, **more: Any) -> Ranked:
    interval = None if value is None else (value - 0.05, value + 0.05)
    told: dict[str, Any] = {"detail": "", "rank": "1", "interval": interval, "is_best": False}
    return Ranked(name=name, value=value, **told | more)


def test_rank_model_and_figure_stand_in_the_order_given(read_chart: Read) -> None:
    drawing = read_chart(
        interval_chart([ranked("a", 0.9, rank="1–2"), ranked("b", 0.8123, rank="")], axis="share", **SAID)
    )
    shown = [text for text in drawing.texts if text in {"1–2", "–", "a", "b", "90.0 %", "81.2 %", "share"}]
    assert shown == ["share", "1–2", "a", "90.0 %", "–", "b", "81.2 %"]
    assert drawing.tips == ["a: 90.0 %, 85.0 % to 95.0 %", "b: 81.2 %, 76.2 % to 86.2 %"]


@given(st.lists(st.floats(0.1, 0.9), min_size=2, max_size=8, unique=True))
def test_dots_lie_as_their_figures_do(read_chart: Read, values: list[float]) -> None:
    rows = [ranked(f"m{at}", value, interval=None) for at, value in enumerate(values)]
    dots = read_chart(interval_chart(rows, **SAID)).all("circle")
    across, down = ([float(dot.attrib[at]) for dot in dots] for at in ("cx", "cy"))
    assert down == sorted(down)
    least, most = min(values), max(values)
    for x, value in zip(across, values, strict=True):
        share = (value - least) / (most - least)
        assert x == pytest.approx(min(across) + share * (max(across) - min(across)), abs=0.02)


def test_the_interval_reaches_as_far_to_both_sides_as_its_limits_say(read_chart: Read) -> None:
    drawing = read_chart(interval_chart([ranked("a", 0.8, interval=(0.7, 0.85))], **SAID))
    line, low, high = (one for one in drawing.all("line") if one.get("stroke-width") == "2")
    middle = float(drawing.all("circle")[0].attrib["cx"])
    left, right = float(line.attrib["x1"]), float(line.attrib["x2"])
    assert (middle - left) / (right - middle) == pytest.approx(2, rel=0.01)
    assert [low.attrib[at] for at in ("x1", "x2")] == [line.attrib["x1"]] * 2
    assert [high.attrib[at] for at in ("x1", "x2")] == [line.attrib["x2"]] * 2


def test_a_figure_without_an_interval_is_a_dot_alone(read_chart: Read) -> None:
    drawing = read_chart(interval_chart([ranked("a", 0.9, interval=None)], **SAID))
    assert [one for one in drawing.all("line") if one.get("stroke-width") == "2"] == []
    assert drawing.tips == ["a: 90.0 %"]


def test_those_level_at_the_top_lie_in_one_band_as_wide_as_their_intervals(read_chart: Read) -> None:
    best = [ranked("a", 0.9, is_best=True), ranked("b", 0.85, is_best=True)]
    (band,) = read_chart(interval_chart([*best, ranked("c", 0.2)], **SAID)).boxes
    level = read_chart(interval_chart([*best, ranked("c", 0.2)], **SAID))
    ends = [one for one in level.all("line") if one.get("stroke-width") == "2"]
    reach = [float(one.attrib[at]) for one in ends[:6] for at in ("x1", "x2")]
    assert float(band.attrib["x"]) == pytest.approx(min(reach), abs=0.02)
    assert float(band.attrib["width"]) == pytest.approx(max(reach) - min(reach), abs=0.03)
    bottom = float(band.attrib["y"]) + float(band.attrib["height"])
    dots = [float(dot.attrib["cy"]) for dot in level.all("circle")]
    assert dots[1] < bottom < dots[2]


def test_one_alone_at_the_top_has_no_band_nor_have_rows_that_are_not_compared(read_chart: Read) -> None:
    best = [ranked("a", is_best=True), ranked("b", is_best=True)]
    assert read_chart(interval_chart([best[0], ranked("b", 0.2)], **SAID)).boxes == []
    assert read_chart(interval_chart(best, has_band=False, **SAID)).boxes == []


def test_who_may_be_the_best_is_a_filled_dot_and_the_others_are_rings(read_chart: Read) -> None:
    best, other = read_chart(interval_chart([ranked("a", is_best=True), ranked("b")], **SAID)).all("circle")
    assert (best.attrib["fill"], other.attrib["fill"]) == ("currentColor", "none")


def test_a_model_without_a_figure_is_named(read_chart: Read) -> None:
    drawing = read_chart(interval_chart([ranked("a", None)], **SAID))
    assert {"a", "no figure"} <= set(drawing.texts)
    assert drawing.all("circle") == []


def test_what_sets_two_of_one_name_apart_stands_below_it(read_chart: Read) -> None:
    drawing = read_chart(interval_chart([ranked("a", detail="fp8"), ranked("a", detail="bf16")], **SAID))
    names = [float(one.attrib["y"]) for one in drawing.all("text") if one.text == "a"]
    assert names[0] < drawing.at("fp8")[1] < names[1] < drawing.at("bf16")[1]
    assert drawing.tips[0].startswith("a fp8: ")


def test_a_name_leads_to_its_page(read_chart: Read) -> None:
    drawing = read_chart(interval_chart([ranked("a", href="models/a.html"), ranked("b")], **SAID))
    assert drawing.links() == ["models/a.html"]
    assert "".join(drawing.all("a")[0].itertext()) == "a"
