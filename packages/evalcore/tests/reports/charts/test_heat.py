"""A matrix as colours with the figures in them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.charts.heat import DARK_UP_TO, HEAT, Cell, heat_chart, heat_step

SAID = {"title": "Agreement", "description": "Cases by fields"}
Read = Callable[[str], Any]


def test_each_cell_has_its_figure_its_colour_and_its_place(read_chart: Read) -> None:
    rows = [
        ("case-1", [Cell(1.0, "1"), Cell(0.0, "4"), Cell(None)]),
        ("case-2", [Cell(0.6, "2"), Cell(0.3, "3"), Cell(1.0, "5")]),
    ]
    drawing = read_chart(heat_chart(rows, list("abc"), **SAID))
    assert [text for text in drawing.texts if text.isdecimal()] == ["1", "4", "2", "3", "5"]
    shown = [
        "case-1, a: 1",
        "case-1, b: 4",
        "case-1, c: none",
        "case-2, a: 2",
        "case-2, b: 3",
        "case-2, c: 5",
    ]
    assert drawing.tips == shown
    cells = drawing.boxes
    fills = [HEAT[10], HEAT[0], "none", HEAT[6], HEAT[3], HEAT[10]]
    assert [one.attrib["fill"] for one in cells] == fills
    across, down = ([one.attrib[at] for one in cells] for at in ("x", "y"))
    assert across[:3] == across[3:] == sorted(across[:3], key=float)
    assert (len(set(down[:3])), len(set(down[3:]))) == (1, 1)
    assert float(down[0]) < float(down[3])


def test_rows_and_columns_are_named_beside_their_cells(read_chart: Read) -> None:
    drawing = read_chart(heat_chart([("case-1", [Cell(0.5, "2")])], ["field"], **SAID))
    (cell,) = drawing.boxes
    x, y = drawing.at("case-1")
    assert x < float(cell.attrib["x"])
    assert float(cell.attrib["y"]) < y < float(cell.attrib["y"]) + float(cell.attrib["height"])
    (turned,) = (
        one.get("transform") for one in drawing.all("g") if "rotate(-90)" in one.get("transform", "")
    )
    place = float(turned.partition("(")[2].split(" ")[0])
    assert float(cell.attrib["x"]) < place < float(cell.attrib["x"]) + float(cell.attrib["width"])


def test_a_picture_has_no_tips(read_chart: Read) -> None:
    chart = heat_chart([("case-1", [Cell(0.5, "2"), Cell(None)])], ["a", "b"], has_tips=False, **SAID)
    assert read_chart(chart).tips == []


@given(st.floats(0, 1))
def test_only_what_is_right_throughout_has_the_last_colour(share: float) -> None:
    assert (heat_step(share) == 10) == (share >= 1)
    assert 0 <= heat_step(share) <= 10


@given(st.floats(0, 1), st.floats(0, 1))
def test_what_is_further_from_right_is_never_lighter(one: float, other: float) -> None:
    assert (heat_step(min(one, other))) <= heat_step(max(one, other))


@pytest.mark.parametrize("step", range(len(HEAT)))
def test_text_in_a_cell_has_contrast(step: int, read_chart: Read) -> None:
    text = read_chart(heat_chart([("", [Cell(step / 10, "n")])], [""], **SAID)).all("text")[-1]
    assert (text.attrib["fill"] == "#000000") == (step >= DARK_UP_TO)
    light, dark = sorted((luminance(HEAT[step]), luminance(text.attrib["fill"])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_steps_are_told_apart_by_lightness_alone() -> None:
    shades = [luminance(colour) for colour in HEAT]
    assert all(after / before > 1.1 for before, after in pairwise(shades))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
