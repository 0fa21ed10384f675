"""Which calls of a job are out, since when nothing has come back, and how that is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from evalcore.clients.reply import Reply
from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.runs.plan import RunPlan

MOST_TOLD: Final = 5


class Vigil(Observer):
    """Watches one job's calls; memory grows with the calls in flight alone."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._out: dict[tuple[str, str, int], float] = {}
        self.moved_at = monotonic()
        self.is_idle = asyncio.Event()
        """Set while no call is out."""
        self.is_idle.set()

    @property
    def still_for(self) -> float:
        """Seconds since anything came back."""
        return self._monotonic() - self.moved_at

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:  # noqa: ARG002 - the interface's
        """Take it as progress."""
        self.move()

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """Note a call that is out."""
        self._out[plan.model.id, case, replicate] = self._monotonic()
        self.is_idle.clear()

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Note a call that is back."""
        self._out.pop((plan.model.id, reply.case, reply.replicate), None)
        if not self._out:
            self.is_idle.set()
        self.move()

    def run_finished(self, outcome: RunOutcome) -> None:  # noqa: ARG002 - the interface's
        """Take it as progress."""
        self.move()

    def move(self) -> None:
        """Note progress of any kind."""
        self.moved_at = self._monotonic()

    def restart(self) -> None:
        """Forget the calls of an attempt that was given up."""
        self._out.clear()
        self.is_idle.set()
        self.move()

    def waits(self) -> str:
        """The calls that are out, the longest first; cases are not named, for they may be confidential."""
        now = self._monotonic()
        longest = sorted(self._out.items(), key=lambda item: item[1])
        told = [
            f"{model} replicate {replicate + 1} ({(now - since) / 60:.0f} min)"
            for (model, _, replicate), since in longest[:MOST_TOLD]
        ]
        more = len(longest) - len(told)
        return (
            ", ".join(told) + (f" and {more} more" if more > 0 else "") or "no call: the job is not calling"
        )
