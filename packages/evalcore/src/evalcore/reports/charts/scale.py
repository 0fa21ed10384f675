"""Scales and ticks: data values to pixels, and the round values that an axis names."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final
from xml.etree import ElementTree as ET

from evalcore.reports.charts.svg import inked, label, labels, rules
from evalcore.structs import Frozen

_TICK_ROOM: Final = 45
"""Pixels for a value below an axis."""
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)


class Scale(Frozen, frozen=True):
    """A linear scale: `low` in the data lies at pixel `start`, and `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a value; one outside lies at the nearer end."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[float]:
        """Return round values within the scale, about `count` of them."""
        return round_values(self.low, self.high, count)


def round_values(low: float, high: float, count: int = 5) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten from `low` to `high`, about `count` of them."""
    step = _step(high - low, count)
    if step == 0:
        return [low]
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # A step is a decimal fraction: its digits are cut where floats would add some of their own.
    digits = max(0, -math.floor(math.log10(step)))
    return [round(index * step, digits) for index in range(first, last + 1)]


def fitted_range(
    values: Iterable[float], *, floor: float = 0.0, ceiling: float | None = 1.0, least: float = 0.1
) -> tuple[float, float]:
    """Return a round range that holds all values with some room, at least `least` wide, within the limits."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (
        (min(finite), max(finite)) if finite else (floor, floor + least if ceiling is None else ceiling)
    )
    room = max((high - low) * 0.06, (least - (high - low)) / 2, 0.0)
    low, high = low - room, high + room
    # Ends on round values, so that ticks stand at both.
    step = _step(max(high - low, least), 5)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    low = max(low, floor)
    return low, high if ceiling is None else min(high, ceiling)


def grouped(value: float) -> str:
    """Write a number with its thousands apart."""
    return f"{value:,.10g}" if abs(value) < 1e6 else f"{value:,.0f}"  # noqa: PLR2004


def bottom_axis(
    scale: Scale, top: float, bottom: float, *, text: Callable[[float], str], title: str = ""
) -> list[ET.Element]:
    """Draw upright grid lines with the values below them, and the axis' title below these."""
    count = max(2, min(6, int((scale.end - scale.start) / _TICK_ROOM)))
    places = [(scale.at(value), text(value)) for value in scale.ticks(count)]
    drawn = [inked("grid", [rules([(x, top, x, bottom) for x, _ in places])])]
    drawn.append(labels([(x, bottom + 15, written) for x, written in places], anchor="middle", ink="quiet"))
    if title:
        middle = (scale.start + scale.end) / 2
        drawn.append(label(middle, bottom + 32, title, anchor="middle", ink="quiet"))
    return drawn


def left_axis(
    scale: Scale, left: float, right: float, *, text: Callable[[float], str], count: int = 5
) -> list[ET.Element]:
    """Draw level grid lines with the values to their left."""
    places = [(scale.at(value), text(value)) for value in scale.ticks(count)]
    drawn = [inked("grid", [rules([(left, y, right, y) for y, _ in places])])]
    drawn.append(labels([(left - 6, y + 4, written) for y, written in places], anchor="end", ink="quiet"))
    return drawn


def _step(span: float, count: int) -> float:
    if not (math.isfinite(span) and span > 0):
        return 0.0
    rough = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))
