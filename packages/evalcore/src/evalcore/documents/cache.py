"""What was read of documents, kept beside the runs: a document is read once, whatever asks for it.

Entries lie in `library/` or `data_sets/`, by where their case comes from, so that what was read of a
confidential document is never given to another case, and each folder can be removed by itself. Names are
hashes. What has not been used for longest goes first where it grows over its bound.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from evalcore.decoding import decode_json
from evalcore.documents.interface import ReadText, settings_read_by
from evalcore.errors import StorageError
from evalcore.formats.strict_json import encode_canonical, sha256_hex
from evalcore.library.component import Case, CaseSource, Document
from evalcore.library.reading import ReadingSettings
from evalcore.runs.files import open_regular, write_atomically
from evalcore.structs import Frozen, JsonValue

FOLDER: Final = "documents"
"""Beside the runs."""
LARGEST_CACHE: Final = 1 << 30
"""Bytes of all that is kept."""
# A text of 8 MiB (reading.LONGEST_TEXT) is at most six times as long once it is escaped as JSON.
LARGEST_ENTRY: Final = 64 << 20
_PRIVATE: Final = 0o700


class _Entry(Frozen, frozen=True):
    """What was read, and of what: a file of the cache."""

    key: dict[str, JsonValue]
    text: str
    pages: int | None
    text_sha256: str


class DocumentCache:
    """A folder of what was read; `most` bounds its bytes."""

    def __init__(self, folder: Path, most: int = LARGEST_CACHE) -> None:
        self._folder = folder
        self._most = most

    def get(self, case: Case, settings: ReadingSettings, version: str | None) -> ReadText | None:
        """Return what was read of a case's document before with these settings; None where nothing was.

        What is damaged, or was written by somebody else, counts as not there.
        """
        key = _key(_document_of(case), settings, version)
        path = self._path(case.source, key)
        try:
            entry = decode_json(_read_own(path), _Entry)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if entry.key != key or sha256_hex(entry.text.encode()) != entry.text_sha256:
            return None
        with contextlib.suppress(OSError):
            # Room is made by when an entry was last used. A folder that cannot be written to is read all the
            # same.
            os.utime(path)
        return ReadText(entry.text, entry.pages)

    def put(self, case: Case, settings: ReadingSettings, version: str | None, read: ReadText) -> None:
        """Keep what was read of a case's document; raises StorageError."""
        key = _key(_document_of(case), settings, version)
        entry = _Entry(key, read.text, read.pages, sha256_hex(read.text.encode()))
        self._write(self._path(case.source, key), encode_canonical(msgspec.to_builtins(entry)))

    def keep_original(self, case: Case, data: bytes) -> None:
        """Keep a document that is sent to models as it is; raises StorageError."""
        path = self.original(case)
        # Its name is its hash: what is there is the same document.
        if not path.exists():
            self._write(path, data)

    def original(self, case: Case) -> Path:
        """Return where `keep_original` keeps the document of a case."""
        document = _document_of(case)
        return self._folder / case.source / f"{document.sha256}.{document.kind}"

    def _path(self, source: CaseSource, key: dict[str, JsonValue]) -> Path:
        return self._folder / source / f"{sha256_hex(encode_canonical(key))}.json"

    def _write(self, path: Path, data: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
            path.parent.mkdir(exist_ok=True, mode=_PRIVATE)
        except OSError as error:
            what = f"the folder cannot be made ({error.strerror})"
            hint = "free space or mend the permissions"
            raise StorageError(what, where=str(path.parent), hint=hint) from error
        write_atomically(path, data)
        self._make_room(path)

    def _make_room(self, newest: Path) -> None:
        """Remove what has not been used for longest, the newest never: it is about to be used."""
        kept = sorted(_sizes(self._folder.glob("*/*")), key=lambda item: item[0])
        total = sum(size for _, size, _ in kept)
        for _, size, path in kept:
            if total <= self._most:
                return
            if path != newest:
                path.unlink(missing_ok=True)
                total -= size


def _read_own(path: Path) -> bytes:
    """Read an entry that this user has written; raises OSError.

    Where others may write into the folder, as below /tmp, one could lay a text of his own under a document.
    """
    with os.fdopen(open_regular(path, os.O_RDONLY), "rb") as file:
        status = os.fstat(file.fileno())
        # Asked of the open file: a path could be another file by the time that it is opened.
        if status.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it is somebody else's")
        if status.st_size > LARGEST_ENTRY:
            raise OSError(errno.EFBIG, f"it is larger than {LARGEST_ENTRY >> 20} MiB")
        return file.read(LARGEST_ENTRY)


def _sizes(paths: Iterable[Path]) -> Iterable[tuple[int, int, Path]]:
    for path in paths:
        # Another process may have removed it meanwhile.
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            yield status.st_mtime_ns, status.st_size, path


def _document_of(case: Case) -> Document:
    if case.document is None:
        message = f"case {case.name} has no document"
        raise ValueError(message)
    return case.document


def _key(document: Document, settings: ReadingSettings, version: str | None) -> dict[str, JsonValue]:
    # The kind counts: the same bytes under another name are read by other rules.
    return {
        "sha256": document.sha256,
        "kind": document.kind,
        "version": version,
        **settings_read_by(settings),
    }
