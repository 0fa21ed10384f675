"""Whether a job may be published by hand, and as what it then goes on."""

from __future__ import annotations

from evalhook import jobs, problems
from evalhook.jobs import Cancelled, Failed, Job
from evalhook.keeping.store import JobStore
from evalhook.problems import CurrentJob
from evalhook.schemas import status_of


def reopened(store: JobStore, job_id: str, at: str) -> tuple[Job, CurrentJob]:
    """Return the job as it goes on and how it holds the slot; raises Problem where it may not."""
    job = store.get(job_id)
    if job is None:
        raise problems.unknown_job(job_id)
    if not isinstance(job.state, Failed | Cancelled):
        raise problems.already_ended(job_id, status_of(job))
    result = job.state.result
    if result is None or not jobs.has_results(result):
        raise problems.nothing_to_publish(job_id)
    return jobs.reopen(job, at, result.models), CurrentJob(job_id, job.skill_name, at)
