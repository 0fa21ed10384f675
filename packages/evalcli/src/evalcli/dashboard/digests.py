"""Each component's part of the dashboard: as it was worked out before, where nothing changed, or anew."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from evalcli.leaderboards.cache import cache_folder, ranking_cache
from evalcli.leaderboards.files import LEADERBOARD, checked_leaderboard, leaderboard_path
from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import LeaderboardError, StorageError
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.loader import COMPONENTS
from evalcore.reports.dashboard.component import ComponentDigest, component_digest
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts
from evalcore.reports.ranking import METHOD as RANKING_METHOD
from evalcore.reports.ranking import Cache
from evalcore.runs.files import read_regular, write_atomically
from evalcore.runs.leaderboard import MAX_BYTES as MAX_LEADERBOARD
from evalcore.structs import Frozen, JsonObject
from evalcore.version import __version__

FOLDER: Final = Path("evaluator") / "dashboard"
MAX_BYTES: Final = 64 * 1024 * 1024
METHOD: Final = 1
"""Raised whenever the same leaderboard could give another part, so that none stored is taken."""
SEVERAL: Final = 4
"""From so many components to be worked out on, several processes do it."""
MOST_PROCESSES: Final = 8
LARGE: Final = 2 * 1024 * 1024
"""Bytes of leaderboards: less is worked out before another process has started."""


class _Stored(Frozen, frozen=True):
    """What is stored of one component."""

    key: str
    """SHA-256 of all that it was worked out of."""
    digest: ComponentDigest


class _Task(NamedTuple):
    """What is to be worked out, perhaps in another process."""

    component: ComponentFacts
    library: LibraryFacts
    folder: Path


class _Done(NamedTuple):
    digest: ComponentDigest
    key: str
    added: JsonObject
    """What is new in the cache of rankings."""


def component_digests(
    folder: Path, components: Sequence[ComponentFacts], library: LibraryFacts
) -> list[ComponentDigest]:
    """Return the part of each component of the library in a folder."""
    found: dict[str, ComponentDigest] = {}
    tasks: list[_Task] = []
    size = 0
    for component in components:
        data = _leaderboard_bytes(folder, component.slug)
        stored = _read(folder, component.slug, _key(component, library, data))
        if stored is None:
            tasks.append(_Task(component, _without_commit(library), folder))
            size += len(data) if isinstance(data, bytes) else 0
        else:
            found[component.slug] = stored
    if tasks:
        is_parallel = len(tasks) >= SEVERAL and size >= LARGE
        with ranking_cache() as cache:
            for task, done in zip(tasks, _worked_out(tasks, cache, is_parallel=is_parallel), strict=True):
                cache.update(done.added)
                found[task.component.slug] = done.digest
                _store(folder, task.component.slug, done)
    return [found[component.slug] for component in components]


def _worked_out(tasks: Sequence[_Task], cache: Cache, *, is_parallel: bool) -> Iterator[_Done]:
    processes = min(os.cpu_count() or 1, len(tasks), MOST_PROCESSES) if is_parallel else 1
    if processes == 1:
        yield from (_work(task, cache) for task in tasks)
        return
    # Not forked: what this process has loaded and opened is none of theirs.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(dict(cache),))
    try:
        yield from pool.map(_work, tasks)
    finally:
        # Where somebody ends the command, what has not begun is not waited for.
        pool.shutdown(cancel_futures=True)


_known: Cache = {}
"""In another process: what was worked out before."""


def _begin(cache: Cache) -> None:
    _known.update(cache)


def _work(task: _Task, cache: Cache = _known) -> _Done:
    """Work out one component's part. The leaderboard is read here, so that it is never sent to a process."""
    component, library, folder = task
    data = _leaderboard_bytes(folder, component.slug)
    before = set(cache)
    problem, leaderboard = None, None
    try:
        if isinstance(data, bytes):
            leaderboard = checked_leaderboard(data, component.slug, _where(component.slug))
        else:
            problem = data
    except LeaderboardError as error:
        problem = error.line
    digest = component_digest(component, leaderboard, library, cache, leaderboard_problem=problem)
    added = {key: cache[key] for key in cache.keys() - before}
    return _Done(digest, _key(component, library, data), added)


def _leaderboard_bytes(folder: Path, slug: str) -> bytes | str | None:
    """Return a component's leaderboard as it stands; or why it cannot be read; None where there is none."""
    path = leaderboard_path(folder, slug)
    try:
        # What a pull request brings may be a link to anywhere.
        return read_regular(path, MAX_LEADERBOARD)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{_where(slug)}: the leaderboard cannot be read ({error.strerror or error})"


def _where(slug: str) -> str:
    # From the library's root: pages are public, and the machine's paths are not.
    return f"{COMPONENTS}/{slug}/{LEADERBOARD}"


def _key(component: ComponentFacts, library: LibraryFacts, data: bytes | str | None) -> str:
    parts = [METHOD, RANKING_METHOD, __version__, component, _without_commit(library)]
    contents = sha256_hex(data) if isinstance(data, bytes) else data
    return sha256_hex(msgspec.json.encode([*parts, contents]))


def _without_commit(library: LibraryFacts) -> LibraryFacts:
    """Leave out what changes with every commit, and is in no component's part."""
    return msgspec.structs.replace(library, commit=None)


def _path(folder: Path, slug: str) -> Path:
    # By the library's real place: two libraries with a component of one name do not replace each other's
    # part.
    name = sha256_hex(f"{os.path.realpath(folder)}\0{slug}".encode("utf-8", "surrogateescape"))
    return cache_folder() / FOLDER / f"{name}.json"


def _read(folder: Path, slug: str, key: str) -> ComponentDigest | None:
    try:
        data = read_regular(_path(folder, slug), MAX_BYTES)
        stored = decode_json(data, _Stored)
    except (OSError, *UNREADABLE):
        return None
    return stored.digest if stored.key == key else None


def _store(folder: Path, slug: str, done: _Done) -> None:
    """Store a part. It only saves time: where it cannot be written, it is done without."""
    path = _path(folder, slug)
    data = msgspec.json.encode(_Stored(done.key, done.digest))
    if len(data) <= MAX_BYTES:
        with suppress(OSError, StorageError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not synced: after a power cut a part that is lost is worked out anew.
            write_atomically(path, data, is_durable=False)
