"""The clone of a repository: brought up to date, asked for commits, read through worktrees, and mended."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from evalcore.errors import EvaluatorError
from evalcore.git import errors
from evalcore.git.clone import Clone
from evalcore.git.setting_names import SettingNames
from evalsim.testing import git

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the service runs on POSIX systems")


class World:
    """An upstream repository, somebody's checkout of it, and the service's clone."""

    def __init__(self, root: Path) -> None:
        self.upstream, self.author, self.path = root / "upstream.git", root / "author", root / "clone"
        self.work = root / "work"
        git(root, "init", "-q", "--bare", "-b", "main", str(self.upstream))
        git(root, "clone", "-q", str(self.upstream), str(self.author))
        git(self.author, "checkout", "-q", "-b", "main")
        self.first = self.commit("one.txt", "1\n")
        git(root, "clone", "-q", str(self.upstream), str(self.path))

    def commit(self, name: str, text: str, *, push: bool = True) -> str:
        (self.author / name).write_text(text)
        git(self.author, "add", name)
        git(self.author, "commit", "-q", "-m", f"Change {name}")
        if push:
            git(self.author, "push", "-q", "origin", "HEAD:main")
        return git(self.author, "rev-parse", "HEAD")

    def clone(self, **settings: object) -> Clone:
        return Clone(self.path, work=self.work, **settings)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_absent_clone_is_made_from_its_url(world: World, tmp_path: Path) -> None:
    clone = Clone(tmp_path / "new", work=world.work, url=f"file://{world.upstream}")
    clone.ensure()
    assert (tmp_path / "new" / "one.txt").read_text() == "1\n"
    second = world.commit("two.txt", "2\n")
    assert clone.fast_forward() == second
    clone.ensure()
    assert (tmp_path / "new" / "two.txt").exists()


def test_clone_whose_making_was_killed_is_finished_by_the_next_start(world: World, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", str(tmp_path / "new"))
    git(tmp_path / "new", "remote", "add", "origin", str(world.upstream))
    Clone(tmp_path / "new", work=world.work, url=str(world.upstream)).ensure()
    assert (tmp_path / "new" / "one.txt").exists()


def test_absent_clone_without_url_is_told(world: World, tmp_path: Path) -> None:
    with pytest.raises(errors.CloneMissing, match="there is no clone"):
        Clone(tmp_path / "nowhere", work=world.work).ensure()


def test_clone_of_another_repository_is_told(world: World) -> None:
    with pytest.raises(errors.CloneUnusable, match=r"its origin is .*, but the setting says https://github"):
        world.clone(url="https://github.com/acme/other").ensure()


def test_folder_that_is_no_repository_is_told_even_inside_of_another_one(world: World) -> None:
    inside = world.author / "folder"
    inside.mkdir()
    (inside / "file").write_text("")
    with pytest.raises(errors.CloneCorrupt, match="not a git repository"):
        Clone(inside, work=world.work, url=str(world.upstream)).ensure()


def test_fast_forward_moves_the_checkout_to_the_tip(world: World) -> None:
    second = world.commit("two.txt", "2\n")
    assert world.clone().fast_forward() == second
    assert git(world.path, "rev-parse", "HEAD") == second
    assert (world.path / "two.txt").exists()


@pytest.mark.parametrize("checkout", [("--detach",), ("-b", "mine")])
def test_checkout_of_something_else_is_left_alone(world: World, checkout: tuple[str, ...]) -> None:
    git(world.path, "checkout", "-q", *checkout)
    (world.path / "one.txt").write_text("changed\n")
    second = world.commit("two.txt", "2\n")
    assert world.clone().fast_forward() == second
    assert git(world.path, "rev-parse", "HEAD") == world.first
    assert (world.path / "one.txt").read_text() == "changed\n"


@pytest.mark.parametrize("stage", [False, True])
def test_local_changes_are_told_and_kept(world: World, *, stage: bool) -> None:
    (world.path / "one.txt").write_text("changed\n")
    if stage:
        git(world.path, "add", "one.txt")
    world.commit("two.txt", "2\n")
    with pytest.raises(errors.CloneDirty, match=r"local changes \('one.txt' among them\)"):
        world.clone().fast_forward()
    assert (world.path / "one.txt").read_text() == "changed\n"


def test_untracked_files_are_no_changes_unless_they_stand_in_the_way(world: World) -> None:
    (world.path / "two.txt").write_text("mine\n")
    assert world.clone().fast_forward() == world.first
    world.commit("two.txt", "2\n")
    with pytest.raises(errors.CloneDirty, match="stand in the way"):
        world.clone().fast_forward()
    assert (world.path / "two.txt").read_text() == "mine\n"


def test_diverged_branch_is_told(world: World) -> None:
    (world.path / "mine.txt").write_text("mine\n")
    git(world.path, "add", ".")
    git(world.path, "commit", "-q", "-m", "Mine")
    world.commit("two.txt", "2\n")
    with pytest.raises(
        errors.CloneDiverged, match=r"1 commits that the remote lacks; .*git reset --hard origin/main"
    ):
        world.clone().fast_forward()


def test_lock_of_another_git_process_is_told(world: World) -> None:
    (world.path / ".git" / "index.lock").touch()
    with pytest.raises(errors.CloneLocked, match=r"another git process.*index\.lock") as caught:
        world.clone().fast_forward()
    assert caught.value.retryable


def test_lock_that_goes_away_soon_is_waited_for(world: World) -> None:
    lock = world.path / ".git" / "index.lock"
    lock.touch()
    timer = threading.Timer(0.2, lock.unlink)
    timer.start()
    assert world.clone().fast_forward() == world.first
    timer.join()


def test_lock_on_the_tracking_branch_is_told(world: World) -> None:
    world.commit("two.txt", "2\n")
    lock = world.path / ".git" / "refs" / "remotes" / "origin" / "main.lock"
    lock.touch()
    with pytest.raises(errors.CloneLocked):
        world.clone().fast_forward()


def test_missing_remote_and_missing_branch_are_told(world: World) -> None:
    names = SettingNames(default_branch="EVALHOOK_DEFAULT_BRANCH")
    with pytest.raises(errors.BranchMissing, match="see whether EVALHOOK_DEFAULT_BRANCH is the right one"):
        world.clone(default_branch="trunk", names=names).fast_forward()
    with pytest.raises(
        errors.BranchMissing, match="see whether the setting of the default branch is the right"
    ):
        world.clone(default_branch="trunk").fast_forward()
    world.upstream.rename(world.upstream.with_name("gone"))
    with pytest.raises(errors.RemoteUnreachable):
        world.clone().fast_forward()


def test_corrupt_clone_is_told(world: World) -> None:
    for pack in (world.path / ".git" / "objects").rglob("*"):
        if pack.is_file():
            pack.chmod(0o644)
            pack.write_bytes(b"not an object")
    with pytest.raises(errors.CloneCorrupt):
        world.clone().fast_forward()


def test_git_that_hangs_is_ended_with_its_children(world: World) -> None:
    # A remote that accepts and never answers.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        git(world.path, "remote", "set-url", "origin", f"http://127.0.0.1:{port}/acme/library.git")
        with pytest.raises(errors.GitTimedOut, match="git fetch did not end within"):
            world.clone().fast_forward(timeout=0.5)
        server.settimeout(0.5)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            while connection.recv(4096):  # the child's request, then the end of its connection
                pass
    assert not list((world.path / ".git").rglob("*.lock"))


def test_commit_asked_for_is_found_by_its_beginning(world: World) -> None:
    second = world.commit("two.txt", "2\n")
    clone = world.clone()
    clone.fast_forward()
    assert clone.resolve(None) == second
    assert clone.resolve(world.first) == world.first
    assert clone.resolve(world.first[:7].upper()) == world.first


def test_unknown_commit_is_told(world: World) -> None:
    clone = world.clone()
    for sha in ("0" * 40, "0" * 7):
        with pytest.raises(errors.CommitNotFound, match="no commit"):
            clone.resolve(sha)


@pytest.mark.parametrize("name", ["main", "--all", "HEAD", "", "-h", "a" * 41, "main^{commit}", "1234567\n"])
def test_names_and_options_are_no_commits(world: World, name: str) -> None:
    with pytest.raises(errors.CommitNotFound):
        world.clone().resolve(name)


def test_branch_that_looks_like_a_commit_takes_nobodys_place(world: World) -> None:
    git(world.path, "branch", "abcdef1")
    with pytest.raises(errors.CommitNotFound):
        world.clone().resolve("abcdef1")


def test_blob_is_no_commit(world: World) -> None:
    blob = git(world.path, "rev-parse", "HEAD:one.txt")
    with pytest.raises(errors.CommitNotFound):
        world.clone().resolve(blob)


def test_commit_of_another_branch_is_not_reachable(world: World) -> None:
    git(world.author, "checkout", "-q", "-b", "side")
    side = world.commit("side.txt", "s\n", push=False)
    git(world.author, "push", "-q", "origin", "side")
    git(world.path, "fetch", "-q", "origin")
    with pytest.raises(errors.CommitNotFound, match="not reachable from the branch main"):
        world.clone().resolve(side)


def test_worktree_holds_the_commit_and_leaves_the_checkout_as_it_was(world: World) -> None:
    world.commit("one.txt", "2\n")
    clone = world.clone()
    clone.fast_forward()
    before = git(world.path, "status", "--porcelain=v2", "--branch")
    with clone.worktree(world.first) as folder:
        assert (folder / "one.txt").read_text() == "1\n"
        assert (world.path / "one.txt").read_text() == "2\n"
        assert not folder.is_relative_to(world.path)
    assert not folder.exists()
    assert git(world.path, "status", "--porcelain=v2", "--branch") == before
    assert len(git(world.path, "worktree", "list").splitlines()) == 1


def test_worktree_is_removed_after_a_failure(world: World) -> None:
    clone = world.clone()
    with pytest.raises(ZeroDivisionError), clone.worktree(world.first) as folder:
        raise ZeroDivisionError
    assert not folder.exists()
    assert len(git(world.path, "worktree", "list").splitlines()) == 1


def test_worktree_of_a_killed_process_is_removed_at_the_next_start(world: World) -> None:
    clone = world.clone()
    left = clone.worktree(world.first)
    folder = left.__enter__()
    world.clone().ensure()
    assert not folder.exists()
    assert len(git(world.path, "worktree", "list").splitlines()) == 1
    left.__exit__(None, None, None)


def test_nothing_in_a_commit_runs(world: World, tmp_path: Path) -> None:
    """Hooks, filters, submodules and file-system monitors named by the clones' files run nothing."""
    canary = tmp_path / "ran"
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {canary}\n")
    trap.chmod(0o755)
    for hook in ("post-checkout", "post-merge", "reference-transaction", "pre-push", "post-index-change"):
        (world.path / ".git" / "hooks").mkdir(exist_ok=True)
        (world.path / ".git" / "hooks" / hook).symlink_to(trap)
    git(world.path, "config", "core.fsmonitor", str(trap))
    (world.author / ".gitmodules").write_text(
        f'[submodule "x"]\n\tpath = x\n\turl = ext::{trap}\n\tupdate = !{trap}\n'
    )
    git(world.author, "add", ".gitmodules")
    world.commit(".gitattributes", "* filter=evil diff=evil merge=evil\n")
    clone = world.clone()
    clone.ensure()
    with clone.worktree(clone.fast_forward()):
        assert not canary.exists()


@pytest.mark.parametrize("url", ["ext::sh -c true", "ssh://git@example.invalid/x", "git@example.invalid:x"])
def test_other_transports_are_refused(world: World, url: str) -> None:
    git(world.path, "remote", "set-url", "origin", url)
    with pytest.raises(errors.InsecureRemote, match="use https://"):
        world.clone().fast_forward()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://git.example.invalid/acme/library.git", "plain HTTP"),
        ("https://user:hunter22@git.example.invalid/acme/library.git", "holds credentials"),
    ],
)
def test_urls_over_which_a_token_would_be_readable_are_refused(world: World, url: str, words: str) -> None:
    git(world.path, "remote", "set-url", "origin", url)
    with pytest.raises(errors.InsecureRemote, match=words) as caught:
        world.clone().fast_forward()
    assert "hunter22" not in str(caught.value)


def test_operators_environment_and_configuration_do_not_reach_git(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[core]\n\tbare = true\n[broken\n")
    for name, value in {"HOME": str(tmp_path), "GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    assert world.clone().fast_forward() == world.first


def test_every_error_says_what_where_and_what_to_do(world: World) -> None:
    (world.path / "one.txt").write_text("changed\n")
    with pytest.raises(EvaluatorError) as caught:
        world.clone().fast_forward()
    assert caught.value.where == str(world.path)
    assert caught.value.hint
    assert "\n" not in caught.value.line


def test_missing_git_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(errors.GitFailed, match="git cannot be run"):
        world.clone().fast_forward()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_clone_of_another_user_is_told(world: World) -> None:
    for path in (world.path, world.path / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(errors.CloneUnusable, match="belongs to another user"):
        world.clone().fast_forward()


def test_a_clone_that_is_lost_or_damaged_is_made_anew_where_its_url_is_known(
    world: World, tmp_path: Path
) -> None:
    clone = Clone(tmp_path / "own", work=world.work, url=f"file://{world.upstream}")
    with pytest.raises(errors.CloneMissing, match="it is made anew at its next use"):
        clone.fast_forward()
    clone.ensure()
    for path in (clone.path / ".git" / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"damaged")
    assert clone.rebuild()
    assert clone.fast_forward() == world.first
    assert [path.name for path in clone.path.parent.glob(".own*")] == []
    assert not world.clone().rebuild()


def test_a_lock_that_a_killed_git_left_is_removed_at_the_next_start(world: World) -> None:
    lock = world.path / ".git" / "index.lock"
    lock.touch()
    world.clone().ensure()
    assert lock.exists()
    os.utime(lock, (1, 1))
    world.clone().ensure()
    assert not lock.exists()
