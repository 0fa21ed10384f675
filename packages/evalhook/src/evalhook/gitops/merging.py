"""Merging two branches without a checkout: what conflicts, and the commit that settles it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from evalhook.gitops.clone import FETCH_TIMEOUT, Clone
from evalhook.gitops.command import run_git
from evalhook.gitops.commits import IDENTITY
from evalhook.gitops.translate import translate

CONFLICT = 1
"""The status of `git merge-tree` for a merge with conflicts; see git-merge-tree(1)."""

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Known to every git; from 2.43 on a repository without a checkout would take attributes from HEAD."""


class Merge(NamedTuple):
    """What merging two commits gives."""

    tree: str
    conflicts: tuple[str, ...]
    """The paths that git cannot merge; in `tree` they hold conflict markers."""


def try_merge(clone: Clone, ours: str, theirs: str) -> Merge:
    """Merge two commits into a tree; raises RepositoryError.

    As if there were no checkout, whose .gitattributes could have two leaderboards merged line by line
    (`merge=union`) into a file that is none.
    """
    folder = Path(clone.git("rev-parse", "--absolute-git-dir").text)
    arguments = ("merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", ours, theirs)
    outcome = run_git(
        folder, "--bare", *arguments, timeout=FETCH_TIMEOUT, environment={"GIT_ATTR_SOURCE": EMPTY_TREE}
    )
    if outcome.status not in {0, CONFLICT}:
        raise translate(outcome, "merge-tree", str(clone.path))
    tree, *paths = outcome.output.decode("utf-8", "replace").split("\0")
    return Merge(tree, tuple(path for path in paths if path) if outcome.status == CONFLICT else ())


def commit_merge(
    clone: Clone, merge: Merge, path: str, data: bytes, parents: tuple[str, str], message: str
) -> str:
    """Commit a merge in which the file at `path`, the one that may conflict, is `data`; gives its id."""
    blob = clone.git("hash-object", "-w", "--no-filters", "--stdin", stdin=data).text
    with tempfile.TemporaryDirectory(prefix="evalhook-index-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        clone.git("read-tree", merge.tree, environment=index)
        clone.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", environment=index)
        tree = clone.git("write-tree", environment=index).text
    ours, theirs = parents
    arguments = ("commit-tree", tree, "-p", ours, "-p", theirs, "-F", "-")
    return clone.git(*arguments, environment=IDENTITY, stdin=message.encode()).text
