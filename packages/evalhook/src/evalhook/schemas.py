"""What the API takes and gives (CONTRACT section 5)."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from msgspec import Meta

from evalcore.structs import Frozen, Strict
from evalhook.jobs import (
    Attention,
    Cancelled,
    Completed,
    Failed,
    Job,
    JobError,
    JobResult,
    Progress,
    Publishing,
    Queued,
    Running,
    StatusName,
)

Phase = Literal["waiting", "evaluating", "publishing"]
SKILL_NAME: Final = r"^[a-z0-9][a-z0-9._-]{0,99}$"
GIT_SHA: Final = r"^[0-9a-fA-F]{7,40}$"


class EvaluateRequest(Strict, frozen=True):
    """What to evaluate."""

    skill_name: Annotated[str, Meta(pattern=SKILL_NAME, description="The component's slug.")]
    replicates: Annotated[int, Meta(ge=1, le=100, description="Independent calls for each case.")] = 10
    git_sha: Annotated[
        Annotated[str, Meta(pattern=GIT_SHA)] | None,
        Meta(description="The commit of the prompt library; the tip of its default branch where absent."),
    ] = None

    def __post_init__(self) -> None:
        # `$` also matches before a final newline, which is no part of any name.
        for value in (self.skill_name, self.git_sha or ""):
            if re.search(r"\s", value):
                raise ValueError("skill_name and git_sha hold no white space")


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
    phase: Annotated[
        Phase | None, Meta(description="What a job that has not ended is at; null for one that has.")
    ] = None
    position: Annotated[int | None, Meta(description="Its place in line, from 1.")] = None
    attention: Annotated[
        Attention | None, Meta(description="What an operator should know of a running job.")
    ] = None


class JobList(Frozen, frozen=True):
    """Jobs, the newest first."""

    jobs: list[JobView]


class Health(Frozen, frozen=True, kw_only=True):
    """That the service answers."""

    status: str = "ok"
    version: str


def accepted(job: Job, position: int | None = None) -> Accepted:
    """Tell the caller of its job."""
    return Accepted(
        job_id=job.job_id,
        status=status_of(job),
        skill_name=job.skill_name,
        replicates=job.replicates,
        prompt_commit=job.prompt_commit,
        calls=job.progress.total,
        status_url=job_path(job.job_id),
        position=position,
    )


def job_path(job_id: str) -> str:
    """Return the path of a job; a path stays right behind any proxy."""
    return f"/jobs/{job_id}"


def view(job: Job, position: int | None = None) -> JobView:
    """Show a job; `position` is its place in line."""
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
        phase=_phase_of(job),
        position=position,
        attention=job.attention,
    )


def _phase_of(job: Job) -> Phase | None:
    match job.state:
        case Queued():
            return "waiting"
        case Running():
            return "evaluating"
        case Publishing():
            return "publishing"
        case _:
            return None


def status_of(job: Job) -> StatusName:
    """Return the state's name."""
    match job.state:
        case Queued():
            return "queued"
        case Completed():
            return "completed"
        case Failed():
            return "failed"
        case Cancelled():
            return "cancelled"
        case _:
            return "running"
