"""Keeps open results mergeable: they are refreshed from time to time, and whenever a job starts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from evalcore.errors import EvaluatorError
from evalcore.evaluation.outcome import Observer
from evalcore.runs.plan import JobPlan
from evalhook.jobs import Job
from evalhook.monitoring.observers import JobObserver
from evalhook.threads import in_thread

log = structlog.stdlib.get_logger(__name__)


class PeriodicRefresh(JobObserver):
    """Refreshes open results every `every` seconds and when a job starts.

    `refresh` blocks; it returns the branches that were brought up to date and raises EvaluatorError.
    """

    def __init__(
        self, refresh: Callable[[], Sequence[str]], every: float, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._refresh = refresh
        self._every = every
        self._sleep = sleep
        self._due = asyncio.Event()

    def job_started(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - as JobObserver
        """Refresh now, beside the job's calls, so that its own results find a mergeable base."""
        self._due.set()
        return Observer()

    async def run(self) -> None:
        """Refresh when due, until cancelled; a failure is logged and the next turn tries again."""
        while True:
            # Before the refresh, not after it: a job that starts meanwhile is to get one of its own.
            self._due.clear()
            try:
                await in_thread(self._refresh)
            except EvaluatorError as error:
                log.warning("refresh_failed", code=error.code, reason=error.line)
            waits = [asyncio.ensure_future(self._sleep(self._every)), asyncio.ensure_future(self._due.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
