"""PDF: what is refused of one, and what is read of it."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, FloatObject, NameObject, NumberObject

from evalcore.documents.answer import DocumentProblem, WorkerAnswer
from evalcore.documents.pdf import inspect, text
from evalsim.documents import pdf

PAGES = ["The first page.", "The second page."]
GOOD = pdf.text_pdf(PAGES)
SCAN = pdf.scanned_pdf(["Seen alone."])


def written(writer: PdfWriter) -> bytes:
    file = BytesIO()
    writer.write(file)
    return file.getvalue()


def joined(*parts: bytes) -> bytes:
    writer = PdfWriter()
    for part in parts:
        writer.append(BytesIO(part))
    return written(writer)


def test_a_good_one_has_its_pages_counted_and_read_in_their_order():
    assert inspect(GOOD, 200) == WorkerAnswer(pages=2)
    read = text(GOOD)
    assert read.pages == 2
    assert read.text == "The first page.\n\nThe second page.\n"


def test_what_stands_before_its_header_or_after_its_end_is_nothing_wrong():
    assert inspect(b"\n" * 20 + GOOD, 200).pages == 2
    assert inspect(GOOD + b"\n" * 1000, 200).pages == 2


def test_one_that_only_restricts_printing_is_read_as_everybody_reads_it():
    writer = PdfWriter(clone_from=BytesIO(GOOD))
    writer.encrypt("", "owner", algorithm="AES-256")
    assert inspect(written(writer), 200).pages == 2
    assert "first page" in text(written(writer)).text


def test_one_that_needs_a_password_is_refused():
    with pytest.raises(DocumentProblem, match="is encrypted"):
        inspect(pdf.encrypted_pdf(PAGES, "secret"), 200)


def test_two_hundred_pages_are_read_and_one_more_is_refused():
    assert inspect(pdf.text_pdf(["x"] * 200), 200).pages == 200
    with pytest.raises(DocumentProblem, match="has 201 pages, over 200"):
        inspect(pdf.text_pdf(["x"] * 201), 200)


def test_blank_pages_alone_are_nothing_to_read():
    writer = PdfWriter()
    writer.add_blank_page(612, 792)
    with pytest.raises(DocumentProblem, match="has nothing on its pages"):
        inspect(written(writer), 200)
    writer.append(BytesIO(GOOD))
    assert inspect(written(writer), 200).pages == 3


def with_box(width: int, height: int) -> bytes:
    writer = PdfWriter(clone_from=BytesIO(GOOD))
    box = [FloatObject(value) for value in (0, 0, width, height)]
    writer.pages[1][NameObject("/MediaBox")] = ArrayObject(box)
    return written(writer)


def test_a_page_that_would_be_drawn_too_large_is_refused_by_its_number_and_resolution():
    with pytest.raises(DocumentProblem, match="page 2 has over 100,000,000 pixels at 200 dpi"):
        inspect(with_box(14_400, 14_400), 200)
    a0 = with_box(2384, 3370)
    assert inspect(a0, 200).pages == 2
    with pytest.raises(DocumentProblem, match="at 600 dpi"):
        inspect(a0, 600)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked():
    writer = PdfWriter(clone_from=BytesIO(SCAN))
    for drawn in writer.pages[0]["/Resources"]["/XObject"].values():
        drawn.get_object()[NameObject("/Width")] = NumberObject(60_000)
        drawn.get_object()[NameObject("/Height")] = NumberObject(60_000)
    with pytest.raises(DocumentProblem, match="60,000 x 60,000 pixels"):
        inspect(written(writer), 200)


def test_a_page_that_is_only_a_picture_is_named_and_never_left_out_in_silence():
    with pytest.raises(DocumentProblem, match=r"page 3 of 3 is a picture .*`reader: mindrouter`"):
        text(joined(GOOD, SCAN))


def test_a_picture_inside_of_a_form_is_one_too():
    """As many a scanner's software writes it."""
    writer = PdfWriter(clone_from=BytesIO(SCAN))
    page = writer.pages[0]
    form = DecodedStreamObject()
    form.set_data(b"/Im0 Do")
    form[NameObject("/Type")] = NameObject("/XObject")
    form[NameObject("/Subtype")] = NameObject("/Form")
    form[NameObject("/Resources")] = page["/Resources"]
    del page["/Resources"]
    wrapped = writer._add_object(form)
    names = {NameObject("/Fm0"): wrapped}
    from pypdf.generic import DictionaryObject  # noqa: PLC0415

    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): DictionaryObject(names)})
    made = written(writer)
    assert len(PdfReader(BytesIO(made)).pages) == 1
    with pytest.raises(DocumentProblem, match="is a picture"):
        text(made)


def test_pages_without_text_and_picture_are_passed_over():
    writer = PdfWriter(clone_from=BytesIO(GOOD))
    writer.add_blank_page(612, 792)
    assert text(written(writer)).text == "The first page.\n\nThe second page.\n"
