"""What the simulation finds on the pages of documents, made ones and others."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from evalsim.documents import images, pdf, word
from evalsim.documents.collection import made_documents
from evalsim.mindrouter.pages import PDF, TYPES, Unreadable, pages_of

READABLE = [each for each in made_documents() if each.pages]


@pytest.mark.parametrize("made", READABLE, ids=[each.case for each in READABLE])
def test_every_made_document_that_can_be_read_has_its_pages(made):
    kind = TYPES[PurePath(made.file).suffix]
    assert tuple(pages_of(made.content, kind)) == made.pages


@pytest.mark.parametrize(
    ("document", "kind", "pages"),
    [
        (pdf.text_pdf(["first page", "second"]), PDF, ["first page", "second"]),
        (pdf.scanned_pdf(["one", "two"]), PDF, ["", ""]),
        (images.tiff(["one", "two"]), "image/tiff", ["", ""]),
        (word.docx("words"), TYPES[".docx"], [""]),
    ],
)
def test_of_somebody_elses_document_the_text_layer_is_all_that_is_known(document, kind, pages):
    assert pages_of(document.replace(b"evalsimpages", b"somebodyelse"), kind) == pages


@pytest.mark.parametrize("document", [b"", b"%PDF-", b"%PDF-1.7\n" + b"x" * 100, b"\xff" * 50])
def test_what_is_no_pdf_cannot_be_read(document):
    with pytest.raises(Unreadable):
        pages_of(document, PDF)


@pytest.mark.parametrize("document", [b"", b"GIF89a", images.png_bomb(), pdf.truncated(images.jpeg("x"))])
def test_what_is_no_image_cannot_be_read(document):
    with pytest.raises(Unreadable):
        pages_of(document, "image/png")
