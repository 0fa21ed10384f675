"""A bare repository: made of a folder or another one, merged without a checkout."""

from __future__ import annotations

import os

import pytest

from evalsim.github.repository import BareRepository, MergeConflictError, git_environment
from evalsim.testing import git


@pytest.fixture
def seed(tmp_path):
    folder = tmp_path / "seed"
    folder.mkdir()
    (folder / "a.txt").write_text("a\n")
    return folder


def commit(repository, branch, name, text, base="main"):
    blob = git(repository.path, "hash-object", "-w", "--stdin", stdin=text.encode())
    tree = git(repository.path, "mktree", stdin=f"100644 blob {blob}\t{name}\n".encode())
    made = git(repository.path, "commit-tree", tree, "-p", repository.branch(base), "-m", "x")
    git(repository.path, "update-ref", f"refs/heads/{branch}", made)
    return made


def test_it_is_made_of_a_folder_with_one_commit(tmp_path, seed):
    repository = BareRepository.create(tmp_path / "r.git", seed)
    assert repository.file("main", "a.txt") == b"a\n"
    assert list(repository.branches()) == ["main"]
    assert git(repository.path, "rev-list", "--count", "main") == "1"


def test_what_a_folder_ignores_is_imported_all_the_same(tmp_path, seed):
    (seed / ".gitignore").write_text("*.log\n")
    (seed / "x.log").write_text("x")
    assert BareRepository.create(tmp_path / "r.git", seed).file("main", "x.log") == b"x"


def test_links_stay_links(tmp_path, seed):
    (seed / "link").symlink_to("a.txt")
    assert BareRepository.create(tmp_path / "r.git", seed).file("main", "link") == b"a.txt"


def test_it_is_made_of_another_repository_with_its_history(tmp_path, seed):
    first = BareRepository.create(tmp_path / "one.git", seed)
    tip = commit(first, "topic", "b.txt", "b")
    again = BareRepository.create(tmp_path / "two.git", first.path)
    assert again.branches() == first.branches()
    assert again.branch("topic") == tip


def test_it_may_be_empty(tmp_path):
    repository = BareRepository.create(tmp_path / "r.git", None, default_branch="trunk")
    assert repository.branches() == {}
    assert repository.branch("trunk") is None
    assert git(repository.path, "symbolic-ref", "HEAD") == "refs/heads/trunk"


def test_what_is_not_there_is_none(tmp_path, seed):
    repository = BareRepository.create(tmp_path / "r.git", seed)
    assert repository.branch("nowhere") is repository.file("main", "nothing") is None
    assert repository.file("nowhere", "a.txt") is repository.blob("0" * 40) is None


def test_commits_are_counted_from_one_branch_to_another(tmp_path, seed):
    repository = BareRepository.create(tmp_path / "r.git", seed)
    tip = commit(repository, "topic", "b.txt", "b")
    main = repository.branch("main")
    assert (repository.commits_between(main, tip), repository.commits_between(tip, main)) == (1, 0)


def test_two_changes_of_one_line_conflict_and_leave_the_branch(tmp_path, seed):
    repository = BareRepository.create(tmp_path / "r.git", seed)
    one, other = (commit(repository, name, "a.txt", f"{name}\n") for name in ("one", "two"))
    repository.merge("main", one, "first")
    before = repository.branch("main")
    with pytest.raises(MergeConflictError):
        repository.merge("main", other, "second")
    assert repository.branch("main") == before


def test_the_hook_refuses_a_push_only_where_it_is_asked_to(tmp_path, seed):
    repository = BareRepository.create(tmp_path / "r.git", seed)
    hook = repository.path / "hooks" / "pre-receive"
    assert os.access(hook, os.X_OK)
    git(tmp_path, "clone", "-q", str(repository.path), "clone")
    git(tmp_path / "clone", "commit", "-q", "--allow-empty", "-m", "x")
    git(tmp_path / "clone", "push", "-q", "origin", "HEAD:refs/heads/topic")
    assert repository.branch("topic")


def test_nobodys_configuration_counts(monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'user.name=Mallory'")
    environment = git_environment()
    assert "GIT_DIR" not in environment
    assert "GIT_CONFIG_PARAMETERS" not in environment
    assert environment["GIT_CONFIG_GLOBAL"] == os.devnull
    assert environment["GIT_CONFIG_NOSYSTEM"] == "1"
