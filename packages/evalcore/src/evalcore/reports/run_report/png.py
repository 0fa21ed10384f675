"""A chart's SVG as PNG, drawn by resvg with the font that lies beside: the same on every machine."""

from __future__ import annotations

from importlib import resources
from typing import Final

import resvg_py

from evalcore.errors import StorageError

FONT: Final = "DejaVu Sans Condensed"
SCALE: Final = 1.5
"""Pixels of the PNG per pixel of the SVG: sharp on screens of today."""


def draw_png(svg: str) -> bytes:
    """Draw a chart; raises StorageError where the font is missing, which no text can do without."""
    file = resources.files(__package__).joinpath("font", "DejaVuSansCondensed.ttf")
    with resources.as_file(file) as path:
        if not path.is_file():
            hint = "install evalcore anew"
            raise StorageError("the font of the charts is missing", where=str(path), hint=hint)
        return resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=SCALE,
            # No font of the machine is looked at, so that no other is found on another machine.
            skip_system_fonts=True,
            font_files=[str(path)],
            font_family=FONT,
            sans_serif_family=FONT,
        )
