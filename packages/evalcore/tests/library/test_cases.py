"""Which values a component may answer with, and how cases that cannot be used are summed up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.library.cases import MAX_NAME, NoUsableCase, case_folders, is_of_kind, load_cases
from evalcore.library.checkout import FolderCheckout
from evalcore.library.component import MOST_BROKEN, SkippedCase, broken_cases_sentence
from evalsim.testing import make_component, write_component


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
    assert error.skipped == skipped


def test_a_component_without_cases_is_told_where_they_go():
    error = NoUsableCase("memo", ())
    assert error.line == ("components/memo: has no cases; put one into components/memo/evals/cases/<case>/")


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
