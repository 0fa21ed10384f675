"""Bars and histograms: shares by name, and how often values of some size came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from evalcore.formats.percent import short_percent
from evalcore.reports.charts.scale import Scale, bottom_axis, grouped, left_axis
from evalcore.reports.charts.svg import (
    Ink,
    chart,
    element,
    inked,
    label,
    rectangle,
    rule,
    shortened,
    text_width,
)
from evalcore.structs import Frozen

WIDTH = 760.0
ROW = 22.0
LONGEST_NAME = 300.0
"""Pixels for the names beside the bars."""


class Bar(Frozen, frozen=True):
    """A named share, with what is written behind its bar."""

    name: str
    share: float | None
    """In [0, 1]; None is drawn as no bar, and said to be unknown."""
    text: str = ""
    """In place of the percentage."""
    ink: Ink = "series-0"


class Line(Frozen, frozen=True):
    """A value to be seen among others, such as a limit."""

    name: str
    value: float
    ink: Ink = "bad"


def bar_chart(bars: Sequence[Bar], *, title: str, description: str, axis: str = "") -> str:
    """Draw level bars from 0 to 100 %, one below the other in the order given."""
    left = min(max((text_width(bar.name) for bar in bars), default=0.0) + 12, LONGEST_NAME)
    bottom = 8 + ROW * len(bars)
    scale = Scale(0.0, 1.0, left, WIDTH - 64)
    parts = bottom_axis(scale, 4, bottom, text=short_percent, title=axis)
    for index, bar in enumerate(bars):
        y = 8 + ROW * index
        parts.append(label(left - 8, y + 15, shortened(bar.name, left - 12), anchor="end"))
        if bar.share is not None:
            width = scale.at(bar.share) - left
            tip = element("title", {}, text=f"{bar.name}: {short_percent(bar.share)}")
            parts.append(inked(bar.ink, [tip, rectangle(left, y + 3, width, ROW - 6)]))
        text = bar.text or ("unknown" if bar.share is None else short_percent(bar.share))
        parts.append(label(left + 6 + (scale.at(bar.share) - left if bar.share else 0), y + 15, text))
    return chart(title, description, WIDTH, bottom + (40 if axis else 24), parts)


def histogram(
    values: Sequence[float],
    *,
    title: str,
    description: str,
    axis: str,
    counted: str,
    lines: Sequence[Line] = (),
    bins: int = 24,
) -> str:
    """Draw how often values of some size came, in bins of one width from the least value to the greatest.

    `axis` names the values and `counted` what is counted; `lines` are drawn among them, with a legend.
    """
    finite = [value for value in values if math.isfinite(value)]
    reach = [*finite, *(line.value for line in lines)] or [0.0, 1.0]
    low, high = min(reach), max(reach)
    # Where all values are one they stand in the middle, and nothing is divided by 0.
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    counts = binned(finite, low, high, bins)
    height, left, right, top = 320.0, 56.0, WIDTH - 16, 12 + 18.0 * len(lines)
    bottom = height - 46
    across = Scale(low, high, left, right)
    upward = Scale(0, max([*counts, 1]), bottom, top + 8)
    step = (right - left) / bins
    parts = left_axis(upward, left, right, text=grouped, count=min(5, max([*counts, 1])))
    parts += bottom_axis(across, bottom, bottom + 4, text=grouped, title=axis)
    drawn = [_bin(left + step * index, step, upward, count) for index, count in enumerate(counts) if count]
    parts.append(inked("series-0", drawn))
    for index, line in enumerate(lines):
        x, y = across.at(line.value), 14 + 18.0 * index
        dashes = "6 3" if index % 2 == 0 else "2 3"
        parts.append(inked(line.ink, [rule(x, top, x, bottom, width=2, dashes=dashes)]))
        parts.append(inked(line.ink, [rule(left, y, left + 26, y, width=2, dashes=dashes)]))
        parts.append(label(left + 32, y + 4, shortened(line.name, right - left - 40)))
    parts.append(label(right, 18 if not lines else 14 + 4, counted, anchor="end", ink="quiet"))
    return chart(title, description, WIDTH, height, parts)


def binned(values: Sequence[float], low: float, high: float, bins: int) -> list[int]:
    """Count values in bins of one width; one at the upper end is in the last bin."""
    counts = [0] * bins
    for value in values:
        if low <= value <= high:
            counts[min(int((value - low) / (high - low) * bins), bins - 1)] += 1
    return counts


def _bin(x: float, step: float, upward: Scale, count: int) -> ET.Element:
    top = upward.at(count)
    return rectangle(x + 0.5, top, step - 1, upward.start - top)
