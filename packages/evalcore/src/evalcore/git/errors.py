"""Every error of the git edge: what happened to which clone, and what its operator does about it.

RepositoryError
├── CloneUnusable              the service cannot work with the clone as it is
│   ├── CloneMissing               there is none, and no URL to make it from
│   ├── CloneCorrupt               git cannot read it
│   ├── CloneDirty                 somebody changed files in its checkout
│   ├── CloneDiverged              its branch has commits that the remote lacks
│   ├── CloneLocked          *     another git process holds a lock
│   ├── BranchMissing              the remote has no such branch
│   ├── RemoteUnreachable    *     no connection, or the remote answers nothing sensible
│   ├── RemoteRefused              the remote does not accept the token, or has no such repository
│   └── GitTimedOut          *     a git command ran into its limit
├── InsecureRemote             credentials would go over plain HTTP, or stand in the URL
├── CommitNotFound             not in the clone, or not reachable from the default branch
├── PushOutdated         *     the branch moved since we looked
├── PushRefused                the remote refuses the push (protected branch, hook, permission)
├── UnsafePath                 the file to write is not a regular file in the repository
├── BlobTooLarge               a file of a commit is larger than its reader takes
└── GitFailed                  anything else that git says

* retryable.
"""

from __future__ import annotations

from evalcore.errors import RepositoryError


class CloneUnusable(RepositoryError):
    """The service cannot work with the clone as it is."""

    code = "clone_unusable"


class CloneMissing(CloneUnusable):
    """There is no clone, and no URL to make it from."""

    code = "clone_missing"


class CloneCorrupt(CloneUnusable):
    """Git cannot read the clone."""

    code = "clone_corrupt"


class CloneDirty(CloneUnusable):
    """Somebody changed files in the clone's checkout."""

    code = "clone_dirty"


class CloneDiverged(CloneUnusable):
    """The clone's branch has commits that the remote lacks."""

    code = "clone_diverged"


class CloneLocked(CloneUnusable):
    """Another git process holds a lock on the clone."""

    code = "clone_locked"
    retryable = True


class BranchMissing(CloneUnusable):
    """The remote has no such branch."""

    code = "branch_missing"


class RemoteUnreachable(CloneUnusable):
    """There is no connection to the remote, or it answers nothing sensible."""

    code = "remote_unreachable"
    retryable = True


class RemoteRefused(CloneUnusable):
    """The remote does not accept the token, or has no such repository."""

    code = "remote_refused"


class GitTimedOut(CloneUnusable):
    """A git command ran into its time limit."""

    code = "git_timed_out"
    retryable = True


class InsecureRemote(RepositoryError):
    """Credentials would go over plain HTTP, or stand in the URL."""

    code = "insecure_remote"


class CommitNotFound(RepositoryError):
    """The commit is not in the clone, or not reachable from the default branch."""

    code = "unknown_commit"


class PushOutdated(RepositoryError):
    """The branch moved on the remote since we looked."""

    code = "push_outdated"
    retryable = True


class PushRefused(RepositoryError):
    """The remote refuses the push."""

    code = "push_refused"


class UnsafePath(RepositoryError):
    """The file to write is not a regular file in the repository."""

    code = "unsafe_path"


class BlobTooLarge(RepositoryError):
    """A file of a commit is larger than its reader takes."""

    code = "blob_too_large"


class GitFailed(RepositoryError):
    """Git failed in a way that has no name here."""

    code = "git_failed"
