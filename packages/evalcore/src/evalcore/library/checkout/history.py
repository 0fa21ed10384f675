"""What a file of a checkout was in earlier commits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from evalcore.library.checkout.git import ask
from evalcore.library.checkout.interface import MAX_BYTES

MOST_COMMITS = 50
"""Commits that are looked at: those that changed the file, the newest first."""


def earlier_texts(folder: Path, path: str) -> Iterator[tuple[str, str]]:
    """Yield the commits that changed a file, the newest first, and its text there; none outside git.

    Where the text is no UTF-8, too long or no longer there, it ends. Raises CheckoutError where git does
    not answer in time.
    """
    listed = ask(folder, "log", f"--max-count={MOST_COMMITS}", "--format=%H", "--", path)
    for commit in os.fsdecode(listed or b"").split():
        # `./` is the folder that is asked about, not the repository's root.
        data = ask(folder, "cat-file", "blob", f"{commit}:./{path}")
        if data is None or len(data) > MAX_BYTES:
            return
        try:
            yield commit, data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return
