"""Figures as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.pages import figures


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (figures.share(0.876), "87.6 %"),
        (figures.share(None), "–"),
        (figures.interval((0.85, 0.921)), "85.0–92.1 %"),
        (figures.interval(None), "–"),
        (figures.points(-0.0312), "\N{MINUS SIGN}3.1 points"),
        (figures.points(0.0312), "+3.1 points"),
        (figures.spread(0.053), "± 5.3"),
        (figures.cell(0.996), "99"),
        (figures.cell(1.0), "100"),
        (figures.cell(None), "–"),
        (figures.heat(1.0), "heat-10"),
        (figures.heat(None), ""),
        (figures.usd(None), "–"),
        (figures.usd(0.0), "0"),
        (figures.usd(0.0042), "0.0042"),
        (figures.usd(1234.5), "1,234.50"),
        (figures.seconds(340.4), "340 ms"),
        (figures.seconds(2140), "2.1 s"),
        (figures.seconds(34_400), "34 s"),
        (figures.seconds(None), "–"),
        (figures.rank((1, 1)), "1"),
        (figures.rank((1, 3)), "1–3"),
        (figures.rank(None), "–"),
        (figures.day("2026-04-20T10:00:00Z"), "2026-04-20"),
        (figures.counted(1, "case"), "1 case"),
        (figures.counted(1200, "case"), "1,200 cases"),
        (figures.counted(2, "reply"), "2 replies"),
        (figures.plain_words("see [`rfp`](../rfp/) and `this`"), "see rfp and this"),
    ],
)
def test_a_figure_is_written_so(written: str, text: str) -> None:
    assert written == text


@given(st.floats(0, 1))
def test_only_what_is_right_throughout_is_100(value: float) -> None:
    assert (figures.cell(value) == "100") == (value == 1)
