"""Plan + clients -> kept replies -> run records: the whole of an evaluation but its publishing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from evalcore.clients.reply import Reply
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen

OutcomeStatus = Literal["complete", "partial", "skipped"]


class RunOutcome(Frozen, frozen=True):
    """How one model's run ended."""

    model: str
    status: OutcomeStatus
    reason: str | None = None
    """Why it was skipped or is partial; None for a complete run."""
    record: RunRecord | None = None
    run_dir: Path | None = None


class Observer:
    """Is told what happens; must not block. Override what is of interest."""

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        """Tell that a model is served and its run begins (or goes on, with `kept` replies)."""

    def model_awaited(self, model: str, seconds: float) -> None:
        """Tell that a model is not served now and will be looked for again for so many seconds."""

    def model_skipped(self, model: str, reason: str) -> None:
        """Tell that a model is left out."""

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """Tell that a call is being made; `replicate` counts from 0."""

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Tell that a call ended and its reply is kept."""

    def run_finished(self, outcome: RunOutcome) -> None:
        """Tell that a run is scored and recorded."""


def outcome_of(record: RunRecord, run_dir: Path) -> RunOutcome:
    """Say how a run ended that has its record."""
    reason = None
    if record.status == "partial":
        reason = f"{record.calls.api_error} of {record.calls.total} calls were never answered"
    return RunOutcome(record.model, record.status, reason, record, run_dir)
