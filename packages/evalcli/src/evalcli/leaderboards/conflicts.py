"""A leaderboard in conflict: both sides united by run id. As a command, and as git's merge driver."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Final

from evalcli.leaderboards.files import no_leaderboard, read_bytes
from evalcore.errors import LeaderboardError, StorageError
from evalcore.formats.conflicts import conflict_sides, holds_conflict
from evalcore.git.unmerged import mark_resolved, unmerged_sides
from evalcore.runs.files import read_regular, turn_at, write_atomically
from evalcore.runs.leaderboard import (
    MAX_BYTES,
    Leaderboard,
    encode_leaderboard,
    merge_leaderboards,
    parse_leaderboard,
)

DRIVER: Final = "evaluator-leaderboard"
ATTRIBUTES: Final = f"components/*/leaderboard.json merge={DRIVER}"
"""The line of `.gitattributes` that names the driver; what it runs stands in each clone's configuration."""
GIT_ATTRIBUTES: Final = ".gitattributes"
CONFIG_LINE: Final = f"git config merge.{DRIVER}.driver 'evalcli leaderboard merge-driver %O %A %B %P'"


def resolve_conflict(path: Path) -> Leaderboard | None:
    """Resolve a leaderboard that is in conflict, and add it to git's index; None where it is in none.

    The sides are those of the index; of a file whose markers were added or committed, those between the
    markers. Raises LeaderboardError where a side is not valid or one run has two contents, and leaves the
    file as it stands; RepositoryError, StorageError.
    """
    if not path.parent.is_dir():
        raise no_leaderboard(path)
    # An evaluation that ends now would add its runs to the file between its reading and its writing.
    with turn_at(path.parent):
        sides = unmerged_sides(path)
        is_in_index = bool(sides)
        data = read_bytes(path) if path.exists() else b""
        # The index has both sides whole; the file's markers may have been edited by hand since.
        if holds_conflict(data):
            sides = sides or list(conflict_sides(data))
        elif sides and data:
            sides.append(data)  # resolved by hand already: nothing of that is lost
        if not sides:
            return None
        merged = _united(sides, str(path))
        write_atomically(path, encode_leaderboard(merged))
    # After the file is whole: git takes the path as resolved with what then stands there.
    if is_in_index:
        mark_resolved(path)
    return merged


def merge_for_git(ours: Path, theirs: Path, where: str) -> None:
    """Write the union of two leaderboards to `ours`, as git asks a merge driver to.

    Raises LeaderboardError where one is not valid; git then leaves the path in conflict.
    """
    write_atomically(ours, encode_leaderboard(_united([read_bytes(ours), read_bytes(theirs)], where)))


def install_attributes(prompt_library: Path) -> bool:
    """Name the driver in `.gitattributes`, whose other lines stay; return whether it was not there."""
    if not lacks_attributes(prompt_library):
        return False
    text = _attributes(prompt_library)
    before = text if not text or text.endswith("\n") else f"{text}\n"
    write_atomically(prompt_library / GIT_ATTRIBUTES, f"{before}{ATTRIBUTES}\n".encode())
    return True


def lacks_attributes(prompt_library: Path) -> bool:
    """Whether `.gitattributes` does not name the driver; raises StorageError where it cannot be read."""
    return ATTRIBUTES not in _attributes(prompt_library).splitlines()


def _attributes(prompt_library: Path) -> str:
    path = prompt_library / GIT_ATTRIBUTES
    try:
        return read_regular(path, MAX_BYTES).decode() if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            "it cannot be read as UTF-8 text", where=str(path), hint=f"add the line `{ATTRIBUTES}` by hand"
        ) from error


def _united(sides: Sequence[bytes], where: str) -> Leaderboard:
    try:
        return reduce(merge_leaderboards, [parse_leaderboard(side, where) for side in sides])
    except LeaderboardError as error:
        raise LeaderboardError(
            f"one side of the conflict cannot be used: {error.what}",
            where=error.where,
            hint="take one side with `git checkout --ours` or `--theirs`, and add the other's runs again",
        ) from error
