"""The execution of one job from its current state to its end: evaluate, then publish, each step saved."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import structlog

from evalcore.clients.outage import OutagePolicy
from evalcore.clients.reply import Reply
from evalcore.decoding import convert
from evalcore.effects import Effects
from evalcore.errors import EvaluatorError, StorageError
from evalcore.evaluation.evaluate import evaluate
from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.publishing.outbox import Outbox, Published
from evalcore.runs.case_privacy import PublishCases, public_reason
from evalcore.runs.folder import PLAN, RECORD, read_record
from evalcore.runs.plan import JobPlan, RunPlan
from evalcore.runs.record import RunRecord
from evalhook import jobs
from evalhook.config.settings import JobLimits
from evalhook.errors import one_line
from evalhook.jobs import Attention, Job, JobError, JobResult, ModelRow, Publishing, timestamp
from evalhook.monitoring.observers import CallObservers
from evalhook.storage.space import require_writable
from evalhook.storage.store import JobStore
from evalhook.threads import in_thread
from evalhook.worker.intake import Gateway
from evalhook.worker.publish_retries import Publisher, is_unwritable, persist
from evalhook.worker.reading import DocumentSources, with_documents_read
from evalhook.worker.watchdog import Watchdog

DISK_WAIT_S: Final = 5.0
DISK_PATIENCE_S: Final = 3600.0
"""How long a job waits in all for a disk that is full or read-only, looking every DISK_WAIT_S."""
log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobContext:
    """What every job is executed with."""

    gateway: Gateway
    publisher: Publisher
    effects: Effects
    runs_dir: Path
    concurrency: int
    scrub: Callable[[str], str]
    limits: JobLimits
    publish_cases: PublishCases | None
    clones: asyncio.Lock
    """Held while the clones are in use."""
    documents: DocumentSources


class JobExecution:
    """The execution of one job in this process; `observer` is notified of its calls."""

    def __init__(
        self,
        plan: JobPlan,
        context: JobContext,
        store: JobStore,
        observer: Observer,
        watchdog: Watchdog,
        may_call: Callable[[], bool],
    ) -> None:
        self._plan = plan
        self._context = context
        self._store = store
        self._observer = observer
        self._watchdog = watchdog
        self._may_call = may_call

    async def run(self) -> Job:
        """Do what is left and return how the job ended, not saved yet; raises nothing but CancelledError."""
        try:
            if not isinstance(self._job.state, Publishing):
                outcomes = await self._evaluated()
                rows = tuple(jobs.row_of(self._shown(outcome)) for outcome in outcomes)
                if all(outcome.record is None for outcome in outcomes):
                    error = JobError("no_model_served", _why_none(outcomes))
                    return self._failed(error, JobResult(None, None, rows))
                # On the disk before anything is published: a restart then publishes, and calls nobody.
                await self._store.save(jobs.publish(self._job, rows))
            return await self._published()
        except EvaluatorError as error:
            # The notes describe a crash of scoring and may quote cases: they are for the log alone.
            notes = {"details": "\n".join(error.__notes__)} if hasattr(error, "__notes__") else {}
            log.warning("job_failed", job_id=self._plan.job_id, code=error.code, reason=error.line, **notes)
            return self._failed(JobError(error.code, error.line))
        # Whatever it was: a job without an end would hold the service's only slot for ever.
        except Exception:
            log.exception("job_crashed", job_id=self._plan.job_id)
            message = f"an error of the service itself; its log has it under job {self._plan.job_id}"
            return self._failed(JobError("internal", message))

    def _shown(self, outcome: RunOutcome) -> RunOutcome:
        # A job is shown in the log of an Actions run, and in an issue: no confidential case is quoted.
        setting = self._context.publish_cases
        reason = public_reason(outcome.reason, self._plan.cases, setting)
        return outcome if outcome.record is None else msgspec.structs.replace(outcome, reason=reason)

    def result(self) -> JobResult | None:
        """The rows of the models whose runs are finished; None where there are none."""
        state = self._job.state
        rows = (
            state.models
            if isinstance(state, Publishing)
            else finished_rows(self._context.runs_dir, self._plan)
        )
        outbox = self._job.outbox
        return JobResult(outbox.pull_request_url, outbox.branch, rows) if rows else None

    @property
    def _job(self) -> Job:
        return self._store.require(self._plan.job_id)

    async def _evaluated(self) -> list[RunOutcome]:
        """Evaluate; a disk that cannot be written is waited for, and the evaluation then resumed."""
        waited = 0.0
        while True:
            try:
                return await self._evaluate()
            except EvaluatorError as error:
                if not is_unwritable(error):
                    raise
                # The calls that were in flight are abandoned, and will be made again: they are not what the
                # job waits for.
                self._watchdog.restart()
                # Added up over the job: a disk that is full again and again must not hold the slot for ever.
                waited = await self._disk_awaited(error, waited)
                self._watchdog.progressed()
                self._store.update(jobs.set_attention(self._job, None))

    async def _disk_awaited(self, error: EvaluatorError, waited: float) -> float:
        """Wait until the disk can be written: no call is made whose reply could not be saved.

        Returns the seconds waited in all; raises the error once they are too many.
        """
        await self._attend("storage_full", f"{error.line}; the job goes on once it can be written")
        runs_dir = self._context.runs_dir
        # Every folder that replies go to, since one of them may be read-only by itself.
        runs = [runs_dir / run_id for run_id in self._plan.run_ids.values()]
        while waited < DISK_PATIENCE_S:
            await self._context.effects.sleep(DISK_WAIT_S)
            waited += DISK_WAIT_S
            try:
                await in_thread(require_writable, filter(Path.exists, [runs_dir.parent, runs_dir, *runs]))
            except StorageError:
                continue
            return waited
        raise error

    async def _read_documents(self, observer: Observer) -> None:
        """Read the documents among the inputs; from then on the job's plan has their texts."""
        context = self._context
        plan = await with_documents_read(
            self._plan,
            context.documents,
            observer,
            outage=OutagePolicy(context.limits.outage),
            publish_cases=context.publish_cases,
            monotonic=context.effects.monotonic,
            may_read=self._may_call,
            idle=self._watchdog.reading_ended,
        )
        # On the disk before the first call, so that a restart reads no document again.
        await in_thread(self._store.write_plan, plan)
        self._plan = plan

    async def _evaluate(self) -> list[RunOutcome]:
        context = self._context
        observers = CallObservers([_ProgressCounter(self._plan, self._store), self._watchdog, self._observer])
        if self._plan.unread:
            await self._read_documents(observers)
        plan = self._plan
        # A model that was left out stays out after a restart: its row and reason are with the job already.
        left_out = self._job.skipped
        wanted = tuple(model for model in plan.models if model.id not in left_out)
        plan = msgspec.structs.replace(plan, models=wanted)
        self._store.update(jobs.recount(self._job, plan.calls))
        paths = {
            model.id: context.runs_dir / plan.run_ids[model.id]
            for model in wanted
            if model.id in plan.run_ids
        }
        async with context.gateway.open(plan) as clients:
            outcomes = await evaluate(
                plan,
                clients,
                runs_dir=context.runs_dir,
                concurrency=context.concurrency,
                observer=observers,
                effects=context.effects,
                # A folder without its plan is of a process that was killed while it made it: it is made
                # again.
                resumed={model: path for model, path in paths.items() if (path / PLAN).exists()},
                outage_policy=OutagePolicy(context.limits.outage),
                may_call=self._may_call,
                documents=context.documents.cache,
            )
        known = {outcome.model: outcome for outcome in outcomes}
        return [
            known.get(model.id) or RunOutcome(model.id, "skipped", left_out[model.id])
            for model in self._plan.models
        ]

    async def _published(self) -> Job:
        job, context = self._job, self._context
        records = await in_thread(read_records, context.runs_dir, self._plan)
        rows = job.state.models if isinstance(job.state, Publishing) else ()
        # From the rows and not from memory, so that a job published after a restart says the same.
        left_out = {row.model: row.reason or "" for row in rows if row.status == "skipped"}
        published = await persist(
            lambda: self._publish(records, left_out),
            failed=self._not_published,
            monotonic=context.effects.monotonic,
            sleep=context.effects.sleep,
            random=random.random,
        )
        return jobs.complete(
            self._job,
            timestamp(context.effects.now()),
            JobResult(published.pull_request_url, published.branch, _with_reason(rows, published.reason)),
        )

    async def _publish(self, records: Sequence[RunRecord], left_out: dict[str, str]) -> Published:
        loop = asyncio.get_running_loop()
        outbox = self._job.outbox
        outbox = msgspec.structs.replace(outbox, tries=outbox.tries + 1)

        def save(step: Outbox) -> None:
            # Called in the publisher's thread, which goes on only once the step is on the disk.
            saving = self._store.save(jobs.set_outbox(self._job, step))
            asyncio.run_coroutine_threadsafe(saving, loop).result()

        # Branch and commit are made in the clone that requests are planned from.
        async with self._context.clones:
            publisher = self._context.publisher
            return await in_thread(publisher.publish, self._plan, records, left_out, outbox, save)

    async def _not_published(self, error: EvaluatorError, tries: int, wait: float) -> None:
        log.warning(
            "publishing_delayed",
            job_id=self._plan.job_id,
            code=error.code,
            reason=error.line,
            wait=round(wait),
        )
        await self._attend(
            "publishing_delayed", f"try {tries} failed: {error.line}; the next in {wait:.0f} s"
        )

    async def _attend(self, code: str, message: str) -> None:
        attention = convert(
            {
                "code": code,
                "message": one_line(self._context.scrub(message)),
                "since": timestamp(self._context.effects.now()),
            },
            Attention,
        )
        await self._store.try_save(jobs.set_attention(self._job, attention))

    def _failed(self, error: JobError, result: JobResult | None = None) -> Job:
        # It is posted to GitHub and shown on the page: without secrets, and without a line break.
        shown = JobError(error.code, one_line(self._context.scrub(error.message)))
        return jobs.fail(self._job, timestamp(self._context.effects.now()), shown, result or self.result())


class _ProgressCounter(Observer):
    """Counts calls on the job that readers see."""

    def __init__(self, plan: JobPlan, store: JobStore) -> None:
        self._plan = plan
        self._store = store

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        log.info(
            "run_started", job_id=plan.job_id, run_id=plan.run_id, model=plan.model.id, folder=str(run_dir)
        )
        self._advance(done=kept)

    def reading(self, number: int, total: int) -> None:
        self._count_documents(number - 1, total)

    def documents_read(self, job: JobPlan) -> None:
        total = len(self._plan.unread)
        self._plan = job
        self._count_documents(total, total)

    def _count_documents(self, read: int, total: int) -> None:
        self._store.update(jobs.read_documents(self._store.require(self._plan.job_id), read, total))

    def model_awaited(self, model: str, seconds: float, hint: str) -> None:
        log.info("model_awaited", job_id=self._plan.job_id, model=model, seconds=seconds, hint=hint)

    def model_skipped(self, model: str, reason: str) -> None:
        log.warning("model_skipped", job_id=self._plan.job_id, model=model, reason=reason)
        left_out = (each for each in self._plan.models if each.id == model)
        self._advance(total=-sum(map(self._plan.calls_of, left_out)))
        self._store.update(jobs.skip(self._store.require(self._plan.job_id), model, reason))

    def replied(self, plan: RunPlan, reply: Reply) -> None:  # noqa: ARG002 - the interface's
        self._advance(done=1, errors=0 if reply.error is None else 1)

    def run_finished(self, outcome: RunOutcome) -> None:
        log.info("run_finished", job_id=self._plan.job_id, model=outcome.model, status=outcome.status)

    def _advance(self, *, done: int = 0, errors: int = 0, total: int = 0) -> None:
        job = self._store.require(self._plan.job_id)
        self._store.update(jobs.advance(job, done=done, errors=errors, total=total))


def read_records(runs_dir: Path, plan: JobPlan) -> list[RunRecord]:
    """Read the records of a job's finished runs, in the order of its models; raises StorageError."""
    paths = [runs_dir / plan.run_ids[model.id] for model in plan.models if model.id in plan.run_ids]
    return [read_record(path) for path in paths if (path / RECORD).exists()]


def finished_rows(runs_dir: Path, plan: JobPlan) -> tuple[ModelRow, ...]:
    """Return the rows of a job that was cut short; empty where no model has a record."""
    try:
        records = {record.model: record for record in read_records(runs_dir, plan)}
    except EvaluatorError as error:
        log.warning("records_unreadable", job_id=plan.job_id, reason=error.line)
        return ()
    if not records:
        return ()
    unfinished = "its run was not finished"
    outcomes = [
        RunOutcome(model.id, record.status, None, record)
        if (record := records.get(model.id)) is not None
        else RunOutcome(model.id, "skipped", unfinished)
        for model in plan.models
    ]
    return tuple(jobs.row_of(outcome) for outcome in outcomes)


def _why_none(outcomes: Sequence[RunOutcome]) -> str:
    reasons = "; ".join(f"{outcome.model}: {outcome.reason}" for outcome in outcomes[:5])
    return f"none of the {len(outcomes)} configured local models could be called ({reasons})"


def _with_reason(rows: Sequence[ModelRow], reason: str | None) -> tuple[ModelRow, ...]:
    """Add to each model's row why results were not committed back; None where they were."""
    if reason is None:
        return tuple(rows)
    return tuple(
        msgspec.structs.replace(row, reason="; ".join(filter(None, (row.reason, reason)))) for row in rows
    )
