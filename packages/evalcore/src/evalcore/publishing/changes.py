"""What a results branch may change: the leaderboard of its component, new reports of its runs, nothing else.

One allow-list serves the choice of the branch that new results are built on, the look at what was pushed
before its pull request is opened, and the refresh. Who wrote a commit is of no importance here: an
author is whatever the commit says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import PurePosixPath
from typing import Final

from evalcore.errors import LeaderboardError, RepositoryError
from evalcore.git.clone import Clone
from evalcore.git.commits import Change, changes_between, changes_of_commits, fork_of, try_merge
from evalcore.git.errors import BlobTooLarge
from evalcore.git.objects import EXECUTABLE, PLAIN, entry_at, read_blob
from evalcore.reports.run_report.files import REPORT_FILE, report_name, reports_folder
from evalcore.runs.leaderboard import (
    MAX_BYTES,
    Leaderboard,
    known_records,
    merge_leaderboards,
    parse_leaderboard,
)

ABSENT: Final = "000000"
"""The mode of what is not there."""
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


def require_only_results(clone: Clone, slug: str, default: str, tip: str, *, has_reports: bool) -> None:
    """Check that merging `tip` into the commit `default` changes the leaderboard of `slug` alone.

    Where reports are published, new files of the reports of runs that the leaderboard of `tip` holds are
    allowed, too. Each commit on the way is checked as well: a pull request carries all of them. Raises
    ForeignChange, which names the first path that is not allowed, LeaderboardError, or RepositoryError.
    """
    if fork_of(clone, default, tip) is None:
        raise _foreign(tip, "has no commit in common with the default branch")
    # A file that one commit adds and the next removes is in the history that a merge brings along.
    commits = changes_of_commits(clone, default, tip, MOST_COMMITS)
    if commits is None:
        raise _foreign(tip, f"has over {MOST_COMMITS} commits that the default branch lacks")
    merge = try_merge(clone, tip, default)
    merged = changes_between(clone, default, merge.tree)
    reports = _reports_at(clone, slug, tip) if has_reports else frozenset[str]()
    path = next(_foreign_paths(slug, [*commits, *merged], reports), None)
    # A conflict outside of the leaderboard could only be resolved by a person, and would hold up all that is
    # built on it.
    path = path or next((each for each in merge.conflicts if each != leaderboard_path(slug)), None)
    if path is not None:
        raise _foreign(tip, f"changes {path!a:.300}")


def keeps_all_records(earlier: Leaderboard, later: Leaderboard) -> bool:
    """Whether every record of `earlier` is in `later` unchanged, and so is what stands beside the records.

    Raises LeaderboardError where they are of two components, or one id has two contents.
    """
    united = merge_leaderboards(earlier, later)
    return len(united.runs) == len(later.runs) and united.extra.keys() == later.extra.keys()


def new_reports(clone: Clone, commit: str, reports: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return those files of reports that can be added to a commit: none that is there, or in no folder.

    Raises RepositoryError.
    """
    return {path: data for path, data in reports.items() if _can_be_added(clone, commit, path)}


def _can_be_added(clone: Clone, commit: str, path: str) -> bool:
    if entry_at(clone.path, commit, path) is not None:
        return False
    # The last of `parents` is `.`, which is no path of a tree.
    around = [folder.as_posix() for folder in PurePosixPath(path).parents if folder.name]
    found = (entry_at(clone.path, commit, folder) for folder in around)
    return all(entry is None or entry.kind == "tree" for entry in found)


def _reports_at(clone: Clone, slug: str, commit: str) -> frozenset[str]:
    """Return the folders of the reports of all runs that a leaderboard holds."""
    records = known_records(read_leaderboard(clone, slug, commit))
    return frozenset(f"{reports_folder(slug)}/{report_name(record)}" for record in records)


def _foreign_paths(slug: str, changes: Iterable[Change], reports: AbstractSet[str]) -> Iterator[str]:
    for change in changes:
        # A leaderboard that becomes a link would be read as what it points to.
        is_regular = change.mode == PLAIN or change.mode == change.old_mode == EXECUTABLE
        is_board = change.path == leaderboard_path(slug) and is_regular
        if not (is_board or _is_new_report(slug, change, reports)):
            yield change.path


def _is_new_report(slug: str, change: Change, reports: AbstractSet[str]) -> bool:
    """Whether a change adds a file to the report of a run that the leaderboard holds."""
    folder = reports_folder(slug)
    if not change.path.startswith(f"{folder}/"):
        return False
    name, _, file = change.path.removeprefix(f"{folder}/").partition("/")
    # A report that is there stays as it is: changing one could put other figures beside a record.
    is_new = change.old_mode == ABSENT and change.mode == PLAIN
    return is_new and f"{folder}/{name}" in reports and REPORT_FILE.fullmatch(file) is not None


def _foreign(commit: str, what: str) -> ForeignChange:
    hint = "let nobody else push to eval-results/**"
    return ForeignChange(f"it {what}, which no results do", where=f"commit {commit[:12]}", hint=hint)
