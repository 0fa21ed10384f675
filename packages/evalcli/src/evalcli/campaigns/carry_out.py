"""Doing one run where one is: planned from this machine's files, called or gone on with, scored, recorded."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from evalcli.campaigns.assignment import Assignment, Places, RunResult
from evalcli.campaigns.plan import PlannedRun, inputs_sha256, policy_inputs_sha256
from evalcli.evaluation.cost import paid_for
from evalcli.evaluation.documents import document_source, read_inputs
from evalcli.evaluation.plan import Prepared, prepare
from evalcli.evaluation.run import CutShort, Evaluation, make_calls
from evalcli.leaderboards.files import existing_leaderboard, leaderboard_path
from evalcli.leaderboards.places import data_sets_of
from evalcli.leaderboards.policies import rescore_by_policy
from evalcli.leaderboards.present_policy import current_policy
from evalcli.leaderboards.published_cases import published_cases
from evalcli.leaderboards.rescoring import is_at_hand
from evalcli.reports.rescoring import sentence
from evalcli.terminal.output import say
from evalcore.errors import ConfigurationError, StorageError
from evalcore.evaluation.outcome import RunOutcome, outcome_of
from evalcore.library.checkout import FolderCheckout
from evalcore.runs.compression import REPLIES
from evalcore.runs.files import lock, make_folder, open_regular, turn_at
from evalcore.runs.folder import PLAN, RECORD, read_plan, read_record
from evalcore.runs.leaderboard import known_records

READING: Final = "reading"
"""The folder, in that of the runs, of one folder for each component whose documents are read."""
WHAT_TO_DO: Final = "check the commit out that the campaign was begun with, or begin another"


def carry_out(assignment: Assignment, places: Places, environ: Mapping[str, str]) -> RunResult:
    """Do a run, from what is kept of it where something is.

    Raises EvaluatorError where it cannot be done here: files that differ from those it was planned by, a
    provider that cannot be reached, a disk that is full.
    """
    if assignment.run.rescored is not None:
        return _rescored(assignment.run, assignment.run.rescored, places, environ)
    folder = places.runs_dir / assignment.run_id
    # First: whoever had the run may be writing its record in this moment.
    await_turn(folder)
    # The worker may have died between its record and its row: what is recorded is not called again.
    if (folder / RECORD).exists():
        return _result(outcome_of(read_record(folder), folder), folder, environ)
    prepared = _prepared(assignment, places, environ)
    evaluation = _evaluation(assignment, prepared, places, environ)
    ended = make_calls(_with_documents(evaluation, places.runs_dir), assignment.run.in_flight)
    if not isinstance(ended, CutShort):
        return _result(ended[0], folder, environ)
    if ended.error is not None:
        raise ended.error
    reason = "it was ended"
    if ended.reason is not None:
        share = f"{assignment.run.max_cost or 0.0:.4f} USD"
        reason = f"its share of the budget, {share}, might not suffice for its next call; raise `budget_usd`"
    return RunResult("stopped", reason, None, socket.gethostname(), str(folder))


def await_turn(folder: Path) -> None:
    """Return once no other process is at work on a run; raises StorageError where its files cannot be read.

    One on a host that was halted for a while has its run's files still, and ends as soon as it goes on.
    """
    try:
        descriptor = open_regular(folder / REPLIES, os.O_RDWR)
    except FileNotFoundError:
        return
    except OSError as error:
        what = f"cannot be opened ({error.strerror or error})"
        raise StorageError(what, where=str(folder / REPLIES), hint="mend its permissions") from error
    try:
        lock(descriptor, is_awaited=False)
    except BlockingIOError:
        say("another process is at work on it; it is waited for")
        lock(descriptor, is_awaited=True)
    finally:
        os.close(descriptor)


def _rescored(run: PlannedRun, run_id: str, places: Places, environ: Mapping[str, str]) -> RunResult:
    """Score kept replies by the present rules and the policy that the component has now."""
    sources = places.sources
    if not is_at_hand(places.runs_dir, run_id):
        hint = "let all workers share the folder of the runs (--runs-dir)"
        raise ConfigurationError(f"run {run_id} is not here", where=str(places.runs_dir), hint=hint)
    beside = data_sets_of(sources.prompt_library, sources.data_sets)
    policy = current_policy(FolderCheckout(sources.prompt_library), beside, run.component)
    if policy_inputs_sha256(policy, run_id) != run.inputs_sha256:
        what, hint = "its scoring policy is not the one that was planned", WHAT_TO_DO
        raise ConfigurationError(what, where=run.component, hint=hint)
    scoring = rescore_by_policy(places.runs_dir / run_id, policy)
    folder = scoring.path.parent
    if not scoring.is_usable:
        return RunResult("failed", sentence(scoring), None, socket.gethostname(), str(folder))
    record = published_cases(environ, made="actions").record(
        scoring.record, scoring.plan, folder.resolve().parent
    )
    return RunResult("complete", None, record, socket.gethostname(), str(folder))


def require_planned(run: PlannedRun, prepared: Prepared) -> None:
    """Raise ConfigurationError where this machine's files are not those that a run was planned by."""
    model = next(one for one in prepared.job.models if one.id == run.model)
    if inputs_sha256(prepared.job, model) != run.inputs_sha256:
        what = f"the component, its cases or the entry of {run.model} are not those that were planned"
        where = f"{run.component} {prepared.job.component.version}"
        raise ConfigurationError(what, where=where, hint=WHAT_TO_DO)


def _with_documents(evaluation: Evaluation, runs_dir: Path) -> Evaluation:
    """Read the documents among the inputs, unless another run of the component did; others wait for it."""
    if not evaluation.job.unread:
        return evaluation
    turns = runs_dir / READING / evaluation.job.component.slug
    make_folder(turns)
    with turn_at(turns):
        return read_inputs(evaluation)


def _prepared(assignment: Assignment, places: Places, environ: Mapping[str, str]) -> Prepared:
    run = assignment.run
    prepared = prepare(
        run.component,
        places.sources,
        (run.model,),
        run.replicates,
        job_id=assignment.job_id,
        environ=environ,
    )
    for skipped in prepared.selection.skipped:
        raise ConfigurationError(skipped.reason, where=run.model, hint="set it where the worker runs")
    require_planned(run, prepared)
    job = msgspec.structs.replace(prepared.job, run_ids={run.model: assignment.run_id})
    return msgspec.structs.replace(prepared, job=job)


def _evaluation(
    assignment: Assignment, prepared: Prepared, places: Places, environ: Mapping[str, str]
) -> Evaluation:
    run, folder = assignment.run, places.runs_dir / assignment.run_id
    past = []
    is_begun, left = (folder / PLAN).exists(), run.max_cost
    if left is not None:
        left = max(0.0, left - assignment.spent_usd)
        path = leaderboard_path(places.sources.prompt_library, run.component)
        past = known_records(existing_leaderboard(path, run.component))
        if is_begun:
            # Whoever got them: its share is for the whole run, of which this may be the third beginning.
            left = max(0.0, left - paid_for(folder, prepared.job, prepared.job.models[0]))
    return Evaluation(
        job=prepared.job,
        endpoints=prepared.selection.endpoints,
        runs_dir=places.runs_dir,
        resumed={run.model: folder} if is_begun else {},
        max_cost=left,
        past=tuple(past),
        documents=document_source(prepared, places.runs_dir, environ),
    )


def _result(outcome: RunOutcome, folder: Path, environ: Mapping[str, str]) -> RunResult:
    record, reason = outcome.record, outcome.reason
    if record is not None:
        # It leaves this machine for a database that others read: as a pull request would show it.
        published = published_cases(environ, made="actions")
        record = published.record(record, read_plan(folder), folder.resolve().parent)
        reason = record.reason or reason
    return RunResult(outcome.status, reason, record, socket.gethostname(), str(folder))
