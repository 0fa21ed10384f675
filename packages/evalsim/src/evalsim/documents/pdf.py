"""PDFs, made page by page: with a text layer, scanned, rotated, and those that nothing can be made of."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO

from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from evalsim.documents.compressed import deflated_zeros
from evalsim.documents.hidden_text import hidden
from evalsim.documents.images import drawn
from evalsim.documents.notices import plain, rows_of

MADE = datetime(2026, 1, 5, 9, tzinfo=UTC)


def text_pdf(pages: Sequence[str]) -> bytes:
    """Pages with a text layer, one column."""
    made = _begun(pages)
    for page in pages:
        made.add_page()
        made.multi_cell(0, 6, plain(page))
    return bytes(made.output())


def two_column_pdf(pages: Sequence[str]) -> bytes:
    """Pages with a text layer in two columns, read down the left one first."""
    made = _begun(pages)
    for page in pages:
        made.add_page()
        with made.text_columns(ncols=2, gutter=8, text_align="L") as columns:
            columns.write(plain(page))
    return bytes(made.output())


def table_pdf(pages: Sequence[str]) -> bytes:
    """Pages with a text layer: the heading, then a table with lines around its cells."""
    made = _begun(pages)
    for page in pages:
        made.add_page()
        made.multi_cell(0, 8, page.splitlines()[0].lstrip("# "), new_x="LMARGIN", new_y="NEXT")
        with made.table() as table:
            for cells in rows_of(page):
                table.row(cells)
    return bytes(made.output())


def scanned_pdf(pages: Sequence[str]) -> bytes:
    """Pages that are images alone."""
    made = _begun(pages)
    for page in pages:
        made.add_page()
        made.image(drawn(plain(page)), x=0, y=0, w=made.w)
    return bytes(made.output())


def rotated(document: bytes, degrees: int) -> bytes:
    """The same pages, shown turned by a multiple of 90 degrees."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(document)))
    for page in writer.pages:
        page.rotate(degrees)
    return _written(writer)


def encrypted_pdf(pages: Sequence[str], password: str) -> bytes:
    """Pages that nobody reads without the password."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(text_pdf(pages))))
    writer.encrypt(password, algorithm="AES-256")
    return _written(writer)


def pdf_without_pages() -> bytes:
    """A PDF that is whole and has no page."""
    writer = PdfWriter()
    return _written(writer)


def truncated(document: bytes) -> bytes:
    """The first third of a file."""
    return document[: len(document) // 3]


def pdf_bomb(size: int = 4 * 2**30) -> bytes:
    """One page whose content is `size` zero bytes, compressed twice over."""
    # Zeros packed once are a block that repeats, which packs as well once more: gigabytes in some kilobytes.
    stream = zlib.compress(deflated_zeros(size), 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n%s\nendstream"
        % (len(stream), stream),
    ]
    body, offsets = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + head + table + tail


def _begun(pages: Sequence[str]) -> FPDF:
    made = FPDF()
    # Fixed: the same pages are to be the same bytes, by whose hash they are known.
    made.set_creation_date(MADE)
    made.set_keywords(hidden(pages))
    made.set_font("helvetica", size=11)
    return made


def _written(writer: PdfWriter) -> bytes:
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
