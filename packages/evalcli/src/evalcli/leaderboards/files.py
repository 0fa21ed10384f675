"""leaderboard.json as a file: read with a bound, checked before anything is spent, merged in one step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from evalcli.leaderboards.places import require_library
from evalcore.errors import LeaderboardError, StorageError
from evalcore.near_names import did_you_mean
from evalcore.runs.files import turn_at, write_atomically
from evalcore.runs.leaderboard import (
    MAX_BYTES,
    Leaderboard,
    encode_leaderboard,
    leaderboard_of,
    merge_leaderboards,
    parse_leaderboard,
)
from evalcore.runs.record import RunRecord

LEADERBOARD: Final = "leaderboard.json"


def leaderboard_path(prompt_library: Path, slug: str) -> Path:
    """Return where a component's leaderboard is."""
    return prompt_library / "components" / slug / LEADERBOARD


def leaderboard_files(prompt_library: Path) -> list[Path]:
    """Return the leaderboards of all components that have one."""
    return sorted(prompt_library.glob(f"components/*/{LEADERBOARD}"))


def named_leaderboard(source: str, prompt_library: Path) -> Path:
    """Return the leaderboard that is meant: a file, or that of a component."""
    path = Path(source)
    is_file = path.suffix == ".json" or len(path.parts) > 1 or path.is_file()
    return path if is_file else leaderboard_path(prompt_library, source)


def leaderboards_named(source: str | None, prompt_library: Path) -> list[Path]:
    """Return the leaderboard that is named, or else all of the library.

    Raises LeaderboardError where there is none, ConfigurationError where there is no library.
    """
    if source is not None:
        return [named_leaderboard(source, prompt_library)]
    found = leaderboard_files(prompt_library)
    if not found:
        require_library(prompt_library)
        raise LeaderboardError(
            "there is no leaderboard",
            where=str(prompt_library / "components"),
            hint="`evalcli evaluate SKILL` makes one; or name a file",
        )
    return found


def read_leaderboard(path: Path) -> Leaderboard:
    """Read one leaderboard; raises LeaderboardError where there is none or it is not valid."""
    return parse_leaderboard(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """Read a leaderboard's bytes, at most one more than are allowed."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise no_leaderboard(path) from error
    except OSError as error:
        raise LeaderboardError(
            f"the leaderboard cannot be read ({error.strerror or error})",
            where=str(path),
            hint="name a leaderboard.json that can be read",
        ) from error


def no_leaderboard(path: Path) -> LeaderboardError:
    """Return the error that says why there is no leaderboard.

    Raises ConfigurationError where it would be a component's and there is no prompt library.
    """
    folder = path.parent
    if path.name != LEADERBOARD or folder.parent.name != "components":
        return LeaderboardError("there is no such file", where=str(path), hint="name a leaderboard.json")
    if folder.is_dir():
        return LeaderboardError(
            "it has no runs yet", where=str(folder), hint=f"`evalcli evaluate {folder.name}` makes some"
        )
    require_library(folder.parent.parent)
    known = [one.name for one in folder.parent.iterdir()]
    return LeaderboardError(
        f"there is no component `{folder.name:.110}`",
        where=str(folder),
        hint=did_you_mean(folder.name, known) or "`evalcli list` shows which there are",
    )


def existing_leaderboard(path: Path, slug: str) -> Leaderboard:
    """Return what a component's leaderboard holds now, nothing where there is none yet.

    Raises LeaderboardError where it is not valid, or is not this component's: it must not be touched.
    """
    # Replacing it would leave the link's target as it was, and what reads that would see no change.
    if path.is_symlink():
        raise LeaderboardError(
            "the leaderboard is a symbolic link", where=str(path), hint="put the file itself there"
        )
    if not path.exists():
        return leaderboard_of(slug, [])
    return checked_leaderboard(read_bytes(path), slug, str(path))


def checked_leaderboard(data: bytes, slug: str, where: str) -> Leaderboard:
    """Read a component's leaderboard; raises LeaderboardError where it is not valid, or of another one."""
    existing = parse_leaderboard(data, where)
    if existing.component != slug:
        raise LeaderboardError(
            f"the leaderboard is of {existing.component!r:.110}, not of {slug!r}",
            where=where,
            hint="mend its `component` by hand; it is left as it stands",
        )
    return existing


def check_leaderboard(path: Path, slug: str) -> None:
    """Refuse a leaderboard that could not be added to, before anything is spent on its records.

    Raises LeaderboardError where it is not valid, StorageError where its folder cannot be written.
    """
    existing_leaderboard(path, slug)
    # The folder, not the file: writing replaces the file by a new one.
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StorageError(
            "the leaderboard cannot be written here",
            where=str(path.parent),
            hint="mend the folder's permissions, or say --no-leaderboard",
        )


def add_to_leaderboard(path: Path, slug: str, records: Sequence[RunRecord]) -> None:
    """Merge records into a component's leaderboard in one step; adding them again changes nothing.

    Raises LeaderboardError where the file is not valid, StorageError where it cannot be written.
    """
    # Two evaluations that ended in the same instant both read the old file, and the one that wrote first lost
    # its runs.
    with turn_at(path.parent):
        # Read again now, not before the calls: somebody may have pulled or merged while they were made.
        merged = merge_leaderboards(existing_leaderboard(path, slug), leaderboard_of(slug, records))
        data = encode_leaderboard(merged)
        # A file that would not change keeps its time, which git and build tools go by.
        if not path.exists() or read_bytes(path) != data:
            write_atomically(path, data)
