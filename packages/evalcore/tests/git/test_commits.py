"""Results as commits: one file set without any checkout, merged, pushed and compared."""

from __future__ import annotations

import pytest

from evalcore.git import errors
from evalcore.git.clone import Clone
from evalcore.git.commits import (
    changes_between,
    changes_of_commits,
    commit_merge,
    fork_of,
    push,
    remote_tip,
    try_merge,
)
from evalsim.testing import commit_file, git

BOARD = "components/memo/leaderboard.json"


@pytest.fixture
def upstream(tmp_path):
    path = tmp_path / "upstream.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(path))
    return path


@pytest.fixture
def clone(tmp_path, upstream):
    author = tmp_path / "author"
    git(tmp_path, "clone", "-q", str(upstream), str(author))
    git(author, "checkout", "-q", "-b", "main")
    (author / "components" / "memo").mkdir(parents=True)
    (author / "components" / "memo" / "prompt.md").write_text("prompt\n")
    (author / "run.sh").write_text("#!/bin/sh\n")
    (author / "run.sh").chmod(0o755)
    (author / "link").symlink_to("run.sh")
    git(author, "add", "-A")
    git(author, "commit", "-q", "-m", "first")
    git(author, "push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", str(upstream), str(tmp_path / "clone"))
    return Clone(tmp_path / "clone", work=tmp_path / "work")


def head(clone):
    return git(clone.path, "rev-parse", "HEAD")


def test_a_commit_differs_from_its_parent_in_one_file(clone):
    parent = head(clone)
    commit = commit_file(clone, parent, BOARD, b"{}\n", "Results\n\nEvaluator-Job: j\n")
    assert git(clone.path, "show", f"{commit}:{BOARD}") == "{}"
    assert [change.path for change in changes_between(clone, parent, commit)] == [BOARD]
    assert git(clone.path, "log", "-1", "--format=%B%an %ae", commit) == (
        "Results\n\nEvaluator-Job: j\nEvaluator evaluator@users.noreply.github.com"
    )


def test_no_branch_and_no_file_moves(clone):
    parent = head(clone)
    commit_file(clone, parent, BOARD, b"{}", "x")
    assert head(clone) == parent
    assert git(clone.path, "status", "--porcelain") == ""
    assert not (clone.path / BOARD).exists()


def test_bytes_are_committed_as_they_are(clone):
    data = b"\x00\xff\r\nend without a line end"
    commit = commit_file(clone, head(clone), BOARD, data, "x")
    assert clone.git("cat-file", "blob", f"{commit}:{BOARD}").output == data


def test_a_file_that_may_be_run_stays_so_and_a_new_one_may_not(clone):
    commit = commit_file(clone, head(clone), "run.sh", b"x", "x")
    assert git(clone.path, "ls-tree", commit, "run.sh").startswith("100755 ")
    commit = commit_file(clone, head(clone), "new.txt", b"x", "x")
    assert git(clone.path, "ls-tree", commit, "new.txt").startswith("100644 ")


@pytest.mark.parametrize("path", ["link", "components", "components/memo", "run.sh/x"])
def test_what_is_no_file_in_a_folder_is_not_written_over(clone, path):
    with pytest.raises(errors.UnsafePath):
        commit_file(clone, head(clone), path, b"x", "x")


def test_a_commit_is_pushed_to_a_branch(clone, upstream):
    commit = commit_file(clone, head(clone), BOARD, b"{}", "x")
    assert remote_tip(clone, "eval-results/a") is None
    push(clone, commit, "eval-results/a")
    assert remote_tip(clone, "eval-results/a") == commit == git(upstream, "rev-parse", "eval-results/a")


def test_only_the_branch_of_that_very_name_is_the_branch(clone, upstream):
    push(clone, head(clone), "x/main")
    git(upstream, "update-ref", "-d", "refs/heads/main")
    assert remote_tip(clone, "main") is None


def test_a_branch_that_has_moved_is_never_overwritten(clone, upstream):
    one = commit_file(clone, head(clone), BOARD, b"1", "x")
    other = commit_file(clone, head(clone), BOARD, b"2", "x")
    push(clone, one, "results")
    with pytest.raises(errors.PushOutdated) as caught:
        push(clone, other, "results")
    assert caught.value.what == "the branch has moved on the remote"
    assert git(upstream, "rev-parse", "results") == one


def test_a_push_that_is_done_is_done_again_without_harm(clone):
    commit = commit_file(clone, head(clone), BOARD, b"1", "x")
    push(clone, commit, "results")
    push(clone, commit, "results")


def test_a_remote_that_refuses_is_told_in_its_words(clone, upstream):
    hook = upstream / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'branch is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(errors.PushRefused) as caught:
        push(clone, commit_file(clone, head(clone), BOARD, b"1", "x"), "results")
    assert caught.value.what == "the remote refuses the push: branch is protected"
    assert caught.value.hint


def test_a_remote_that_is_gone_is_told(clone, upstream):
    upstream.rename(upstream.with_name("moved"))
    with pytest.raises(errors.RepositoryError):
        remote_tip(clone, "main")
    with pytest.raises(errors.RepositoryError):
        push(clone, head(clone), "results")


def test_the_fork_of_two_commits_is_their_common_ancestor(clone):
    base = head(clone)
    one, other = (commit_file(clone, base, f"{name}.txt", b"x", "x") for name in "ab")
    assert fork_of(clone, one, other) == fork_of(clone, base, one) == base
    tree = git(clone.path, "rev-parse", f"{base}^{{tree}}")
    assert fork_of(clone, base, git(clone.path, "commit-tree", tree, "-m", "apart")) is None
    with pytest.raises(errors.RepositoryError):
        fork_of(clone, base, "0" * 40)


def test_changes_have_their_modes(clone):
    base = head(clone)
    tip = commit_file(clone, base, "new.txt", b"x", "x")
    (added,) = changes_between(clone, base, tip)
    assert (added.path, added.old_mode, added.mode) == ("new.txt", "000000", "100644")
    (removed,) = changes_between(clone, tip, base)
    assert (removed.old_mode, removed.mode) == ("100644", "000000")
    assert changes_between(clone, base, base) == []


def test_what_commits_change_is_told_commit_by_commit_up_to_so_many(clone):
    base = tip = head(clone)
    for text in (b"1", b"2"):
        tip = commit_file(clone, tip, "a.txt", text, "x")
    assert [change.path for change in changes_of_commits(clone, base, tip, 2)] == ["a.txt", "a.txt"]
    assert changes_of_commits(clone, base, tip, 1) is None
    assert changes_of_commits(clone, tip, base, 5) == []


def test_of_a_merge_those_paths_are_changes_that_are_as_no_parent_has_them(clone):
    base = commit_file(clone, head(clone), BOARD, b"0\n", "x")
    one, other = (commit_file(clone, base, BOARD, text, "x") for text in (b"1\n", b"2\n"))
    other = commit_file(clone, other, "b.txt", b"b", "x")
    merge = try_merge(clone, one, other)
    commit = commit_merge(clone, merge, BOARD, b"both\n", (one, other), "Merge")
    assert changes_of_commits(clone, other, commit, 9) == [
        (BOARD, "100644", "100644"),  # of the merge
        (BOARD, "100644", "100644"),  # of `one`
    ]


def test_a_merge_without_a_conflict_is_a_tree(clone):
    base = head(clone)
    one, other = (commit_file(clone, base, f"{name}.txt", b"x", "x") for name in "ab")
    merge = try_merge(clone, one, other)
    assert merge.conflicts == ()
    names = git(clone.path, "ls-tree", "--name-only", merge.tree).split()
    assert {"a.txt", "b.txt"} <= set(names)


def test_a_conflict_names_its_paths_and_the_merge_is_committed_with_what_solves_it(clone):
    base = commit_file(clone, head(clone), BOARD, b"0\n", "x")
    one, other = (commit_file(clone, base, BOARD, text, "x") for text in (b"1\n", b"2\n"))
    merge = try_merge(clone, one, other)
    assert merge.conflicts == (BOARD,)
    commit = commit_merge(clone, merge, BOARD, b"both\n", (one, other), "Merge")
    assert git(clone.path, "rev-list", "--parents", "-1", commit).split()[1:] == [one, other]
    assert git(clone.path, "show", f"{commit}:{BOARD}") == "both"


def test_attributes_of_the_repository_merge_nothing(clone):
    base = commit_file(clone, head(clone), ".gitattributes", b"* merge=union\n", "x")
    base = commit_file(clone, base, BOARD, b"0\n", "x")
    git(clone.path, "reset", "-q", "--hard", base)
    one, other = (commit_file(clone, base, BOARD, text, "x") for text in (b"1\n", b"2\n"))
    assert try_merge(clone, one, other).conflicts == (BOARD,)


def test_a_merge_of_what_is_no_commit_is_an_error(clone):
    with pytest.raises(errors.RepositoryError):
        try_merge(clone, head(clone), "nonsense")
