"""Asking git about a checkout, so that it changes and runs nothing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from evalcore.errors import CheckoutError
from evalcore.structs import Frozen

SECONDS = 60
_COMMIT = re.compile(r"[0-9a-f]{40}")

# A checkout's own configuration must not make us run anything, and one that another user owns (as in a
# container job) is read all the same: nothing of it is executed.
GIT = (
    "git",
    "--no-optional-locks",
    *("-c", "safe.directory=*"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
)


class CommitState(Frozen, frozen=True):
    """Which commit a folder stands at, and what in it differs from that commit."""

    commit: str | None
    """40 hex digits; None outside git, before the first commit, and in a SHA-256 repository."""
    changed: tuple[str, ...]
    """Paths from the folder's root that are modified, added or not tracked."""


def head_commit(folder: Path) -> str | None:
    """Return the 40 hex digits of the commit that a folder's checkout stands at; None outside git."""
    answer = run_git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    commit = answer.decode("ascii", "replace").strip() if answer is not None else ""
    return commit if _COMMIT.fullmatch(commit) else None


def commit_state(folder: Path, paths: Sequence[str], *, but: Sequence[str] = ()) -> CommitState:
    """Return the commit and which of the given paths (files, folders or globs) differ from it.

    Paths in `but` do not count. What git ignores does not count either.
    """
    commit = head_commit(folder)
    if commit is None:
        return CommitState(commit=None, changed=())
    wanted = [f":(top,glob){_from_top(folder)}{path}" for path in _with_contents(paths)]
    unwanted = [f":(top,glob,exclude){_from_top(folder)}{path}" for path in _with_contents(but)]
    options = ("--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=all", "--no-renames")
    unfiltered = _without_own_filters(folder)
    answer = run_git(folder, "status", *options, "--", *wanted, *unwanted, environment=unfiltered) or b""
    return CommitState(commit=commit, changed=tuple(os.fsdecode(e[3:]) for e in answer.split(b"\0") if e))


def _without_own_filters(folder: Path) -> dict[str, str]:
    """Take the commands from the filters that the checkout's own configuration defines.

    Comparing a file with its commit would run them. Those of the user (git-lfs) stay.
    """
    pattern = r"^filter\..*\.(clean|process|required)$"
    listed = run_git(folder, "config", "--show-scope", "--name-only", "-z", "--get-regexp", pattern) or b""
    fields = [os.fsdecode(field) for field in listed.split(b"\0")]
    own = [name for scope, name in pairwise(fields) if scope in {"local", "worktree"}]
    # Not as `-c name=`, which a name could end early.
    keys = {f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(own)}
    values = {f"GIT_CONFIG_VALUE_{number}": "" for number in range(len(own))}
    return {"GIT_CONFIG_COUNT": str(len(own)), **keys, **values}


def _with_contents(paths: Sequence[str]) -> list[str]:
    return [pattern for path in paths for pattern in (path, f"{path}/**")]


def _from_top(folder: Path) -> str:
    return os.fsdecode((run_git(folder, "rev-parse", "--show-prefix") or b"").strip(b"\n"))


def git_environment() -> dict[str, str]:
    """Return the environment without what another git left in it, and without questions to the user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }


def run_git(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> bytes | None:
    """Run git where it can change nothing; None where it answers with an error or is not installed."""
    command = [*GIT, "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command,
            env=git_environment() | dict(environment or {}),
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        raise CheckoutError(f"git gave no answer within {SECONDS} s", where=str(folder)) from None
    return done.stdout if done.returncode == 0 else None
