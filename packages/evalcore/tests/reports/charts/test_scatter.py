"""Two figures of each model against each other."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.charts.scatter import FEW, Point, scatter_chart
from evalcore.reports.charts.svg import text_width

SAID = {"title": "Accuracy", "description": "One dot for each model"}
AXES = {"across": "Accuracy", "upward": "Reproducibility", **SAID}
SHARES = st.floats(0, 1)
Read = Callable[[str], Any]


@given(st.lists(st.tuples(SHARES, SHARES), max_size=60))
def test_names_never_lie_over_each_other(read_chart: Read, figures: list[tuple[float, float]]) -> None:
    points = [
        Point(name=f"vendor/model-{index}", x=x, y=y, is_best=index < 3)
        for index, (x, y) in enumerate(figures)
    ]
    drawing = read_chart(scatter_chart(points, **AXES))
    boxes = []
    for one in drawing.all("text"):
        if not (one.text or "").startswith("vendor"):
            continue
        width, x, y = text_width(one.text or ""), float(one.attrib["x"]), float(one.attrib["y"])
        start = x - {"middle": width / 2, "end": width}.get(one.get("text-anchor", "start"), 0)
        boxes.append((start, start + width, y - 8.9, y + 2.9))
    for index, (left, right, top, bottom) in enumerate(boxes):
        for other in boxes[index + 1 :]:
            assert right <= other[0] + 0.1 or other[1] <= left + 0.1 or bottom <= other[2] or other[3] <= top
    # One that has no room is told where it is pointed at.
    assert len(drawing.tips) == len(points)


@given(st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=12))
def test_points_lie_to_the_right_and_high_as_their_figures_do(
    read_chart: Read, figures: list[tuple[float, float]]
) -> None:
    points = [Point(name=f"m{at}", x=x, y=y, is_best=False) for at, (x, y) in enumerate(figures)]
    dots = read_chart(scatter_chart(points, **AXES)).all("circle")
    for key, sign, of in (("cx", 1, 0), ("cy", -1, 1)):
        places = [sign * float(dot.attrib[key]) for dot in dots]
        ordered = sorted(zip([figure[of] for figure in figures], places, strict=True))
        # Two decimals of a pixel are written.
        assert all(one[1] <= other[1] + 0.01 for one, other in pairwise(ordered))


def test_both_axes_are_named_and_a_point_says_both_of_its_figures(read_chart: Read) -> None:
    drawing = read_chart(scatter_chart([Point("m", 0.9, 0.8123, is_best=False)], **AXES))
    assert {"Accuracy", "Reproducibility", "m"} <= set(drawing.texts)
    assert drawing.tips == ["m: 90.0 %, 81.2 %"]


def test_the_best_are_filled_and_coloured_and_the_others_rings(read_chart: Read) -> None:
    points = [Point("a", 0.9, 0.9, is_best=True), Point("b", 0.1, 0.1, is_best=False)]
    best, other = read_chart(scatter_chart(points, **AXES)).all("circle")
    assert (best.attrib["fill"], other.attrib["fill"]) == ("currentColor", "none")
    chart = scatter_chart(points, **AXES)
    assert chart.count("ink-accent") == 1


def test_a_point_leads_to_its_page(read_chart: Read) -> None:
    points = [Point("a", 0.9, 0.9, is_best=True, href="models/a.html"), Point("b", 0.1, 0.1, is_best=False)]
    drawing = read_chart(scatter_chart(points, **AXES))
    assert drawing.links() == ["models/a.html"]
    assert drawing.all("a")[0].get("aria-label") == "a: 90.0 %, 90.0 %"


def test_the_best_of_many_points_is_named_though_there_is_no_room_beside_it(read_chart: Read) -> None:
    """Of more than a few points only the names of the best may stand apart from them."""

    def named(count: int) -> list[str]:
        crowd = [Point(f"m{at}", 0.5, 0.5, is_best=at == count - 1) for at in range(count)]
        return [text for text in read_chart(scatter_chart(crowd, **AXES)).texts if text.startswith("m")]

    few, many = named(FEW), named(FEW + 1)
    assert len(few) > len(many)
    assert f"m{FEW}" in many


def test_a_name_that_stands_apart_is_joined_to_its_point(read_chart: Read) -> None:
    points = [Point("m" * 30, 0.5, 0.5, is_best=at == 9) for at in range(10)]
    drawing = read_chart(scatter_chart(points, **AXES))
    named = [text for text in drawing.texts if text.startswith("mm")]
    joins = [one for one in drawing.all("line") if "stroke-width" not in one.attrib]
    (dot, *_) = drawing.all("circle")
    assert len(named) > 4
    assert joins
    assert all(one.attrib["x1"] == dot.attrib["cx"] and one.attrib["y1"] == dot.attrib["cy"] for one in joins)
