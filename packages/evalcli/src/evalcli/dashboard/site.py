"""Writing the site: only what changed, and nothing that is somebody else's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import msgspec

from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import ConfigurationError, StorageError
from evalcore.formats.strict_json import sha256_hex
from evalcore.runs.files import read_regular, write_atomically
from evalcore.structs import Frozen

MANIFEST: Final = ".evaluator-dashboard.json"
"""Which files of a folder the dashboard wrote, and of what."""
MOST_BYTES: Final = 256 * 1024 * 1024
"""Of a file of the site: index.json is the largest."""
_PART: Final = re.compile(r"[A-Za-z0-9_.-]+")


SiteFile: TypeAlias = tuple[str, str, Callable[[], bytes]]
"""A file of the site: its path from the root, a hash of all that it is made of, and what makes it."""


class _Written(Frozen, frozen=True):
    made_of: str
    sha256: str


class _Manifest(Frozen, frozen=True):
    files: dict[str, _Written]


class Written(NamedTuple):
    """How many files were written, left as they were because nothing changed, and removed."""

    written: int
    unchanged: int
    removed: int


def check_folder(folder: Path, *, may_have_others: bool) -> None:
    """Refuse a folder that holds something and was not written by the dashboard.

    With `may_have_others` it may hold other files beside ours. Raises ConfigurationError.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError("is no folder", where=str(folder), hint="name another")
    if may_have_others or not folder.exists() or not any(folder.iterdir()):
        return
    if _read_manifest(folder) is None:
        raise ConfigurationError(
            "is not empty, and no dashboard of ours", where=str(folder), hint="name an empty or a new folder"
        )


def write_site(folder: Path, files: Iterable[SiteFile]) -> Written:
    """Write a site's files, those that changed; remove those of ours that it has no more.

    A file that somebody else put in the place of one is never touched: raises StorageError, as where one
    cannot be written.
    """
    manifest = _read_manifest(folder)
    known = {} if manifest is None else manifest.files
    now: dict[str, _Written] = {}
    written = 0
    for path, made_of, content in files:
        place = _place(folder, path)
        before, standing = known.get(path), _standing(place)
        # Neither made nor written: drawing the pages is what takes the time.
        if before is not None and before.made_of == made_of and before.sha256 == standing:
            now[path] = before
            continue
        data = content()
        digest = sha256_hex(data)
        now[path] = _Written(made_of, digest)
        if digest == standing:
            continue
        if standing is not None and before is None:
            raise StorageError(
                "is there, and not the dashboard's", where=str(place), hint="move it, or name another folder"
            )
        _write(place, data)
        written += 1
    # Last: a page that still leads to a file that goes has been replaced by then.
    removed = _remove(folder, {path: one for path, one in known.items() if path not in now})
    data = msgspec.json.format(msgspec.json.encode(_Manifest(dict(sorted(now.items())))), indent=1)
    if _standing(folder / MANIFEST) != sha256_hex(data):
        _write(folder / MANIFEST, data)
    return Written(written=written, unchanged=len(now) - written, removed=removed)


def _place(folder: Path, path: str) -> Path:
    """Return where a file goes; raises StorageError where a folder on the way is a link."""
    place = folder
    for part in path.split("/"):
        if place.is_symlink() and place != folder:
            raise StorageError("is a link", where=str(place), hint="remove it")
        place /= part
    return place


def _standing(path: Path) -> str | None:
    """Return the hash of what stands there; None where nothing does."""
    try:
        return sha256_hex(read_regular(path, MOST_BYTES))
    except FileNotFoundError:
        return None
    except OSError:
        return ""  # a folder, a link: it is there, and not ours


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot be made ({error.strerror})", where=str(path.parent), hint="name another folder"
        ) from error
    write_atomically(path, data, is_durable=False)


def _remove(folder: Path, stale: Mapping[str, _Written]) -> int:
    removed = 0
    for path, one in stale.items():
        # The manifest lies in a folder that others may write to.
        if not all(_PART.fullmatch(part) and part.strip(".") for part in path.split("/")):
            continue
        place = _place(folder, path)
        # One that somebody changed since is theirs.
        if _standing(place) == one.sha256:
            with suppress(OSError):
                place.unlink()
                removed += 1
    return removed


def _read_manifest(folder: Path) -> _Manifest | None:
    try:
        return decode_json(read_regular(folder / MANIFEST, MOST_BYTES), _Manifest)
    except (OSError, *UNREADABLE):
        return None
