"""Observers of jobs: each is notified when a job starts, needs attention and ends, and of its calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from evalcore.clients.reply import Reply
from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.library.component import ReaderName
from evalcore.runs.plan import JobPlan, RunPlan
from evalhook.jobs import Job

log = structlog.stdlib.get_logger(__name__)


class JobObserver:
    """Is notified of jobs, on the event loop: no method may block or raise. Does nothing by itself."""

    def job_started(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - for those that override it
        """A job's calls begin, or go on after a restart; returns the observer of its calls."""
        return Observer()

    def attention_changed(self, job: Job) -> None:
        """`job.attention` of a running job was set or cleared."""

    def job_ended(self, job: Job) -> None:
        """A job has ended, and readers already see it so."""


class JobObservers(JobObserver):
    """Several observers of jobs as one."""

    def __init__(self, observers: Sequence[JobObserver] = ()) -> None:
        self._observers = observers

    def job_started(self, job: Job, plan: JobPlan) -> Observer:
        """Notify all; returns the observer that notifies each one's observer of calls."""
        return CallObservers([observer.job_started(job, plan) for observer in self._observers])

    def attention_changed(self, job: Job) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.attention_changed(job)

    def job_ended(self, job: Job) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.job_ended(job)


class CallObservers(Observer):
    """Several of evalcore's observers of calls as one."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def reading(self, number: int, total: int) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.reading(number, total)

    def document_read(
        self, reader: ReaderName, seconds: float, pages: int | None, problem: str | None
    ) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.document_read(reader, seconds, pages, problem)

    def documents_read(self, job: JobPlan) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.documents_read(job)

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.run_started(plan, run_dir, kept)

    def model_awaited(self, model: str, seconds: float, hint: str) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.model_awaited(model, seconds, hint)

    def model_skipped(self, model: str, reason: str) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.model_skipped(model, reason)

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.call_started(plan, case, replicate)

    def scoring(self, plan: RunPlan, case: int) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.scoring(plan, case)

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.replied(plan, reply)

    def run_finished(self, outcome: RunOutcome) -> None:
        """Notify all."""
        for observer in self._observers:
            observer.run_finished(outcome)


class AfterJobs(JobObserver):
    """Calls a function whenever a job has ended."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call

    def job_ended(self, job: Job) -> None:  # noqa: ARG002 - as JobObserver
        """Call it."""
        self._call()


class CallLog(JobObserver):
    """Logs failed calls; how jobs end is logged by the runner."""

    def job_started(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - as JobObserver
        """Return what logs the job's failed calls."""
        return _FailedCalls()


class _FailedCalls(Observer):
    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Log a failed call; `call_id` is the X-Request-ID that was sent to MindRouter."""
        if reply.error is not None:
            log.warning(
                "call_failed",
                job_id=plan.job_id,
                model=plan.model.id,
                call_id=reply.request_id,
                code=reply.error.code,
                attempts=reply.attempts,
            )
