"""Text of documents, as it may be sent and stored."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from evalcore.documents.plain_text import plain_text

ANY = st.text(st.characters(codec=None))  # surrogates included, as broken fonts give them


@given(ANY)
def test_it_is_always_utf_8_without_control_characters(text):
    read = plain_text(text)
    assert read.encode().decode() == read
    assert not any(unicodedata.category(char) == "Cc" for char in read if char not in {"\n", "\t"})


@given(ANY)
def test_reading_it_again_changes_nothing(text):
    assert plain_text(plain_text(text)) == plain_text(text)


def test_lines_and_paragraphs_stay():
    assert plain_text("a  \r\nb\r\n\r\n\r\n\r\nc\x00\x0c") == "a\nb\n\nc"
