"""The watchdog of a job: which calls are in flight, and since when nothing has come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from evalcore.clients.reply import Reply
from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.runs.plan import JobPlan, RunPlan

MOST_NAMED: Final = 5
"""Calls that are named when nothing moves; the others are counted."""


class Watchdog(Observer):
    """Observes one job's calls; its memory grows with the calls in flight alone."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._in_flight: dict[tuple[str, str, int], float] = {}
        self._scored: dict[str, tuple[int, int, float]] = {}
        """By model: the number of the case that is being scored, of how many, since when."""
        self._read: tuple[int, int, float] | None = None
        """The number of the document that is being read, of how many, since when."""
        self._progress_at = monotonic()
        self.is_idle = asyncio.Event()
        """Set while no call is in flight."""
        self.is_idle.set()

    @property
    def seconds_without_progress(self) -> float:
        """Seconds since anything came back."""
        return self._monotonic() - self._progress_at

    def reading(self, number: int, total: int) -> None:
        """Note which document is being read."""
        self._read = number, total, self._monotonic()
        # A document that is being read is waited for by a stop as a call is: MindRouter goes on reading it.
        self.is_idle.clear()
        self.progressed()

    def documents_read(self, job: JobPlan) -> None:  # noqa: ARG002 - the interface's
        """Note that no document is being read any more."""
        self.reading_ended()

    def reading_ended(self) -> None:
        """Note that none is being read now: all are, or the next is not begun."""
        self._read = None
        self.is_idle.set()
        self.progressed()

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:  # noqa: ARG002 - the interface's
        """Count it as progress."""
        self.progressed()

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """Note a call in flight."""
        self._in_flight[plan.model.id, case, replicate] = self._monotonic()
        self.is_idle.clear()

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Note a call that has ended."""
        self._in_flight.pop((plan.model.id, reply.case, reply.replicate), None)
        if not self._in_flight:
            self.is_idle.set()
        self.progressed()

    def scoring(self, plan: RunPlan, case: int) -> None:
        """Note which case is being scored."""
        self._scored[plan.model.id] = case + 1, len(plan.cases), self._monotonic()
        self.progressed()

    def run_finished(self, outcome: RunOutcome) -> None:
        """Note that a run is scored."""
        self._scored.pop(outcome.model, None)
        self.progressed()

    def progressed(self) -> None:
        """Note progress of any kind."""
        self._progress_at = self._monotonic()

    def restart(self) -> None:
        """Forget the calls of an attempt that was abandoned."""
        self._in_flight.clear()
        self._scored.clear()
        self._read = None
        self.is_idle.set()
        self.progressed()

    def describe(self) -> str:
        """Say what the job is at: what is scored, and the calls in flight, the longest first.

        Cases are numbered, not named: their names may be confidential.
        """
        now = self._monotonic()
        scored = [
            f"scoring case {case} of {cases} of {model} for {now - since:.0f} s"
            for model, (case, cases, since) in self._scored.items()
        ]
        longest = sorted(self._in_flight.items(), key=lambda item: item[1])
        named = [
            f"waiting for {model} replicate {replicate + 1} ({(now - since) / 60:.0f} min)"
            for (model, _, replicate), since in longest[:MOST_NAMED]
        ]
        more = len(longest) - len(named)
        if self._read is not None:
            number, total, since = self._read
            named = [f"reading document {number} of {total} for {now - since:.0f} s", *named]
        said = ", ".join([*scored, *named]) + (f" and {more} more" if more > 0 else "")
        return said or "the job is neither reading, calling nor scoring"
