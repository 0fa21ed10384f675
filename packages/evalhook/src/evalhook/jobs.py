"""A job and its states: a tagged union, changed by pure functions only.

queued -> running -> completed | failed | cancelled; queued -> failed | cancelled as well.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from evalcore.evaluate import OutcomeStatus, RunOutcome
from evalcore.structs import Frozen
from evalhook.problems import one_line

StatusName = Literal["queued", "running", "completed", "failed", "cancelled"]
SCHEMA_VERSION = 1


class Progress(Frozen, frozen=True):
    """How far the calls are; `errors` counts those that gave no usable reply."""

    done: int = 0
    total: int = 0
    errors: int = 0


class JobError(Frozen, frozen=True):
    """Why a job failed: a stable code, and one line for people."""

    code: str
    message: str


class ModelRow(Frozen, frozen=True):
    """How one model's run ended."""

    model: str
    status: OutcomeStatus
    accuracy: float | None
    reproducibility: float | None
    reason: str | None


class JobResult(Frozen, frozen=True):
    """What a job brought."""

    pull_request_url: str | None
    branch: str | None
    models: tuple[ModelRow, ...]


class Queued(Frozen, frozen=True, tag="queued", tag_field="status"):
    """Accepted, not begun."""


class Running(Frozen, frozen=True, tag="running", tag_field="status"):
    """Calls are being made, or results published."""

    started_at: str


class Completed(Frozen, frozen=True, tag="completed", tag_field="status"):
    """Every run ended and the results are where the mode of commit-back puts them."""

    started_at: str
    finished_at: str
    result: JobResult


class Failed(Frozen, frozen=True, tag="failed", tag_field="status"):
    """Ended by an error; `result` holds the runs that were finished before it."""

    started_at: str | None
    finished_at: str
    error: JobError
    result: JobResult | None = None


class Cancelled(Frozen, frozen=True, tag="cancelled", tag_field="status"):
    """Ended by a person."""

    started_at: str | None
    finished_at: str


State = Queued | Running | Completed | Failed | Cancelled


class Job(Frozen, frozen=True, kw_only=True):
    """One accepted request; kept as `<state dir>/jobs/<job_id>.json`."""

    schema_version: int = SCHEMA_VERSION
    job_id: str
    skill_name: str
    replicates: int
    git_sha: str | None
    """As the caller gave it."""
    prompt_commit: str
    dataset_commit: str | None
    created_at: str
    progress: Progress
    state: State

    @property
    def is_finished(self) -> bool:
        """Whether nothing will change any more."""
        return not isinstance(self.state, Queued | Running)

    @property
    def started_at(self) -> str | None:
        """When its calls began."""
        return None if isinstance(self.state, Queued) else self.state.started_at


class WrongTransition(Exception):
    """A state was asked to become one that it cannot become."""


def start(job: Job, at: str) -> Job:
    """Begin a queued job."""
    if not isinstance(job.state, Queued):
        raise WrongTransition(f"{job.state} cannot start")
    return msgspec.structs.replace(job, state=Running(started_at=at))


def advance(job: Job, *, done: int = 0, errors: int = 0, total: int = 0) -> Job:
    """Count calls on a running job; `total` is negative where planned calls fall away."""
    _must_run(job)
    old = job.progress
    progress = Progress(done=old.done + done, total=old.total + total, errors=old.errors + errors)
    return msgspec.structs.replace(job, progress=progress)


def complete(job: Job, at: str, result: JobResult) -> Job:
    """End a running job well."""
    running = _must_run(job)
    state = Completed(started_at=running.started_at, finished_at=at, result=result)
    return msgspec.structs.replace(job, state=state)


def fail(job: Job, at: str, error: JobError, result: JobResult | None = None) -> Job:
    """End an unfinished job with an error."""
    state = Failed(started_at=_unfinished(job), finished_at=at, error=error, result=result)
    return msgspec.structs.replace(job, state=state)


def cancel(job: Job, at: str) -> Job:
    """End an unfinished job at a person's wish."""
    state = Cancelled(started_at=_unfinished(job), finished_at=at)
    return msgspec.structs.replace(job, state=state)


def row_of(outcome: RunOutcome) -> ModelRow:
    """Tell of one model's run what callers are shown."""
    record = outcome.record
    return ModelRow(
        model=outcome.model,
        status=outcome.status,
        accuracy=None if record is None else record.accuracy.mean,
        reproducibility=None if record is None else record.reproducibility.mean,
        reason=None if outcome.reason is None else one_line(outcome.reason),
    )


def _must_run(job: Job) -> Running:
    if not isinstance(job.state, Running):
        raise WrongTransition(f"{job.state} is not running")
    return job.state


def _unfinished(job: Job) -> str | None:
    if job.is_finished:
        raise WrongTransition(f"{job.state} is finished already")
    return job.started_at
