"""What stands on the pages of a document, as the gateway's renderers and a model that sees would have it."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Final

from evalsim.documents.hidden_text import pages_hidden_in

PDF: Final = "application/pdf"
TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".tiff": "image/tiff",
    ".tif": "image/tiff",
    ".bmp": "image/bmp",
    ".pdf": PDF,
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".doc": "application/msword",
    ".ppt": "application/vnd.ms-powerpoint",
    ".xls": "application/vnd.ms-excel",
}
"""The content types that are taken, by the file name's extension."""


class Unreadable(Exception):
    """What turns documents into pages fails at this one."""


def pages_of(document: bytes, content_type: str) -> list[str]:
    """The Markdown of each page, empty where nothing is known of what it shows; raises Unreadable."""
    texts = pages_hidden_in(document)
    if content_type == PDF:
        return _pdf_pages(document, texts)
    if content_type.startswith("image/"):
        count = _frames(document)
        return texts or [""] * count
    return texts or [""]


def _pdf_pages(document: bytes, texts: list[str] | None) -> list[str]:
    from pypdf import PdfReader  # noqa: PLC0415 - slow to import, and most simulations read no document
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # the answer tells
    if not document.startswith(b"%PDF-"):
        raise Unreadable("not a PDF")
    try:
        reader = PdfReader(BytesIO(document))
        if reader.is_encrypted:
            raise Unreadable("encrypted")
        count = len(reader.pages)
        if texts is not None:
            # A page that says nothing is still a page: those who count pages must not lose one.
            return (texts + [""] * count)[:count]
        return [page.extract_text() for page in reader.pages]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def _frames(document: bytes) -> int:
    from PIL import Image  # noqa: PLC0415

    try:
        with Image.open(BytesIO(document)) as image:
            image.load()
            return int(getattr(image, "n_frames", 1))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unreadable(str(error)) from error
