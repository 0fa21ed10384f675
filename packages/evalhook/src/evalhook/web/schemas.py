"""What several routes answer with: jobs (docs/reference.md, HTTP API)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from evalcore.structs import Frozen
from evalhook.jobs import (
    Attention,
    Cancelled,
    Completed,
    Documents,
    Failed,
    Job,
    JobError,
    JobResult,
    Progress,
    Publishing,
    Queued,
    Running,
    StatusName,
    status_of,
)

Phase = Literal["waiting", "reading", "evaluating", "publishing"]


class Accepted(Frozen, frozen=True, omit_defaults=True):
    """The answer to an accepted request."""

    job_id: str
    status: StatusName
    skill_name: str
    replicates: int
    prompt_commit: str
    calls: Annotated[int, Meta(description="Planned calls, over all configured local models.")]
    status_url: Annotated[str, Meta(description="Path of the job, the same as in the Location header.")]
    position: Annotated[int | None, Meta(description="Its place in line, from 1; null where it runs.")] = None
    documents: Annotated[
        int, Meta(description="Inputs that are documents, read before the first call; absent for none.")
    ] = 0


class JobView(Frozen, frozen=True, omit_defaults=True):
    """A job as callers see it."""

    job_id: str
    skill_name: str
    replicates: int
    git_sha: str | None
    prompt_commit: str
    dataset_commit: str | None
    status: StatusName
    created_at: str
    started_at: str | None
    finished_at: str | None
    progress: Progress
    result: JobResult | None
    error: JobError | None
    models: Annotated[
        tuple[str, ...] | None, Meta(description="The models that the caller named; absent for all.")
    ] = None
    phase: Annotated[
        Phase | None, Meta(description="What a job that has not ended is at; null for one that has.")
    ] = None
    position: Annotated[int | None, Meta(description="Its place in line, from 1.")] = None
    documents: Annotated[
        Documents | None,
        Meta(
            description="Of the inputs that are documents, how many are read, or left out; absent for none."
        ),
    ] = None
    attention: Annotated[
        Attention | None, Meta(description="What an operator should know of a running job.")
    ] = None


def accepted(job: Job, position: int | None = None) -> Accepted:
    """Return the answer to an accepted request."""
    return Accepted(
        job_id=job.job_id,
        status=status_of(job),
        skill_name=job.skill_name,
        replicates=job.replicates,
        prompt_commit=job.prompt_commit,
        calls=job.progress.total,
        status_url=job_path(job.job_id),
        position=position,
        documents=0 if job.documents is None else job.documents.total,
    )


def job_path(job_id: str) -> str:
    """Return the path of a job; a path stays right behind any proxy."""
    return f"/jobs/{job_id}"


def view(job: Job, position: int | None = None) -> JobView:
    """Return a job as callers see it; `position` is its position in the queue."""
    state = job.state
    return JobView(
        job_id=job.job_id,
        skill_name=job.skill_name,
        replicates=job.replicates,
        git_sha=job.git_sha,
        prompt_commit=job.prompt_commit,
        dataset_commit=job.dataset_commit,
        status=status_of(job),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=None if isinstance(state, Queued | Running | Publishing) else state.finished_at,
        progress=job.progress,
        result=state.result if isinstance(state, Completed | Failed | Cancelled) else None,
        error=state.error if isinstance(state, Failed) else None,
        models=job.models,
        phase=_phase_of(job),
        position=position,
        documents=job.documents,
        attention=job.attention,
    )


def _phase_of(job: Job) -> Phase | None:
    match job.state:
        case Queued():
            return "waiting"
        case Running():
            documents = job.documents
            return "evaluating" if documents is None or documents.read == documents.total else "reading"
        case Publishing():
            return "publishing"
        case _:
            return None
