"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from evalcore.errors import StorageError

NEW_FILE_MODE = 0o644


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file's contents in one step: a reader sees the old bytes or the new ones, nothing between.

    The folder must exist. The mode of the file that was there is kept; a symbolic link is replaced,
    never followed. Raises StorageError, and leaves the old file as it was, where that cannot be done.
    """
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), _mode_of(path))
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
        raise StorageError(
            f"cannot be written ({error.strerror or error})",
            where=str(path),
            hint="free space or permit writing to its folder, then do it again; the old file is as it was",
        ) from error


def _mode_of(path: Path) -> int:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return NEW_FILE_MODE
    return stat.S_IMODE(status.st_mode) if stat.S_ISREG(status.st_mode) else NEW_FILE_MODE


def sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a power cut, which may bring old ones back; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
