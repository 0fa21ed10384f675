"""Waiting for a job of the service to end: what it does is shown, and a short outage is waited out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from evalcli.workflows.service import JobState, ServiceClient, ServiceUnreachable

POLL_SECONDS = 10.0
LONGEST_OUTAGE: Final = 30
"""Polls in a row without an answer: a restart of the service, or of what stands before it."""


def wait_for(
    service: ServiceClient, job_id: str, *, sleep: Callable[[float], None], show: Callable[[str], None]
) -> JobState:
    """Return a job once it has ended; `show` gets a line for each tenth of its calls.

    Raises ServiceRefused, and ServiceUnreachable where the service is gone for five minutes.
    """
    shown, outage = "", 0
    while True:
        try:
            job = service.job(job_id)
            outage = 0
        except ServiceUnreachable:
            outage += 1
            if outage > LONGEST_OUTAGE:
                raise
            sleep(POLL_SECONDS)
            continue
        if job.has_ended:
            return job
        if (line := _line(job)) != shown:
            shown = line
            show(line)
        sleep(POLL_SECONDS)


def _line(job: JobState) -> str:
    done, total, what = job.progress.done, job.progress.total, "calls"
    if job.documents.read < job.documents.total:
        done, total, what = job.documents.read, job.documents.total, "documents read"
    # By tenths: logs of Actions keep every line, and a job may take a day.
    tenths = 10 * done // total if total > 0 else 0
    return f"job {job.job_id}: {job.status}, {tenths * 10} % of {total} {what}"
