"""Rankings that were worked out before, stored in the user's cache folder by what they were worked out of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import StorageError
from evalcore.reports.ranking import Cache
from evalcore.runs.files import write_atomically
from evalcore.structs import JsonObject

MAX_BYTES: Final = 16 * 1024 * 1024
FILE: Final = Path("evaluator") / "rankings.json"


@contextmanager
def ranking_cache() -> Iterator[Cache]:
    """Give what is cached, and store what is added to it.

    It only saves time: one that cannot be read is begun anew, one that cannot be written is done without.
    """
    path = cache_folder() / FILE
    cache = _read(path)
    before = len(cache)
    yield cache
    # Entries are added and never changed: no more of them, nothing new.
    if len(cache) > before:
        # JSON and not pickle: a file in a shared home must not be able to run anything.
        data = msgspec.json.encode(cache)
        with suppress(OSError, StorageError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Begun anew where it has grown too large to be read each time.
            write_atomically(path, data if len(data) <= MAX_BYTES else b"{}")


def cache_folder() -> Path:
    """Return the user's folder for what can be worked out again."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return Path(named if named.startswith("/") else os.path.expanduser("~/.cache"))  # noqa: PTH111 - never raises


def _read(path: Path) -> JsonObject:
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b"{}"
        cached: JsonObject = decode_json(data, JsonObject)
    except (OSError, *UNREADABLE):
        return {}
    return cached
