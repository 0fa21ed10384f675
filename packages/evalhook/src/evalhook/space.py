"""Whether the disk has room for one more job: asked before it is taken, so that none fails half-way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from evalhook import problems

BYTES_PER_CALL: Final = 16 * 1024
"""A generous guess at a reply with all that is kept beside it."""
GB: Final = 10**9


class FreeSpace:
    """The room on the state directory's disk."""

    def __init__(self, folder: Path, least: int, free: Callable[[Path], int] | None = None) -> None:
        self._folder = folder
        self._least = least
        self._free = free or (lambda path: shutil.disk_usage(path).free)

    def require(self, calls: int = 0) -> None:
        """Raise Problem (503) where there is not enough for so many calls."""
        needed = self._least + calls * BYTES_PER_CALL
        free = self._free(self._folder)
        if free < needed:
            raise problems.not_ready(
                f"the state directory's disk has {free / GB:.1f} GB free, and {needed / GB:.1f} are needed: "
                "free some, or lower EVALHOOK_MAX_STATE_GB"
            )
