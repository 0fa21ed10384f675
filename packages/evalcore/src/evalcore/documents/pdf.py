"""PDF: looked at, and its text layer read, through pypdf. Runs in the process of `worker` alone."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Final

from pypdf import PageObject, PdfReader
from pypdf.errors import LimitReachedError
from pypdf.generic import DictionaryObject, StreamObject

from evalcore.documents.answer import READ_BY_MODEL, DocumentProblem, WorkerAnswer, checked_pages
from evalcore.documents.plain_text import plain_text

# Readers of PDF look as far from either end for the marks of a whole file: a few bytes before or after it do
# no harm.
HEADER_WITHIN: Final = 1024
END_WITHIN: Final = 4096
"""Bytes from either end in which the marks of a whole file stand."""
# A page of A0 at 200 dpi has 62 million.
MOST_PIXELS: Final = 100_000_000
"""Of a page as MindRouter draws it, and of a picture on one."""
POINTS_PER_INCH: Final = 72


def inspect(data: bytes, dpi: int) -> WorkerAnswer:
    """Look at a PDF that is to be drawn at `dpi` dots per inch.

    Raises DocumentProblem, or what pypdf raises.
    """
    reader = _open(data)
    pages = checked_pages(len(reader.pages))
    is_blank = True
    for number, page in enumerate(reader.pages, 1):
        _require_size(page, number, dpi)
        try:
            contents = page.get_contents()
            drawn = contents.get_data() if contents is not None else b""
            # Annotations are drawn as well: a form that was filled in may hold nothing else.
            is_blank = is_blank and not drawn.strip() and "/Annots" not in page
            for picture in _drawn_objects(page):
                _require_unpackable(picture, number)
        except LimitReachedError:
            raise DocumentProblem(f"page {number} unpacks to more than a page can hold") from None
    if is_blank:
        raise DocumentProblem("has nothing on its pages")
    return WorkerAnswer(pages=pages)


def text(data: bytes) -> WorkerAnswer:
    """Read the text layer of a PDF, page by page.

    Raises DocumentProblem where a page has a picture in its place.
    """
    reader = _open(data)
    pages = checked_pages(len(reader.pages))
    texts = []
    for number, page in enumerate(reader.pages, 1):
        read = plain_text(page.extract_text())
        if not read and any(True for _ in _pictures(page)):
            # Left out in silence, the page would be missing and nobody would know.
            raise DocumentProblem(
                f"page {number} of {pages} is a picture without a text layer: {READ_BY_MODEL}"
            )
        texts.append(read)
    if not any(texts):
        raise DocumentProblem(f"has no text layer: {READ_BY_MODEL}")
    return WorkerAnswer(pages=pages, text="\n\n".join(read for read in texts if read) + "\n")


def _open(data: bytes) -> PdfReader:
    if b"%PDF-" not in data[:HEADER_WITHIN]:
        raise DocumentProblem("is no PDF, though its name says so")
    if b"%%EOF" not in data[-END_WITHIN:]:
        raise DocumentProblem("is cut short: a PDF ends with %%EOF")
    reader = PdfReader(BytesIO(data), strict=False)
    # One that only restricts printing or copying opens without a password, here and everywhere.
    if reader.is_encrypted and not reader.decrypt(""):
        raise DocumentProblem("is encrypted: take its password off")
    return reader


def _require_size(page: PageObject, number: int, dpi: int) -> None:
    box = page.mediabox
    scale = float(page.get("/UserUnit", 1)) * dpi / POINTS_PER_INCH
    # A box whose corners are swapped has a negative width or height.
    if abs(float(box.width) * float(box.height)) * scale**2 > MOST_PIXELS:
        raise DocumentProblem(f"page {number} has over {MOST_PIXELS:,} pixels at {dpi} dpi")


def _drawn_objects(page: DictionaryObject) -> Iterator[StreamObject]:
    """Yield the pictures and forms that a page draws."""
    resources = page.get("/Resources")
    drawn = resources.get_object().get("/XObject") if resources is not None else None
    for item in (drawn.get_object() if drawn is not None else {}).values():
        found = item.get_object()
        if isinstance(found, StreamObject):
            yield found


def _pictures(page: PageObject) -> Iterator[StreamObject]:
    for found in _drawn_objects(page):
        if found.get("/Subtype") == "/Image":
            yield found
        elif found.get("/Subtype") == "/Form":
            # A scanner's software often wraps the picture once.
            yield from (inner for inner in _drawn_objects(found) if inner.get("/Subtype") == "/Image")


def _require_unpackable(found: StreamObject, number: int) -> None:
    if found.get("/Subtype") == "/Image":
        width, height = int(found.get("/Width", 0)), int(found.get("/Height", 0))
        if width * height > MOST_PIXELS:
            raise DocumentProblem(f"a picture on page {number} has {width:,} x {height:,} pixels")
    else:
        # A form's own size bounds nothing: what it unpacks to is only seen by unpacking it.
        found.get_data()
