"""What the sweep decides, from what is known: which components lack results, and what was tried already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from evalcli.workflows.service import JobState
from evalcore.formats.versions import parse_version
from evalcore.structs import Frozen

MOST_ATTEMPTS: Final = 3
"""After so many failures of the same contents a component is named, and not tried again."""
ASKED_AGAIN_AFTER: Final = timedelta(days=7)
"""Of a single model that lacks a record."""
VM: Final = "vm"

Where = Literal["local", "cloud"]
Outcome = Literal["triggered", "running", "left"]


class SeenRun(Frozen, frozen=True):
    """What a leaderboard says of one run, as far as the sweep looks; of any evaluator's records."""

    model: str = ""
    status: str = ""
    component_version: str = ""
    job_id: str = ""
    origin: str = ""
    prompt_sha256: str = ""
    finished_at: str = ""


class Contents(Frozen, frozen=True):
    """The files of a component, but for what the evaluator writes: path and blob."""

    files: frozenset[tuple[str, str]] = frozenset()


class ComponentState(Frozen, frozen=True):
    """A component at the tip of the default branch, with its runs there and in open results."""

    slug: str
    version: str | None
    """As it is written; None where none can be read."""
    prompt_sha256: str | None
    contents: Contents
    runs: tuple[SeenRun, ...] = ()
    unreadable: str | None = None
    """Why its leaderboard cannot be read."""

    @property
    def present(self) -> tuple[int, int] | None:
        """Its MAJOR and MINOR; None where its version is none."""
        return _line(self.version)

    def complete_models(self) -> frozenset[str]:
        """Models with a complete run of the present MAJOR and MINOR."""
        return frozenset(run.model for run in self._present_runs() if run.status == "complete")

    def is_due(self) -> bool:
        """Whether its present MAJOR and MINOR has no complete run at all."""
        return self.present is not None and not self.complete_models()

    def failed_jobs(self, where: Where) -> frozenset[str]:
        """Jobs that gave partial runs of the prompt as it now stands, and no complete one."""
        # A prompt that has changed since may well succeed: its earlier failures say nothing of it.
        same = [
            run
            for run in self._present_runs()
            if (run.origin == VM) == (where == "local") and run.prompt_sha256 == self.prompt_sha256
        ]
        # A job has a run of each model: where one of them is complete, the component is not what failed.
        complete = {run.job_id for run in same if run.status == "complete"}
        return frozenset(run.job_id for run in same if run.status != "complete") - complete

    def asked_since(self, moment: datetime) -> frozenset[str]:
        """Models with a run, complete or not, that ended after a moment."""
        return frozenset(run.model for run in self._present_runs() if _is_after(run.finished_at, moment))

    def _present_runs(self) -> Iterable[SeenRun]:
        return (run for run in self.runs if _line(run.component_version) == self.present)


class Swept(Frozen, frozen=True):
    """What became of one component that was due, or of a model that lacked a run."""

    component: str
    version: str
    where: Where
    outcome: Outcome
    models: tuple[str, ...] = ()
    """Empty: all of them."""
    job_id: str | None = None
    reason: str | None = None


def attempts(state: ComponentState, jobs: Iterable[JobState], same: Iterable[str]) -> frozenset[str]:
    """Return the local jobs that failed on the component as it now stands.

    `same` are commits at which it had the same contents.
    """
    commits = frozenset(same)
    failed = {
        job.job_id
        for job in jobs
        if job.skill_name == state.slug and job.status == "failed" and job.prompt_commit in commits
    }
    return state.failed_jobs("local") | failed


def running_job(slug: str, jobs: Iterable[JobState]) -> JobState | None:
    """Return the job that evaluates a component now, or will."""
    return next((job for job in jobs if job.skill_name == slug and not job.has_ended), None)


def missing_models(state: ComponentState, models: Sequence[str]) -> tuple[str, ...]:
    """Return those of the models that lack a complete run, of a component that has one of another."""
    complete = state.complete_models()
    # A component without any complete run is due as a whole, and asked for by that.
    return tuple(model for model in models if model not in complete) if complete else ()


def asked_lately(state: ComponentState, jobs: Iterable[JobState], now: datetime) -> frozenset[str]:
    """Return the models that were asked for within a week: by a job, or by a run of whatever result."""
    moment = now - ASKED_AGAIN_AFTER
    asked = {
        row.model
        for job in jobs
        if job.skill_name == state.slug and job.result is not None and _is_after(job.created_at, moment)
        for row in job.result.models
    }
    return state.asked_since(moment) | asked


def not_served(slug: str, jobs: Iterable[JobState]) -> frozenset[str]:
    """Return the models that the newest jobs of a component left out, since nobody served them."""
    newest: dict[str, str] = {}
    for job in jobs:  # the newest first
        for row in job.result.models if job.skill_name == slug and job.result is not None else ():
            newest.setdefault(row.model, row.status)
    return frozenset(model for model, status in newest.items() if status == "skipped")


def _line(version: str | None) -> tuple[int, int] | None:
    found = parse_version(version) if version is not None else None
    return (found.major, found.minor) if found is not None else None


def _is_after(text: str, moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(text) > moment
    except (ValueError, TypeError):  # no time, or one without a zone
        return False
