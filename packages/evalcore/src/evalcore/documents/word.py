"""DOCX: looked at as the ZIP that it is, and read through mammoth. Runs in the process of `worker` alone."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Final
from zipfile import BadZipFile, ZipFile

import mammoth
from markdownify import markdownify

from evalcore.documents.answer import READ_BY_MODEL, DocumentProblem, WorkerAnswer
from evalcore.documents.plain_text import plain_text

MOST_UNPACKED: Final = 200 << 20
"""Bytes of all parts together."""
MOST_PARTS: Final = 5000
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
"""How an encrypted DOCX begins, and a Word file of before 2007."""
_MAIN: Final = "word/document.xml"
_PIECE: Final = 1 << 20
# `<!DOCTYPE` has 18 bytes in UTF-16: a mark that two reads cut is found in the second.
_MARK: Final = 32
"""Bytes that each piece has of the one before."""


def inspect(data: bytes) -> WorkerAnswer:
    """Look at a DOCX; raises DocumentProblem. Its pages are not known before somebody lays it out."""
    if data.startswith(_OLE):
        raise DocumentProblem(
            "is encrypted, or a Word file of before 2007: save it as DOCX without a password"
        )
    try:
        with ZipFile(BytesIO(data)) as archive:
            _require_unpackable(archive)
    except BadZipFile:
        raise DocumentProblem("is broken: it is no whole DOCX") from None
    return WorkerAnswer()


def text(data: bytes) -> WorkerAnswer:
    """Read a DOCX as Markdown, its tracked changes accepted, without pictures, headers and footers."""
    inspect(data)
    result = mammoth.convert_to_html(
        BytesIO(data), convert_image=mammoth.images.img_element(lambda _image: {"src": ""})
    )
    markdown = markdownify(
        result.value, heading_style="ATX", bullets="-", strip=["img", "a"], table_infer_header=True
    )
    read = plain_text(markdown)
    if not read:
        raise DocumentProblem(f"has no text: {READ_BY_MODEL}")
    return WorkerAnswer(text=f"{read}\n")


def _require_unpackable(archive: ZipFile) -> None:
    names = archive.namelist()
    if len(names) > MOST_PARTS:
        raise DocumentProblem(f"has {len(names):,} parts, over {MOST_PARTS:,}")
    if _MAIN not in names:
        raise DocumentProblem(f"is no DOCX: it has no {_MAIN}")
    left = MOST_UNPACKED
    for part in archive.infolist():
        # Unpacked to see it: the sizes that a ZIP states are whatever its maker wrote.
        is_markup = part.filename.endswith((".xml", ".rels"))
        for piece in _pieces(archive, part.filename):
            left -= len(piece)
            if left < 0:
                raise DocumentProblem(f"unpacks to over {MOST_UNPACKED >> 20} MiB")
            # Entities grow without bound once they are expanded, or name files of this machine. In UTF-16
            # each letter has a zero beside it.
            if is_markup and b"<!DOCTYPE" in piece.replace(b"\0", b""):
                raise DocumentProblem(f"{part.filename} declares entities, which no Word file does")


def _pieces(archive: ZipFile, name: str) -> Iterator[bytes]:
    """Yield a part in pieces, each with the end of what came before, so that no mark is cut in two."""
    with archive.open(name) as part:
        tail = b""
        while piece := part.read(_PIECE):
            yield tail + piece
            tail = (tail + piece)[-_MARK:]
