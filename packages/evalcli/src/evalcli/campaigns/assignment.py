"""What workers are given and give back: a run with its ids, how it ended, and where it stands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from evalcli.campaigns.plan import PlannedRun
from evalcli.leaderboards.places import Sources
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen

Phase = Literal["waiting", "running", "interrupted", "ended", "cancelled"]
"""`interrupted`: its worker has stopped or is lost, and no other has it yet."""
OPEN: Final = frozenset[Phase]({"waiting", "running", "interrupted"})
"""Those of a run that has not ended."""
ResultStatus = Literal["complete", "partial", "skipped", "stopped", "failed"]
"""`skipped`: the model is not served; `stopped`: at the limit of its cost; `failed`: it could not be done."""


class Assignment(Frozen, frozen=True):
    """One run of a campaign, with the ids that it has wherever it is done."""

    campaign: str
    attempt: int
    """From 1; one that did not end complete is begun again by a further `evalcli campaign run`."""
    job_id: str
    """Of all runs of the component in the campaign."""
    run_id: str
    """Fixed before it begins, so that another worker finds what is kept of it."""
    run: PlannedRun
    spent_usd: float = 0.0
    """What earlier attempts with a record have cost: its share of the budget is for all of them."""


class RunResult(Frozen, frozen=True):
    """How a run ended, as its worker reports it."""

    status: ResultStatus
    reason: str | None
    record: RunRecord | None
    worker: str
    """The host where it ended."""
    run_dir: str
    """The folder of its replies there."""

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing to be done again."""
        return self.status == "complete"


class RunState(Frozen, frozen=True):
    """Where a run of a campaign stands."""

    assignment: Assignment
    phase: Phase
    worker: str | None
    """Who does it, or did it."""
    begun_at: datetime | None
    ended_at: datetime | None
    result: RunResult | None
    """None until it has ended, and where it was cancelled."""


class Places(Frozen, frozen=True):
    """Where a worker's files are."""

    sources: Sources
    runs_dir: Path


class WorkerState(Frozen, frozen=True):
    """A worker that has been seen lately."""

    id: str
    host: str
    evaluator: str
    """Its version: it has runs of that alone."""
    seen_s: float
    """Seconds since its last sign of life."""
    lease_s: float
    """Seconds without one after which its runs are given to others; below 0 once it has stopped."""

    @property
    def is_lost(self) -> bool:
        """Whether its runs are to be given to others: it has stopped, or not been seen for too long."""
        return self.seen_s > self.lease_s
