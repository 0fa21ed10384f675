"""What is read of a library; what cannot be read is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalcli.dashboard.library import read_library
from evalcore.errors import ConfigurationError
from evalsim.library import as_git
from evalsim.testing import write_component


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    write_component(root, prompt_file="---\nname: Memo\nversion: 1.2.0\ncategory: extraction\n---\nAnswer.\n")
    return root


def test_a_component_is_what_its_prompt_and_the_catalog_say(library: Path) -> None:
    catalog = {
        "repo": {"name": "Our prompts", "slug": "acme/prompts"},
        "components": [{"slug": "memo", "summary": "Reads memos."}, {"slug": 7}, "odd"],
    }
    (library / "component_catalog.json").write_text(json.dumps(catalog))
    read = read_library(library, None, None)
    (memo,) = read.components
    assert (memo.name, memo.version, memo.category) == ("Memo", "1.2.0", "extraction")
    assert (memo.description, memo.problem) == ("Reads memos.", None)
    assert (read.library.name, read.library.url) == ("Our prompts", "https://github.com/acme/prompts")


def test_a_component_that_cannot_be_read_says_why_and_stays(library: Path) -> None:
    write_component(library, "odd", prompt_file="---\nname: Odd\nversion: one\n---\nAnswer.\n")
    _, odd = read_library(library, None, None).components
    assert (odd.name, odd.version) == ("odd", None)
    assert "the version `one` is not a semantic version" in odd.problem


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"repo": 7, "components": {}}', '{"repo": {"slug": "no name"}}']
)
def test_a_catalog_that_cannot_be_used_is_done_without(library: Path, text: str) -> None:
    (library / "component_catalog.json").write_text(text)
    read = read_library(library, None, None)
    assert (read.library.name, read.library.url) == ("library", None)
    assert read.components[0].description is None


def test_models_are_those_of_models_yaml_and_a_mistake_in_it_is_said(library: Path) -> None:
    assert read_library(library, None, None).library.models == ()
    (library / ".evaluator").mkdir()
    (library / ".evaluator/models.yaml").write_text("models:\n  - {id: alpha, provider: mindrouter}\n")
    (model,) = read_library(library, None, None).library.models
    assert (model.id, model.is_local) == ("alpha", True)
    (library / ".evaluator/models.yaml").write_text("models:\n  - {id: alpha, provider: nobody}\n")
    facts = read_library(library, None, None).library
    assert facts.models == ()
    assert ".evaluator/models.yaml:2" in facts.models_problem


def test_the_policy_of_the_data_sets_wins_where_they_are_at_hand(library: Path) -> None:
    policy = library / "components/memo/evals/scoring.yaml"
    policy.parent.mkdir(parents=True)
    policy.write_text("fields: {}\n")
    read = read_library(library, None, None)
    assert (read.components[0].policy_path, read.library.has_data_sets) == (
        "components/memo/evals/scoring.yaml",
        False,
    )
    data_sets = library.parent / "data"
    (data_sets / "memo").mkdir(parents=True)
    (data_sets / "memo/scoring.yaml").write_text("fields: {}\n")
    read = read_library(library, data_sets, None)
    assert (read.components[0].policy_path, read.library.has_data_sets) == (
        "evaluation-data-sets/memo/scoring.yaml",
        True,
    )


def test_reports_are_read_the_newest_first(library: Path) -> None:
    folder = library / "components/memo/evals/reports"
    for name, summary in (("2026-01-01-a", "{}"), ("2026-02-01-b", '{"config": {"model": "beta"}}')):
        (folder / name).mkdir(parents=True)
        (folder / name / "summary.json").write_text(summary)
    (folder / "2026-03-01-empty").mkdir()
    reports = read_library(library, None, None).components[0].reports
    assert [report.name for report in reports] == ["2026-03-01-empty", "2026-02-01-b", "2026-01-01-a"]
    assert [report.model for report in reports] == [None, "beta", None]
    assert reports[0].problem == "it has no readable summary.json"


def test_a_link_out_of_the_library_is_not_followed(library: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "summary.json").write_text('{"config": {"model": "secret"}}')
    folder = library / "components/memo/evals/reports"
    folder.mkdir(parents=True)
    (folder / "r").symlink_to(outside)
    (report,) = read_library(library, None, None).components[0].reports
    assert (report.model, report.problem) == (None, "it has no readable summary.json")


def test_the_commit_and_the_workflows_are_those_of_the_checkout(library: Path) -> None:
    workflows = library / ".github/workflows"
    workflows.mkdir(parents=True)
    (workflows / "evaluate-local.yml").write_text("")
    assert read_library(library, None, None).library.commit is None
    commit = as_git(library)
    read = read_library(library, None, "acme/prompts", "https://git.example.org/").library
    assert (read.commit, read.workflows) == (commit, ("evaluate-local.yml",))
    assert read.url == "https://git.example.org/acme/prompts"


def test_without_components_it_is_no_library(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a prompt library"):
        read_library(tmp_path, None, None)
