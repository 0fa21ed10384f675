"""How a model's run ended, and who is notified while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from evalcore.clients.reply import Reply
from evalcore.library.component import ReaderName
from evalcore.runs.plan import JobPlan, RunPlan
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
    is_refused: bool = False
    """Whether it was skipped because its provider does not take what the run needs."""


class Observer:
    """Notified of what happens; must not block. Override what is of interest."""

    def reading(self, number: int, total: int) -> None:
        """A document is being read before the first call: the `number`-th of `total`, from 1."""

    def document_read(
        self, reader: ReaderName, seconds: float, pages: int | None, problem: str | None
    ) -> None:
        """A reader is done with a document it had not read before; `problem` says why it cannot be read."""

    def documents_read(self, job: JobPlan) -> None:
        """Every document is read or left out; the job has the cases that are left."""

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        """A model is served and its run begins, or goes on with `kept` replies that are stored already."""

    def model_awaited(self, model: str, seconds: float, hint: str) -> None:
        """A model is not served now; it is looked for again for so long. `hint`: what may be meant."""

    def model_skipped(self, model: str, reason: str) -> None:
        """A model is left out."""

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """A call is being made; `replicate` counts from 0."""

    def scoring(self, plan: RunPlan, case: int) -> None:
        """The replies of a run's case are being scored; `case` counts from 0."""

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """A call ended and its reply is stored."""

    def run_finished(self, outcome: RunOutcome) -> None:
        """A run is scored and recorded."""


def outcome_of(record: RunRecord, run_dir: Path) -> RunOutcome:
    """Return how a run ended that has its record."""
    reason = record.reason
    if reason is None and record.status == "partial":
        # a record of before the field
        reason = f"{record.calls.api_error} of {record.calls.total} calls were never answered"
    return RunOutcome(record.model, record.status, reason, record, run_dir)
