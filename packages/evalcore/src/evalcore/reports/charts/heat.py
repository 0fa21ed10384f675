"""A matrix as colours with the figures in them: dark is far from right, so that it is seen first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from evalcore.reports.charts.svg import INKS, chart, element, inked, label, number, shortened, text_width
from evalcore.structs import Frozen

# From all wrong to all right in steps of a tenth; lightness alone tells them apart, also in print.
HEAT: Final = (
    "#5c1a07", "#782309", "#93300f", "#ad411a", "#c4562b", "#d77043", "#e58c60", "#efa982", "#f6c5a7",
    "#fbe0cf", "#ffffff",
)  # fmt: skip
DARK_UP_TO: Final = 4
"""From this step on text is black, below it white: at least 4.5 to 1 on each."""
CELL_HEIGHT = 22.0
LONGEST_NAME = 300.0


class Cell(Frozen, frozen=True):
    """A share in [0, 1], which is its colour, or None where there is none; `text` stands in it."""

    share: float | None
    text: str = ""


def heat_step(share: float) -> int:
    """Return the step of a share's colour, 0 to 10. Only what is right throughout has the last one."""
    return 10 if share >= 1 else max(0, min(9, int(share * 10)))


def heat_chart(
    rows: Sequence[tuple[str, Sequence[Cell]]],
    columns: Sequence[str],
    *,
    title: str,
    description: str,
    cell_width: float = 34.0,
    has_tips: bool = True,
) -> str:
    """Draw a matrix; a row has one cell for each column. Names of columns are written upright.

    Tips are shown where a cell is pointed at: of no use in a chart that stands as a picture.
    """
    left = min(max((text_width(name) for name, _ in rows), default=0.0) + 12, LONGEST_NAME)
    top = min(max((text_width(name) for name in columns), default=0.0) + 12, 180.0)
    width, height = left + cell_width * len(columns) + 8, top + CELL_HEIGHT * len(rows) + 8
    parts = []
    for index, name in enumerate(columns):
        x = left + cell_width * (index + 0.5) + 4
        text = label(0, 0, shortened(name, top - 10))
        turned = f"translate({number(x)} {number(top - 6)}) rotate(-90)"
        parts.append(element("g", {"transform": turned}, [text]))
    for line, (name, cells) in enumerate(rows):
        y = top + CELL_HEIGHT * line
        parts.append(label(left - 8, y + 15, shortened(name, left - 12), anchor="end"))
        for index, (cell, column) in enumerate(zip(cells, columns, strict=True)):
            x = left + cell_width * index
            parts.append(_cell(cell, x, y, cell_width, f"{name}, {column}" if has_tips else ""))
    return chart(title, description, width, height, parts)


def _cell(cell: Cell, x: float, y: float, width: float, name: str) -> ET.Element:
    box = {"x": number(x), "y": number(y), "width": number(width - 1), "height": number(CELL_HEIGHT - 1)}
    middle = {"x": number(x + width / 2), "y": number(y + 15), "text-anchor": "middle", "font-size": "11"}
    tips = [element("title", {}, text=f"{name}: {cell.text or 'none'}")] if name else []
    if cell.share is None:
        empty = {"fill": "none", "stroke": "currentColor", "stroke-dasharray": "2 2"}
        return inked("grid", [*tips, element("rect", box | empty)])
    step = heat_step(cell.share)
    colour = {"class": f"heat-{step}", "fill": HEAT[step], "stroke": INKS["grid"]}
    on = {"class": f"on-heat-{step}", "fill": "#000000" if step >= DARK_UP_TO else "#ffffff"}
    return element(
        "g", {}, [*tips, element("rect", box | colour), element("text", middle | on, text=cell.text)]
    )
