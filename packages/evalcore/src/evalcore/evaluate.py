"""Plan + clients -> kept replies -> run records: the whole of an evaluation but its publishing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from evalcore.clients.interface import Client
from evalcore.plan import JobPlan, RunPlan
from evalcore.record import RunRecord
from evalcore.reply import Reply
from evalcore.structs import Frozen

OutcomeStatus = Literal["complete", "partial", "skipped"]


class RunOutcome(Frozen, frozen=True):
    """How one model's run ended."""

    model: str
    status: OutcomeStatus
    reason: str | None = None
    """Why it was skipped or is partial; None for a complete run."""
    record: RunRecord | None = None
    run_dir: str | None = None


class Observer(Protocol):
    """Is told what happens; must not block. Subclass and override what is of interest."""

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        """Tell that a model is served and its run begins (or goes on, with `kept` replies)."""

    def model_awaited(self, model: str, seconds: float) -> None:
        """Tell that a model is not served now and will be looked for again for so many seconds."""

    def model_skipped(self, model: str, reason: str) -> None:
        """Tell that a model is left out."""

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Tell that a call ended and its reply is kept."""

    def run_finished(self, outcome: RunOutcome) -> None:
        """Tell that a run is scored and recorded."""


class Effects(Frozen, frozen=True):
    """The clock, waiting and randomness an evaluation needs."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    new_id: Callable[[], str]


async def evaluate(
    job: JobPlan,
    clients: Mapping[str, Client],
    *,
    runs_dir: Path,
    concurrency: int,
    observer: Observer,
    effects: Effects,
    resumed: Mapping[str, Path] | None = None,
) -> list[RunOutcome]:
    """Call every model of the job for every case and replicate, keep the replies, score them.

    `clients` are keyed by provider name; `resumed` maps a model to the run folder that it goes on in.
    One outcome for each model, in the order of the job's models. Cancelling keeps what has come.

    Raises StorageError where replies cannot be kept, ModelError where no provider can be used at all.
    """
    raise NotImplementedError
