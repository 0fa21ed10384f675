"""The documents that a run sends as they are: kept in its folder, so that a resumed one has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from evalcore.clients.interface import Attachment
from evalcore.errors import StorageError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.cases import LARGEST_DOCUMENT
from evalcore.library.component import Case, Document
from evalcore.library.kinds import MEDIA_TYPES
from evalcore.runs.files import read_regular, write_atomically

FOLDER: Final = "documents"
"""In a run's folder."""


def keep_documents(folder: Path, cases: tuple[Case, ...], originals: Callable[[Case], Path] | None) -> None:
    """Put the documents that are sent as they are into a run's folder; raises StorageError."""
    for case in cases:
        if not case.is_sent_itself or case.document is None:
            continue
        target = _path(folder, case.document)
        if target.exists():
            continue
        if originals is None:
            raise _missing(target)
        try:
            target.parent.mkdir(exist_ok=True)
            # A link where the file system has them: every model's run holds the same documents.
            os.link(originals(case), target, follow_symlinks=False)
        except FileNotFoundError:
            raise _missing(originals(case)) from None
        except OSError:
            write_atomically(target, _read(originals(case)))


def discard_documents(folder: Path) -> None:
    """Remove what `keep_documents` put there; raises OSError."""
    kept = folder / FOLDER
    if kept.is_dir():
        for path in kept.iterdir():
            path.unlink()
        kept.rmdir()


def attachment_of(folder: Path, case: Case) -> Attachment:
    """Read the document of a case from a run's folder.

    Raises StorageError where it is not there, or not the one that was hashed.
    """
    if case.document is None:
        raise _missing(folder)
    path = _path(folder, case.document)
    data = _read(path)
    # The record says by hash what was sent: another document would be measured under its name.
    if sha256_hex(data) != case.document.sha256:
        hint = "restore it, or start the run anew"
        raise StorageError("is not the document that was hashed", where=str(path), hint=hint)
    return Attachment(f"input.{case.document.kind}", MEDIA_TYPES[case.document.kind], data)


def _path(folder: Path, document: Document) -> Path:
    return folder / FOLDER / f"{document.sha256}.{document.kind}"


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, LARGEST_DOCUMENT)
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        raise StorageError(what, where=str(path), hint="restore it, or start the run anew") from error


def _missing(path: Path) -> StorageError:
    return StorageError("a document of the run is not there", where=str(path), hint="start the run anew")
