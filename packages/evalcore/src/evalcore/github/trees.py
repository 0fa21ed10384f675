"""Trees and blobs of a repository on GitHub, read without a clone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from github import GithubException
from github.GitTree import GitTree
from github.Repository import Repository

from evalcore.errors import CheckoutError
from evalcore.github.client import GitHub
from evalcore.structs import Frozen

# 409 where the repository is empty, 422 for what is no name.
ABSENT: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})
"""GitHub's answers for what is not there."""


class TreeLine(Frozen, frozen=True):
    """What stands at a path of a tree."""

    path: str
    mode: str
    """Six octal digits."""
    oid: str


class TreeListing(Frozen, frozen=True):
    """A tree's lines; GitHub leaves some out of one of over 100,000 lines or 7 MB."""

    lines: tuple[TreeLine, ...]
    is_whole: bool


class TreeReader:
    """Reads one repository over one connection."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def listing(self, name: str, *, deep: bool) -> TreeListing:
        """Return what stands in a tree, which a commit, a branch or a tag may name; `deep`: below it too.

        Raises CheckoutError where there is no such tree.
        """
        try:
            tree = self._repository.get_git_tree(name, recursive=deep)
        except GithubException as error:
            raise _absent(error, name, self._repository) from None
        return TreeListing(_lines(tree), is_whole=not tree.raw_data.get("truncated"))

    def tip(self, branch: str) -> str:
        """Return the commit that a branch stands at; raises CheckoutError where there is none."""
        try:
            return self._repository.get_branch(branch).commit.sha
        except GithubException as error:
            raise _absent(error, branch, self._repository) from None

    def commit_before(self, branch: str, moment: datetime) -> str | None:
        """Return the newest commit of a branch that was made before a moment; None where there is none."""
        until = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        # One commit of one page; PyGithub's own list fetches a page of a hundred.
        where, wanted = f"{self._repository.url}/commits", {"sha": branch, "until": until, "per_page": 1}
        _, found = self._repository.requester.requestJsonAndCheck("GET", where, parameters=wanted)
        return str(found[0]["sha"]) if found else None

    def blob(self, oid: str) -> bytes:
        """Return the bytes of a blob; raises CheckoutError where there is none."""
        try:
            blob = self._repository.get_git_blob(oid)
        except GithubException as error:
            raise _absent(error, oid, self._repository) from None
        try:
            # Not strictly: GitHub breaks its base64 into lines.
            return base64.b64decode(blob.content or "")
        except ValueError:
            raise CheckoutError("cannot be read from GitHub (no base64)", where=oid) from None


class GitHubTrees(GitHub):
    """Where the trees of a repository are read."""

    @contextmanager
    def reading(self) -> Iterator[TreeReader]:
        """Open one connection for all that is read; raises RepositoryError."""
        with self._opened("read the repository") as repository:
            yield TreeReader(repository)


def _lines(tree: GitTree) -> tuple[TreeLine, ...]:
    return tuple(TreeLine(line.path, line.mode, line.sha) for line in tree.tree)


def _absent(error: GithubException, name: str, repository: Repository) -> Exception:
    if error.status not in ABSENT:
        return error
    what = f"has no such commit, or the token may not read it (GitHub answers {error.status})"
    where = f"{repository.url.partition('/repos/')[2]}@{name[:100]}"
    return CheckoutError(what, where=where, hint="check the name; a commit that was pushed over may be gone")
