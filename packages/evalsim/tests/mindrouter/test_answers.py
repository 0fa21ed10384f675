"""The expected answers that simulated models answer from, as libraries and data sets hold them."""

from __future__ import annotations

import json

import pytest

from evalsim.documents.collection import text_documents, unreadable_documents, write_cases
from evalsim.documents.notices import plain
from evalsim.mindrouter.answers import LARGEST, AnswerBook, Expected
from evalsim.testing import write_component


def case(folder, name, text, expected="{}", suffix="json"):
    place = folder / name
    place.mkdir(parents=True)
    (place / "input.md").write_text(text)
    (place / f"expected.{suffix}").write_text(expected)
    return place


def find(book, text, system=""):
    found = book.find(system, text)
    return None if found is None else found.value


def test_a_librarys_cases_are_found_by_their_input(tmp_path):
    write_component(tmp_path, cases={"one": {"a": 1}, "two": {"a": 2}})
    book = AnswerBook.from_folders([tmp_path])
    assert len(book) == 2
    assert find(book, "input of one") == {"a": 1}
    assert find(book, "  input of two\n") == {"a": 2}
    assert find(book, "input of three") is None


@pytest.mark.parametrize("layout", ["memo/one", "memo/cases/one"])
def test_data_sets_are_found_in_either_layout(tmp_path, layout):
    case(tmp_path, layout, "the input", '{"a": 3}')
    assert find(AnswerBook.from_folders([tmp_path]), "the input") == {"a": 3}


def test_of_two_answers_to_one_input_the_later_folders_holds(tmp_path):
    for number in (1, 2):
        case(tmp_path / str(number), "memo/one", "same", json.dumps({"a": number}))
    folders = [tmp_path / "1", tmp_path / "2"]
    assert find(AnswerBook.from_folders(folders), "same") == {"a": 2}
    assert find(AnswerBook.from_folders(folders[::-1]), "same") == {"a": 1}


def test_where_two_components_have_one_input_the_prompt_decides(tmp_path):
    for slug, answer in (("memo", 1), ("letter", 2)):
        prompt = f"---\nname: {slug}\nversion: 1.0.0\n---\nAbout.\n## Prompt\nAnswer as a {slug}.\n"
        write_component(tmp_path, slug, prompt_file=prompt)
        case(tmp_path / "components" / slug / "evals" / "cases", "one", "same", json.dumps(answer))
    book = AnswerBook.from_folders([tmp_path])
    assert find(book, "same", "Answer as a memo.") == 1
    assert find(book, "same", "Answer as a letter.") == 2
    assert find(book, "same", "Something else.") in {1, 2}


def test_markdown_is_an_answer_as_it_stands(tmp_path):
    case(tmp_path, "memo/one", "in", "# Title\n", suffix="md")
    assert AnswerBook.from_folders([tmp_path]).find("", "in") == Expected("# Title\n", is_json=False)


def test_of_two_kinds_of_answer_json_is_taken(tmp_path):
    place = case(tmp_path, "memo/one", "in", '{"a": 1}')
    (place / "expected.md").write_text("# Title")
    assert find(AnswerBook.from_folders([tmp_path]), "in") == {"a": 1}


@pytest.mark.parametrize("expected", ["{", "", "nonsense"])
def test_an_answer_that_is_no_json_is_no_case(tmp_path, expected):
    case(tmp_path, "memo/one", "in", expected)
    assert len(AnswerBook.from_folders([tmp_path])) == 0


def test_what_cannot_be_read_is_no_case(tmp_path):
    (case(tmp_path, "memo/bytes", "x") / "input.md").write_bytes(b"\xff")
    (case(tmp_path, "memo/large", "x") / "input.md").write_bytes(b"x" * (LARGEST + 1))
    (case(tmp_path, "memo/none", "x") / "expected.json").unlink()
    folder = case(tmp_path, "memo/folder", "x")
    (folder / "input.md").unlink()
    (folder / "input.md").mkdir()
    assert len(AnswerBook.from_folders([tmp_path])) == 0


def test_no_folders_make_an_empty_book(tmp_path):
    assert len(AnswerBook.from_folders([])) == len(AnswerBook.from_folders([tmp_path / "nowhere"])) == 0
    assert AnswerBook().find("", "") is None


def test_a_byte_order_mark_is_no_part_of_an_input(tmp_path):
    (case(tmp_path, "memo/one", "x") / "input.md").write_bytes(b"\xef\xbb\xbfin")
    assert find(AnswerBook.from_folders([tmp_path]), "in") == {}


def document_case(folder, made):
    write_cases(folder / "memo" / "cases", [made])
    return AnswerBook.from_folders([folder])


def test_a_documents_answer_is_found_by_the_words_on_its_pages_however_they_are_set(tmp_path):
    made = text_documents(1)[0]
    book = document_case(tmp_path, made)
    assert len(book) == 1
    assert find(book, "\n\n".join(made.pages)) == made.notice.expected
    assert find(book, plain(made.pages[0]).replace("\n", " ")) == made.notice.expected
    assert find(book, made.pages[0] + " and more") is None


def test_a_text_wins_over_a_document(tmp_path):
    made = text_documents(1)[0]
    (case(tmp_path, "memo/cases/both", "the input", '{"a": 1}') / made.file).write_bytes(made.content)
    book = AnswerBook.from_folders([tmp_path])
    assert find(book, "the input") == {"a": 1}
    assert find(book, "\n\n".join(made.pages)) is None


def test_a_document_that_cannot_be_read_has_no_answer(tmp_path):
    for made in unreadable_documents():
        write_cases(tmp_path / "memo" / "cases", [made])
    assert len(AnswerBook.from_folders([tmp_path])) == 0
