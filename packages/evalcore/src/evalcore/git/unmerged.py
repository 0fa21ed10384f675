"""A path that a merge, rebase or cherry-pick has left in conflict: its sides, and its resolution."""

from __future__ import annotations

import os
from pathlib import Path

from evalcore.git.command import ANY_OWNER, Outcome, read_git, run_git
from evalcore.git.errors import GitFailed

OURS_AND_THEIRS = ("2", "3")
"""The stages of the index that hold the two sides; 1 is their common ancestor."""


def unmerged_sides(path: Path) -> list[bytes]:
    """Return the one or two sides of a path that is in conflict; none where it is not, or outside git.

    Raises GitFailed where git cannot read them, GitTimedOut.
    """
    folder = path.parent
    listed = read_git(folder, "ls-files", "--unmerged", "-z", "--", path.name)
    if listed.status != 0:
        return []
    sides = []
    for entry in listed.output.split(b"\0"):
        fields = os.fsdecode(entry.partition(b"\t")[0]).split()
        if len(fields) == 3 and fields[2] in OURS_AND_THEIRS:  # noqa: PLR2004 - mode, object, stage
            sides.append(_checked(read_git(folder, "cat-file", "blob", fields[1]), path).output)
    return sides


def mark_resolved(path: Path) -> None:
    """Add a file to the index as it is, which ends its conflict; raises GitFailed, GitTimedOut."""
    # Whose checkout it is has been settled by whoever asked for this.
    settings = [part for name, value in ANY_OWNER.items() for part in ("-c", f"{name}={value}")]
    _checked(run_git(path.parent, *settings, "add", "--", path.name), path)


def _checked(outcome: Outcome, path: Path) -> Outcome:
    if outcome.status != 0:
        what = f"git refuses: {outcome.errors.strip() or 'no reason given'}"
        raise GitFailed(what, where=str(path), hint="is another git command at work here?")
    return outcome
