"""A run as a row of DBOS: what it is known by there, and what the row says of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

from dbos import DBOSPortableJSONSerializer, WorkflowStatus

from evalcli.campaigns.assignment import Assignment, Phase, RunResult, RunState
from evalcli.campaigns.plan import CampaignPlan
from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import ConfigurationError
from evalcore.ids import is_plain_id

APPLICATION: Final = "evalcli-campaigns"
"""What our rows are marked with, where other programs use DBOS in the same database."""
WORKFLOW: Final = "run"
"""The one function that DBOS calls: it does one run."""
_PHASES: Final[Mapping[str, Phase]] = {
    "ENQUEUED": "waiting",
    "DELAYED": "waiting",
    "PENDING": "running",
    "SUCCESS": "ended",
    "ERROR": "ended",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "ended",
    "CANCELLED": "cancelled",
}

Stored = TypeVar("Stored", CampaignPlan, Assignment, RunResult)


def serializer() -> DBOSPortableJSONSerializer:
    """Return how DBOS writes what it stores: as JSON. Its own default, pickle, runs what it reads."""
    return DBOSPortableJSONSerializer()


def queue_of(provider: str) -> str:
    """Return the name of a provider's queue."""
    return f"provider:{provider}"


def id_of(assignment: Assignment) -> str:
    """Return what DBOS knows a run by; the same for the same attempt, so that it is queued once."""
    return f"{assignment.campaign}/{assignment.attempt}/{assignment.run.key}"


def campaign_of(run: str) -> str:
    """Return the name of the campaign that a run belongs to, of what DBOS knows the run by."""
    return run.partition("/")[0]


def state_of(row: WorkflowStatus, where: str, present: Collection[str]) -> RunState:
    """Return where a run stands by its row; `present` are the ids of the workers that are at work.

    Raises ConfigurationError, about `where`, for what is no run of a campaign.
    """
    # A workflow of another program may have no input; `{}` is refused below as no run of ours.
    text = row.input["args"][0] if row.input is not None and row.input["args"] else "{}"
    assignment = read_stored(text, Assignment, where)
    result = read_stored(row.output, RunResult, where) if isinstance(row.output, str) else None
    # They become paths here and there, and the database may be anybody's.
    ids = [assignment.run_id, assignment.job_id]
    if result is not None and result.record is not None:
        ids.append(result.record.run_id)
    if not all(map(is_plain_id, ids)):
        raise _no_run(where)
    phase = _PHASES[row.status]
    if phase == "running" and row.executor_id not in present:
        phase = "interrupted"
    if phase == "ended" and result is None:
        result = RunResult("failed", f"its worker failed: {row.error}", None, row.executor_id or "", "")
    return RunState(
        assignment=assignment,
        phase=phase,
        worker=row.executor_id if phase != "waiting" else None,
        begun_at=_moment(row.dequeued_at),
        ended_at=_moment(row.completed_at),
        result=result,
    )


def read_stored(text: str, kind: type[Stored], where: str) -> Stored:
    """Return what is stored as JSON; raises ConfigurationError about `where` for anything else."""
    try:
        return decode_json(text, kind)
    except UNREADABLE:
        raise _no_run(where) from None


def _no_run(where: str) -> ConfigurationError:
    hint = "use a database that only campaigns of this version are kept in"
    return ConfigurationError("it holds what is no run of a campaign", where=where, hint=hint)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
