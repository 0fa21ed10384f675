"""Made PDFs are what they are said to be."""

from __future__ import annotations

import re
import zlib
from io import BytesIO

import pytest
from pypdf import PdfReader
from pypdf.errors import FileNotDecryptedError

from evalsim.documents import pdf
from evalsim.documents.notices import Notice, plain

PAGES = Notice(1).pages(2)


def words(text):
    return re.findall(r"\w+", text)


def layer(document):
    return [page.extract_text() for page in PdfReader(BytesIO(document)).pages]


@pytest.mark.parametrize("make", [pdf.text_pdf, pdf.two_column_pdf])
def test_a_text_layer_has_the_words_of_the_pages(make):
    assert [words(text) for text in layer(make(PAGES))] == [words(plain(page)) for page in PAGES]


def test_a_table_has_its_words_in_its_cells():
    table = Notice(2).table()
    assert words(layer(pdf.table_pdf([table]))[0]) == words(plain(table))


def test_a_scan_has_pages_and_no_text():
    assert layer(pdf.scanned_pdf(PAGES)) == ["", ""]


def test_a_rotated_page_has_the_same_words():
    document = pdf.rotated(pdf.text_pdf(PAGES), 90)
    assert [page.rotation for page in PdfReader(BytesIO(document)).pages] == [90, 90]


def test_an_encrypted_one_needs_its_password():
    document = pdf.encrypted_pdf(PAGES, "secret")
    reader = PdfReader(BytesIO(document))
    with pytest.raises(FileNotDecryptedError):
        len(reader.pages)
    assert reader.decrypt("secret")
    assert len(reader.pages) == 2


def test_one_without_pages_is_whole():
    assert len(PdfReader(BytesIO(pdf.pdf_without_pages()), strict=True).pages) == 0


def test_a_bomb_is_small_until_it_is_opened():
    bomb = pdf.pdf_bomb()
    assert len(bomb) < 100_000
    inner = zlib.decompress(bomb.split(b"stream\n")[1].split(b"\nendstream")[0])
    unpacker = zlib.decompressobj()
    assert unpacker.decompress(inner, 1000) == bytes(1000)
    assert unpacker.unconsumed_tail
    small = pdf.pdf_bomb(2**20)
    assert PdfReader(BytesIO(small), strict=True).pages[0].get_contents().get_data() == bytes(2**20)


def test_the_same_pages_give_the_same_bytes():
    assert pdf.text_pdf(PAGES) == pdf.text_pdf(PAGES)
    assert pdf.rotated(pdf.scanned_pdf(PAGES), 90) == pdf.rotated(pdf.scanned_pdf(PAGES), 90)
