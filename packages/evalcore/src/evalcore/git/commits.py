"""Results as commits: a file set without any checkout, merged and pushed.

With no checkout there is no filter, link, hook or attribute between the bytes and the commit, and the
commit differs from its parent in exactly the files that are set by construction.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from evalcore.git import errors
from evalcore.git.clone import FETCH_TIMEOUT, Clone
from evalcore.git.command import OUTPUT_LIMIT, Outcome, run_git
from evalcore.git.objects import PLAIN, REGULAR, entry_at, unsafe
from evalcore.git.translate import said

PUSH_TIMEOUT = 120.0
CONFLICT = 1
"""The status of `git merge-tree` for a merge with conflicts; see git-merge-tree(1)."""
# Known to every git, whether the repository holds it or not. From 2.43 on a repository without a checkout
# would take attributes from HEAD; of the empty tree there are none.
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
OUTDATED = re.compile(r"\[rejected\]|cannot lock ref|failed to update ref|incorrect old value", re.IGNORECASE)


class Identity(NamedTuple):
    """Who a commit is by."""

    name: str
    email: str

    @property
    def environment(self) -> dict[str, str]:
        """How git is given it."""
        whose = ("AUTHOR", "COMMITTER")
        names = {f"GIT_{role}_NAME": self.name for role in whose}
        return names | {f"GIT_{role}_EMAIL": self.email for role in whose}


EVALUATOR = Identity("Evaluator", "evaluator@users.noreply.github.com")


def commit_files(
    clone: Clone, parent: str, files: Mapping[str, bytes], message: str, author: Identity = EVALUATOR
) -> str:
    """Make a commit on `parent` that sets these files and nothing else; gives its id. No branch moves.

    Raises UnsafePath where a path holds something else than a regular file in a folder.
    """
    entries = [_Entry(_mode_at(clone, parent, path), path, data) for path, data in files.items()]
    return _commit(clone, parent, entries, (parent,), message, author)


def _mode_at(clone: Clone, commit: str, path: str) -> str:
    """Return the mode that a file has there, or gets; raises UnsafePath."""
    around = entry_at(clone.path, commit, Path(path).parent.as_posix())
    entry = entry_at(clone.path, commit, path)
    if (around is not None and around.kind != "tree") or (entry is not None and entry.mode not in REGULAR):
        raise unsafe(path, commit)
    return entry.mode if entry else PLAIN


class _Entry(NamedTuple):
    """A file to be set."""

    mode: str
    path: str
    data: bytes


def _commit(
    clone: Clone,
    base: str,
    entries: Sequence[_Entry],
    parents: Sequence[str],
    message: str,
    author: Identity,
) -> str:
    """Commit the tree of `base` with files set, through an index of its own; gives the commit's id."""
    # The clone's own index is that of its checkout, and locked while somebody works there.
    with tempfile.TemporaryDirectory(prefix="evalhook-index-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        clone.git("read-tree", base, environment=index)
        for mode, path, data in entries:
            blob = clone.git("hash-object", "-w", "--no-filters", "--stdin", stdin=data).text
            clone.git("update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}", environment=index)
        tree = clone.git("write-tree", environment=index).text
    named = [part for parent in parents for part in ("-p", parent)]
    arguments = ("commit-tree", tree, *named, "-F", "-")
    return clone.git(*arguments, environment=author.environment, stdin=message.encode()).text


def remote_tip(clone: Clone, branch: str) -> str | None:
    """Where a branch of the remote is now, or None where there is none."""
    # The whole name: a tag of the same name must not be taken for the branch.
    reference = f"refs/heads/{branch}"
    outcome = clone.remote("ls-remote", "--quiet", "--", clone.remote_url(), reference, timeout=PUSH_TIMEOUT)
    if outcome.status != 0:
        raise clone.meaning_of(outcome, "ls-remote")
    # The pattern also matches other references that end in the same words.
    lines = (line.split("\t", 1) for line in outcome.text.splitlines())
    return next((sha for sha, name in lines if name == reference), None)


def push(clone: Clone, commit: str, branch: str) -> None:
    """Push a commit to a branch of the remote, never by force.

    Raises PushOutdated where the branch has moved or exists with other commits, PushRefused where the
    remote will not have it, RemoteUnreachable and GitTimedOut where nobody knows.
    """
    arguments = ("push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-recurse-submodules")
    refspec = f"{commit}:refs/heads/{branch}"
    outcome = clone.remote(*arguments, "--", clone.remote_url(), refspec, timeout=PUSH_TIMEOUT)
    if outcome.status != 0:
        raise _push_error(outcome, branch, clone)


def _push_error(outcome: Outcome, branch: str, clone: Clone) -> Exception:
    rejection = next((line for line in outcome.text.splitlines() if line.startswith("!")), "")
    where = f"{clone.remote_url()} {branch}"
    if OUTDATED.search(rejection):
        return errors.PushOutdated("the branch has moved on the remote", where=where)
    error = clone.meaning_of(outcome, "push", where)
    # Without a line about the branch the remote has not judged the push: whether it arrived nobody knows.
    if not rejection and not isinstance(error, errors.RemoteRefused):
        return error
    words = _remote_words(outcome.errors) or said(rejection or outcome.errors)
    hint = "may the token push here, and do the branch rules let it?"
    return errors.PushRefused(f"the remote refuses the push: {words}", where=where, hint=hint)


def _remote_words(text: str) -> str:
    lines = [line.removeprefix("remote:").strip() for line in text.splitlines() if line.startswith("remote:")]
    return said(" ".join(line for line in lines if line)) if any(lines) else ""


class Change(NamedTuple):
    """A path that differs between two trees.

    A mode is git's six octal digits, `000000` where there is no such path.
    """

    path: str
    old_mode: str
    mode: str


def fork_of(clone: Clone, one: str, other: str) -> str | None:
    """The best common ancestor of two commits; None where they have none."""
    outcome = run_git(clone.path, "merge-base", one, other)
    if outcome.status > 1:
        raise clone.meaning_of(outcome, "merge-base")
    return outcome.text or None


def changes_between(clone: Clone, old: str, new: str) -> list[Change]:
    """What differs between the trees of two commits or trees; a file that was moved is two paths."""
    return _changes(clone.git("diff-tree", *RAW, old, new))


def changes_of_commits(clone: Clone, base: str, tip: str, most: int) -> list[Change] | None:
    """What each commit of `tip` that `base` lacks changes; None where they are over `most`.

    Of a merge those paths that are as none of its parents has them.
    """
    # One more than are allowed, so that a history of a million commits is not listed to be counted.
    commits = clone.git("rev-list", f"--max-count={most + 1}", f"{base}..{tip}")
    if len(commits.text.split()) > most:
        return None
    # Combined (-c): against a single parent a merge would show all that its other side has changed.
    command = ("diff-tree", *RAW, "-c", "--root", "--no-commit-id", "--stdin")
    return _changes(clone.git(*command, stdin=commits.output))


RAW = ("-r", "-z", "--raw", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")


def _changes(outcome: Outcome) -> list[Change]:
    """Read git's raw format (git-diff-tree(1)): `:old-mode mode old-id id status NUL path NUL`.

    Of a merge there is a colon, and an old mode, for each parent; the first parent's is taken.
    """
    if len(outcome.output) >= OUTPUT_LIMIT:
        # The rest was not stored, and what is there may end within a path.
        raise errors.GitFailed(f"the difference is larger than {OUTPUT_LIMIT} bytes")
    parts = outcome.output.decode("utf-8", "surrogateescape").split("\0")
    return [_change(*pair) for pair in zip(parts[::2], parts[1::2], strict=False)]


def _change(described: str, path: str) -> Change:
    modes = described.lstrip(":").split(" ")
    return Change(path, modes[0], modes[described.count(":")])


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
    # Of a commit that it cannot read git gives the status of a conflict too, and no tree.
    if outcome.status not in {0, CONFLICT} or not outcome.output:
        raise clone.meaning_of(outcome, "merge-tree")
    tree, *paths = outcome.output.decode("utf-8", "replace").split("\0")
    return Merge(tree, tuple(path for path in paths if path) if outcome.status == CONFLICT else ())


def commit_merge(
    clone: Clone,
    merge: Merge,
    path: str,
    data: bytes,
    parents: tuple[str, str],
    message: str,
    author: Identity = EVALUATOR,
) -> str:
    """Commit a merge in which the file at `path`, the one that may conflict, is `data`; gives its id."""
    return _commit(clone, merge.tree, [_Entry(PLAIN, path, data)], parents, message, author)
