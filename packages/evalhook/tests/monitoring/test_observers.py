"""Observers of jobs: all are notified, in order; doing nothing is the default."""

from __future__ import annotations

from pathlib import Path

from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.runs.plan import JobPlan, RunPlan
from evalhook.jobs import Job, Progress, Queued
from evalhook.monitoring.observers import AfterJobs, JobObserver, JobObservers
from evalsim.testing import make_job_plan, make_reply, make_run_plan

JOB = Job(
    job_id="job", skill_name="memo", replicates=1, git_sha=None, prompt_commit="a" * 40,
    dataset_commit=None, created_at="2026-01-01T00:00:00Z", progress=Progress(), state=Queued(),
)  # fmt: skip


class Recorder(JobObserver):
    """Writes down what it is notified of, of jobs and calls."""

    def __init__(self, seen: list[str], name: str) -> None:
        self._seen = seen
        self._name = name

    def job_started(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002
        self._seen.append(f"{self._name} started")
        return _Calls(self._seen, self._name)

    def job_ended(self, job: Job) -> None:  # noqa: ARG002
        self._seen.append(f"{self._name} ended")


class _Calls(Observer):
    def __init__(self, seen: list[str], name: str) -> None:
        self._seen = seen
        self._name = name

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:  # noqa: ARG002
        self._seen.append(f"{self._name} run")

    def model_awaited(self, model: str, seconds: float, hint: str) -> None:
        self._seen.append(f"{self._name} awaits {model} {seconds:.0f}{hint}")

    def model_skipped(self, model: str, reason: str) -> None:
        self._seen.append(f"{self._name} skips {model} {reason}")

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:  # noqa: ARG002
        self._seen.append(f"{self._name} calls {case} {replicate}")

    def replied(self, plan: RunPlan, reply: object) -> None:  # noqa: ARG002
        self._seen.append(f"{self._name} replied")

    def run_finished(self, outcome: RunOutcome) -> None:
        self._seen.append(f"{self._name} {outcome.status}")


def test_all_observers_are_notified_of_everything_in_order() -> None:
    seen: list[str] = []
    observers = JobObservers([Recorder(seen, "a"), JobObserver(), Recorder(seen, "b")])
    calls = observers.job_started(JOB, make_job_plan())
    plan = make_run_plan()
    calls.run_started(plan, Path(), 0)
    calls.model_awaited("alpha", 9, "")
    calls.model_skipped("beta", "away")
    calls.call_started(plan, "one", 0)
    calls.replied(plan, make_reply())
    calls.run_finished(RunOutcome("alpha", "complete", None))
    observers.attention_changed(JOB)
    observers.job_ended(JOB)
    of_a = [line.removeprefix("a ") for line in seen if line.startswith("a ")]
    assert of_a == [
        "started", "run", "awaits alpha 9", "skips beta away", "calls one 0", "replied", "complete", "ended",
    ]  # fmt: skip
    assert seen == [f"{name} {line}" for line in of_a for name in ("a", "b")]


def test_something_can_be_done_after_each_job() -> None:
    ended: list[int] = []
    observer = AfterJobs(lambda: ended.append(1))
    observer.job_started(JOB, make_job_plan())
    assert ended == []
    observer.job_ended(JOB)
    assert ended == [1]
