"""A path that a merge has left in conflict: its sides, and its resolution."""

from __future__ import annotations

import subprocess

import pytest

from evalcore.git.errors import GitFailed
from evalcore.git.unmerged import mark_resolved, unmerged_sides
from evalsim.testing import git


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, "base\n")
    git(tmp_path, "checkout", "-q", "-b", "topic")
    return tmp_path


def commit(repository, text, name="board.json"):
    path = repository / name
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "x")


def conflict(repository, ours, theirs):
    commit(repository, theirs)
    git(repository, "checkout", "-q", "main")
    commit(repository, ours)
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "-q", "topic")


def test_both_sides_are_given_ours_first(repository):
    conflict(repository, "ours\n", "theirs\n")
    assert unmerged_sides(repository / "board.json") == [b"ours\n", b"theirs\n"]


@pytest.mark.parametrize(
    ("ours", "theirs", "left"), [(None, "theirs\n", b"theirs\n"), ("ours\n", None, b"ours\n")]
)
def test_of_a_file_that_one_side_removed_the_other_side_is_given(repository, ours, theirs, left):
    conflict(repository, ours, theirs)
    assert unmerged_sides(repository / "board.json") == [left]


def test_a_path_without_a_conflict_has_no_sides(repository, tmp_path_factory):
    assert unmerged_sides(repository / "board.json") == []
    assert unmerged_sides(repository / "nothing.json") == []
    assert unmerged_sides(tmp_path_factory.mktemp("outside") / "board.json") == []


def test_what_is_resolved_is_no_conflict_any_more(repository):
    conflict(repository, "ours\n", "theirs\n")
    (repository / "board.json").write_text("both\n")
    mark_resolved(repository / "board.json")
    assert unmerged_sides(repository / "board.json") == []
    assert git(repository, "diff", "--cached", "--name-only") == "board.json"


def test_a_name_that_looks_like_a_pattern_or_an_option_is_a_name(repository):
    for name in ("*.json", "-x"):
        (repository / name).write_text("x")
        mark_resolved(repository / name)
    assert git(repository, "diff", "--cached", "--name-only").split() == ["*.json", "-x"]


def test_where_git_refuses_the_file_and_the_reason_are_told(repository):
    (repository / ".git" / "index.lock").touch()
    with pytest.raises(GitFailed) as caught:
        mark_resolved(repository / "board.json")
    assert caught.value.where == str(repository / "board.json")
    assert "index.lock" in caught.value.what
    assert caught.value.hint == "is another git command at work here?"
