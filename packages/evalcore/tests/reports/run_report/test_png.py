"""Charts as PNG, with the font that is carried along."""

from __future__ import annotations

import struct

from evalcore.reports.charts.bars import Bar, bar_chart
from evalcore.reports.run_report.png import draw_png


def chart(name):
    return bar_chart([Bar(name, 0.5)], title="t", description="d")


def test_a_chart_becomes_a_png_of_its_size():
    data = draw_png(chart("field"))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert width == 760 * 1.5
    assert height > 0


def test_text_is_drawn_whatever_fonts_the_machine_has():
    assert len(draw_png(chart("some long name of a field"))) > len(draw_png(chart(" "))) + 500


def test_a_hostile_name_draws_a_chart_all_the_same():
    assert draw_png(chart("<script>&\x00\ud800</svg>" * 100)).startswith(b"\x89PNG")
