"""Writing a file whole or not at all, and one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evalcore.errors import StorageError

NEW_FILE_MODE = 0o644
TURN_POLL_S = 0.05
"""How often a process that waits for its turn looks whether it has come."""
# NFS among them: there everybody gets a lock, rather than nobody an evaluation.
_HAS_NO_LOCKS = frozenset({errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP})
"""What file systems say that cannot lock a folder."""


def open_regular(path: Path, flags: int) -> int:
    """Open a regular file and return its descriptor; raises OSError where it is none, or a link to one."""
    # Run folders and libraries are handed around, so that what is in one may be somebody else's: a link may
    # lead to a file that must not be written to, and a pipe's writer may never come.
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, NEW_FILE_MODE)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no regular file")


def read_regular(path: Path, most: int) -> bytes:
    """Read a regular file of at most so many bytes; raises OSError where it is none, or larger."""
    with os.fdopen(open_regular(path, os.O_RDONLY), "rb") as file:
        if os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"it is larger than {most >> 20} MiB")
        return file.read(most)


def make_folder(path: Path) -> None:
    """See that a folder is there, and those around it; raises StorageError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the folder cannot be made ({error.strerror or error})"
        raise StorageError(what, where=str(path), hint="name another one, or mend its permissions") from error


@contextmanager
def turn_at(folder: Path) -> Iterator[None]:
    """Let one process at a time read a folder's files and replace them; blocks until it is its turn.

    The folder itself is locked, so that no lock file lies beside what git sees. Raises StorageError.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        what = f"the folder cannot be opened ({error.strerror or error})"
        raise StorageError(what, where=str(folder), hint="make it, or mend its permissions") from error
    try:
        try:
            lock(descriptor, is_awaited=True)
        except OSError as error:
            what = f"the folder cannot be locked ({error.strerror or error})"
            raise StorageError(what, where=str(folder), hint="do it again") from error
        yield
    finally:
        os.close(descriptor)


def lock(descriptor: int, *, is_awaited: bool) -> None:
    """Lock an open file or folder against other processes, until it is closed or this process ends.

    Where the file system has no such locks, everybody gets one. Raises OSError; BlockingIOError where
    another process has it and is not to be waited for.
    """
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not is_awaited:
                raise
            # Not waited for inside flock: a Ctrl-C that comes just before it would only count after it.
            time.sleep(TURN_POLL_S)
        except OSError as error:
            if error.errno not in _HAS_NO_LOCKS:
                raise
            return
        else:
            return


def write_atomically(path: Path, data: bytes, *, is_durable: bool = True) -> None:
    """Replace a file's contents in one step: a reader sees the old bytes or the new ones, nothing between.

    The folder must exist. The file keeps the mode of the one that was there; a symbolic link is replaced,
    never followed. What can be made again need not be durable: it is then not waited for the disk, and a
    power cut may take it. Raises StorageError, and leaves the old file as it was, where that cannot be done.
    """
    temporary: Path | None = None
    try:
        # Beside it: a rename is one step within one file system alone.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            # mkstemp lets nobody but its owner read the file, and a leaderboard is everybody's.
            os.fchmod(file.fileno(), _mode_of(path))
            # Before the rename: after a power cut the name could else stand for bytes never written.
            if is_durable:
                os.fsync(file.fileno())
        temporary.replace(path)
        if is_durable:
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
