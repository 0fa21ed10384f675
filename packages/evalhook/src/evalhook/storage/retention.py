"""The daily sweep: removes what `retention` chooses, compresses replies a day after publishing."""

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

from evalcore.errors import StorageError
from evalcore.evaluation.outcome import Observer
from evalcore.runs.compression import compress_replies
from evalcore.runs.folder import PLAN
from evalcore.runs.plan import JobPlan
from evalcore.structs import Frozen
from evalhook.jobs import Completed, Failed, Job
from evalhook.storage.store import JobStore
from evalhook.threads import in_thread

START_SECONDS: Final = 30.0
"""The start has better things to do than to look through thousands of folders."""
DAY_SECONDS: Final = 86400.0
COMPRESSED_AFTER: Final = timedelta(days=1)
"""Until then `replies.jsonl` stands as it was written, for whoever wants to look at a fresh run."""
log = structlog.stdlib.get_logger(__name__)


class Limits(Frozen, frozen=True):
    """How much is kept, and for how long."""

    days: int
    most_bytes: int


class _Owner(msgspec.Struct):
    """The one field of run.json that tells whose run it is."""

    job_id: str


class _Run(Frozen, frozen=True):
    path: Path
    job_id: str
    """Empty where it cannot be told."""
    size: int
    changed: datetime


class Sweeper:
    """Sweeps one state directory; an `evalhook.watching.audience.Listener`."""

    def __init__(
        self,
        store: JobStore,
        jobs_dir: Path,
        runs_dir: Path,
        limits: Limits,
        *,
        now: Callable[[], datetime],
        swept: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._jobs_dir = jobs_dir
        self._runs_dir = runs_dir
        self._limits = limits
        self._now = now
        self._swept = swept
        self._wake = asyncio.Event()

    def begun(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - the interface's
        """Do nothing yet."""
        return Observer()

    def ended(self, job: Job) -> None:  # noqa: ARG002 - the interface's
        """Look again soon: the state has grown."""
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
        """Remove what has to go, compress what is published, and tell how much is left."""
        jobs = self._store.all()
        runs = await in_thread(lambda: list(_runs(self._runs_dir)))
        # Beside the loop as well: with thousands of jobs even the pure part takes its time.
        kept = await in_thread(_kept, jobs, runs)
        removals = await in_thread(choose, kept, self._now(), self._limits.days, self._limits.most_bytes)
        gone = {removal.job_id for removal in removals}
        for removal in removals:
            log.info("job_removed", removed_job=removal.job_id, why=removal.why, size=removal.size)
            self._store.forget(removal.job_id)
        await in_thread(self._remove, gone, runs)
        published = {job.job_id for job in jobs if self._is_settled(job)} - gone
        saved = await in_thread(_compress, [run.path for run in runs if run.job_id in published])
        freed = sum(removal.size for removal in removals)
        self._swept(sum(item.size for item in kept) - freed - saved)
        return removals

    def _is_settled(self, job: Job) -> bool:
        ended = _ended(job)
        if ended is None or not isinstance(job.state, Completed):
            return False
        return self._now() - ended > COMPRESSED_AFTER

    def _remove(self, gone: set[str], runs: Sequence[_Run]) -> None:
        # The job's own file first: what a crash leaves of its runs is found again as runs without a job.
        for job_id in gone:
            (self._jobs_dir / f"{job_id}.json").unlink(missing_ok=True)
            for path in self._jobs_dir.glob(f"{job_id}.*"):
                path.unlink(missing_ok=True)
            shutil.rmtree(self._jobs_dir / job_id, ignore_errors=True)
        for run in runs:
            if (run.job_id or run.path.name) in gone:
                shutil.rmtree(run.path)


def _kept(jobs: Sequence[Job], runs: Sequence[_Run]) -> list[Kept]:
    sizes: dict[str, int] = {}
    known = {job.job_id for job in jobs}
    lost: dict[str, datetime] = {}
    for run in runs:
        owner = run.job_id or run.path.name
        sizes[owner] = sizes.get(owner, 0) + run.size
        if owner not in known:
            lost[owner] = max(run.changed, lost.get(owner, run.changed))
    of_jobs = [Kept(job.job_id, _ended(job), may_go(job), sizes.get(job.job_id, 0)) for job in jobs]
    # Runs without a job are kept as long as any, but never given up for room: nobody knows what they are.
    of_none = [
        Kept(owner, changed, may_go=True, size=sizes[owner], only_by_age=True)
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
        if path.is_dir() and not path.is_symlink():
            with suppress(FileNotFoundError):  # another sweep, or a person, has removed it meanwhile
                yield _run(path)


def _run(path: Path) -> _Run:
    files = [file.stat() for file in path.iterdir()]
    changed = max((status.st_mtime for status in files), default=path.stat().st_mtime)
    size = sum(status.st_size for status in files)
    return _Run(path, _owner(path), size, datetime.fromtimestamp(changed, UTC))


def _owner(path: Path) -> str:
    try:
        return msgspec.json.decode((path / PLAN).read_bytes(), type=_Owner).job_id
    except (OSError, msgspec.MsgspecError):
        return ""  # kept as long as any run, and then removed by its own name


def _compress(paths: Sequence[Path]) -> int:
    saved = 0
    for path in paths:
        try:
            saved += compress_replies(path)
        except StorageError as error:
            log.warning("replies_not_compressed", run=path.name, reason=error.line)
    return saved


Why = Literal["age", "size"]


class Kept(Frozen, frozen=True):
    """A job that is kept, or runs whose job is gone, with the room they take."""

    job_id: str
    ended: datetime | None
    """None while it has not ended."""
    may_go: bool
    size: int
    """Bytes."""
    only_by_age: bool = False
    """Whether it is never given up for room."""


class Removal(Frozen, frozen=True):
    """One that goes, and why."""

    job_id: str
    why: Why
    size: int


def may_go(job: Job) -> bool:
    """Whether nothing would be lost that is nowhere else: no job before its end, nor unpublished results."""
    state = job.state
    if not job.is_finished:
        return False
    rows = state.result.models if isinstance(state, Failed) and state.result is not None else ()
    return all(row.status == "skipped" for row in rows)


def choose(kept: Sequence[Kept], now: datetime, days: int, most_bytes: int) -> list[Removal]:
    """Choose those past their time, and of the rest the oldest, until what stays is small enough."""
    removals: list[Removal] = []
    left = sum(item.size for item in kept)
    oldest_first = sorted(
        (item for item in kept if item.may_go and item.ended is not None),
        key=lambda item: (item.ended or now, item.job_id),
    )
    for item in oldest_first:
        is_old = item.ended is not None and now - item.ended > timedelta(days=days)
        if is_old or (left > most_bytes and not item.only_by_age):
            removals.append(Removal(item.job_id, "age" if is_old else "size", item.size))
            left -= item.size
    return removals
