"""Runs one job: evaluate, publish, and say how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import structlog

from evalcore.effects import Effects
from evalcore.errors import EvaluatorError, StorageError
from evalcore.evaluate import Observer, RunOutcome, evaluate
from evalcore.plan import JobPlan, RunPlan
from evalcore.record import RunRecord
from evalcore.reply import Reply
from evalcore.structs import Frozen
from evalhook import jobs
from evalhook.audience import Audience, Observers
from evalhook.intake import Gateway
from evalhook.jobs import Job, JobError, JobResult
from evalhook.problems import CurrentJob, one_line
from evalhook.slot import Slot
from evalhook.store import JobStore
from evalhook.threads import in_thread

SNAPSHOT_SECONDS: Final = 5.0
"""How often the progress of a running job is written to disk."""
log = structlog.stdlib.get_logger(__name__)


class Published(Frozen, frozen=True):
    """Where the results are; None where the mode of commit-back makes no such thing."""

    pull_request_url: str | None
    branch: str | None


class Publisher(Protocol):
    """Commits results back."""

    def publish(
        self, plan: JobPlan, records: Sequence[RunRecord], skipped_models: Mapping[str, str]
    ) -> Published:
        """Commit the records back, blocking; `skipped_models` gives the reasons of those left out.

        Raises RepositoryError or LeaderboardError.
        """
        ...


class Worker:
    """Runs the job that holds the slot."""

    def __init__(
        self,
        *,
        store: JobStore,
        slot: Slot,
        gateway: Gateway,
        publisher: Publisher,
        effects: Effects,
        runs_dir: Path,
        concurrency: int,
        scrub: Callable[[str], str],
        audience: Audience,
    ) -> None:
        self._store = store
        self._slot = slot
        self._audience = audience
        self._gateway = gateway
        self._publisher = publisher
        self._effects = effects
        self._runs_dir = runs_dir
        self._concurrency = concurrency
        self._scrub = scrub
        self._task: asyncio.Task[None] | None = None

    def begin(self, job: Job, plan: JobPlan, holder: CurrentJob) -> None:
        """Run a queued job in the background; the slot is the job's until it ends."""
        started = jobs.start(job, self._now())
        self._store.show(started)
        watch = self._audience.begun(started, plan)
        self._task = asyncio.create_task(self._run(plan, holder, watch), name=f"job {job.job_id}")

    async def stop(self) -> None:
        """End the running job where it stands: replies are kept, and the file says `running`.

        What becomes of such a job is decided in one place, at the next start (see evalhook.recovery).
        """
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for job in self._store.unfinished():
            await self._keep(job)

    async def _run(self, plan: JobPlan, holder: CurrentJob, watch: Observer) -> None:
        # The task has a context of its own: what anybody logs in it is of this job.
        structlog.contextvars.bind_contextvars(job_id=plan.job_id)
        log.info("job_started", job_id=plan.job_id, skill=plan.component.slug, calls=plan.calls)
        snapshots = asyncio.create_task(self._keep_snapshots(plan.job_id))
        try:
            ended = await self._ended(plan, watch)
        finally:
            snapshots.cancel()
            await asyncio.wait([snapshots])
        await self._keep(ended)
        # No await between the two: nobody sees the job finished while the slot is still taken.
        self._slot.release(holder)
        self._store.show(ended)
        self._audience.ended(ended)
        log.info("job_ended", job_id=plan.job_id, state=type(ended.state).__name__.lower())

    async def _ended(self, plan: JobPlan, watch: Observer) -> Job:
        """Do the job's work and return how it ended; raises nothing but CancelledError."""
        outcomes: list[RunOutcome] = []
        result: JobResult | None = None
        try:
            outcomes = await self._evaluate(plan, watch)
            result = _result(outcomes, Published(None, None))
            records = [outcome.record for outcome in outcomes if outcome.record is not None]
            if not records:
                return self._failed(plan, JobError("no_model_served", _why_none(outcomes)), result)
            skipped = {outcome.model: outcome.reason or "" for outcome in outcomes if outcome.record is None}
            published = await in_thread(self._publisher.publish, plan, records, skipped)
            return jobs.complete(self._current(plan), self._now(), _result(outcomes, published))
        except EvaluatorError as error:
            log.warning("job_failed", job_id=plan.job_id, code=error.code, reason=error.line)
            return self._failed(plan, JobError(error.code, error.line), result)
        except Exception:
            log.exception("job_crashed", job_id=plan.job_id)
            message = f"an error of the service itself; its log has it under job {plan.job_id}"
            return self._failed(plan, JobError("internal", message), result)

    async def _evaluate(self, plan: JobPlan, watch: Observer) -> list[RunOutcome]:
        async with self._gateway.open(plan) as clients:
            return await evaluate(
                plan,
                clients,
                runs_dir=self._runs_dir,
                concurrency=self._concurrency,
                observer=Observers([_Progress(plan, self._store), watch]),
                effects=self._effects,
            )

    def _failed(self, plan: JobPlan, error: JobError, result: JobResult | None) -> Job:
        told = JobError(error.code, one_line(self._scrub(error.message)))
        return jobs.fail(self._current(plan), self._now(), told, result)

    def _current(self, plan: JobPlan) -> Job:
        job = self._store.get(plan.job_id)
        if job is None:
            raise LookupError(plan.job_id)
        return job

    async def _keep(self, job: Job) -> None:
        try:
            await in_thread(self._store.write, job)
        except StorageError as error:
            # It is shown from memory; after a restart it will be told as interrupted.
            log.error("job_not_kept", job_id=job.job_id, reason=error.line)  # noqa: TRY400 - a full disk
        except Exception:
            # A mistake of our own here must not keep the slot either.
            log.exception("job_not_kept", job_id=job.job_id)

    async def _keep_snapshots(self, job_id: str) -> None:
        kept: Job | None = None
        while True:
            job = self._store.get(job_id)
            if job is not None and job != kept:
                await self._keep(job)
                kept = job
            await self._effects.sleep(SNAPSHOT_SECONDS)

    def _now(self) -> str:
        return timestamp(self._effects.now())


class _Progress(Observer):
    """Counts what happens on the job that readers see."""

    def __init__(self, plan: JobPlan, store: JobStore) -> None:
        self._plan = plan
        self._store = store

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        log.info(
            "run_started", job_id=plan.job_id, run_id=plan.run_id, model=plan.model.id, folder=str(run_dir)
        )
        self._advance(done=kept)

    def model_awaited(self, model: str, seconds: float) -> None:
        log.info("model_awaited", job_id=self._plan.job_id, model=model, seconds=seconds)

    def model_skipped(self, model: str, reason: str) -> None:
        log.warning("model_skipped", job_id=self._plan.job_id, model=model, reason=reason)
        self._advance(total=-len(self._plan.cases) * self._plan.replicates)

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        if reply.error is not None:
            # Without the case and the words of the answer: both may be confidential.
            log.warning(
                "call_failed",
                job_id=plan.job_id,
                model=plan.model.id,
                call_id=reply.request_id,
                code=reply.error.code,
                attempts=reply.attempts,
            )
        self._advance(done=1, errors=0 if reply.error is None else 1)

    def run_finished(self, outcome: RunOutcome) -> None:
        log.info("run_finished", job_id=self._plan.job_id, model=outcome.model, status=outcome.status)

    def _advance(self, *, done: int = 0, errors: int = 0, total: int = 0) -> None:
        job = self._store.get(self._plan.job_id)
        if job is not None:
            self._store.show(jobs.advance(job, done=done, errors=errors, total=total))


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _result(outcomes: Sequence[RunOutcome], published: Published) -> JobResult:
    return JobResult(
        pull_request_url=published.pull_request_url,
        branch=published.branch,
        models=tuple(jobs.row_of(outcome) for outcome in outcomes),
    )


def _why_none(outcomes: Sequence[RunOutcome]) -> str:
    reasons = "; ".join(f"{outcome.model}: {outcome.reason}" for outcome in outcomes[:5])
    return f"none of the {len(outcomes)} configured local models could be called ({reasons})"
