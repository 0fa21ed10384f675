"""The running job as it is at this moment, counted from what its observer is notified of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from evalcore.clients.reply import Reply
from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.runs.plan import JobPlan, RunPlan
from evalcore.structs import Frozen
from evalhook.jobs import Job
from evalhook.monitoring.events import DONE, PROGRESS, EventHub
from evalhook.monitoring.observers import JobObserver

RATE_WINDOW_S: Final = 60.0
LONG_WAIT_S: Final = 30.0
MOST_WAITS: Final = 5
Stage = Literal["reading", "looking", "awaited", "calling", "complete", "partial", "skipped"]


class ModelProgress(Frozen, frozen=True):
    """How far one model is."""

    model: str
    stage: Stage
    done: int
    total: int
    errors: int
    in_flight: int
    reason: str | None
    """Why it is awaited, skipped or partial."""


class Wait(Frozen, frozen=True):
    """A call that has been in flight for long; its case is not named, for cases may be confidential."""

    model: str
    replicate: int
    """From 1."""
    seconds: int


class DocumentInHand(Frozen, frozen=True):
    """The document that is read now, before the first call; not named, for cases may be confidential."""

    number: int
    """From 1."""
    total: int


class JobProgress(Frozen, frozen=True):
    """How far a job is."""

    job_id: str
    stage: Literal["reading", "calling", "scoring", "publishing"]
    done: int
    total: int
    errors: int
    in_flight: int
    rate: float | None
    """Calls a second, lately; None while nothing is known."""
    seconds_left: int | None
    """Estimated; None while nothing is known."""
    waits: tuple[Wait, ...]
    attention: str | None = None
    """What an operator should know of it."""
    reading: DocumentInHand | None = None
    """None once every input is there."""


@dataclass(slots=True)
class _ModelCounts:
    model: str
    total: int
    stage: Stage = "looking"
    done: int = 0
    errors: int = 0
    reason: str | None = None
    in_flight: dict[tuple[str, int], float] = field(default_factory=dict)

    def shown(self) -> ModelProgress:
        return ModelProgress(
            model=self.model,
            stage=self.stage,
            done=self.done,
            total=self.total,
            errors=self.errors,
            in_flight=len(self.in_flight),
            reason=self.reason,
        )


class LiveJob(Observer):
    """One job while it runs; its memory grows with models and calls in flight, never with calls made."""

    def __init__(self, plan: JobPlan, hub: EventHub, monotonic: Callable[[], float]) -> None:
        self.job_id = plan.job_id
        self._hub = hub
        self._monotonic = monotonic
        self._counts = {model.id: _ModelCounts(model.id, plan.calls_of(model)) for model in plan.models}
        self._began = self._last = monotonic()
        self._attention: str | None = None
        self._reading: DocumentInHand | None = None
        # The latest window's count and its start; the one before it makes the rate smooth.
        self._windows = [(self._began, 0)]

    @property
    def in_flight(self) -> int:
        """How many calls are in flight."""
        return sum(len(counts.in_flight) for counts in self._counts.values())

    @property
    def seconds_since_progress(self) -> float:
        """Seconds since the last reply, or since the beginning."""
        return self._monotonic() - self._last

    def models(self) -> list[ModelProgress]:
        """Show every model, in the order of models.yaml."""
        return [counts.shown() for counts in self._counts.values()]

    def model(self, model: str) -> ModelProgress | None:
        """Show one model."""
        counts = self._counts.get(model)
        return None if counts is None else counts.shown()

    def progress(self) -> JobProgress:
        """Show the whole job."""
        now = self._monotonic()
        counted = [counts for counts in self._counts.values() if counts.stage != "skipped"]
        done, total = sum(t.done for t in counted), sum(t.total for t in counted)
        rate = self._rate(now)
        is_scored = all(t.stage in {"complete", "partial", "skipped"} for t in self._counts.values())
        # Nothing done of nothing planned is the beginning of a job, not its end.
        is_called = bool(done) and done >= total
        stage: Literal["reading", "calling", "scoring", "publishing"] = "calling"
        if self._reading is not None:
            stage = "reading"
        elif is_scored or is_called:
            stage = "publishing" if is_scored else "scoring"
        return JobProgress(
            job_id=self.job_id,
            stage=stage,
            done=done,
            total=total,
            errors=sum(t.errors for t in counted),
            in_flight=self.in_flight,
            rate=None if rate is None else round(rate, 2),
            seconds_left=None if not rate else round((total - done) / rate),
            waits=self._waits(now),
            attention=self._attention,
            reading=self._reading,
        )

    def set_attention(self, message: str | None) -> None:
        """Show what an operator should know; None for nothing."""
        self._attention = message
        self._hub.touch(self.job_id, PROGRESS)

    def reading(self, number: int, total: int) -> None:
        """Show which document is being read."""
        self._reading, self._last = DocumentInHand(number, total), self._monotonic()
        for counts in self._counts.values():
            if counts.stage == "looking":
                counts.stage = "reading"
                self._touch(counts)
        self._hub.touch(self.job_id, PROGRESS)

    def documents_read(self, job: JobPlan) -> None:
        """Show the calls of the cases that are left."""
        self._reading, self._last = None, self._monotonic()
        for model in job.models:
            counts = self._counts[model.id]
            counts.total = job.calls_of(model)
            counts.stage = "looking" if counts.stage == "reading" else counts.stage
            self._touch(counts)

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:  # noqa: ARG002 - the interface's
        """Begin with the replies that are there already."""
        counts = self._counts[plan.model.id]
        counts.stage, counts.done, counts.reason = "calling", kept, None
        self._touch(counts)

    def model_awaited(self, model: str, seconds: float, hint: str) -> None:
        """Show that a model is being waited for."""
        counts = self._counts[model]
        counts.stage = "awaited"
        counts.reason = f"not served now; looked for again for {seconds:.0f} s{f'; {hint}' if hint else ''}"
        self._touch(counts)

    def model_skipped(self, model: str, reason: str) -> None:
        """Show that a model is left out."""
        counts = self._counts[model]
        counts.stage, counts.reason = "skipped", reason
        self._touch(counts)

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """Count a call in flight."""
        counts = self._counts[plan.model.id]
        counts.in_flight[case, replicate] = self._monotonic()
        self._touch(counts)

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Count a call that has ended."""
        counts, now = self._counts[plan.model.id], self._monotonic()
        counts.in_flight.pop((reply.case, reply.replicate), None)
        counts.done += 1
        counts.errors += reply.error is not None
        self._last = now
        # Two windows of a minute instead of a list of times: the memory is the same after a million calls.
        start, count = self._windows[-1]
        if now - start >= RATE_WINDOW_S:
            self._windows = [(start, count), (now, 1)]
        else:
            self._windows[-1] = (start, count + 1)
        self._touch(counts)

    def run_finished(self, outcome: RunOutcome) -> None:
        """Show how a model's run ended."""
        counts = self._counts[outcome.model]
        counts.stage = outcome.status
        counts.reason = outcome.reason
        self._touch(counts)

    def _touch(self, counts: _ModelCounts) -> None:
        self._hub.touch(self.job_id, counts.model)
        self._hub.touch(self.job_id, PROGRESS)

    def _rate(self, now: float) -> float | None:
        count = sum(count for _, count in self._windows)
        # The first reply may come in the very instant in which the window begins.
        return count / max(now - self._windows[0][0], 1e-3) if count else None

    def _waits(self, now: float) -> tuple[Wait, ...]:
        waits = [
            Wait(counts.model, replicate + 1, int(now - begun))
            for counts in self._counts.values()
            # A copy: the metrics' own address reads it from another thread.
            for (_, replicate), begun in list(counts.in_flight.items())
            if now - begun >= LONG_WAIT_S
        ]
        return tuple(sorted(waits, key=lambda wait: -wait.seconds)[:MOST_WAITS])


class Live(JobObserver):
    """The jobs that run now, for readers."""

    def __init__(self, hub: EventHub, monotonic: Callable[[], float]) -> None:
        self._hub = hub
        self._monotonic = monotonic
        self._jobs: dict[str, LiveJob] = {}

    def job_started(self, job: Job, plan: JobPlan) -> Observer:
        """Return what counts the job's calls."""
        live = LiveJob(plan, self._hub, self._monotonic)
        for model, reason in job.skipped.items():
            # Left out before a restart: it is not reported again.
            live.model_skipped(model, reason)
        self._jobs[job.job_id] = live
        return live

    def job_ended(self, job: Job) -> None:
        """Drop the counts, and notify the job's followers of its end."""
        self._jobs.pop(job.job_id, None)
        self._hub.touch(job.job_id, DONE)

    def attention_changed(self, job: Job) -> None:
        """Show that a job needs attention, or no longer does."""
        live = self._jobs.get(job.job_id)
        if live is not None:
            live.set_attention(None if job.attention is None else job.attention.message)

    def get(self, job_id: str) -> LiveJob | None:
        """Look a running job up."""
        return self._jobs.get(job_id)

    def running(self) -> LiveJob | None:
        """The job that runs now, if any."""
        # A copy, for the metrics' own address is read from another thread.
        return next(iter(list(self._jobs.values())), None)
