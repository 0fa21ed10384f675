"""A job and its states: a tagged union, changed by pure functions only.

queued -> running -> publishing -> completed, and from each of the first three -> failed | cancelled;
failed | cancelled -> publishing again, by hand. docs/job-lifecycle.md draws it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from evalcore.evaluation.outcome import OutcomeStatus, RunOutcome
from evalcore.publishing.outbox import Outbox
from evalcore.structs import Frozen, Strict
from evalhook.errors import one_line

StatusName = Literal["queued", "running", "completed", "failed", "cancelled"]
SCHEMA_VERSION = 1


class Progress(Frozen, frozen=True):
    """How far the calls are; `errors` counts those that gave no usable reply."""

    done: int = 0
    total: int = 0
    errors: int = 0


class Documents(Frozen, frozen=True):
    """How many of the inputs that are documents are read, or left out, and how many there are."""

    read: int
    total: int


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


class Attention(Frozen, frozen=True):
    """What an operator should know of a running job."""

    code: Literal["stalled", "storage_full", "publishing_delayed"]
    message: str
    since: str


class Queued(Frozen, frozen=True, tag="queued", tag_field="status"):
    """Accepted, not begun."""


class Running(Frozen, frozen=True, tag="running", tag_field="status"):
    """Calls are being made, and runs scored."""

    started_at: str


class Publishing(Frozen, frozen=True, tag="publishing", tag_field="status"):
    """Every record is there; results are being committed back. Callers see it as running."""

    started_at: str
    models: tuple[ModelRow, ...]


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
    """Ended by a person; `result` holds the runs that were finished before it."""

    started_at: str | None
    finished_at: str
    result: JobResult | None = None


State = Queued | Running | Publishing | Completed | Failed | Cancelled


class Job(Frozen, frozen=True, kw_only=True):
    """One accepted request; stored as `<state dir>/jobs/<job_id>.json`."""

    schema_version: int = SCHEMA_VERSION
    job_id: str
    skill_name: str
    replicates: int
    git_sha: str | None
    """As the caller gave it."""
    models: tuple[str, ...] | None = None
    """Those that the caller named; None for all."""
    prompt_commit: str
    dataset_commit: str | None
    created_at: str
    progress: Progress
    state: State
    elapsed_s: int = 0
    """Whole minutes of work, in seconds, over all processes: what the deadline goes by."""
    skipped: dict[str, str] = msgspec.field(default_factory=dict)
    """Model to the reason why it was left out; it stays out after a restart."""
    documents: Documents | None = None
    """What of its inputs had to be read first; None where all are texts."""
    outbox: Outbox = Outbox()
    attention: Attention | None = None
    is_cancelling: bool = False
    """Whether a person has asked for its end."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing will change any more by itself."""
        return not isinstance(self.state, Queued | Running | Publishing)

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


def recount(job: Job, total: int) -> Job:
    """Begin to count again, as a job does that goes on after a restart; errors are remembered."""
    _must_run(job)
    return msgspec.structs.replace(job, progress=Progress(total=total, errors=job.progress.errors))


def read_documents(job: Job, read: int, total: int) -> Job:
    """Count the documents that are read."""
    _must_run(job)
    return msgspec.structs.replace(job, documents=Documents(read, total))


def skip(job: Job, model: str, reason: str) -> Job:
    """Leave a model out, for good."""
    _must_run(job)
    return msgspec.structs.replace(job, skipped={**job.skipped, model: reason})


def set_attention(job: Job, attention: Attention | None) -> Job:
    """Set what an operator should know; None for nothing."""
    _unfinished(job)
    return msgspec.structs.replace(job, attention=attention)


def spend(job: Job, seconds: float) -> Job:
    """Note how long the job has worked, to the minute."""
    _unfinished(job)
    # By whole minutes, so that a job that only waits is not written anew with every snapshot.
    return msgspec.structs.replace(job, elapsed_s=max(job.elapsed_s, int(seconds // 60) * 60))


def publish(job: Job, models: tuple[ModelRow, ...]) -> Job:
    """Turn a running job, all of whose records are there, to its publishing."""
    state = Publishing(started_at=_must_run(job).started_at, models=models)
    return msgspec.structs.replace(job, state=state, attention=None)


def set_outbox(job: Job, outbox: Outbox) -> Job:
    """Set how far the publishing is."""
    _must_publish(job)
    return msgspec.structs.replace(job, outbox=outbox)


def reopen(job: Job, at: str, models: tuple[ModelRow, ...]) -> Job:
    """Let a job that failed or was cancelled publish what it has."""
    if not isinstance(job.state, Failed | Cancelled):
        raise WrongTransition(f"{job.state} cannot be published again")
    state = Publishing(started_at=job.state.started_at or at, models=models)
    # It gets a whole deadline again, or a job that was ended by its deadline could never be published.
    return msgspec.structs.replace(job, state=state, elapsed_s=0, attention=None, is_cancelling=False)


def ask_cancel(job: Job) -> Job:
    """Note that a person wants the job to end."""
    _unfinished(job)
    return msgspec.structs.replace(job, is_cancelling=True)


def complete(job: Job, at: str, result: JobResult) -> Job:
    """End a publishing job well."""
    started_at = _must_publish(job).started_at
    # No job ends before it began, even where the clock was set back meanwhile.
    state = Completed(started_at=started_at, finished_at=max(at, started_at), result=result)
    return msgspec.structs.replace(job, state=state, attention=None)


def fail(job: Job, at: str, error: JobError, result: JobResult | None = None) -> Job:
    """End an unfinished job with an error."""
    began = _unfinished(job)
    # Compared as texts: in UTC and of one width (see `timestamp`), their order is that of the moments.
    state = Failed(started_at=began, finished_at=max(at, began or at), error=error, result=result)
    return msgspec.structs.replace(job, state=state, attention=None)


def cancel(job: Job, at: str, result: JobResult | None = None) -> Job:
    """End an unfinished job because a person asked for it."""
    began = _unfinished(job)
    state = Cancelled(started_at=began, finished_at=max(at, began or at), result=result)
    return msgspec.structs.replace(job, state=state, attention=None)


def has_results(result: JobResult | None) -> bool:
    """Whether there is any record to publish."""
    return result is not None and any(row.status != "skipped" for row in result.models)


def row_of(outcome: RunOutcome) -> ModelRow:
    """Return what callers are shown of one model's run."""
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


def _must_publish(job: Job) -> Publishing:
    if not isinstance(job.state, Publishing):
        raise WrongTransition(f"{job.state} is not being published")
    return job.state


def _unfinished(job: Job) -> str | None:
    if job.is_finished:
        raise WrongTransition(f"{job.state} is finished already")
    return job.started_at


SKILL_NAME: Final = r"^[a-z0-9][a-z0-9._-]{0,99}$"
GIT_SHA: Final = r"^[0-9a-fA-F]{7,40}$"


MOST_MODELS: Final = 100
MAX_MODEL_ID: Final = 200
ModelId = Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_ID)]


class EvaluateRequest(Strict, frozen=True):
    """What to evaluate."""

    # The pattern comes first of all: the name becomes a path, a branch's name and Markdown.
    skill_name: Annotated[str, Meta(pattern=SKILL_NAME, description="The component's slug.")]
    replicates: Annotated[int, Meta(ge=1, le=100, description="Independent calls for each case.")] = 10
    git_sha: Annotated[
        Annotated[str, Meta(pattern=GIT_SHA)] | None,
        Meta(description="The commit of the prompt library; the tip of its default branch where absent."),
    ] = None
    models: Annotated[
        Annotated[tuple[ModelId, ...], Meta(min_length=1, max_length=MOST_MODELS)] | None,
        Meta(description="Only these of the configured local models; all of them where absent."),
    ] = None

    def __post_init__(self) -> None:
        # `$` also matches before a final newline, which is no part of any name.
        for value in (self.skill_name, self.git_sha or ""):
            if re.search(r"\s", value):
                raise ValueError("skill_name and git_sha hold no white space")


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


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
