"""Retention: removes jobs and runs past their time or beyond the size limit, and compresses replies."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec
import structlog

from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import StorageError
from evalcore.runs.compression import compress_replies
from evalcore.runs.folder import PLAN
from evalcore.structs import Frozen
from evalhook.jobs import Completed, Failed, Job
from evalhook.storage.store import JobStore
from evalhook.threads import in_thread

START_SECONDS: Final = 30.0
"""After the start, which must not wait for a walk through thousands of folders."""
DAY_SECONDS: Final = 86400.0
COMPRESSED_AFTER: Final = timedelta(days=1)
"""Until then `replies.jsonl` stays as it was written, so that a fresh run is easy to read."""
log = structlog.stdlib.get_logger(__name__)


class RetentionLimits(Frozen, frozen=True):
    """How long jobs are stored after their end, and how many bytes all runs may take."""

    days: int
    most_bytes: int


class _Owner(msgspec.Struct):
    """The one field of run.json that says which job a run belongs to."""

    job_id: str


class _Run(Frozen, frozen=True):
    path: Path
    job_id: str
    """Empty where it is not known."""
    size: int
    changed: datetime


class Retention:
    """The retention of one state directory; `swept` is called with the bytes left after each sweep."""

    def __init__(
        self,
        store: JobStore,
        jobs_dir: Path,
        runs_dir: Path,
        documents_dir: Path,
        limits: RetentionLimits,
        *,
        now: Callable[[], datetime],
        swept: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._jobs_dir = jobs_dir
        self._runs_dir = runs_dir
        self._documents_dir = documents_dir
        self._limits = limits
        self._now = now
        self._swept = swept
        self._wake = asyncio.Event()

    def sweep_soon(self) -> None:
        """Sweep at the next opportunity, as after a job, which has made the state grow."""
        self._wake.set()

    async def run(self) -> None:
        """Sweep soon after the start, daily, and after each job, until cancelled."""
        seconds = START_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            self._wake.clear()
            seconds = DAY_SECONDS
            try:
                await self.sweep()
            except OSError as error:
                log.warning("sweep_failed", reason=str(error))

    async def sweep(self) -> list[Removal]:
        """Remove what is due, compress published replies, and return what was removed."""
        jobs = self._store.all()
        runs = await in_thread(lambda: list(_runs(self._runs_dir)))
        # In a thread as well: with thousands of jobs even the pure part would hold the event loop.
        stored = await in_thread(_stored, jobs, runs)
        removals = await in_thread(choose, stored, self._now(), self._limits.days, self._limits.most_bytes)
        gone = {removal.job_id for removal in removals}
        # Readers lose a job before its files go, so that nobody is shown one that is half removed.
        for removal in removals:
            log.info("job_removed", removed_job=removal.job_id, why=removal.why, size=removal.size)
            self._store.forget(removal.job_id)
        await in_thread(self._remove, gone, runs)
        published = {job.job_id for job in jobs if self._is_settled(job)} - gone
        saved = await in_thread(_compress, [run.path for run in runs if run.job_id in published])
        oldest = self._now() - timedelta(days=self._limits.days)
        documents = await in_thread(_keep_documents_since, oldest, self._documents_dir)
        freed = sum(removal.size for removal in removals)
        self._swept(sum(item.size for item in stored) - freed - saved + documents)
        return removals

    def _is_settled(self, job: Job) -> bool:
        ended = _ended(job)
        # A failed or cancelled job may still be published by hand, which reads its replies.
        if ended is None or not isinstance(job.state, Completed):
            return False
        return self._now() - ended > COMPRESSED_AFTER

    def _remove(self, gone: set[str], runs: Sequence[_Run]) -> None:
        # The job's own file first: runs that a crash leaves are found again, as runs without a job.
        for job_id in gone:
            (self._jobs_dir / f"{job_id}.json").unlink(missing_ok=True)
            for path in self._jobs_dir.glob(f"{job_id}.*"):
                path.unlink(missing_ok=True)
            # Its log alone, which nobody misses; a run that cannot be removed is an error, and seen as a
            # failed sweep.
            shutil.rmtree(self._jobs_dir / job_id, ignore_errors=True)
        for run in runs:
            if (run.job_id or run.path.name) in gone:
                shutil.rmtree(run.path)


def _keep_documents_since(oldest: datetime, folder: Path) -> int:
    """Remove what was read of documents and not used since; return the bytes of what stays.

    The cache itself bounds its size; here it is the time for which confidential text may be kept.
    """
    size = 0
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):  # the cache has made room meanwhile
            status = path.lstat()
            # The cache sets an entry's time with each use of it.
            if datetime.fromtimestamp(status.st_mtime, UTC) < oldest:
                path.unlink()
            else:
                size += status.st_size
    return size


def _stored(jobs: Sequence[Job], runs: Sequence[_Run]) -> list[Stored]:
    sizes: dict[str, int] = {}
    known = {job.job_id for job in jobs}
    lost: dict[str, datetime] = {}
    for run in runs:
        owner = run.job_id or run.path.name
        sizes[owner] = sizes.get(owner, 0) + run.size
        if owner not in known:
            lost[owner] = max(run.changed, lost.get(owner, run.changed))
    of_jobs = [Stored(job.job_id, _ended(job), may_go(job), sizes.get(job.job_id, 0)) for job in jobs]
    # Runs without a job stay their full time and are never removed for space: what they are is not known.
    of_none = [
        Stored(owner, changed, may_go=True, size=sizes[owner], only_by_age=True)
        for owner, changed in lost.items()
    ]
    return [*of_jobs, *of_none]


def _ended(job: Job) -> datetime | None:
    finished_at = getattr(job.state, "finished_at", None)
    return None if finished_at is None else datetime.fromisoformat(finished_at)


def _runs(folder: Path) -> Iterator[_Run]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        # A link would let a sweep remove what lies outside of the state directory.
        if path.is_dir() and not path.is_symlink():
            with suppress(FileNotFoundError):  # another sweep or a person has removed it meanwhile
                yield _run(path)


def _run(path: Path) -> _Run:
    files = [file.stat() for file in path.rglob("*")]
    changed = max((status.st_mtime for status in files), default=path.stat().st_mtime)
    size = sum(status.st_size for status in files)
    return _Run(path, _owner(path), size, datetime.fromtimestamp(changed, UTC))


def _owner(path: Path) -> str:
    try:
        return decode_json((path / PLAN).read_bytes(), _Owner).job_id
    except (OSError, *UNREADABLE):
        return ""  # it stays as long as any run, and is then removed by its own name


def _compress(paths: Sequence[Path]) -> int:
    saved = 0
    for path in paths:
        try:
            saved += compress_replies(path)
        except StorageError as error:
            log.warning("replies_not_compressed", run=path.name, reason=error.line)
    return saved


Why = Literal["age", "size"]


class Stored(Frozen, frozen=True):
    """A job, or the runs of a job that is gone, with the space they take."""

    job_id: str
    ended: datetime | None
    """None while it has not ended."""
    may_go: bool
    size: int
    """Bytes."""
    only_by_age: bool = False
    """Whether it is never removed for space."""


class Removal(Frozen, frozen=True):
    """What is removed, and why."""

    job_id: str
    why: Why
    size: int


def may_go(job: Job) -> bool:
    """Whether a job may be removed: it has ended, and none of its results exist here alone."""
    state = job.state
    if not job.is_finished:
        return False
    rows = state.result.models if isinstance(state, Failed) and state.result is not None else ()
    return all(row.status == "skipped" for row in rows)


def choose(stored: Sequence[Stored], now: datetime, days: int, most_bytes: int) -> list[Removal]:
    """Choose what is past its time, and of the rest the oldest, until what stays is within the size."""
    removals: list[Removal] = []
    left = sum(item.size for item in stored)
    oldest_first = sorted(
        (item for item in stored if item.may_go and item.ended is not None),
        key=lambda item: (item.ended or now, item.job_id),
    )
    # The oldest first for both reasons: what goes by its age has made room before anything goes for its size.
    for item in oldest_first:
        is_old = item.ended is not None and now - item.ended > timedelta(days=days)
        if is_old or (left > most_bytes and not item.only_by_age):
            removals.append(Removal(item.job_id, "age" if is_old else "size", item.size))
            left -= item.size
    return removals
