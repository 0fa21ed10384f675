"""Made Word documents are what they are said to be."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

from evalsim.documents import word
from evalsim.documents.notices import Notice, plain


def xml(document):
    with zipfile.ZipFile(BytesIO(document)) as archive:
        assert archive.testzip() is None
        return archive.read("word/document.xml").decode()


def words(text):
    return re.findall(r"\w+", text)


def runs(text, tag="w:t"):
    return [found[1] for found in re.finditer(rf"<{tag}[^>]*>([^<]*)</{tag}>", text)]


def test_paragraphs_and_tables_have_the_words_of_the_page():
    for page in (Notice(1).page(), Notice(1).table()):
        assert words(" ".join(runs(xml(word.docx(page))))) == words(plain(page))
    assert xml(word.docx(Notice(1).table())).count("<w:tr>") == 6


def test_changes_are_tracked_with_what_was_there_before():
    text = xml(word.docx_with_changes("It is ", "10", "75000", " dollars."))
    assert runs(text) == ["It is ", "75000", " dollars."]
    assert runs(text, "w:delText") == ["10"]


def test_what_xml_marks_is_escaped():
    assert runs(xml(word.docx("a < b & c"))) == ["a &lt; b &amp; c"]


def test_a_bomb_is_small_until_it_is_opened():
    bomb = word.docx_bomb(8 * 2**20)
    assert len(bomb) < 2**17
    assert len(xml(bomb)) > 8 * 2**20


def test_an_entity_names_what_is_to_be_fetched():
    text = xml(word.docx_with_entity("file:///etc/passwd"))
    assert '<!ENTITY fetched SYSTEM "file:///etc/passwd">' in text
    assert runs(text) == ["&fetched;"]
