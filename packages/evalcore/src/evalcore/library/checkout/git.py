"""Asking git about a checkout, so that it changes and runs nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from evalcore.errors import CheckoutError
from evalcore.git.command import LOCAL_TIMEOUT, read_git, read_git_as_user
from evalcore.git.errors import GitFailed, GitTimedOut
from evalcore.structs import Frozen

_COMMIT = re.compile(r"[0-9a-f]{40}")


class CommitState(Frozen, frozen=True):
    """Which commit a folder stands at, and what in it differs from that commit."""

    commit: str | None
    """40 hex digits; None outside git, before the first commit, and in a SHA-256 repository."""
    changed: tuple[str, ...]
    """Paths from the folder's root that are modified, added or not tracked."""


class BranchingPoint(Frozen, frozen=True):
    """The newest commit that a revision shares with a main line (40 hex digits), and that line's name."""

    commit: str
    branch: str


def head_commit(folder: Path) -> str | None:
    """Return the 40 hex digits of the commit that a folder's checkout stands at; None outside git."""
    answer = ask(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    commit = answer.decode("ascii", "replace").strip() if answer is not None else ""
    # Contract and records have 40 digits: a commit of a SHA-256 repository is none for them.
    return commit if _COMMIT.fullmatch(commit) else None


def is_in_git(folder: Path) -> bool:
    """Whether a folder is inside the checkout of a git repository, be it without a commit."""
    answer = ask(folder, "rev-parse", "--is-inside-work-tree")
    return answer is not None and answer.strip() == b"true"


def commit_of(folder: Path, revision: str) -> str | None:
    """Return the commit that a revision names (an id, a branch, a tag); None where there is none."""
    # A tag is followed to the commit that it names. A revision may be anybody's word, so it is no option.
    name = f"{revision}^{{commit}}"
    answer = ask(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    commit = answer.decode("ascii", "replace").strip() if answer is not None else ""
    return commit if _COMMIT.fullmatch(commit) else None


def branching_point(folder: Path, revision: str) -> BranchingPoint | None:
    """Return where a revision left the main line, on which it may be itself; None where nothing tells.

    The main line is the default branch of `origin`; without one, the checked-out branch's upstream, or else
    the local branch `main` or `master`.
    """
    told = ask(folder, "rev-parse", "--abbrev-ref", "origin/HEAD")
    default = [os.fsdecode(told).strip()] if told is not None else []
    commit = commit_of(folder, revision)
    for branch in (*default, "origin/main", "origin/master", "@{upstream}", "main", "master"):
        line = commit_of(folder, branch)
        if commit is None or line is None:
            continue
        point = commit_of(folder, os.fsdecode(ask(folder, "merge-base", commit, line) or b"-").strip())
        return None if point is None else BranchingPoint(point, branch)
    return None


def commit_state(folder: Path, paths: Sequence[str], *, but: Sequence[str] = ()) -> CommitState:
    """Return the commit and which of the given paths (files, folders or globs) differ from it.

    Paths in `but` do not count. What git ignores does not count either.
    """
    commit = head_commit(folder)
    if commit is None:
        return CommitState(commit=None, changed=())
    # Patterns with `top` begin at the root of the repository; a library may be a folder inside of it.
    wanted = [f":(top,glob){_from_top(folder)}{path}" for path in _with_contents(paths)]
    unwanted = [f":(top,glob,exclude){_from_top(folder)}{path}" for path in _with_contents(but)]
    # Without renames each path is an entry of its own, and `-z` then has one path an entry.
    options = ("--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=all", "--no-renames")
    unfiltered = _without_own_filters(folder)
    answer = ask(folder, "status", *options, "--", *wanted, *unwanted, with_filters=unfiltered) or b""
    # Two letters and a blank precede each path.
    return CommitState(commit=commit, changed=tuple(os.fsdecode(e[3:]) for e in answer.split(b"\0") if e))


def _without_own_filters(folder: Path) -> dict[str, str]:
    """Take the commands from the filters that the checkout's own configuration defines.

    Comparing a file with its commit would run them. Those of the user (git-lfs) stay.
    """
    pattern = r"^filter\..*\.(clean|process|required)$"
    listed = (
        ask(folder, "config", "--show-scope", "--name-only", "-z", "--get-regexp", pattern, with_filters={})
        or b""
    )
    fields = [os.fsdecode(field) for field in listed.split(b"\0")]
    own = [name for scope, name in pairwise(fields) if scope in {"local", "worktree"}]
    # Not as `-c name=`, which a name could end early.
    keys = {f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(own)}
    values = {f"GIT_CONFIG_VALUE_{number}": "" for number in range(len(own))}
    return {"GIT_CONFIG_COUNT": str(len(own)), **keys, **values}


def _with_contents(paths: Sequence[str]) -> list[str]:
    return [pattern for path in paths for pattern in (path, f"{path}/**")]


def _from_top(folder: Path) -> str:
    return os.fsdecode((ask(folder, "rev-parse", "--show-prefix") or b"").strip(b"\n"))


def ask(folder: Path, *arguments: str, with_filters: Mapping[str, str] | None = None) -> bytes | None:
    """Ask git, which can change nothing; None where it answers with an error or is not installed.

    `with_filters` are variables of a comparison that reads the user's configuration too. Raises
    CheckoutError where git does not answer in time.
    """
    try:
        if with_filters is None:
            outcome = read_git(folder, *arguments)
        else:
            outcome = read_git_as_user(folder, *arguments, environment=with_filters)
    except GitTimedOut:
        what = f"git gave no answer within {LOCAL_TIMEOUT:.0f} s"
        raise CheckoutError(what, where=str(folder)) from None
    except GitFailed:
        return None
    return outcome.output if outcome.status == 0 else None
