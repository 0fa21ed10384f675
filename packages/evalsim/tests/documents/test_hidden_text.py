"""What stands on a document's pages, carried in its bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evalsim.documents.hidden_text import hidden, pages_hidden_in


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.binary(max_size=50))
def test_what_is_hidden_is_found_wherever_it_stands(pages, around):
    mark = hidden(pages)
    assert mark.isalnum()
    assert pages_hidden_in(b"%PDF " + mark.encode() + around) == pages


@given(st.binary(max_size=200))
def test_other_bytes_hide_nothing(document):
    assert pages_hidden_in(document) is None


def test_a_mark_that_was_cut_or_spoilt_hides_nothing():
    assert pages_hidden_in(hidden(["page"])[:-3].encode()) is None
    assert pages_hidden_in(b"evalsimpages00ffz") is None
    assert pages_hidden_in(b"evalsimpages0z") is None
