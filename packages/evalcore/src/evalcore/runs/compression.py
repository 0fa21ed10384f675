"""The replies of a run that is done with, compressed: `replies.jsonl.gz` in the place of `replies.jsonl`."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO, Final

from evalcore.errors import StorageError
from evalcore.runs.files import open_regular, sync_folder

REPLIES: Final = "replies.jsonl"
COMPRESSED: Final = "replies.jsonl.gz"
LEVEL: Final = 6
# Answers are bounded to 16 MiB, of which JSON makes six times as many at most.
MAX_LINE: Final = 256 << 20
"""Bytes of one stored reply."""
# Compressed, so many can be made of a thousandth.
MAX_UNPACKED: Final = 16 << 30
"""Bytes of a run's replies that are unpacked."""


def compress_replies(run_dir: Path) -> int:
    """Compress a run's replies and return the bytes saved; 0 where there is nothing to compress.

    At every moment one whole file is there; where a crash leaves both, the uncompressed one counts.
    Raises StorageError, and leaves the uncompressed file.
    """
    plain, packed = run_dir / REPLIES, run_dir / COMPRESSED
    if not plain.exists():
        return 0
    temporary = packed.with_name(f".{COMPRESSED}.tmp")
    try:
        with plain.open("rb") as source, temporary.open("wb") as file:
            # Neither the time nor the name goes into it: the same replies give the same bytes.
            with gzip.GzipFile("", "wb", compresslevel=LEVEL, fileobj=file, mtime=0) as target:
                shutil.copyfileobj(source, target)
            file.flush()
            os.fsync(file.fileno())
        # In this order, each step on the disk before the next: a crash leaves the plain file, the compressed
        # one, or both.
        saved = plain.stat().st_size - temporary.stat().st_size
        temporary.replace(packed)
        sync_folder(run_dir)
        plain.unlink()
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise StorageError(
            f"cannot be compressed ({error.strerror or error})", where=str(plain), hint="it stays as it is"
        ) from error
    return saved


def open_compressed(run_dir: Path) -> int | None:
    """Unpack a run's replies to a file without a name and return its descriptor; None where none are packed.

    Raises StorageError where they are damaged, OSError where they cannot be read.
    """
    packed = run_dir / COMPRESSED
    if (run_dir / REPLIES).exists() or not packed.exists():
        return None
    with tempfile.TemporaryFile() as unpacked:
        try:
            if not packed.lstat().st_size:
                raise EOFError("it is empty")  # noqa: TRY301 - gzip itself takes that for no contents
            with (
                os.fdopen(open_regular(packed, os.O_RDONLY), "rb") as file,
                gzip.GzipFile(fileobj=file) as source,
            ):
                _unpack(source, unpacked, packed)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise StorageError(
                f"is damaged: {error}", where=str(packed), hint="restore it from a backup"
            ) from error
        unpacked.flush()
        # The nameless file lasts as long as a descriptor of it, and the `with` closes its own.
        return os.dup(unpacked.fileno())


def stored_lines(source: BinaryIO | gzip.GzipFile, where: Path) -> Iterator[bytes]:
    """Yield the lines of stored replies, the last perhaps torn; raises StorageError for one without end."""
    while line := source.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            what, hint = f"a line is longer than {MAX_LINE >> 20} MiB", "restore it, or start the run anew"
            raise StorageError(what, where=str(where), hint=hint)
        yield line


def _unpack(source: gzip.GzipFile, target: IO[bytes], packed: Path) -> None:
    left = MAX_UNPACKED
    for line in stored_lines(source, packed):
        left -= len(line)
        if left < 0:
            what = f"unpacks to more than {MAX_UNPACKED >> 30} GiB"
            raise StorageError(what, where=str(packed), hint="unpack it with gunzip, if it is yours")
        target.write(line)
