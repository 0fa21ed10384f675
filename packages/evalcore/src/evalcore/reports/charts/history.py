"""One figure of one model over versions and time: intervals, verdicts, and what else changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from xml.etree import ElementTree as ET

from evalcore.formats.percent import percent, short_percent
from evalcore.reports.charts.scale import Scale, left_axis
from evalcore.reports.charts.svg import (
    Ink,
    Shape,
    chart,
    inked,
    label,
    labels,
    link,
    mark,
    path,
    rectangle,
    rule,
    rules,
    shortened,
)
from evalcore.stats.uncertainty import Interval
from evalcore.structs import Frozen

WIDTH = 340.0
HEIGHT = 170.0

Change = Literal["better", "worse", "quiet"]
_MARKS: dict[Change, tuple[Shape, Ink]] = {
    "better": ("triangle", "good"),
    "worse": ("triangle-down", "bad"),
    "quiet": ("circle", "accent"),
}


class HistoryMark(Frozen, frozen=True):
    """A figure at one time."""

    version: str
    when: str
    """A day, as it is to be shown."""
    value: float | None
    interval: Interval | None
    change: Change
    """Against the point before: only what holds statistically is better or worse."""
    is_partial: bool = False
    """Drawn as a ring, and left out of the line."""
    server_changed: bool = False
    """Drawn as a broken upright line before the point."""
    drifting: bool = False
    """Drawn as a tilde above the point."""
    href: str = ""
    tip: str = ""


def history_chart(
    moments: Sequence[HistoryMark],
    *,
    title: str,
    description: str,
    reach: tuple[float, float],
    width: float = WIDTH,
) -> str:
    """Draw the moments in order, evenly spaced; `reach` is the axis, one for all charts to be compared."""
    left, right, top, bottom = 46.0, width - 12, 12.0, HEIGHT - 30
    upright = Scale(*reach, bottom, top)
    step = (right - left) / max(len(moments), 1)
    # By order, not by date: runs of one day would lie over each other, and a year without any be empty.
    places = [left + step * (index + 0.5) for index in range(len(moments))]
    parts = left_axis(upright, left, right, text=short_percent, count=4)
    parts += _versions(moments, places, step, bottom)
    line = [
        (x, upright.at(moment.value))
        for x, moment in zip(places, moments, strict=True)
        if moment.value is not None and not moment.is_partial
    ]
    if len(line) > 1:
        parts.append(inked("accent", [path(line)]))
    for x, moment in zip(places, moments, strict=True):
        if moment.server_changed:
            parts.append(inked("wait", [rule(x - step / 2, top, x - step / 2, bottom, dashes="4 3")]))
        if moment.value is not None:
            parts.append(_moment(moment, x, upright, moment.value))
    return chart(title, description, width, HEIGHT, parts)


def _moment(moment: HistoryMark, x: float, upright: Scale, value: float) -> ET.Element:
    shape, ink = _MARKS[moment.change]
    if moment.is_partial:
        shape, ink = "ring", "quiet"
    drawn = []
    if moment.interval is not None:
        low, high = (upright.at(end) for end in moment.interval)
        drawn.append(rule(x, low, x, high, width=1.5))
    size = 5.5 if moment.change != "quiet" else 3.5
    tip = moment.tip or f"{moment.version}, {moment.when}: {percent(value)}"
    drawn.append(mark(x, upright.at(value), shape, size=size, tip=tip))
    parts = [inked(ink, drawn)]
    if moment.drifting:
        parts.append(label(x, upright.at(value) - 9, "~", anchor="middle", ink="wait"))
    # What can be pressed is larger than the mark: a finger finds no circle of seven pixels.
    if moment.href:
        room = rectangle(x - 9, upright.at(value) - 12, 18, 24, opacity=0)
        return link(moment.href, [room, *parts], name=tip)
    return inked(ink, parts)


def _versions(
    moments: Sequence[HistoryMark], places: Sequence[float], step: float, bottom: float
) -> list[ET.Element]:
    """Write each version below its first moment, where there is room, and part it from the one before."""
    starts: list[tuple[float, float, float, float]] = []
    names: list[tuple[float, float, str]] = []
    free_from = 0.0
    for index, (x, moment) in enumerate(zip(places, moments, strict=True)):
        if index and moment.version == moments[index - 1].version:
            continue
        start = x - step / 2
        starts.append((start, bottom, start, bottom + 8))
        run = sum(1 for other in moments[index:] if other.version == moment.version)
        text = shortened(moment.version, max(step * run - 4, 44))
        if start >= free_from:
            names.append((start + 3, bottom + 16, text))
            free_from = start + 8 + 7 * len(text)
    return [inked("grid", [rules(starts)]), labels(names, ink="quiet")]
