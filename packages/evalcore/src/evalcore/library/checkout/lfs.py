"""Git LFS pointers: what a clone holds in place of a file whose contents were never fetched.

The format is that of git-lfs (docs/spec.md, version 1): a text of three lines.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from evalcore.library.checkout.git import ask
from evalcore.library.checkout.interface import MAX_BYTES, within_size
from evalcore.structs import Frozen

LONGEST_POINTER = 1024
"""Bytes; a pointer is shorter by the format's definition."""

_POINTER = re.compile(
    rb"version https?://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v\d+\r?\n"
    rb"(?:ext-\d-[^\n]*\n)*"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\r?\nsize (?P<size>\d{1,18})\r?\n?"
)


class LfsPointer(Frozen, frozen=True):
    """Which contents a pointer stands for."""

    oid: str
    """Their SHA-256, 64 hex digits."""
    size: int
    """Their bytes."""


def lfs_pointer(data: bytes) -> LfsPointer | None:
    """Return the pointer that a file is; None for any other file."""
    found = _POINTER.fullmatch(data) if len(data) < LONGEST_POINTER else None
    return LfsPointer(oid=found["oid"].decode(), size=int(found["size"])) if found else None


def stored_contents(repository: Path, path: str, pointer: LfsPointer, most: int = MAX_BYTES) -> bytes | None:
    """Return a pointer's contents from the repository's LFS store; None where they were not fetched.

    Contents that are not what the pointer says count as not fetched. Raises CheckoutError for those over
    the limit.
    """
    answer = ask(repository, "rev-parse", "--path-format=absolute", "--git-common-dir")
    if answer is None:
        return None
    folder = Path(os.fsdecode(answer.rstrip(b"\n"))) / "lfs" / "objects"
    # By the size that the pointer says: nothing over the limit is opened.
    within_size(path, b"", pointer.size, most)
    try:
        with (folder / pointer.oid[:2] / pointer.oid[2:4] / pointer.oid).open("rb") as file:
            # One byte more than there should be, so that a longer file does not pass for its beginning.
            data = file.read(pointer.size + 1)
    except OSError:
        return None
    # The store is a cache that anything may have written to; a case's text decides about scores.
    return data if hashlib.sha256(data).hexdigest() == pointer.oid else None
