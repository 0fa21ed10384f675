"""What all charts are made of: safe text, two ways of colour, and no style that a strict policy refuses."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.charts import svg

NAMESPACE = "{http://www.w3.org/2000/svg}"


@given(st.text(max_size=80))
def test_any_text_stays_text(text: str) -> None:
    parts = [svg.label(1, 2, text), svg.link("https://a.example/", [svg.mark(1, 1, tip=text)], name=text)]
    root = ET.fromstring(svg.chart(text, text, 10, 10, parts))
    tags = {one.tag.removeprefix(NAMESPACE) for one in root.iter()}
    assert tags == {"svg", "title", "desc", "g", "rect", "text", "a", "circle"}


def test_nothing_is_styled_by_an_attribute_that_a_strict_policy_refuses() -> None:
    marks = [svg.mark(5, 5, shape) for shape in svg.SHAPES]
    root = ET.fromstring(svg.chart("t", "d", 10, 10, [svg.inked("bad", marks)]))
    assert not any("style" in one.attrib or one.tag.endswith("style") for one in root.iter())


def test_a_colour_is_there_alone_and_is_a_class_for_a_stylesheet() -> None:
    group = svg.inked("good", [])
    assert (group.get("class"), group.get("color")) == ("ink-good", svg.INKS["good"])


def test_invisible_characters_and_turned_directions_are_blanked() -> None:
    assert svg.plain("gpt\u202eabc\x00\ud800!") == "gpt abc  !"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "JAVASCRIPT:x"])
def test_what_would_run_something_is_no_link(address: str) -> None:
    assert svg.link(address, [], name="x").tag == "g"


@pytest.mark.parametrize(
    "address", ["https://a.example/x:y", "../models/a.html", "#case", "components/a.html"]
)
def test_the_web_and_neighbours_are_links(address: str) -> None:
    assert svg.link(address, [], name="x").get("href") == address


def test_a_chart_is_one_image_unless_it_holds_links() -> None:
    assert 'role="img"' in svg.chart("t", "d", 1, 1, [])
    assert 'role="group"' in svg.chart("t", "d", 1, 1, [svg.link("a.html", [], name="a")])


def test_a_long_name_keeps_both_ends() -> None:
    short = svg.shortened("organisation/model-of-many-words-v2", 120)
    assert short.startswith("organ")
    assert short.endswith("v2")
    assert svg.text_width(short) <= 120


@given(st.text(max_size=400), st.floats(0, 300))
def test_a_shortened_name_fits_or_is_an_ellipsis(text: str, width: float) -> None:
    short = svg.shortened(text, width)
    assert svg.text_width(short) <= width or short in {"…", ""}


@given(st.floats(-1e6, 1e6))
def test_a_coordinate_is_short_and_near(value: float) -> None:
    written = svg.number(value)
    assert abs(float(written) - value) <= 0.00501
    assert "e" not in written
