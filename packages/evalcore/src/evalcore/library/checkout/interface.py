"""What a checkout is: a tree of files, of which nothing outside is ever read."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Protocol

from evalcore.errors import CheckoutError

MAX_BYTES = 8 * 1024 * 1024
"""The largest file that is read unless more is allowed: 8 MiB."""


class Checkout(Protocol):
    """A tree of files addressed by POSIX paths from its root."""

    @property
    def name(self) -> str:
        """What people call it: shown before its paths where two checkouts are in play."""
        ...

    def read(self, path: str, most: int = MAX_BYTES) -> bytes:
        """Return a file's bytes, at most so many; raises CheckoutError naming the path."""
        ...

    def has(self, path: str) -> bool:
        """Whether anything is there by that name, readable or not."""
        ...

    def folders(self, path: str) -> tuple[str, ...]:
        """Return the names of the folders in a folder, sorted; none where there is no such folder."""
        ...


def read_text(checkout: Checkout, path: str, where: str | None = None) -> str:
    """Read a UTF-8 file, a byte order mark removed; raises CheckoutError naming file and line."""
    return decode_text(checkout.read(path), where or path)


def decode_text(data: bytes, where: str) -> str:
    """Decode UTF-8, a byte order mark removed; raises CheckoutError naming file and line."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CheckoutError("is not UTF-8", where=f"{where}:{line}", hint="save it as UTF-8") from None


def checked_path(path: str) -> PurePosixPath:
    """Refuse, before anything is touched, a path that could lead elsewhere."""
    # As text, and whatever the system: PurePosixPath would drop `.` and `//`, and `\` separates on Windows.
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "\0" in path or "\\" in path:
        raise CheckoutError("leaves the checkout", where=path, hint="use a path inside it")
    # Links may lead anywhere inside but to git's own files, whose configuration can hold credentials.
    if any(part.casefold() == ".git" for part in parts):
        raise CheckoutError("is git's own", where=path, hint="use a file of the checkout")
    return PurePosixPath(path)


def within_size(path: str, data: bytes, size: int, most: int = MAX_BYTES) -> bytes:
    """Return a file's bytes, unless its size is over the limit."""
    if size > most:
        limit = f"{most >> 20} MiB"
        raise CheckoutError(
            f"is {size:,} bytes, over the limit of {limit}", where=path, hint="make it smaller"
        )
    return data
