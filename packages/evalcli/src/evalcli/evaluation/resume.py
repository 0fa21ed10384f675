"""An interrupted job: found by one of its run folders, and gone on with as it was planned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evalcli.exits import PROGRAM
from evalcore.errors import ConfigurationError, StorageError
from evalcore.evaluation.outcome import RunOutcome, outcome_of
from evalcore.runs.folder import PLAN, RECORD, read_plan, read_record
from evalcore.runs.plan import JobPlan, RunPlan
from evalcore.structs import Frozen


class ResumedJob(Frozen, frozen=True):
    """What is left of a job, and what it has done already."""

    job: JobPlan
    """Its unfinished runs alone."""
    run_dirs: Mapping[str, Path]
    """Model to the folder of its unfinished run."""
    finished: tuple[RunOutcome, ...]


def find_job(run_dir: Path, slug: str) -> ResumedJob:
    """Find all runs of the job that a run folder belongs to: they lie beside it.

    Raises StorageError where it is no run folder, ConfigurationError where it is another component's.
    """
    named = read_plan(run_dir)
    if named.component.slug != slug:
        raise ConfigurationError(
            f"the run is of {named.component.slug}, not of {slug}",
            where=str(run_dir),
            hint=f"`{PROGRAM} evaluate {named.component.slug} --resume {run_dir}` goes on with it",
        )
    plans = {path.parent: _plan_beside(path.parent) for path in sorted(run_dir.parent.glob(f"*/{PLAN}"))}
    # The job itself is stored nowhere: its runs are those whose plans name it.
    of_job = {path: plan for path, plan in plans.items() if plan is not None and plan.job_id == named.job_id}
    # Its record is written last: a run without one has calls left, or is still to be scored.
    unfinished = {path: plan for path, plan in of_job.items() if not (path / RECORD).exists()}
    return ResumedJob(
        job=_job_of(named, list(unfinished.values())),
        run_dirs={plan.model.id: path for path, plan in unfinished.items()},
        finished=tuple(_outcome(path) for path in of_job if path not in unfinished),
    )


def _plan_beside(path: Path) -> RunPlan | None:
    try:
        return read_plan(path)
    except StorageError:
        # Another run's folder, of another version or broken: no part of this job as far as it can be read.
        return None


def _job_of(named: RunPlan, unfinished: list[RunPlan]) -> JobPlan:
    return JobPlan(
        job_id=named.job_id,
        origin=named.origin,
        component=named.component,
        cases=named.cases,
        skipped_cases=named.skipped_cases,
        # As they were planned: models.yaml may say something else of them by now.
        models=tuple(plan.model for plan in unfinished),
        providers={plan.model.provider: plan.provider for plan in unfinished},
        replicates=named.replicates,
        prompt_commit=named.prompt_commit,
        dataset_commit=named.dataset_commit,
    )


def _outcome(path: Path) -> RunOutcome:
    return outcome_of(read_record(path), path)
