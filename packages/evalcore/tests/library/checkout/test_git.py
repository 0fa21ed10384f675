"""Asking git about a checkout changes nothing and runs nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evalcore.library.checkout import CommitCheckout, commit_of, commit_state, head_commit, is_in_git
from evalsim.testing import git

CommitAll = Callable[[Path], str]


@pytest.mark.parametrize("name", ["evil", "e=vil", "x.clean"])
@pytest.mark.parametrize("kind", ["clean", "process"])
def test_no_filter_of_a_checkouts_own_configuration_is_run(
    tmp_path: Path, name: str, kind: str, commit_all: CommitAll
) -> None:
    canary = tmp_path / "ran"
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "a.txt").write_text("one\n")
    commit_all(folder)
    section = f'[filter "{name}"]\n\t{kind} = touch {canary}; cat\n\trequired = true\n'
    # What a repository brings with it as a folder (an archive, a volume), and no clone ever does.
    (folder / "own.config").write_text(section)
    with (folder / ".git" / "config").open("a") as config:
        config.write("[include]\n\tpath = ../own.config\n")
    (folder / ".git" / "info" / "attributes").write_text(f"* filter={name}\n")
    (folder / "a.txt").write_text("two\n")
    assert commit_state(folder, ["a.txt"]).changed == ("a.txt",)
    assert not canary.exists()


def test_head_commit_is_none_outside_git_and_before_the_first_commit(
    tmp_path: Path, commit_all: CommitAll
) -> None:
    assert head_commit(tmp_path) is None
    assert head_commit(tmp_path / "nothing") is None
    git(tmp_path, "init", "-q")
    assert head_commit(tmp_path) is None
    commit = commit_all(tmp_path)
    assert head_commit(tmp_path) == commit


def test_changes_are_told_for_the_paths_asked_about(tree: Path, commit_all: CommitAll) -> None:
    commit = commit_all(tree)
    assert commit_state(tree, ["a"]).changed == ()
    (tree / "a/b/file.md").write_text("changed")
    (tree / "a/new.md").write_text("new")
    (tree / "elsewhere").write_text("new")
    state = commit_state(tree, ["a"])
    assert state.commit == commit
    assert set(state.changed) == {"a/b/file.md", "a/new.md"}
    assert commit_state(tree, ["a"], but=["a/new.md", "a/b"]).changed == ()
    assert commit_state(tree / "a", ["b"]).changed == ("a/b/file.md",)


def test_nothing_that_a_checkout_configures_is_run(tree: Path, tmp_path: Path, commit_all: CommitAll) -> None:
    commit = commit_all(tree)
    marker = tmp_path / "ran"
    git(tree, "config", "core.fsmonitor", f"touch {marker}")
    git(tree, "config", "core.hooksPath", str(tmp_path))
    head_commit(tree)
    commit_state(tree, ["a"])
    with CommitCheckout(tree, commit) as checkout:
        checkout.read("a/b/file.md")
    assert not marker.exists()


def test_environment_of_another_git_does_not_lead_astray(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit_all: CommitAll
) -> None:
    commit = commit_all(tree)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert head_commit(tree) == commit


def test_what_the_user_ignores_is_no_change(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit_all: CommitAll
) -> None:
    commit_all(tree)
    (tree / "a/notes.tmp").write_text("mine")
    assert commit_state(tree, ["a"]).changed == ("a/notes.tmp",)
    (tmp_path / ".ignore").write_text("*.tmp")
    (tmp_path / ".gitconfig").write_text(f"[core]\n\texcludesFile = {tmp_path}/.ignore\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert commit_state(tree, ["a"]).changed == ()


def test_of_a_library_inside_of_a_repository_paths_begin_at_the_library(
    tmp_path: Path, commit_all: CommitAll
) -> None:
    library = tmp_path / "deep" / "library"
    library.mkdir(parents=True)
    for path in (library / "a.md", tmp_path / "a.md"):
        path.write_text("one")
    commit = commit_all(tmp_path)
    for path in (library / "a.md", tmp_path / "a.md"):
        path.write_text("two")
    assert commit_state(library, ["a.md"]).changed == ("deep/library/a.md",)
    assert commit_state(library, ["*.md"], but=["a.md"]).changed == ()
    assert head_commit(library) == commit


def test_a_file_that_was_renamed_is_two_changes_and_any_name_is_told_as_it_is(
    tmp_path: Path, commit_all: CommitAll
) -> None:
    (tmp_path / "old name").write_text("the same contents, by which git would know it again\n")
    commit_all(tmp_path)
    (tmp_path / "old name").rename(tmp_path / 'new "ü"\n')
    git(tmp_path, "add", "-A")
    assert set(commit_state(tmp_path, ["**"]).changed) == {"old name", 'new "ü"\n'}


def test_what_git_ignores_and_files_below_a_new_folder(tmp_path: Path, commit_all: CommitAll) -> None:
    (tmp_path / ".gitignore").write_text("ignored\n")
    commit_all(tmp_path)
    (tmp_path / "new" / "deeper").mkdir(parents=True)
    for name in ("ignored", "new/deeper/one", "new/two"):
        (tmp_path / name).write_text("x")
    assert set(commit_state(tmp_path, ["**"]).changed) == {"new/deeper/one", "new/two"}


def test_a_revision_is_the_commit_that_it_names(tree: Path, commit_all: CommitAll) -> None:
    first = commit_all(tree)
    git(tree, "branch", "side")
    git(tree, "tag", "-a", "v1", "-m", "annotated")
    second = commit_all(tree)
    assert (commit_of(tree, "side"), commit_of(tree, "v1")) == (first, first)
    assert (commit_of(tree, first[:10]), commit_of(tree, "HEAD")) == (first, second)
    blob = git(tree, "rev-parse", "HEAD:a/b/file.md")
    for none in ("nowhere", "--help", "-v", "", blob, "HEAD:a"):
        assert commit_of(tree, none) is None


def test_a_repository_of_longer_hashes_has_no_commit_for_records(
    tmp_path: Path, commit_all: CommitAll
) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    assert len(commit_all(tmp_path)) == 64
    assert head_commit(tmp_path) is None
    assert commit_of(tmp_path, "HEAD") is None
    assert is_in_git(tmp_path)


def test_a_folder_is_in_git_before_its_first_commit_too(tmp_path: Path) -> None:
    inside = tmp_path / "repository" / "folder"
    inside.mkdir(parents=True)
    git(tmp_path / "repository", "init", "-q")
    assert is_in_git(inside)
    assert not is_in_git(tmp_path)
    # Its own files are no part of what is checked out.
    assert not is_in_git(tmp_path / "repository" / ".git")
