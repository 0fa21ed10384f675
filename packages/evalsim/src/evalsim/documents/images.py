"""Images of pages: drawn, photographed, of several pages, and one that no memory holds."""

from __future__ import annotations

import struct
import textwrap
import zlib
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from evalsim.documents.compressed import deflated_zeros
from evalsim.documents.hidden_text import hidden
from evalsim.documents.notices import plain

SIZE = (850, 1100)
"""Pixels of a page: letter size at 100 dots to the inch."""
DESCRIPTION = 270
"""TIFF's tag for what an image shows."""


def drawn(text: str) -> Image.Image:
    """A page with the text on it, black on white."""
    page = Image.new("L", SIZE, 255)
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 80) or [""]]
    ImageDraw.Draw(page).multiline_text((60, 60), "\n".join(lines), fill=0, font=ImageFont.load_default(16))
    return page


def photographed(text: str) -> Image.Image:
    """A page as a hand-held camera sees it: askew, unevenly lit, in colour."""
    page = drawn(text).rotate(2.5, fillcolor=200, resample=Image.Resampling.BICUBIC)
    light = Image.linear_gradient("L").resize(SIZE)
    shaded = Image.composite(page, page.point(lambda value: value * 3 // 4), light)
    return Image.merge("RGB", (shaded, shaded, shaded.point(lambda value: value * 9 // 10)))


def png(page: str) -> bytes:
    """A photograph of a page as PNG."""
    notes = PngInfo()
    notes.add_text("Description", hidden([page]))
    return _saved(photographed(plain(page)), "PNG", pnginfo=notes)


def jpeg(page: str) -> bytes:
    """A photograph of a page as JPEG."""
    return _saved(photographed(plain(page)), "JPEG", comment=hidden([page]).encode(), quality=80)


def tiff(pages: Sequence[str]) -> bytes:
    """A fax: one image for each page."""
    first, *more = (drawn(plain(page)).convert("1") for page in pages)
    notes = {DESCRIPTION: hidden(pages)}
    return _saved(first, "TIFF", save_all=True, append_images=more, compression="group4", tiffinfo=notes)


def png_bomb(side: int = 50_000) -> bytes:
    """A PNG of `side` by `side` white dots in less than a megabyte."""
    # One bit for each dot, and a byte before each row that names its filter.
    row = 1 + -(-side // 8)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", deflated_zeros(row * side)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
