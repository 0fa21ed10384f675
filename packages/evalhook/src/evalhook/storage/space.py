"""Whether the disk has room: for a job before it is accepted, for replies before calls are made."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from evalcore.errors import StorageError
from evalcore.runs.plan import JobPlan
from evalhook import errors

BYTES_PER_CALL: Final = 16 * 1024
"""A generous estimate of a reply with all that is stored beside it."""
PROBE_BYTES: Final = 16 * BYTES_PER_CALL
"""What the replies of one round of calls may take."""
COPIES_OF_A_TEXT: Final = 6
"""Of what is read of a document: in the cache, the plan, and the runs' plans."""
LARGEST_PART_READ: Final = 256 * 1024
"""A generous estimate of the text of a document, which is at most as large as the document."""
GB: Final = 10**9


class FreeSpace:
    """The free space of the state directory's disk; `least` and `free` in bytes."""

    def __init__(self, folder: Path, least: int, free: Callable[[Path], int] | None = None) -> None:
        self._folder = folder
        self._least = least
        self._free = free or (lambda path: shutil.disk_usage(path).free)

    def require(self, calls: int = 0, documents: int = 0) -> None:
        """Raise NotReady where there is not enough for so many calls, and so many bytes of documents."""
        needed = self._least + calls * BYTES_PER_CALL + documents
        free = self._free(self._folder)
        if free < needed:
            raise errors.NotReady(
                f"the state directory's disk has {free / GB:.1f} GB free, and {needed / GB:.1f} are needed: "
                "free some, or lower EVALHOOK_MAX_STATE_GB"
            )


def bytes_of_documents(plan: JobPlan) -> int:
    """Estimate what is kept of a job's documents: their texts, or themselves where those are sent."""
    sizes = [case.document.size for case in plan.unread if case.document is not None]
    if plan.reading.reader == "none":
        return sum(sizes)
    return COPIES_OF_A_TEXT * sum(min(size, LARGEST_PART_READ) for size in sizes)


def require_writable(folders: Iterable[Path]) -> None:
    """Write something to each folder, and leave nothing there; blocking.

    Raises StorageError where a folder does not take it.
    """
    for folder in folders:
        try:
            # Nameless where the system can: a process that is killed here leaves nothing behind.
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(PROBE_BYTES))
                file.flush()
                # Until then the bytes are in memory, and a full disk may not have refused them yet.
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(
                f"cannot be written ({error.strerror or error})",
                where=str(folder),
                hint="free some space, or give the folder to the user that the service runs as",
            ) from error
