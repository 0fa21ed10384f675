"""What stands on made pages: the same words with and without Markdown's marks."""

from __future__ import annotations

import re

import pytest

from evalsim.documents.notices import Notice, plain, rows_of


def words(text):
    return re.findall(r"\w+", text)


@pytest.mark.parametrize("page", [Notice(3).page(), Notice(3).page(2, of=3), Notice(3).table()])
def test_a_page_without_its_marks_has_the_same_words(page):
    assert words(plain(page)) == words(page)
    assert not re.search(r"[#|]", plain(page))


def test_the_first_page_says_what_is_expected():
    notice = Notice(4)
    assert all(str(value) in notice.pages(2)[0] for value in notice.expected.values())
    assert all(str(value) in notice.table() for value in notice.expected.values())
    assert len({Notice(number).page() for number in range(40)}) == 40


def test_a_tables_rows_are_its_cells():
    rows = rows_of(Notice(4).table())
    assert rows[0] == ["field", "value"]
    assert dict(rows[1:])["amount"] == str(Notice(4).expected["amount"])
