"""The 28 made documents as cases."""

from __future__ import annotations

import json

from evalsim.documents.collection import made_documents, text_documents, unreadable_documents, write_cases


def test_there_are_28_and_all_differ():
    made = made_documents()
    assert len(made) == len({each.case for each in made}) == len({each.content for each in made}) == 28
    assert [each.case for each in made if not each.pages] == [each.case for each in unreadable_documents()]


def test_they_are_written_as_cases_with_their_answers(tmp_path):
    made = text_documents(3, pages=2)
    write_cases(tmp_path, made)
    for each in made:
        assert (tmp_path / each.case / each.file).read_bytes() == each.content
        assert json.loads((tmp_path / each.case / "expected.json").read_text()) == each.notice.expected
        assert len(each.pages) == 2
