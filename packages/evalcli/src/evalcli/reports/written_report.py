"""Reports, written where they are to lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evalcore.runs.files import make_folder, write_atomically


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their paths in a folder, which is made; raises StorageError."""
    for name, data in files.items():
        make_folder((folder / name).parent)
        write_atomically(folder / name, data)
