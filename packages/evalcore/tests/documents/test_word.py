"""DOCX: what is refused of one, and what is read of it."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from evalcore.documents import word as reader
from evalcore.documents.answer import DocumentProblem
from evalsim.documents import word


def packed(**parts: bytes) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return file.getvalue()


def test_headings_paragraphs_and_tables_become_markdown():
    page = "# A title\n\nA paragraph.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |"
    read = reader.text(word.docx(page))
    assert read.pages is None
    assert read.text.splitlines()[0] == "# A title"
    assert "A paragraph." in read.text
    assert "| a | b |\n| --- | --- |\n| 1 | 2 |" in read.text


def test_tracked_changes_are_accepted():
    read = reader.text(word.docx_with_changes("The amount is ", "10", "75000", " dollars."))
    assert read.text == "The amount is 75000 dollars.\n"


def test_an_encrypted_one_and_one_of_before_2007_are_told_apart_from_a_broken_one():
    with pytest.raises(DocumentProblem, match="is encrypted, or a Word file of before 2007"):
        reader.inspect(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    with pytest.raises(DocumentProblem, match="is broken"):
        reader.inspect(b"no archive")


def test_an_archive_of_something_else_is_no_word_file():
    with pytest.raises(DocumentProblem, match=r"it has no word/document\.xml"):
        reader.inspect(packed(xl__workbook_xml=b"<x/>"))


def test_what_unpacks_without_end_is_refused_whatever_it_says_of_its_size():
    with pytest.raises(DocumentProblem, match="unpacks to over 200 MiB"):
        reader.inspect(word.docx_bomb())


def test_too_many_parts_are_refused(monkeypatch):
    monkeypatch.setattr(reader, "MOST_PARTS", 3)
    with pytest.raises(DocumentProblem, match="parts, over 3"):
        reader.inspect(packed(a=b"", b=b"", c=b"", word__document_xml=b"<x/>"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_in_whatever_encoding(encoding):
    text = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>'
    with pytest.raises(DocumentProblem, match="declares entities"):
        reader.inspect(packed(word__document_xml=text.encode(encoding)))


def test_entities_that_are_cut_by_a_read_are_found_too(monkeypatch):
    monkeypatch.setattr(reader, "_PIECE", 7)
    with pytest.raises(DocumentProblem, match="declares entities"):
        reader.inspect(word.docx_with_entity("file:///etc/passwd"))


def test_one_without_text_says_who_reads_pictures():
    with pytest.raises(DocumentProblem, match="reader: mindrouter"):
        reader.text(word.docx(""))
