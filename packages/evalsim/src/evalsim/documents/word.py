"""Word documents, written as the XML that they are: paragraphs, tables, tracked changes, and traps."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO
from xml.sax.saxutils import escape

from evalsim.documents.hidden_text import hidden
from evalsim.documents.notices import rows_of

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
_NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_BY = 'w:id="1" w:author="An Editor" w:date="2026-01-05T09:00:00Z"'
_MOMENT = (2026, 1, 5, 9, 0, 0)


def docx(page: str) -> bytes:
    """A page of Markdown: headings, paragraphs, and a table where it has one."""
    return _packed(_document(_blocks(page)), page)


def docx_with_changes(before: str, deleted: str, inserted: str, after: str) -> bytes:
    """Tracked changes: one paragraph in which `deleted` was crossed out and `inserted` written instead."""
    runs = [
        _run(before),
        f'<w:del {_BY}><w:r><w:delText xml:space="preserve">{escape(deleted)}</w:delText></w:r></w:del>',
        f"<w:ins {_BY}>{_run(inserted)}</w:ins>",
        _run(after),
    ]
    return _packed(_document(f"<w:p>{''.join(runs)}</w:p>"), before + inserted + after)


def docx_bomb(size: int = 256 * 2**20) -> bytes:
    """A document whose text is `size` spaces."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELATIONS)
        head, tail = _document("<w:p><w:r><w:t>|</w:t></w:r></w:p>").split("|")
        with archive.open("word/document.xml", "w") as entry:
            entry.write(head.encode())
            for _ in range(size // 2**20):
                entry.write(b" " * 2**20)
            entry.write(tail.encode())
    return buffer.getvalue()


def docx_with_entity(address: str) -> bytes:
    """A document whose text is to be fetched from an address, a file's or another machine's."""
    declared = f'<!DOCTYPE w:document [<!ENTITY fetched SYSTEM "{address}">]>'
    head, _, rest = _document("<w:p><w:r><w:t>|</w:t></w:r></w:p>").partition("?>")
    return _packed(f"{head}?>{declared}{rest.replace('|', '&fetched;')}", "")


def _blocks(page: str) -> str:
    parts = []
    for block in page.split("\n\n"):
        if block.startswith("|"):
            rows = "".join(f"<w:tr>{''.join(map(_cell, cells))}</w:tr>" for cells in rows_of(block))
            parts.append(f"<w:tbl>{rows}</w:tbl>")
        elif block.startswith("#"):
            style = '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>'
            parts.append(f"<w:p>{style}{_run(block.lstrip('# '))}</w:p>")
        else:
            parts.append(f"<w:p>{_run(block)}</w:p>")
    return "".join(parts)


def _cell(text: str) -> str:
    return f"<w:tc><w:p>{_run(text)}</w:p></w:tc>"


def _run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _document(body: str) -> str:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return f"{head}<w:document {_NAMESPACE}><w:body>{body}</w:body></w:document>"


def _packed(document: str, page: str) -> bytes:
    parts: Sequence[tuple[str, str]] = (
        ("[Content_Types].xml", _TYPES),
        ("_rels/.rels", _RELATIONS),
        ("word/document.xml", document),
    )
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts:
            # With a moment of its own: otherwise the archive would hold the time at which it was made.
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), text, zipfile.ZIP_DEFLATED)
        archive.comment = hidden([page]).encode()
    return buffer.getvalue()
