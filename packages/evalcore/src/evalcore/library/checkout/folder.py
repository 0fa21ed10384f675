"""A folder on disk as a checkout."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from evalcore.errors import CheckoutError
from evalcore.library.checkout.interface import MAX_BYTES, checked_path, within_size


class FolderCheckout:
    """A folder on disk, as it stands now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = Path(os.path.realpath(root))

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self._real_root.name

    def read(self, path: str, most: int = MAX_BYTES) -> bytes:
        """Return a file's bytes, at most so many; raises CheckoutError naming the path."""
        try:
            # The resolved path holds no links; one put there meanwhile is refused by O_NOFOLLOW.
            # O_NONBLOCK: opening a named pipe must not wait for its writer.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(self._resolve(path), flags)
        except OSError as error:
            raise _unreadable(path, error) from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a special file"
                raise CheckoutError(f"is {kind}, not a regular file", where=path, hint="put a file there")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(most + 1)
        except OSError as error:
            raise _unreadable(path, error) from None
        finally:
            os.close(descriptor)
        # A file that grows is larger than it was said to be, and some (of /proc) say 0.
        return within_size(path, data, max(status.st_size, len(data)), most)

    def has(self, path: str) -> bool:
        """Whether anything is there by that name, a link that leads nowhere included."""
        checked = checked_path(path)
        try:
            # The way there first: through a link that leaves, it would be told what lies outside.
            os.lstat(self._resolve(str(checked.parent)) / checked.name)
        except CheckoutError:
            return True  # a link stands on the way; reading through it says what is wrong with it
        except OSError:
            return False
        return True

    def folders(self, path: str) -> tuple[str, ...]:
        """Return the names of the folders in a folder, sorted; none where there is no such folder."""
        try:
            with os.scandir(self._resolve(path)) as entries:
                names = [entry.name for entry in entries if entry.is_symlink() or entry.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise _unreadable(path, error) from None
        return tuple(sorted(name for name in names if not self._leads_to_file(f"{path}/{name}")))

    def _leads_to_file(self, path: str) -> bool:
        try:
            return self._resolve(path).is_file()
        except CheckoutError:
            return False  # a link that leaves counts as a folder: reading through it says why not

    def _resolve(self, path: str) -> Path:
        # Of a loop `realpath` makes a path that the system would not follow, be it to a file.
        try:
            (self._real_root / checked_path(path)).stat()
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _unreadable(path, error) from None
        # Links are followed first and the result is checked: `..` inside a link's target counts as well.
        real = Path(os.path.realpath(self._real_root / checked_path(path)))
        if not real.is_relative_to(self._real_root):
            raise CheckoutError("is a link that leaves the checkout", where=path, hint="put a copy there")
        # A link may also lead to `.git`.
        checked_path(real.relative_to(self._real_root).as_posix())
        return real


def _unreadable(path: str, error: OSError) -> CheckoutError:
    reasons = {
        errno.ENOENT: "is not there",
        errno.ENOTDIR: "is not there",
        errno.ELOOP: "is a loop of links",
        errno.EACCES: "may not be read",
    }
    what = reasons.get(error.errno or 0, f"cannot be read ({error.strerror})")
    return CheckoutError(what, where=path, hint="check the file")
