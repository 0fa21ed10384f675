"""Who is told how a job goes: each listener gets an observer at the start, and the job at its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import structlog

from evalcore.clients.reply import Reply
from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.runs.plan import JobPlan, RunPlan
from evalhook.jobs import Job


class Listener(Protocol):
    """Is told of jobs, on the event loop: neither method may block or raise."""

    def begun(self, job: Job, plan: JobPlan) -> Observer:
        """Hear that a job's calls begin (or go on after a restart); return what hears of its calls."""
        ...

    def ended(self, job: Job) -> None:
        """Hear how a job ended; it is shown so by now."""
        ...


@runtime_checkable
class AttentionListener(Protocol):
    """A listener that also hears when a running job needs attention, and when it no longer does."""

    def attended(self, job: Job) -> None:
        """Hear that `job.attention` is set, or over."""
        ...


class Audience:
    """All listeners as one."""

    def __init__(self, listeners: Sequence[Listener] = ()) -> None:
        self._listeners = listeners

    def begun(self, job: Job, plan: JobPlan) -> Observer:
        """Tell all, and return what tells them all of the calls."""
        return Observers([listener.begun(job, plan) for listener in self._listeners])

    def ended(self, job: Job) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.ended(job)

    def attended(self, job: Job) -> None:
        """Tell those who listen for it."""
        for listener in self._listeners:
            if isinstance(listener, AttentionListener):
                listener.attended(job)


class Observers(Observer):
    """Several observers as one."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.run_started(plan, run_dir, kept)

    def model_awaited(self, model: str, seconds: float) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.model_awaited(model, seconds)

    def model_skipped(self, model: str, reason: str) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.model_skipped(model, reason)

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.call_started(plan, case, replicate)

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.replied(plan, reply)

    def run_finished(self, outcome: RunOutcome) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.run_finished(outcome)


log = structlog.stdlib.get_logger(__name__)


class CallLog(Observer):
    """An `evalhook.watching.audience.Listener` and its observer in one."""

    def begun(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - the interface's
        """Listen to a job's calls."""
        return self

    def ended(self, job: Job) -> None:
        """Do nothing: the worker logs how jobs end."""

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Log a failed call; `call_id` is the X-Request-ID that MindRouter was sent."""
        if reply.error is not None:
            log.warning(
                "call_failed",
                job_id=plan.job_id,
                model=plan.model.id,
                call_id=reply.request_id,
                code=reply.error.code,
                attempts=reply.attempts,
            )
