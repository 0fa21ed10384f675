"""What the service does by itself from time to time: open results are kept mergeable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from evalcore.errors import EvaluatorError
from evalcore.evaluation.outcome import Observer
from evalcore.runs.plan import JobPlan
from evalhook.jobs import Job
from evalhook.threads import in_thread

log = structlog.stdlib.get_logger(__name__)


class Upkeep:
    """Refreshes open results every so often, and when a job begins; a Listener of jobs."""

    def __init__(
        self, refresh: Callable[[], Sequence[str]], every: float, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._refresh = refresh
        self._every = every
        self._sleep = sleep
        self._due = asyncio.Event()

    def begun(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - the interface's
        """Refresh now, beside the job's calls."""
        self._due.set()
        return Observer()

    def ended(self, job: Job) -> None:
        """Nothing to do."""

    async def run(self) -> None:
        """Refresh when it is due, until cancelled; what fails is logged and tried again the next time."""
        while True:
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
