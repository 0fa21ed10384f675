"""What becomes of the jobs that a former process left unfinished: they are gone on with, in their order."""

from __future__ import annotations

import structlog

from evalhook.jobs import Job, Queued
from evalhook.keeping.store import JobStore
from evalhook.line import Line
from evalhook.worker import Worker

log = structlog.stdlib.get_logger(__name__)


def go_on(store: JobStore, line: Line, worker: Worker) -> None:
    """Put them in line, those first that were begun, and begin with the first."""
    for job in sorted(store.unfinished(), key=_order):
        log.info("job_taken_up", job_id=job.job_id, state=type(job.state).__name__.lower())
        line.add(job)
    worker.next()


def _order(job: Job) -> tuple[bool, str, str]:
    return (isinstance(job.state, Queued), job.created_at, job.job_id)
