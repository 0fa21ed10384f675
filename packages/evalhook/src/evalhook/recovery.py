"""What becomes of the jobs that a former process left unfinished."""

from __future__ import annotations

from typing import Final

import structlog

from evalcore.errors import StorageError
from evalhook import jobs
from evalhook.jobs import JobError
from evalhook.store import JobStore

INTERRUPTED: Final = "interrupted"
log = structlog.stdlib.get_logger(__name__)


def end_interrupted(store: JobStore, at: str) -> None:
    """Fail every job that the last process left running or queued; its replies stay."""
    for job in store.unfinished():
        done = job.progress.done
        message = (
            f"the service stopped after about {done} of {job.progress.total} calls; the replies are kept "
            "in the runs folder of its state directory, nothing was published; ask for the evaluation again"
        )
        ended = jobs.fail(job, at, JobError(INTERRUPTED, message))
        store.show(ended)
        log.warning("job_interrupted", job_id=job.job_id, done=done)
        try:
            store.write(ended)
        except StorageError as error:
            log.error("job_not_kept", job_id=job.job_id, reason=error.line)  # noqa: TRY400 - a full disk
