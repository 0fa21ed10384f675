"""The library that the demo evaluates: copied, never touched, and the first usable component of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalcore.errors import CaseError, UnknownComponent
from evalsim.demo.failure import DemoInputError
from evalsim.demo.library import copy_library, make_sample, read_subject
from evalsim.library import as_git, write_sample_library


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_users_library_is_copied_and_never_touched(tmp_path):
    source = tmp_path / "mine"
    write_sample_library(source)
    (source / ".evaluator" / "models.yaml").unlink()
    as_git(source)
    before = tree(source)
    workspace = copy_library(source, None, tmp_path / "demo")
    as_git(workspace.library)
    assert tree(source) == before
    assert workspace.has_added_models
    assert (workspace.library / "components" / "expense-memo" / "prompt.md").is_file()


def test_a_librarys_own_models_are_kept(tmp_path):
    write_sample_library(tmp_path / "mine")
    models = tmp_path / "mine" / ".evaluator" / "models.yaml"
    models.write_text("models:\n  - {id: my-model, provider: mindrouter}\n")
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    assert not workspace.has_added_models
    assert [model.id for model in read_subject(workspace, "expense-memo").models] == ["my-model"]


def test_a_mindrouter_that_the_library_names_is_left_alone(tmp_path):
    write_sample_library(tmp_path / "mine")
    models = tmp_path / "mine" / ".evaluator" / "models.yaml"
    models.write_text(
        "providers:\n  mindrouter: {base_url: https://mindrouter.example}\n"
        "models:\n  - {id: my-model, provider: mindrouter, concurrency: 2}\n"
    )
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    assert workspace.has_other_mindrouter
    assert "mindrouter.example" not in (workspace.library / ".evaluator" / "models.yaml").read_text()
    assert [model.concurrency for model in read_subject(workspace, "expense-memo").models] == [2]


def test_a_link_out_of_the_library_is_not_followed(tmp_path):
    write_sample_library(tmp_path / "mine")
    (tmp_path / "secret").write_text("not the library's")
    (tmp_path / "mine" / "leak.md").symlink_to(tmp_path / "secret")
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    assert (workspace.library / "leak.md").is_symlink()


def test_a_folder_that_is_no_library_is_refused(tmp_path):
    with pytest.raises(DemoInputError, match="components"):
        copy_library(tmp_path, None, tmp_path / "demo")


def test_the_samples_cases_come_from_both_places(tmp_path):
    subject = read_subject(make_sample(tmp_path), "award-notice-terms")
    assert [case.name for case in subject.cases] == ["bridge-fund", "coastal-sensors", "soil-carbon"]
    assert [skipped.case for skipped in subject.skipped] == ["unpublished-notice"]


def test_without_a_name_the_first_usable_component_is_taken(tmp_path):
    write_sample_library(tmp_path / "mine")
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    assert read_subject(workspace, None).component.slug == "award-notice-review"


def test_a_component_without_inputs_is_told_clearly(tmp_path):
    write_sample_library(tmp_path / "mine")
    workspace = copy_library(tmp_path / "mine", None, tmp_path / "demo")
    with pytest.raises(CaseError, match="deadline-calendar"):
        read_subject(workspace, "deadline-calendar")


def test_an_unknown_component_is_told_with_a_near_name(tmp_path):
    with pytest.raises(UnknownComponent, match="did you mean `expense-memo`"):
        read_subject(make_sample(tmp_path), "expense-memos")


def test_a_library_of_cloud_models_alone_is_told(tmp_path):
    workspace = make_sample(tmp_path)
    models = workspace.library / ".evaluator" / "models.yaml"
    models.write_text("models:\n  - {id: claude, provider: anthropic}\n")
    with pytest.raises(DemoInputError, match="no local model"):
        read_subject(workspace, "expense-memo")
