"""Two figures of each model against each other, with names that do not lie over one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from evalcore.formats.percent import percent, short_percent
from evalcore.reports.charts.scale import Scale, bottom_axis, fitted_range, left_axis
from evalcore.reports.charts.svg import (
    SHAPES,
    Anchor,
    Ink,
    chart,
    inked,
    label,
    link,
    mark,
    plain,
    rule,
    shortened,
    text_width,
)
from evalcore.structs import Frozen

HEIGHT = 380.0
FEW = 15
"""Up to so many points a name may stand apart, joined by a line; of more only the best."""
_NEAR = 9.0
_FAR = 24.0
_TEXT_UP = 9.0
_TEXT_DOWN = 3.0


class Point(Frozen, frozen=True):
    """A model's two figures, both in [0, 1]."""

    name: str
    x: float
    y: float
    is_best: bool
    href: str = ""


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class _Place(NamedTuple):
    box: _Box
    x: float
    y: float
    anchor: Anchor
    is_far: bool


def scatter_chart(
    points: Sequence[Point],
    *,
    title: str,
    description: str,
    across: str,
    upward: str,
    width: float = 620.0,
) -> str:
    """Draw the points; earlier ones are named first, and one with no room for its name has it as a tip."""
    left, right, top, bottom = 58.0, width - 24, 26.0, HEIGHT - 46
    level = Scale(*fitted_range(point.x for point in points), left, right)
    upright = Scale(*fitted_range(point.y for point in points), bottom, top)
    parts = left_axis(upright, left, right, text=short_percent)
    parts += bottom_axis(level, top, bottom, text=short_percent, title=across)
    parts.append(label(8, 14, upward, ink="quiet"))
    spots = [(level.at(point.x), upright.at(point.y)) for point in points]
    frame = _Box(left + 2, top - 12, right + 12, bottom - 2)
    # All points first: no name may lie over a point, also of one that is named later.
    taken = [_Box(x - 6, y - 6, x + 6, y + 6) for x, y in spots]
    for point, (x, y) in zip(points, spots, strict=True):
        place = _free_place(point, (x, y), frame, taken, reaches=point.is_best or len(points) <= FEW)
        if place is not None:
            taken.append(place.box)
            if place.is_far:
                near = min(max(x, place.box.left), place.box.right)
                parts.append(inked("quiet", [rule(x, y, near, min(max(y, place.box.top), place.box.bottom))]))
            parts.append(label(place.x, place.y, _name(point.name), anchor=place.anchor))
        parts.append(_point(point, x, y))
    return chart(title, description, width, HEIGHT, parts)


def _point(point: Point, x: float, y: float) -> ET.Element:
    ink: Ink = "accent" if point.is_best else "quiet"
    tip = f"{point.name}: {percent(point.x)}, {percent(point.y)}"
    drawn = inked(ink, [mark(x, y, SHAPES[0] if point.is_best else "ring", size=5.5, tip=tip)])
    return link(point.href, [drawn], name=tip) if point.href else drawn


def _name(name: str) -> str:
    return shortened(plain(name), 190)


def _free_place(
    point: Point, spot: tuple[float, float], frame: _Box, taken: Sequence[_Box], *, reaches: bool
) -> _Place | None:
    """Return the first place around a point where its name lies over nothing and within the frame."""
    for place in _places(text_width(_name(point.name)), *spot):
        box = place.box
        if place.is_far and not reaches:
            return None
        inside = (
            frame.left <= box.left
            and box.right <= frame.right
            and frame.top <= box.top
            and box.bottom <= frame.bottom
        )
        if inside and not any(box.meets(other) for other in taken):
            return place
    return None


def _places(width: float, x: float, y: float) -> Iterator[_Place]:
    for far in (_NEAR, _FAR, 2 * _FAR):
        is_far = far != _NEAR
        for dx, dy in ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1)):
            # Beside a point, far away, a name would look like another point's.
            if is_far and dy == 0:
                continue
            anchor: Anchor = "start" if dx > 0 else "end" if dx < 0 else "middle"
            at_x = x + dx * (_NEAR if not is_far or dx == 0 else far / 2)
            at_y = y + 4 + dy * (far + (4 if dx == 0 else 0))
            start = at_x - {"start": 0, "end": width, "middle": width / 2}[anchor]
            box = _Box(start, at_y - _TEXT_UP, start + width, at_y + _TEXT_DOWN)
            yield _Place(box, at_x, at_y, anchor, is_far)
