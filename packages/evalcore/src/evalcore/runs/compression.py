"""The replies of a run that is done with, compressed: `replies.jsonl.gz` in the place of `replies.jsonl`."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

from evalcore.errors import StorageError
from evalcore.runs.files import sync_folder

REPLIES: Final = "replies.jsonl"
COMPRESSED: Final = "replies.jsonl.gz"
LEVEL: Final = 6


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
            if not packed.stat().st_size:
                raise EOFError("it is empty")  # noqa: TRY301 - gzip itself takes that for no contents
            with gzip.open(packed, "rb") as source:
                shutil.copyfileobj(source, unpacked)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise StorageError(
                f"is damaged: {error}", where=str(packed), hint="restore it from a backup"
            ) from error
        unpacked.flush()
        return os.dup(unpacked.fileno())
