"""The figures that Prometheus reads; docker/alerts.yml and docker/grafana-dashboard.json use their names."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, get_args

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from evalcore.clients.reply import Reply
from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.library.component import ReaderName
from evalcore.runs.plan import JobPlan, RunPlan
from evalcore.version import __version__
from evalhook.jobs import Completed, Failed, Job, Publishing, Queued, status_of
from evalhook.monitoring import metrics_server
from evalhook.monitoring.live import JobProgress, Live
from evalhook.monitoring.notifier import Notifier
from evalhook.monitoring.observers import JobObserver
from evalhook.storage.retention import may_go

# Up to the 720 s that MindRouter's proxies allow a call, and below up to the default deadline of a job.
CALL_BUCKETS: Final = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 240, 480, 720)
JOB_BUCKETS: Final = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 57600, 86400)


def _is_stalled(job: Job) -> bool:
    return job.attention is not None and job.attention.code == "stalled"


JOB_FIGURES: Final[tuple[tuple[str, str, Callable[[Job], bool]], ...]] = (
    ("evalhook_queue_length", "Jobs that wait for the slot", lambda job: isinstance(job.state, Queued)),
    ("evalhook_outbox_length", "Jobs being published", lambda job: isinstance(job.state, Publishing)),
    (
        "evalhook_unpublished_jobs",
        "Jobs whose results could not be published and are kept",
        lambda job: job.is_finished and not may_go(job),
    ),
    ("evalhook_job_stalled", "Whether the running job makes no progress", _is_stalled),
)


class Metrics(JobObserver):
    """The service's figures."""

    def __init__(self, *, is_slot_held: Callable[[], bool], live: Live, state_dir: Path) -> None:
        # One of its own: the global one would refuse the same names a second time, as in tests.
        self.registry = CollectorRegistry()
        self.registry.register(_Process())
        own = self.registry
        self._jobs = Counter("evalhook_jobs", "Jobs that ended", ["outcome"], registry=own)
        for outcome in ("completed", "failed", "cancelled"):
            # Made now: a series that begins with the first failure has no 0 before it for `increase` to see.
            self._jobs.labels(outcome)
        self._failures = Counter("evalhook_job_failures", "Failed jobs by error", ["code"], registry=own)
        self._job_seconds = Histogram(
            "evalhook_job_duration_seconds",
            "From a job's begin to its end",
            buckets=JOB_BUCKETS,
            registry=own,
        )
        self._calls = _CallMetrics(own)
        self.gauge("evalhook_slot_held", "Whether a job holds the slot", is_slot_held)
        self.gauge("evalhook_calls_in_flight", "Calls that are out", lambda: _of(live, lambda p: p.in_flight))
        self.gauge(
            "evalhook_job_calls_done",
            "Calls of the running job that are back",
            lambda: _of(live, lambda p: p.done),
        )
        self.gauge(
            "evalhook_job_calls_planned", "Calls of the running job", lambda: _of(live, lambda p: p.total)
        )
        self.gauge(
            "evalhook_job_documents_left",
            "Documents of the running job that are still to be read",
            lambda: _of(live, lambda p: 0 if p.reading is None else p.reading.total - p.reading.number + 1),
        )
        self.gauge(
            "evalhook_seconds_since_progress",
            "Of the running job, since its last reply, or since it began to read a document",
            lambda: _seconds_without_progress(live),
        )
        self.gauge("evalhook_disk_free_bytes", "Free under the state directory", lambda: _free(state_dir))
        self._state_bytes = Gauge(
            "evalhook_state_bytes", "Size of kept jobs and runs, at the last sweep", registry=own
        )
        self._last_success = Gauge(
            "evalhook_last_success_timestamp_seconds", "When a job last completed; 0 for never", registry=own
        )
        Gauge("evalhook_build_info", "The version", ["version"], registry=own).labels(__version__).set(1)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a figure that is read whenever it is asked for."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def count_jobs(self, jobs: Callable[[], Iterable[Job]], notifier: Notifier | None) -> None:
        """Add the figures that are counted over all stored jobs whenever they are read."""
        self.gauge(
            "evalhook_untold_jobs",
            "Jobs whose end GitHub is still to be told",
            lambda: 0 if notifier is None else notifier.pending,
        )
        for name, text, counts in JOB_FIGURES:
            self.gauge(name, text, partial(_count, jobs, counts))

    def recall(self, jobs: Iterable[Job]) -> None:
        """Take over the last success of a former process."""
        ends = [job.state.finished_at for job in jobs if isinstance(job.state, Completed)]
        if ends:
            self._last_success.set(_seconds(max(ends)))

    def swept(self, state_bytes: int) -> None:
        """Note the size of the state directory's jobs and runs, in bytes."""
        self._state_bytes.set(state_bytes)

    def job_started(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - as JobObserver
        """Return what counts the job's calls."""
        return self._calls

    def job_ended(self, job: Job) -> None:
        """Count a job."""
        self._jobs.labels(status_of(job)).inc()
        state = job.state
        if isinstance(state, Failed):
            self._failures.labels(state.error.code).inc()
        if isinstance(state, Completed):
            self._last_success.set(_seconds(state.finished_at))
            # Of completed jobs alone: how long a job took to fail or to be cancelled says nothing of the
            # models.
            self._job_seconds.observe(_seconds(state.finished_at) - _seconds(state.started_at))

    def text(self) -> bytes:
        """Write all figures as Prometheus reads them."""
        return generate_latest(self.registry)


class _CallMetrics(Observer):
    """Counts calls by model; the models are those of models.yaml, a handful."""

    def __init__(self, registry: CollectorRegistry) -> None:
        model = ["model"]
        outcome = ["model", "outcome"]
        self._calls = Counter("evalhook_calls", "Calls by what came back", outcome, registry=registry)
        self._attempts = Counter(
            "evalhook_call_attempts", "Requests sent, with retries", model, registry=registry
        )
        self._scored = Counter(
            "evalhook_scored_calls", "Calls by how they were scored", outcome, registry=registry
        )
        self._latency = Histogram(
            "evalhook_call_latency_seconds",
            "The last attempt",
            model,
            buckets=CALL_BUCKETS,
            registry=registry,
        )
        self._documents = Counter(
            "evalhook_documents",
            "Documents by how reading them ended",
            ["reader", "outcome"],
            registry=registry,
        )
        self._reading = Histogram(
            "evalhook_document_seconds", "Reading one document", buckets=CALL_BUCKETS, registry=registry
        )
        self._runs = Counter("evalhook_runs", "Runs by how they ended", outcome, registry=registry)
        for reader in get_args(ReaderName):
            # Made now, as the calls' are when a run begins: what begins with a failure has no 0 before it.
            for ended in ("read", "unreadable"):
                self._documents.labels(reader, ended)

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:  # noqa: ARG002 - the interface's
        """Begin the model's figures at 0, so that failures that all come at once are seen as a rise."""
        for outcome in ("answered", "model_failure", "infrastructure_failure"):
            self._calls.labels(plan.model.id, outcome)

    def document_read(
        self,
        reader: ReaderName,
        seconds: float,
        pages: int | None,  # noqa: ARG002 - the interface's
        problem: str | None,
    ) -> None:
        """Count a document."""
        self._documents.labels(reader, "read" if problem is None else "unreadable").inc()
        self._reading.observe(seconds)

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Count a call."""
        model = plan.model.id
        outcome = "answered" if reply.error is None else f"{reply.error.fault}_failure"
        self._calls.labels(model, outcome).inc()
        self._attempts.labels(model).inc(reply.attempts)
        self._latency.labels(model).observe(reply.latency_ms / 1000)

    def model_skipped(self, model: str, reason: str) -> None:  # noqa: ARG002 - the interface's
        """Count a run that was not made."""
        self._runs.labels(model, "skipped").inc()

    def run_finished(self, outcome: RunOutcome) -> None:
        """Count a run, and its calls as they were scored."""
        self._runs.labels(outcome.model, outcome.status).inc()
        if outcome.record is not None:
            calls = outcome.record.calls
            for name, number in (
                ("ok", calls.ok),
                ("parse_error", calls.parse_error),
                ("api_error", calls.api_error),
            ):
                self._scored.labels(outcome.model, name).inc(number)


class _Process(Collector):
    """The figures of the process and of requests, which their libraries register globally."""

    def collect(self) -> Iterable[Metric]:
        """Pass them on."""
        return REGISTRY.collect()

    def describe(self) -> Iterable[Metric]:
        """Name none in advance."""
        return []


@contextmanager
def serving_metrics(metrics: Metrics, bind: tuple[str, int] | None) -> Iterator[None]:
    """Serve the figures on an address of their own, where one is set.

    Raises ConfigurationError where it is taken.
    """
    if bind is None:
        yield
        return
    with metrics_server.serving(metrics.registry, *bind):
        yield


def _of(live: Live, figure: Callable[[JobProgress], float]) -> float:
    running = live.running()
    return 0 if running is None else figure(running.progress())


def _seconds_without_progress(live: Live) -> float:
    running = live.running()
    return 0 if running is None else running.seconds_since_progress


def _free(folder: Path) -> float:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return float("nan")  # not known is not zero, which would raise an alarm for another reason


def _count(jobs: Callable[[], Iterable[Job]], counts: Callable[[Job], bool]) -> float:
    return sum(counts(job) for job in jobs())


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
