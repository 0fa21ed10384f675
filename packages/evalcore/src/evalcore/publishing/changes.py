"""What a results branch may change: the leaderboard of its component, and nothing else.

One allow-list serves the choice of the branch that new results are built on, the look at what was pushed
before its pull request is opened, and the refresh. Who wrote a commit is of no importance here: an
author is whatever the commit says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evalcore.errors import LeaderboardError, RepositoryError
from evalcore.git.clone import Clone
from evalcore.git.commits import Change, changes_between, changes_of_commits, fork_of, try_merge
from evalcore.git.errors import BlobTooLarge
from evalcore.git.objects import EXECUTABLE, PLAIN, read_blob
from evalcore.runs.leaderboard import MAX_BYTES, Leaderboard, merge_leaderboards, parse_leaderboard

MOST_COMMITS = 1000
"""Commits of an open results branch that are looked at; one with more is not built on."""


class ForeignChange(RepositoryError):
    """A results branch changes something that results do not change."""

    code = "foreign_change"


def leaderboard_path(slug: str) -> str:
    """The one file that results change."""
    return f"components/{slug}/leaderboard.json"


def read_leaderboard(clone: Clone, slug: str, commit: str) -> Leaderboard:
    """Read a component's leaderboard at a commit; an empty one where there is none.

    Raises LeaderboardError where it is not valid, and UnsafePath where it is no regular file.
    """
    path = leaderboard_path(slug)
    where = f"{path} at {commit[:12]}"
    try:
        data = read_blob(clone.path, commit, path, MAX_BYTES)
    except BlobTooLarge as error:
        hint = "mend it by hand; it is left as it stands"
        raise LeaderboardError(error.what, where=where, hint=hint) from error
    return Leaderboard(component=slug) if data is None else parse_leaderboard(data, where)


def require_only_results(clone: Clone, slug: str, default: str, tip: str) -> None:
    """Check that merging `tip` into the commit `default` changes the leaderboard of `slug` alone.

    Each commit on the way is checked as well: a pull request carries all of them. Raises ForeignChange,
    which names the first path that is not allowed, or RepositoryError.
    """
    if fork_of(clone, default, tip) is None:
        raise _foreign(tip, "has no commit in common with the default branch")
    # A file that one commit adds and the next removes is in the history that a merge brings along.
    commits = changes_of_commits(clone, default, tip, MOST_COMMITS)
    if commits is None:
        raise _foreign(tip, f"has over {MOST_COMMITS} commits that the default branch lacks")
    merge = try_merge(clone, tip, default)
    merged = changes_between(clone, default, merge.tree)
    path = next(_foreign_paths(slug, [*commits, *merged]), None)
    path = path or next((each for each in merge.conflicts if each != leaderboard_path(slug)), None)
    if path is not None:
        raise _foreign(tip, f"changes {path!a:.300}")


def keeps_all_records(earlier: Leaderboard, later: Leaderboard) -> bool:
    """Whether every record of `earlier` is in `later` unchanged, and so is what stands beside the records.

    Raises LeaderboardError where they are of two components, or one id has two contents.
    """
    united = merge_leaderboards(earlier, later)
    return len(united.runs) == len(later.runs) and united.extra.keys() == later.extra.keys()


def _foreign_paths(slug: str, changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        # A leaderboard that becomes a link would be read as what it points to.
        is_regular = change.mode == PLAIN or change.mode == change.old_mode == EXECUTABLE
        if change.path != leaderboard_path(slug) or not is_regular:
            yield change.path


def _foreign(commit: str, what: str) -> ForeignChange:
    hint = "let nobody else push to eval-results/**"
    return ForeignChange(f"it {what}, which no results do", where=f"commit {commit[:12]}", hint=hint)
