"""What a prompt library holds, component by component; what cannot be read is said, not raised."""

from __future__ import annotations

import pytest

from evalcli.evaluation.overview import overview
from evalcli.leaderboards.places import DATA_SETS_BESIDE
from evalcore.errors import ConfigurationError
from evalsim.testing import make_record, write_component, write_leaderboard

SCHEMA = {"type": "object"}


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "library"
    write_component(folder, schema=SCHEMA, cases={"one": {}, "two": {}})
    return folder


def only(library, data_sets=None):
    (listed,) = overview(library, data_sets)
    return listed


def board(library, *records):
    write_leaderboard(library / "components/memo/leaderboard.json", *records)


def test_a_component_that_was_never_evaluated(library):
    listed = only(library)
    assert (listed.component, listed.version, listed.cases, listed.skipped_cases) == ("memo", "1.0.0", 2, 0)
    assert (listed.evaluated_version, listed.models, listed.problem) == (None, (), None)


def test_the_newest_version_with_a_complete_run_and_its_models(library):
    board(
        library,
        make_record(1, model="b"),
        make_record(2, model="a"),
        make_record(3, component_version="0.9.0", model="old"),
        make_record(4, component_version="1.1.0", status="partial"),
    )
    listed = only(library)
    assert (listed.evaluated_version, listed.models) == ("1.0.0", ("a", "b"))


def test_cases_that_cannot_be_used_are_counted(library):
    (library / "components/memo/evals/cases/stub").mkdir()
    assert (only(library).cases, only(library).skipped_cases) == (2, 1)


def test_a_component_without_a_usable_case_is_no_problem_of_reading(tmp_path):
    write_component(tmp_path, schema=SCHEMA)
    (tmp_path / "components/memo/evals/cases/stub").mkdir(parents=True)
    listed = only(tmp_path)
    assert (listed.cases, listed.skipped_cases, listed.problem) == (0, 1, None)


def test_cases_of_the_data_sets_beside_count_too(library):
    case = library.parent / DATA_SETS_BESIDE / "memo" / "three"
    case.mkdir(parents=True)
    (case / "input.md").write_text("x")
    (case / "expected.json").write_text("{}")
    assert only(library).cases == 3
    elsewhere = library.parent / "elsewhere"
    elsewhere.mkdir()
    assert only(library, elsewhere).cases == 2


def test_every_problem_is_said_and_the_others_are_listed(library):
    write_component(library, "letter", prompt_file="no front matter")
    (library / "components/letter/leaderboard.json").write_text("{")
    letter, memo = overview(library, None)
    assert (letter.version, memo.problem) == (None, None)
    assert "components/letter/prompt.md:1" in letter.problem
    assert "leaderboard.json" in letter.problem


def test_a_folder_without_components_is_no_prompt_library(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        overview(tmp_path, None)
    assert caught.value.where.startswith(str(tmp_path))
    assert caught.value.what.startswith("is not a prompt library: it has no components")
    assert caught.value.hint == "name one with --prompt-library"
