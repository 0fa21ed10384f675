"""A clone on the VM: brought up to date, asked for commits, and read through detached worktrees."""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from evalcore.errors import EvaluatorError, StorageError
from evalcore.git import errors
from evalcore.git.command import LOCAL_TIMEOUT, Outcome, run_git
from evalcore.git.credentials import (
    Credentials,
    allowed_protocols,
    handover,
    origin_of,
    require_secure,
    without_userinfo,
)
from evalcore.git.objects import is_repository
from evalcore.git.setting_names import NO_NAMES, SettingNames
from evalcore.git.translate import scrub, translate

FIRST_CLONE_TIMEOUT = 900.0
"""Seconds for making a clone at start-up."""
FETCH_TIMEOUT = 120.0
LOCK_PATIENCE = 1.0
"""Seconds to wait for a git process of the operator's, such as a `git status`, to end."""
# Every git command here ends by itself long before: the lock is of one that was killed.
FORGOTTEN_LOCK = 900.0
"""Seconds after which a lock is nobody's any more."""
# git itself takes no beginning of fewer than four digits.
HEX = re.compile(r"[0-9a-f]{4,40}")


class Clone:
    """One clone and its remote. Not for use by two threads at once.

    `work` is a folder of the service's own, where worktrees come and go. `credentials` are used only
    where their origin is the remote's.
    """

    def __init__(
        self,
        path: Path,
        *,
        work: Path,
        url: str | None = None,
        default_branch: str = "main",
        credentials: Credentials | None = None,
        allow_http: bool = False,
        names: SettingNames = NO_NAMES,
    ) -> None:
        self.path = path
        self.names = names
        self.default_branch = default_branch
        self._work = work / path.name
        self._url = url
        self._credentials = credentials
        self._allow_http = allow_http

    @property
    def tracking(self) -> str:
        """The remote's default branch as it was when last fetched."""
        return self.tracking_ref(self.default_branch)

    def tracking_ref(self, branch: str) -> str:
        """The reference of a fetched branch of the remote."""
        return f"refs/remotes/origin/{branch}"

    def ensure(self) -> None:
        """Make the clone where it is absent, and remove what a killed process left of worktrees.

        Making is done in steps which a second call takes up where a killed one left them.
        Raises RepositoryError or StorageError.
        """
        if self._url is not None and not self.has_content():
            self._begin(self._url)
        self._open()
        url = self.remote_url()
        # Else a typing mistake in the setting would be answered from another repository, without a word.
        if self._url is not None and _comparable(url) != _comparable(self._url):
            what = (
                f"its origin is {without_userinfo(url)}, but the setting says {without_userinfo(self._url)}"
            )
            raise errors.CloneUnusable(what, where=str(self.path), hint="set one of the two right")
        if self._url is not None and self.head() is None:
            self.fetch(self.default_branch, timeout=FIRST_CLONE_TIMEOUT)
            self.git("checkout", "--quiet", "-B", self.default_branch, "--track", self.tracking)
        self._sweep_worktrees()
        self._sweep_lock()

    def rebuild(self) -> bool:
        """Make a clone that is lost or cannot be read anew, where its URL is set; says whether it was done.

        Nothing is lost by that: what is the service's own is on the remote or in its state directory.
        Raises RepositoryError or StorageError.
        """
        if self._url is None:
            return False
        aside = self.path.with_name(f".{self.path.name}-{uuid.uuid4().hex}")
        try:
            # Renamed first, in one step: a process killed while deleting leaves no half a clone at the path.
            if self.path.exists():
                self.path.rename(aside)
        except OSError as error:
            what, hint = f"cannot be moved aside ({error.strerror})", "delete it"
            raise StorageError(what, where=str(self.path), hint=hint) from error
        shutil.rmtree(aside, ignore_errors=True)
        self.ensure()
        return True

    def fast_forward(self, timeout: float = 30) -> str:
        """Fetch the default branch, move the clone's checkout to it, and give its tip (40 hex).

        A checkout of another branch or commit is left alone. Raises CloneUnusable and its kin.
        """
        deadline = time.monotonic() + timeout
        self._open()
        # Before the network: a lock is a matter of this machine, and would be met after the whole fetch
        # otherwise.
        self._require_unlocked()
        self.fetch(self.default_branch, timeout=timeout)
        tip = self.commit_at(self.tracking)
        if self._current_branch() == self.default_branch:
            self._require_clean(_remaining(deadline))
            self._advance(tip, _remaining(deadline))
        return tip

    def resolve(self, git_sha: str | None) -> str:
        """Give the full id of a commit that the default branch holds; None means its tip.

        `git_sha` is looked up as the beginning of an id and never as a name, so that no branch, tag or
        option can take its place. Raises CommitNotFound.
        """
        if git_sha is None:
            return self.commit_at(self.tracking)
        wanted = git_sha.lower()
        if not HEX.fullmatch(wanted):
            raise self._unknown(git_sha[:40], "is not a commit id")
        candidates = self.git("rev-parse", f"--disambiguate={wanted}").text.split()
        found = [candidate for candidate in candidates if self._is_on_default_branch(candidate)]
        if len(found) > 1:
            raise self._unknown(wanted, "is the beginning of several commits")
        if not found:
            what = "is not reachable from" if candidates else "is no commit of the clone, nor of"
            raise self._unknown(wanted, f"{what} the branch {self.default_branch}")
        return found[0]

    def resolve_any(self, git_sha: str) -> str:
        """Give the full id of any commit of the remote's, fetching it where the clone lacks it.

        A whole id may be of any commit that the remote gives; the beginning of one must be of a branch.
        Raises CommitNotFound, or what keeps the remote from answering.
        """
        wanted = git_sha.lower()
        if not HEX.fullmatch(wanted):
            raise self._unknown(git_sha[:40], "is not a commit id")
        found = self._commits(wanted)
        if not found and len(wanted) == 40:  # noqa: PLR2004 - a whole SHA-1
            # Under a reference of its own, so that it stays until the clone is made anew.
            # Tried, not needed: a remote may refuse to hand out a commit by its id, and its branches are
            # fetched next.
            self._fetch_refspec(f"{wanted}:refs/evaluated/{wanted}", is_needed=False)
            found = self._commits(wanted)
        if not found:
            self._fetch_refspec("+refs/heads/*:refs/remotes/origin/*", is_needed=True)
            found = self._commits(wanted)
        if len(found) > 1:
            raise self._unknown(wanted, "is the beginning of several commits")
        if not found:
            raise self._unknown(wanted, "is no commit of the remote's")
        return found[0]

    def holds(self, sha: str) -> bool:
        """Whether the default branch, as last fetched, holds a commit; raises RepositoryError."""
        # Of the tracking reference: the clone's own branch may have commits that no remote has.
        outcome = self._run("merge-base", "--is-ancestor", self._full(sha), self.tracking)
        # 1 is git's "no"; any other failure is not an answer, unless the clone knows no such commit.
        if outcome.status == 1 or not self._has_commit(sha):
            return False
        self._checked(outcome, "merge-base")
        return True

    def _has_commit(self, sha: str) -> bool:
        return self._run("cat-file", "-e", f"{self._full(sha)}^{{commit}}").status == 0

    @contextmanager
    def worktree(self, sha: str) -> Iterator[Path]:
        """Check a commit out, detached, into a folder of its own, and remove it at the end."""
        self._work.mkdir(parents=True, exist_ok=True)
        # Whole, since git runs in the clone: a path relative to this process would lie inside of it.
        folder = self._work.resolve() / f"worktree-{uuid.uuid4().hex}"
        try:
            self.git(
                "worktree", "add", "--quiet", "--detach", str(folder), self._full(sha), timeout=FETCH_TIMEOUT
            )
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            # The next command on the clone shows a failure to prune; it must not hide this one's.
            self._run("worktree", "prune", "--expire=now")

    def fetch(self, branch: str, *, timeout: float = FETCH_TIMEOUT) -> None:
        """Fetch one branch of the remote; raises BranchMissing, RemoteUnreachable, RemoteRefused."""
        refspec = f"+refs/heads/{branch}:{self.tracking_ref(branch)}"
        self._fetch_refspec(refspec, is_needed=True, timeout=timeout)

    def remote_url(self) -> str:
        """The URL of origin, checked to be one that credentials may go to."""
        url = self._run("config", "--local", "--get", "remote.origin.url").text
        if not url:
            what, hint = "the clone has no remote called origin", "git remote add origin URL"
            raise errors.CloneUnusable(what, where=str(self.path), hint=hint)
        require_secure(url, str(self.path), allow_http=self._allow_http, names=self.names)
        return url

    def head(self) -> str | None:
        """The commit that is checked out; None before the first one."""
        return self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}").text or None

    def commit_at(self, reference: str) -> str:
        """The commit that a full reference name points to; raises CloneCorrupt where there is none."""
        outcome = self._run("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}")
        if outcome.status != 0:
            hint = f"does {self.names.default_branch} name the right branch?"
            raise errors.CloneCorrupt(f"it has no commit at {reference}", where=str(self.path), hint=hint)
        return outcome.text

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether one commit is reachable from another."""
        return self._run("merge-base", "--is-ancestor", ancestor, descendant).status == 0

    def git(
        self,
        *arguments: str,
        timeout: float = LOCAL_TIMEOUT,
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Outcome:
        """Run a local git command in the clone; raises what its failure means."""
        outcome = run_git(self.path, *arguments, timeout=timeout, environment=environment, stdin=stdin)
        return self._checked(outcome, arguments[0])

    def remote(self, *arguments: str, timeout: float) -> Outcome:
        """Run a git command that speaks to the remote, whatever its outcome; scrubbed."""
        url = self.remote_url()
        protocols = allowed_protocols(url, allow_http=self._allow_http)
        with handover(self._credentials, url) as means:
            outcome = run_git(self.path, *arguments, timeout=timeout, protocols=protocols, credentials=means)
            # A token may be revoked before its time: the next command is to get a new one.
            if outcome.status != 0 and self._credentials is not None:
                self._credentials.forget()
            return outcome._replace(errors=scrub(outcome.errors, means.token))

    def _run(self, *arguments: str, timeout: float = LOCAL_TIMEOUT) -> Outcome:
        return run_git(self.path, *arguments, timeout=timeout)

    def _checked(self, outcome: Outcome, command: str) -> Outcome:
        if outcome.status != 0:
            raise self.meaning_of(outcome._replace(errors=scrub(outcome.errors, "")), command)
        return outcome

    def meaning_of(self, outcome: Outcome, command: str, where: str = "") -> EvaluatorError:
        """Return the error that a failed git command stands for."""
        return translate(outcome, command, where or str(self.path), self.names)

    def has_content(self) -> bool:
        """Whether there is anything at its path: an empty folder is no clone yet."""
        return self.path.is_dir() and any(self.path.iterdir())

    def _begin(self, url: str) -> None:
        require_secure(url, str(self.path), allow_http=self._allow_http, names=self.names)
        self.path.mkdir(parents=True, exist_ok=True)
        # An empty template: the machine's would bring its hooks into the clone.
        self.git("init", "--quiet", f"--initial-branch={self.default_branch}", "--template=")
        self.git("remote", "add", "--", "origin", url)

    def _open(self) -> None:
        where = str(self.path)
        if not self.path.is_dir():
            hint = (
                "clone it there, or set its URL" if self._url is None else "it is made anew at its next use"
            )
            raise errors.CloneMissing("there is no clone", where=where, hint=hint)
        if not is_repository(self.path):
            hint = "delete it and clone it again" if self._url is None else "it is made anew at its next use"
            raise errors.CloneCorrupt("it is not a git repository", where=where, hint=hint)

    def _current_branch(self) -> str | None:
        name = self._run("symbolic-ref", "--quiet", "HEAD").text
        return name.removeprefix("refs/heads/") or None

    def _require_unlocked(self) -> None:
        lock = Path(self.git("rev-parse", "--absolute-git-dir").text) / "index.lock"
        patience = time.monotonic() + LOCK_PATIENCE
        while lock.exists():
            if time.monotonic() > patience:
                what = "another git process is at work in the clone"
                hint = f"wait until it ends; if there is none, delete {lock}"
                raise errors.CloneLocked(what, where=str(self.path), hint=hint)
            time.sleep(0.05)

    def _require_clean(self, timeout: float) -> None:
        # Untracked files are nobody's change; a merge refuses by itself to overwrite one.
        quiet = ("--untracked-files=no", "--ignore-submodules=all")
        status = self.git("status", "--porcelain=v1", "-z", *quiet, timeout=timeout).output
        changed = status.decode("utf-8", "replace").split("\0")[0]
        if changed:
            what = f"its checkout has local changes ({changed[3:]!a} among them)"
            hint = "commit them elsewhere, or git restore them"
            raise errors.CloneDirty(what, where=str(self.path), hint=hint)

    def _advance(self, tip: str, timeout: float) -> None:
        head = self.head()
        if head == tip:
            return
        if head is not None and not self.is_ancestor(head, tip):
            ahead = self.git("rev-list", "--count", f"{tip}..{head}").text
            what = f"its branch {self.default_branch} has {ahead} commits that the remote lacks"
            hint = f"push them, or git reset --hard origin/{self.default_branch}"
            raise errors.CloneDiverged(what, where=str(self.path), hint=hint)
        self.git("merge", "--quiet", "--ff-only", "--no-verify-signatures", tip, timeout=timeout)

    def _commits(self, beginning: str) -> list[str]:
        candidates = self.git("rev-parse", f"--disambiguate={beginning}").text.split()
        return [each for each in candidates if self._run("cat-file", "-t", each).text == "commit"]

    def _fetch_refspec(self, refspec: str, *, is_needed: bool, timeout: float = FETCH_TIMEOUT) -> None:
        # Submodules least of all: the repository's own file says from which addresses they are fetched.
        arguments = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
        outcome = self.remote(*arguments, "--", self.remote_url(), refspec, timeout=timeout)
        if is_needed:
            self._checked(outcome, "fetch")

    def _is_on_default_branch(self, sha: str) -> bool:
        # The beginning of an id may be that of a tree or a file as well.
        kind = self._run("cat-file", "-t", sha).text
        return kind == "commit" and self.is_ancestor(sha, self.tracking)

    def _full(self, sha: str) -> str:
        if len(sha) != 40 or not HEX.fullmatch(sha):  # noqa: PLR2004 - a whole SHA-1
            raise self._unknown(sha[:40], "is not a whole commit id")
        return sha

    def _unknown(self, sha: str, what: str) -> errors.CommitNotFound:
        hint = f"push it to {self.default_branch} first"
        return errors.CommitNotFound(f"commit {sha!a} {what}", where=str(self.path), hint=hint)

    def _sweep_lock(self) -> None:
        """Remove the lock that a git process left which was killed, as by a power cut."""
        lock = Path(self.git("rev-parse", "--absolute-git-dir").text) / "index.lock"
        with suppress(FileNotFoundError):
            if time.time() - lock.stat().st_mtime > FORGOTTEN_LOCK:
                lock.unlink()

    def _sweep_worktrees(self) -> None:
        for folder in self._work.glob("worktree-*"):
            shutil.rmtree(folder, ignore_errors=True)
        self._run("worktree", "prune", "--expire=now")


def _remaining(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.1)


def _comparable(url: str) -> str:
    """A URL without what makes no difference: userinfo, the host's case, a trailing `/` or `.git`."""
    origin = origin_of(url)
    path = without_userinfo(url) if origin is None else urlsplit(url).path
    return (origin or "") + path.rstrip("/").removesuffix(".git")
