"""Which values a component may answer with, and how cases that cannot be used are summed up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.errors import CaseError, CheckoutError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.cases import (
    DOCUMENTS,
    MAX_NAME,
    NoUsableCase,
    case_folders,
    case_place,
    document_bytes,
    is_of_kind,
    load_cases,
    skipped_document,
)
from evalcore.library.checkout import CommitCheckout, FolderCheckout
from evalcore.library.component import MOST_BROKEN, Document, SkippedCase, broken_cases_sentence
from evalsim.testing import git, make_component, write_component


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ({}, {"json_object", "json"}),
        ([], {"json_array", "json"}),
        (1, set()),
        ("text", set()),
        (None, set()),
        (True, set()),
    ],
)
def test_a_value_is_of_the_kind_that_the_component_answers_with(value, kinds):
    formats = ("json_object", "json_array", "json")
    assert {output for output in formats if is_of_kind(value, output)} == kinds


def test_the_one_case_that_cannot_be_used_is_named_with_its_reason():
    error = NoUsableCase("memo", (SkippedCase("one", "components/memo/one: has no input"),))
    assert error.line == (
        "components/memo: its one case cannot be used; one: components/memo/one: has no input; mend one"
    )


def test_of_several_the_first_is_named_and_all_are_counted():
    skipped = (SkippedCase("a", "why"), SkippedCase("b", "why not"))
    error = NoUsableCase("memo", skipped)
    assert error.what == "none of its 2 cases can be used; a: why"
    assert error.hint == "mend one; `evalcli check memo` says why of each"
    assert error.skipped == skipped


def test_a_component_without_cases_is_told_where_they_go():
    error = NoUsableCase("memo", ())
    assert error.line == (
        "components/memo: has no cases;"
        " put input.md and expected.json (or .md) into components/memo/evals/cases/<case>/"
    )


def test_a_reason_says_where_a_skipped_case_comes_from():
    assert SkippedCase("a", "evaluation-data-sets/memo/a: is empty").source == "data_sets"
    assert SkippedCase("a", "components/memo/evals/cases/a: is empty").source == "library"


def broken(*names):
    return [SkippedCase(name, "why", broken=True) for name in names]


def test_without_a_broken_case_nothing_is_said():
    assert broken_cases_sentence([]) is None
    assert broken_cases_sentence([SkippedCase("a", "has no input")]) is None


def test_broken_cases_are_counted_and_named():
    assert broken_cases_sentence(broken("a")) == (
        "1 case is broken and left out, so the figures are of the others alone: a."
    )
    assert broken_cases_sentence([*broken("a", "b"), SkippedCase("c", "why")]) == (
        "2 cases are broken and left out, so the figures are of the others alone: a, b."
    )


def test_of_figures_that_were_made_before_it_says_when_the_cases_were_broken():
    assert broken_cases_sentence(broken("a"), since="On 2026-01-05") == (
        "On 2026-01-05 1 case was broken and is left out, so the figures are of the others alone: a."
    )
    assert broken_cases_sentence(broken("a", "b"), since="On 2026-01-05").startswith(
        "On 2026-01-05 2 cases were broken and are left out, so"
    )


def test_a_sentence_names_a_few_and_counts_the_rest():
    names = [f"case{at}" for at in range(MOST_BROKEN + 3)]
    sentence = broken_cases_sentence(broken(*names), lambda name: f"<{name}>")
    assert sentence.endswith(f"<case{MOST_BROKEN - 1}> and 3 more.")
    assert sentence.startswith(f"{MOST_BROKEN + 3} cases are broken")


@given(st.text(min_size=1, max_size=12).filter(lambda name: "/" not in name and "\0" not in name))
def test_a_folder_of_any_name_is_a_case_or_is_skipped_with_a_reason(tmp_path_factory, name):
    library = tmp_path_factory.mktemp("library")
    try:
        write_component(library, cases={"good": {"a": 1}, name: {"a": 2}})
    except (OSError, UnicodeEncodeError):
        return  # the file system takes no such name
    cases, skipped = load_cases(FolderCheckout(library), None, make_component())
    named = {case.name for case in cases} | {case.case for case in skipped}
    assert "good" in named
    assert all(case.name.isprintable() and len(case.name) <= MAX_NAME for case in cases)
    assert all(case.case.isprintable() and case.reason.isprintable() for case in skipped)


def test_folders_are_known_by_the_name_of_their_case(tmp_path):
    write_component(tmp_path, cases={"one": {}, "two": {}})
    folders = case_folders(FolderCheckout(tmp_path), None, "memo")
    assert folders == {name: f"components/memo/evals/cases/{name}" for name in ("one", "two")}


@pytest.fixture
def document(tmp_path):
    """A case whose input is a PDF."""
    write_component(tmp_path, cases={"one": {}})
    folder = tmp_path / "components/memo/evals/cases/one"
    (folder / "input.md").unlink()
    (folder / "input.pdf").write_bytes(b"%PDF-1")
    return folder


def loaded(folder):
    return load_cases(FolderCheckout(folder.parents[4]), None, make_component())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_may_stand_in_the_place_of_a_text_and_is_not_read_yet(document, name):
    (document / "input.pdf").rename(document / name)
    (case,), skipped = loaded(document)
    assert (case.input, case.is_unread, skipped) == ("", True, ())
    assert case.document == Document(
        name=name,
        sha256=sha256_hex(b"%PDF-1"),
        size=6,
        path=f"components/memo/evals/cases/one/{name}",
    )
    assert case.document.kind == name.rpartition(".")[2]


@pytest.mark.parametrize("name", ["input.md", "input.txt", "input.json"])
def test_a_text_beside_a_document_is_what_counts(document, name):
    (document / name).write_text("what was read and put right")
    (case,), _ = loaded(document)
    assert (case.input, case.document) == ("what was read and put right", None)


def test_a_document_that_was_never_fetched_skips_its_case(document):
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n"
    (document / "input.pdf").write_text(pointer)
    with pytest.raises(NoUsableCase, match="is a Git LFS pointer"):
        loaded(document)


def test_a_document_may_be_larger_than_a_text_and_not_as_large_as_anything(document, monkeypatch):
    (document / "input.pdf").write_bytes(bytes(9 * 2**20))
    assert loaded(document)[0][0].document.size == 9 * 2**20
    monkeypatch.setattr("evalcore.library.cases.LARGEST_DOCUMENT", 2**20)
    with pytest.raises(NoUsableCase, match="over the limit of 1 MiB"):
        loaded(document)


def test_a_documents_bytes_are_those_that_were_read_with_the_case_or_none(document):
    (case,), _ = loaded(document)
    library = FolderCheckout(document.parents[4])
    assert document_bytes(library, None, case) == b"%PDF-1"
    (document / "input.pdf").write_bytes(b"%PDF-2")
    with pytest.raises(CaseError, match="has changed meanwhile"):
        document_bytes(library, None, case)
    (document / "input.pdf").unlink()
    with pytest.raises(CheckoutError, match="is not there"):
        document_bytes(library, None, case)


def test_documents_of_the_data_sets_are_read_there(document, tmp_path):
    data_sets = tmp_path / "data"
    (data_sets / "memo").mkdir(parents=True)
    document.rename(data_sets / "memo/one")
    library, beside = FolderCheckout(document.parents[4]), FolderCheckout(data_sets)
    (case,), _ = load_cases(library, beside, make_component())
    assert case.source == "data_sets"
    assert document_bytes(library, beside, case) == b"%PDF-1"
    assert case_place(case) == "evaluation-data-sets/memo/one/input.pdf"
    assert skipped_document(case, "is empty").source == "data_sets"


def test_documents_are_read_of_a_commit_as_of_a_folder(document):
    root = document.parents[4]
    (document / "input.pdf").write_bytes(bytes(9 * 2**20))
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")
    with CommitCheckout(root, git(root, "rev-parse", "HEAD")) as commit:
        cases, _ = load_cases(commit, None, make_component())
        assert cases == loaded(document)[0]
        assert len(document_bytes(commit, None, cases[0])) == 9 * 2**20
