"""Models below each other, each as a dot with the interval around it: who is ahead, and who is level."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from evalcore.formats.percent import percent, short_percent
from evalcore.reports.charts.scale import Scale, bottom_axis, fitted_range
from evalcore.reports.charts.svg import (
    Ink,
    chart,
    element,
    inked,
    label,
    link,
    mark,
    number,
    rectangle,
    rule,
    shortened,
    text_width,
)
from evalcore.stats.uncertainty import Interval
from evalcore.structs import Frozen

WIDTH = 760.0
ROW = 26.0
TWO_LINES = 34.0
"""Pixels of a row, at least; rows grow until all are `TALL` together, or each is `TALLEST_ROW`."""
TALL = 330.0
TALLEST_ROW = 48.0
LONGEST_NAME = 260.0
SMALL = 10.0
"""Of the text below a name."""


class Ranked(Frozen, frozen=True):
    """A model's figure with its interval."""

    name: str
    detail: str
    """What sets it apart from others of its name, written smaller below it; or empty."""
    rank: str
    """As it is written: `1`, or `1–2` for ties; empty for what is not ranked."""
    value: float | None
    interval: Interval | None
    is_best: bool
    """Whether it may be the best: drawn as a filled dot over the band of the best."""
    href: str = ""


def interval_chart(
    rows: Sequence[Ranked],
    *,
    title: str,
    description: str,
    axis: str = "",
    width: float = WIDTH,
    has_band: bool = True,
) -> str:
    """Draw a dot and its interval for each row, in the order given.

    Behind them is a band as wide as the intervals of all that may be the best: who lies in it is level. Rows
    that are not compared with each other have none (`has_band`).
    """
    # A detail too: it is what tells two rows of one model apart, and a short name would leave it no room.
    widths = (max(text_width(row.name), text_width(row.detail, SMALL)) for row in rows)
    named = max(widths, default=0.0)
    left = 44 + min(named, LONGEST_NAME if width >= WIDTH else width * 0.34) + 10
    scale = Scale(*fitted_range(_reach(rows)), left, width - 58)
    least = TWO_LINES if any(row.detail for row in rows) else ROW
    height = min(max(TALL / max(len(rows), 1), least), TALLEST_ROW)
    top, bottom = 6.0, 10 + height * len(rows)
    parts: list[ET.Element] = []
    best = [row for row in rows if row.is_best and row.interval is not None]
    if has_band and len(best) > 1:
        low = min(row.interval[0] for row in best if row.interval is not None)
        high = max(row.interval[1] for row in best if row.interval is not None)
        band = rectangle(
            scale.at(low), top, scale.at(high) - scale.at(low), height * _last_best(rows) + 4, opacity=0.1
        )
        parts.append(inked("accent", [band]))
    parts += bottom_axis(scale, top, bottom, text=short_percent, title=axis)
    for index, row in enumerate(rows):
        parts += _row(row, scale, top + 2 + height * (index + 0.5), width)
    return chart(title, description, width, bottom + (40 if axis else 24), parts)


def _row(row: Ranked, scale: Scale, middle: float, width: float) -> list[ET.Element]:
    room = scale.start - 52
    name = label(44, middle + (-2 if row.detail else 4), shortened(row.name, room))
    parts = [label(36, middle + 4, row.rank or "–", anchor="end", ink="quiet")]
    parts.append(link(row.href, [name]) if row.href else name)
    if row.detail:
        detail = shortened(row.detail, room, SMALL)
        small = element("text", {"x": "44", "y": number(middle + 11)}, text=detail)
        parts.append(inked("quiet", [small], {"fill": "currentColor", "font-size": number(SMALL)}))
    if row.value is None:
        return [*parts, label(scale.start + 4, middle + 4, "no figure", ink="quiet")]
    ink: Ink = "accent" if row.is_best else "quiet"
    x, said = scale.at(row.value), f"{row.name} {row.detail}".strip() + f": {percent(row.value)}"
    drawn: list[ET.Element] = []
    if row.interval is not None:
        low, high = (scale.at(end) for end in row.interval)
        said += f", {percent(row.interval[0])} to {percent(row.interval[1])}"
        drawn += [rule(low, middle, high, middle, width=2)]
        drawn += [rule(end, middle - 5, end, middle + 5, width=2) for end in (low, high)]
    drawn.append(mark(x, middle, "circle" if row.is_best else "ring", size=5, tip=said))
    figure = label(width - 6, middle + 4, percent(row.value), anchor="end")
    return [*parts, inked(ink, drawn), figure]


def _reach(rows: Sequence[Ranked]) -> list[float]:
    ends = [end for row in rows if row.interval is not None for end in row.interval]
    return ends + [row.value for row in rows if row.value is not None]


def _last_best(rows: Sequence[Ranked]) -> int:
    return max(index for index, row in enumerate(rows) if row.is_best) + 1
