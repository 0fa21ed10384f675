"""The 28 made documents, as cases of a component with the answer to each; the last ten are unreadable."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from evalcore.structs import Frozen
from evalsim.documents import images, pdf, word
from evalsim.documents.notices import Notice


class Made(Frozen, frozen=True):
    """One document, as the input of a case."""

    case: str
    file: str
    content: bytes
    notice: Notice
    pages: tuple[str, ...] = ()
    """The Markdown of each page; none where it cannot be read."""
    has_text: bool = True
    """Whether its words can be had without looking at it."""


# Two hundred pages and bombs of gigabytes take seconds to make, and many tests ask for them.
@cache
def made_documents() -> tuple[Made, ...]:
    """Every one of them: first those that can be read, then `unreadable_documents`."""
    return (*_with_text(), *_to_be_seen(), *unreadable_documents())


def write_cases(folder: Path, documents: Iterable[Made]) -> None:
    """Write each document as a case with its expected answer."""
    for each in documents:
        case = folder / each.case
        case.mkdir(parents=True)
        (case / each.file).write_bytes(each.content)
        (case / "expected.json").write_bytes(msgspec.json.encode(each.notice.expected))


def text_documents(count: int, *, pages: int = 1) -> tuple[Made, ...]:
    """So many PDFs of so many pages, all different."""
    notices = [Notice(number) for number in range(count)]
    return tuple(_pdf(f"notice-{each.number:02}", each, pages) for each in notices)


def _pdf(case: str, notice: Notice, count: int) -> Made:
    pages = notice.pages(count)
    return Made(case, "input.pdf", pdf.text_pdf(pages), notice, pages)


def _with_text() -> tuple[Made, ...]:
    notices = [Notice(number) for number in range(12)]
    table = (notices[5].table(),)
    columns, turned, upside_down = (notices[number].pages(1) for number in (4, 6, 7))
    plain, with_table = notices[8].page(), notices[9].table()
    changed = f"Award number: {notices[10].expected['award_number']}. The amount is "
    after = " US dollars."
    tracked = changed + "75000" + after
    return (
        _pdf("one-page", notices[0], 1),
        _pdf("three-pages", notices[1], 3),
        _pdf("fourteen-pages", notices[2], 14),
        _pdf("two-hundred-pages", notices[3], 200),
        Made("two-columns", "input.pdf", pdf.two_column_pdf(columns), notices[4], columns),
        Made("tables", "input.pdf", pdf.table_pdf(table), notices[5], table),
        Made("rotated", "input.pdf", pdf.rotated(pdf.text_pdf(turned), 90), notices[6], turned),
        Made(
            "upside-down", "input.pdf", pdf.rotated(pdf.text_pdf(upside_down), 180), notices[7], upside_down
        ),
        Made("word", "input.docx", word.docx(plain), notices[8], (plain,)),
        Made("word-tables", "input.docx", word.docx(with_table), notices[9], (with_table,)),
        Made(
            "word-changes",
            "input.docx",
            word.docx_with_changes(changed, "10", "75000", after),
            notices[10],
            (tracked,),
        ),
    )


def _to_be_seen() -> tuple[Made, ...]:
    scan, long_scan, turned, fax = (Notice(20 + at).pages(count) for at, count in enumerate((1, 3, 1, 1)))
    long_fax, photo, snapshot = Notice(24).pages(3), Notice(25).page(), Notice(26).page()
    seen = (
        ("scanned", "input.pdf", pdf.scanned_pdf(scan), 20, scan),
        ("scanned-three-pages", "input.pdf", pdf.scanned_pdf(long_scan), 21, long_scan),
        ("scanned-rotated", "input.pdf", pdf.rotated(pdf.scanned_pdf(turned), 270), 22, turned),
        ("fax", "input.tiff", images.tiff(fax), 23, fax),
        ("fax-three-pages", "input.tiff", images.tiff(long_fax), 24, long_fax),
        ("photograph", "input.png", images.png(photo), 25, (photo,)),
        ("snapshot", "input.jpg", images.jpeg(snapshot), 26, (snapshot,)),
    )
    return tuple(
        Made(case, file, content, Notice(number), pages, has_text=False)
        for case, file, content, number, pages in seen
    )


def unreadable_documents() -> tuple[Made, ...]:
    """Those that nothing can be made of, or that it would be dangerous to try."""
    pages = Notice(40).pages(1)
    bad = {
        "bad-encrypted": ("input.pdf", pdf.encrypted_pdf(pages, "secret")),
        "bad-truncated": ("input.pdf", pdf.truncated(pdf.text_pdf(pages))),
        "bad-empty": ("input.pdf", b""),
        "bad-without-pages": ("input.pdf", pdf.pdf_without_pages()),
        "bad-no-pdf": ("input.pdf", b"This was never a PDF.\n" * 20),
        "bad-bomb": ("input.pdf", pdf.pdf_bomb()),
        "bad-image-bomb": ("input.png", images.png_bomb()),
        "bad-image-truncated": ("input.jpg", pdf.truncated(images.jpeg(pages[0]))),
        "bad-word-bomb": ("input.docx", word.docx_bomb()),
        "bad-word-entity": ("input.docx", word.docx_with_entity("file:///etc/passwd")),
    }
    return tuple(Made(case, file, content, Notice(40)) for case, (file, content) in bad.items())
