"""Jobs that are shown and kept: one writer at a time, and always the newest that is shown."""

from __future__ import annotations

import asyncio

import structlog

from evalcore.errors import StorageError
from evalhook.jobs import Job
from evalhook.keeping.store import JobStore
from evalhook.threads import in_thread

log = structlog.stdlib.get_logger(__name__)


class Shelf:
    """The store, as those that change jobs use it; only ever touched from the event loop."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._writing = asyncio.Lock()

    def job(self, job_id: str) -> Job:
        """Look up a job that is known to be there; raises LookupError."""
        job = self._store.get(job_id)
        if job is None:
            raise LookupError(job_id)
        return job

    def show(self, job: Job) -> None:
        """Let readers see a job as it is now; it is kept with the next snapshot."""
        self._store.show(job)

    async def save(self, job: Job) -> None:
        """Show a job, and return once the disk has it; raises StorageError."""
        self._store.show(job)
        await self.snapshot(job.job_id)

    async def snapshot(self, job_id: str) -> None:
        """Keep a job as it is shown now; raises StorageError."""
        async with self._writing:
            await in_thread(self._store.write, self.job(job_id))

    async def end(self, job: Job) -> None:
        """Keep how a job ended before anybody is shown it.

        Where that cannot be kept it is logged: after a restart the job's last steps are done again,
        each of which finds that it was done.
        """
        async with self._writing:
            try:
                await in_thread(self._store.write, job)
            except StorageError as error:
                log.error("job_not_kept", job_id=job.job_id, reason=error.line)  # noqa: TRY400 - a full disk

    async def try_save(self, job: Job) -> None:
        """Save what is worth knowing but not worth failing for."""
        try:
            await self.save(job)
        except StorageError as error:
            log.error("job_not_kept", job_id=job.job_id, reason=error.line)  # noqa: TRY400 - a full disk
