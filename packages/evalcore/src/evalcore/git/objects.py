"""Commits, trees and blobs of a clone, read with GitPython.

It reads objects through a `git cat-file` of its own, which is given the variables and settings of
`command`: nobody's configuration is read, and nothing is run. What changes a clone or speaks to its
remote goes through `command`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from evalcore.git.command import FIXED_VARIABLES, OUTPUT_LIMIT, SETTINGS
from evalcore.git.errors import BlobTooLarge, CloneCorrupt, UnsafePath

# A missing git is then named by the first command that needs it, instead of by this import.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
from git import Commit, Repo
from git.exc import GitError, ODBError

PLAIN: Final = "100644"
"""The mode of a regular file that is not executable."""
EXECUTABLE: Final = "100755"
REGULAR: Final = frozenset({PLAIN, EXECUTABLE})

_DAMAGE: Final = (GitError, ODBError, OSError, ValueError)
"""What GitPython raises for objects that are missing or damaged, and where git cannot be run."""


class TreeEntry(NamedTuple):
    """What stands at a path of a commit."""

    mode: str
    """Six octal digits."""
    kind: str
    """`tree`, `blob`, or `submodule`."""
    size: int
    """Bytes of a blob; 0 of anything else."""


def is_repository(path: Path) -> bool:
    """Whether this folder itself is a repository; git would go on to one around it."""
    try:
        # A `$` in a path is a letter; GitPython would put a variable's value there.
        Repo(path, expand_vars=False).close()
    except (GitError, OSError, ValueError):
        return False
    return True


def entry_at(clone: Path, commit: str, path: str) -> TreeEntry | None:
    """Return what stands at a path of a commit, None where nothing does; raises CloneCorrupt."""
    with _opened(clone, commit) as opened:
        try:
            found = opened.tree / path
        except KeyError:
            return None
        size = found.size if found.type == "blob" else 0
        return TreeEntry(mode=f"{found.mode:06o}", kind=str(found.type), size=int(size))


def read_blob(clone: Path, commit: str, path: str, limit: int = OUTPUT_LIMIT) -> bytes | None:
    """Return a file's bytes at a commit, None where it is not there.

    Raises UnsafePath for anything but a regular file, BlobTooLarge for one of over `limit` bytes,
    CloneCorrupt where the clone cannot be read.
    """
    entry = entry_at(clone, commit, path)
    if entry is None:
        return None
    if entry.mode not in REGULAR:
        raise unsafe(path, commit)
    # Before it is read: a file of a commit may be larger than memory.
    if entry.size > limit:
        raise BlobTooLarge(f"it is larger than {limit} bytes", where=f"{path} at {commit[:12]}")
    with _opened(clone, commit) as opened:
        data: bytes = (opened.tree / path).data_stream.read()
        return data


def message_of(clone: Path, commit: str) -> str:
    """Return a commit's whole message, without the space around it; raises CloneCorrupt."""
    with _opened(clone, commit) as opened:
        message = opened.message
    return (message if isinstance(message, str) else message.decode("utf-8", "replace")).strip()


def unsafe(path: str, commit: str) -> UnsafePath:
    """The error of a path that holds a link, a submodule or a folder where a file is wanted."""
    what, hint = "it is no regular file in the repository", "make it a regular file in a folder"
    return UnsafePath(what, where=f"{path} at {commit[:12]}", hint=hint)


@contextmanager
def _opened(clone: Path, commit: str) -> Iterator[Commit]:
    try:
        with Repo(clone, expand_vars=False) as repository:
            # Variables that the service was started with must not lead git elsewhere.
            repository.git.update_environment(
                **FIXED_VARIABLES,
                GIT_DIR=str(repository.git_dir),
                GIT_COMMON_DIR=str(repository.common_dir),
                GIT_ALTERNATE_OBJECT_DIRECTORIES="",
                GIT_CONFIG_COUNT="0",
                GIT_CONFIG_PARAMETERS="",
            )
            repository.git.set_persistent_git_options(c=[f"{key}={value}" for key, value in SETTINGS.items()])
            yield repository.commit(commit)
    except _DAMAGE as error:
        hint = "it is made anew at its next use where its URL is set; else delete it and clone it again"
        what = f"git cannot read the clone (commit {commit[:12]})"
        raise CloneCorrupt(what, where=str(clone), hint=hint) from error
