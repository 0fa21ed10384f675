"""Jobs as files in the state directory: one JSON file each, written whole or not at all.

All of them are held in memory too (a job is about a kilobyte, and jobs are removed after the retention
time), so that reading never touches the disk and never waits.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from heapq import nlargest
from pathlib import Path
from typing import Final

import msgspec
import structlog

from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json, json_decoder
from evalcore.errors import ConfigurationError, EvaluatorError, StorageError
from evalcore.runs.files import write_atomically
from evalcore.runs.plan import JobPlan
from evalhook.jobs import Job
from evalhook.storage.state_version import mark_state, require_readable_state
from evalhook.threads import in_thread

MAX_JOB_BYTES: Final = 1024 * 1024
log = structlog.stdlib.get_logger(__name__)


class PlanLost(StorageError):
    """A job's plan cannot be read, so that it is not known what is still to be called."""

    code = "interrupted"


class InUse(ConfigurationError):
    """Another process has the state directory, or what is in it."""


class JobStore:
    """The jobs of one state directory, which no other process may use at the same time.

    Readers see what was last passed to `update`. The coroutines, which write one after the other, and all
    that changes what readers see belong to the event loop; `write`, `write_plan` and `read_plan` block.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._lock: int | None = None
        # One write at a time: an older state must not land on the disk after a newer one.
        self._writing = asyncio.Lock()

    def open(self) -> None:
        """Take the folder and read what is in it.

        Raises ConfigurationError where it cannot be used, another process uses it, or a newer service wrote
        it; StorageError where its version cannot be written.
        """
        # Before anything else: a newer service's state is left as it is, down to the lock and torn files.
        require_readable_state(self._folder.parent)
        try:
            # The folder above holds inputs and replies: where it is made here, nobody else may read it.
            for folder in (self._folder.parent, self._folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = take_lock(
                self._folder / ".lock",
                "another evalhook uses the same state directory",
                where=f"EVALHOOK_STATE_DIR {self._folder.parent}",
                hint="stop it, or give each its own",
            )
            # Only now, with the lock: before, another process might still be writing them.
            for unfinished in self._folder.glob(".*.tmp"):
                unfinished.unlink(missing_ok=True)  # of a writer that was killed
            mark_state(self._folder.parent)
            self._jobs = {job.job_id: job for job in _read_jobs(self._folder)}
        except OSError as error:
            self.close()
            raise ConfigurationError(
                f"the folder cannot be used ({error.strerror})",
                where=f"EVALHOOK_STATE_DIR {self._folder}",
                hint="name a folder that the service may write to",
            ) from error
        except EvaluatorError:
            self.close()
            raise

    def close(self) -> None:
        """Release the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, job_id: str) -> Job | None:
        """Look a job up; None where there is none."""
        return self._jobs.get(job_id)

    def require(self, job_id: str) -> Job:
        """Look up a job that is known to exist; raises LookupError."""
        job = self.get(job_id)
        if job is None:
            raise LookupError(job_id)
        return job

    def all(self) -> list[Job]:
        """List all jobs, in no order; may be called from any thread."""
        return list(self._jobs.values())

    def newest(self, limit: int) -> list[Job]:
        """List jobs, the newest first."""
        return nlargest(limit, self._jobs.values(), key=lambda job: (job.created_at, job.job_id))

    def unfinished(self) -> list[Job]:
        """List the jobs that a former process left behind."""
        return [job for job in self._jobs.values() if not job.is_finished]

    def write(self, job: Job) -> None:
        """Write a job to the disk, blocking; raises StorageError."""
        write_atomically(self._folder / f"{job.job_id}.json", msgspec.json.encode(job))

    def forget(self, job_id: str) -> None:
        """Hide a job from readers; touches no file."""
        self._jobs.pop(job_id, None)

    def write_plan(self, plan: JobPlan) -> None:
        """Write a job's plan, blocking; raises StorageError.

        It is written before the job itself: a plan without a job is ignored.
        """
        write_atomically(self._plan_path(plan.job_id), msgspec.json.encode(plan))

    def read_plan(self, job_id: str) -> JobPlan:
        """Read a job's plan, blocking; raises PlanLost."""
        path = self._plan_path(job_id)
        try:
            return decode_json(path.read_bytes(), JobPlan)
        except (OSError, *UNREADABLE) as error:
            raise PlanLost(
                "the job's plan cannot be read, so it cannot go on; its replies are kept",
                where=str(path),
                hint="ask for the evaluation again",
            ) from error

    def drop_plan(self, job_id: str) -> None:
        """Remove the plan of a completed job, blocking; its run folders hold all that the plan says."""
        self._plan_path(job_id).unlink(missing_ok=True)

    def _plan_path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.plan"

    def update(self, job: Job) -> None:
        """Let readers see a job as it is now; it is written with the next save of it."""
        self._jobs[job.job_id] = job

    async def save(self, job: Job) -> None:
        """Update a job, and return once the disk has it; raises StorageError."""
        self.update(job)
        async with self._writing:
            # The newest state is written, not the one at the time when this save began to wait.
            await in_thread(self.write, self.require(job.job_id))

    async def try_save(self, job: Job) -> None:
        """Save what is worth having on disk but not worth failing for."""
        try:
            await self.save(job)
        except StorageError as error:
            log.error("job_not_kept", job_id=job.job_id, reason=error.line)  # noqa: TRY400 - a full disk

    async def save_ended(self, job: Job) -> None:
        """Write how a job ended, before readers see it.

        A failure is logged only: after a restart the job's last steps are repeated, and each of them
        finds that it was done already.
        """
        async with self._writing:
            try:
                await in_thread(self.write, job)
            except StorageError as error:
                log.error("job_not_kept", job_id=job.job_id, reason=error.line)  # noqa: TRY400 - a full disk


def take_lock(path: Path, what: str, *, where: str, hint: str) -> int:
    """Lock a file until its descriptor is closed; raises InUse, in these words, where it is locked."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        # The system releases it however the process ends: no lock is ever left for a person to delete.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise InUse(what, where=where, hint=hint) from error
    return descriptor


def _read_jobs(folder: Path) -> Iterator[Job]:
    # Plain names, and no more asked of the system than needed: there may be many thousands.
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.name.endswith(".json"))
    decoder = json_decoder(Job)
    for name in names:
        where = os.path.join(folder, name)  # noqa: PTH118 - as above
        try:
            yield _read_job(where, name.removesuffix(".json"), decoder)
        except (OSError, *UNREADABLE, StorageError) as error:
            # One unreadable file must not stop the service; it stays, so that a person can look at it.
            log.warning("job_unreadable", file=where, reason=str(error))


def _read_job(
    where: str,
    job_id: str,
    decoder: msgspec.json.Decoder[Job],  # noqa: TID251 - only its type
) -> Job:
    descriptor = os.open(where, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        if size > MAX_JOB_BYTES:
            raise StorageError("is too large for a job", where=where)
        data = os.read(descriptor, size)
    finally:
        os.close(descriptor)
    job = decoder.decode(data)
    if job_id != job.job_id:
        raise StorageError("holds another job than its name says", where=where)
    return job
